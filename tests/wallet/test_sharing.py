"""A share from arrival to outcome, between the real wallet and a verifier that asks for what the test needs."""

import pytest

from proofs.formats.sd_jwt import parse_sd_jwt
from tests.wallet.fake_verifier import credential, known_verifier, notice, query, with_optional
from tests.wallet.people import Sharer
from tests.world import PASSPHRASE, World
from wallet.consent import ShownSomethingElse
from wallet.decision import Chosen
from wallet.delivery import DeliveryState
from wallet.ledger import Outcome

pytestmark = pytest.mark.anyio


async def test_what_was_agreed_to_is_delivered_and_nothing_else(world: World) -> None:
    """The employer gets the family name and what cannot be hidden, bound to its request; the history tells it."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    asked = employer.ask(query(["family_name"]), notice=notice())

    share_id = await sharer.begin(asked.link())
    delivery = await sharer.approve(share_id)

    assert delivery.state is DeliveryState.DELIVERED
    (presentation,) = employer.answers[0]["vp_token"]["certificate"]
    shown = parse_sd_jwt(presentation)
    assert [disclosure.name for disclosure in shown.disclosures] == ["family_name"]
    assert shown.key_binding is not None
    assert employer.answers[0]["state"] == asked.parameters["state"]
    entry = sharer.entry(share_id)
    assert entry.outcome is Outcome.SHARED
    assert [item["name"]["en"] for item in entry.shared] == ["Family name"]


async def test_optional_parts_use_the_same_copy_and_their_own_presentations(world: World) -> None:
    """Two queries met by one certificate take one copy; each presentation holds only its own claims."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    asked = employer.ask(
        with_optional(credential(["family_name"]), credential(["credits"], query_id="extra")), notice=notice()
    )

    share_id = await sharer.begin(asked.link())
    sharer.choose(share_id, Chosen(ticked=frozenset({1})))
    await sharer.approve(share_id)

    token = employer.answers[0]["vp_token"]
    first, second = parse_sd_jwt(token["certificate"][0]), parse_sd_jwt(token["extra"][0])
    assert first.issuer_jwt == second.issuer_jwt
    assert [one.name for one in first.disclosures] == ["family_name"]
    assert [one.name for one in second.disclosures] == ["credits"]
    assert sharer.certificate.copies_left == 9


async def test_an_encrypted_answer_is_made_with_the_named_key(world: World) -> None:
    """direct_post.jwt: the key's kid is copied, the better content encryption is taken."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    asked = employer.ask(query(["family_name"]), notice=notice(), encrypted=True)

    await sharer.approve(await sharer.begin(asked.link()))

    header = employer.answers[0]["jwe_header"]
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", "A256GCM", "key-r1")
    assert "certificate" in employer.answers[0]["vp_token"]


async def test_a_wrong_passphrase_shares_nothing(world: World) -> None:
    """Without the right passphrase nothing is sent, used or written."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    with pytest.raises(Exception, match="passphrase"):
        await sharer.approve(share_id, passphrase="something else")

    assert employer.forms == []
    assert sharer.certificate.copies_left == 10
    assert sharer.entry(share_id).outcome is Outcome.OPEN


async def test_an_approval_of_another_screen_is_refused(world: World) -> None:
    """What was approved in English is not shared by a screen in Swedish: it must be looked at again."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    digest = sharer.decision(share_id, language="en").digest

    with pytest.raises(ShownSomethingElse):
        await sharer.sharing.approve(
            sharer.vault, share_id, language="sv", approved_digest=digest, passphrase=PASSPHRASE
        )

    assert employer.forms == []
