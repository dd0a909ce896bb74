"""Attacks on "whose certificates would do" (`trusted_authorities`, `aki`; OpenID4VP 1.0, section 6.1.1).

In the wallet: a value that is not exactly an authority's identifier offers nothing. At the verifier: whoever answers in
spite of it is refused, and a certificate that merely came along proves nothing.
"""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs import base64url
from proofs.certificates import authority_key_id, unverified_leaf
from proofs.formats.concealment import plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.trust import TrustEntry, entry_from_anchor, entry_from_jwk
from schemas.errors import ProtocolError
from tests.proofs.authorities import Authority, x5c
from tests.verifier.scene import MICRO, MICRO_CLAIMS, Scene, assert_refused_by, certified
from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_did_verifier import firm
from tests.world import World
from verifier.exchange import MadeRequest
from verifier.policies import naming_authorities
from verifier.request_templates import InvalidTemplate, RequestTemplate, parse_template
from verifier.requests import Kind


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier, an issuer that it trusts, and a holder."""
    return Scene(tmp_path)


OTHER = base64url.encode(bytes(range(20)))


def varied(template: RequestTemplate, **changes: Any) -> RequestTemplate:
    """The template with another first credential."""
    members = template.model_dump(mode="json", exclude_defaults=True)
    members["credentials"][0] |= changes
    return parse_template(members)


# --- in the wallet ----------------------------------------------------------------------------------------------------


class Asking:
    """A person with one certificate, and somebody who asks again and again for those of certain authorities."""

    def __init__(self, sharer: Sharer, employer: FakeVerifier) -> None:
        self._sharer, self._employer = sharer, employer
        chain = sharer.certificate.sd_jwt.header["x5c"]
        (self.authority,) = unverified_leaf(chain).authority_key_ids

    @classmethod
    async def begun(cls, world: World) -> "Asking":
        """With a fresh person."""
        return cls(await Sharer.with_certificate(world), known_verifier(world))

    async def is_offered(self, *authorities: dict[str, Any]) -> bool:
        """Whether the certificate is offered to a query with these trusted authorities."""
        asked = self._employer.ask(query(["family_name"], trusted_authorities=list(authorities)), notice=notice())
        return self._sharer.decision(await self._sharer.begin(asked.link())).is_satisfiable


@pytest.mark.anyio
async def test_a_certificate_under_the_authority_is_offered_and_another_is_not(world: World) -> None:
    """The identifier in any certificate of the chain counts; beside types that nobody here understands, too."""
    asking = await Asking.begun(world)
    authority = asking.authority

    assert await asking.is_offered({"type": "aki", "values": [authority]})
    assert await asking.is_offered({"type": "new", "values": ["?"]}, {"type": "aki", "values": [OTHER, authority]})
    assert not await asking.is_offered({"type": "aki", "values": [OTHER]})
    assert not await asking.is_offered({"type": "etsi_tl", "values": [authority]})
    assert not await asking.is_offered({"type": "AKI", "values": [authority]})


@pytest.mark.anyio
async def test_another_way_of_writing_the_identifier_is_no_match(world: World) -> None:
    """Two spellings of one value would let a wallet and a verifier disagree about what was asked."""
    asking = await Asking.begun(world)
    authority = asking.authority
    raw = base64url.decode(authority)
    last = authority[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [
        authority + "=",
        f" {authority}",
        f"{authority}\n",
        authority[:-1] + alphabet[alphabet.index(last) + 1],  # The left-over bits are not zero.
        raw.hex(),
        base64.b64encode(b"\xfb\xff" + raw).decode(),
        authority[:-1],
        authority + authority,
        "*",
    ]

    for spelling in spellings:
        assert not await asking.is_offered({"type": "aki", "values": [spelling]}), spelling


@pytest.mark.anyio
@pytest.mark.parametrize(
    "authorities",
    [[], [{"type": "aki", "values": []}], [{"type": "aki", "values": [""]}], [{"type": "aki"}], [{"values": ["a"]}],
     [{"type": "", "values": ["a"]}], [{"type": "aki", "values": "a"}], [{"type": "aki", "values": [7]}], {}, "aki"],
)  # fmt: skip
async def test_a_malformed_query_for_authorities_is_a_fault(world: World, authorities: Any) -> None:
    """It is not taken for "any authority": the whole request is refused."""
    sharer = await Sharer.with_certificate(world)
    employer = known_verifier(world)

    share_id = await sharer.begin(employer.ask(query(["family_name"], trusted_authorities=authorities)).link())

    fault = sharer.sharing.fault(sharer.vault, share_id)
    assert fault is not None
    assert fault.error == "invalid_request"


# --- end to end -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_running_verifier_names_the_authority_and_our_wallet_answers_for_that_one_alone(world: World) -> None:
    """The template's `authorities`, over HTTP to the wallet and back; of another authority nothing is found."""
    sharer = await Sharer.with_certificate(world)
    (authority,) = unverified_leaf(sharer.certificate.sd_jwt.header["x5c"]).authority_key_ids
    with firm(world) as verifier:
        template = verifier.templates()["employer-micro-credential"]

        def ask(named: str) -> MadeRequest:
            asked = varied(template, authorities=[named])
            return verifier.make_request(asked, kind=Kind.CROSS_DEVICE, maker="test")

        other = sharer.decision(await sharer.begin(ask(OTHER).link))
        made = ask(authority)
        share_id = await sharer.begin(made.link)
        decision = sharer.decision(share_id)
        sharer.go_on(share_id, *(warned.kind for warned in decision.overrides))
        await sharer.approve(share_id)

        assert not other.is_satisfiable
        assert decision.is_satisfiable
        assert verifier.result(made.id).is_accepted


# --- at the verifier --------------------------------------------------------------------------------------------------


def ask_for(scene: Scene, *authorities: str) -> MadeRequest:
    """A request that names authorities."""
    return scene.ask(varied(scene.template(), authorities=list(authorities)))


def own_authority(scene: Scene) -> str:
    """The authority that certifies the scene's issuer."""
    return unverified_leaf(scene.issuer.signer.x5c).authority_key_ids[0]


def test_an_answer_from_the_authority_is_accepted_and_from_another_refused(scene: Scene) -> None:
    """The issuer is trusted in both cases: it is the query that was not kept to."""
    good, bad = ask_for(scene, OTHER, own_authority(scene)), ask_for(scene, OTHER)
    scene.answer(good)
    reply = scene.answer_with(bad, scene.presentation(scene.fetch(bad), "certificate"))

    assert scene.result(good).is_accepted
    assert_refused_by(scene, bad, reply, "query", "authority")


def test_a_chain_that_merely_came_along_proves_no_authority(scene: Scene) -> None:
    """An issuer known by its bare key puts the chain of a famous authority into its header: it counts for nothing."""
    honest_chain = scene.issuer.signer.x5c
    cheat = generate_signer()
    url = "https://bare-key.example"
    scene.verifier.trust.add_entry(
        entry_from_jwk(cheat.public_jwk, identifier=url, name="Bare key", role="issuer"), now=scene.now
    )
    token = issue_sd_jwt_vc(
        {"iss": url, "vct": MICRO.vct, "iat": int(scene.now.timestamp()), "exp": int(scene.now.timestamp()) + 9000}
        | MICRO_CLAIMS,
        disclosable=plan_disclosures(MICRO.disclosable_paths()),
        signer=cheat.with_chain(honest_chain),
        holder_jwk=scene.holder.public_jwk,
    )
    members = {"authorities": [own_authority(scene)], "status": "if_present"}
    made = scene.ask(varied(scene.template(), **members))

    reply = scene.answer_with(made, scene.presentation(scene.fetch(made), "certificate", token=token))

    assert_refused_by(scene, made, reply, "query", "authority")
    # Without authorities in the query the same certificate is good: only the authority was at stake.
    fine = scene.ask(varied(scene.template(), status="if_present"))
    scene.answer_with(fine, scene.presentation(scene.fetch(fine), "certificate", token=token))
    assert scene.result(fine).is_accepted


def test_a_certificate_that_merely_came_along_names_no_accepted_issuer(scene: Scene) -> None:
    """The same for a template's `issuers`: the names in a certificate that did not sign are nobody's."""
    cheat = generate_signer()
    url = "https://bare-key.example"
    scene.verifier.trust.add_entry(
        entry_from_jwk(cheat.public_jwk, identifier=url, name="Bare key", role="issuer"), now=scene.now
    )
    token = issue_sd_jwt_vc(
        {"iss": url, "vct": MICRO.vct, "iat": int(scene.now.timestamp()), "exp": int(scene.now.timestamp()) + 9000}
        | MICRO_CLAIMS,
        disclosable=plan_disclosures(MICRO.disclosable_paths()),
        signer=cheat.with_chain(scene.issuer.signer.x5c),
        holder_jwk=scene.holder.public_jwk,
    )
    made = scene.ask(varied(scene.template(), issuers=[scene.issuer.url], status="if_present"))

    reply = scene.answer_with(made, scene.presentation(scene.fetch(made), "certificate", token=token))

    assert_refused_by(scene, made, reply, "issuer_trusted", "issuer_not_accepted")


@pytest.mark.parametrize(
    "value", ["", "=", "s9tIpPmhxdiuNkHMEWNpYim8S8Y=", "s9tI pPmh", "s9+I", "åäö", "B3:A8", 7, None]
)
def test_a_template_with_a_misspelt_identifier_is_refused(scene: Scene, value: Any) -> None:
    """It would match nobody's certificate, and nobody would know why."""
    with pytest.raises(InvalidTemplate):
        varied(scene.template(), authorities=[value])


def test_the_trust_list_can_say_whose_certificates_would_do(scene: Scene) -> None:
    """`authorities = "trusted"`: the request names the authorities trusted for the type now, and the check follows."""
    made = scene.ask(varied(scene.template(), authorities="trusted"))

    (first, *_) = scene.fetch(made)["dcql_query"]["credentials"]
    assert first["trusted_authorities"] == [{"type": "aki", "values": [own_authority(scene)]}]
    scene.answer(made)
    assert scene.result(made).is_accepted


def test_only_authorities_that_count_now_for_this_type_are_named(scene: Scene) -> None:
    """One trusted for another type, in another role, in another period or by its bare key is not among them."""
    roots = [certified(f"root-{number}", f"https://r{number}.example", f"R{number}")[1] for number in range(3)]
    for root, more in (
        (roots[0], {"role": "issuer", "types": ["urn:example:other"]}),
        (roots[1], {"role": "verifier"}),
        (roots[2], {"role": "registrar"}),
    ):
        scene.verifier.trust.add_entry(entry_from_anchor(root, name="R", **more), now=scene.now)
    ended = scene.issuer.entry().to_json() | {
        "id": "ended", "anchor_pem": roots[0].decode(), "not_after": int((scene.now - timedelta(days=1)).timestamp())
    }  # fmt: skip
    scene.verifier.trust.add_entry(TrustEntry.from_json(ended), now=scene.now)
    bare = entry_from_jwk(generate_signer().public_jwk, identifier="https://b.example", name="B", role="issuer")
    scene.verifier.trust.add_entry(bare, now=scene.now)

    named = naming_authorities(
        varied(scene.template(), authorities="trusted"), scene.verifier.trust.trust(now=scene.now), at=scene.now
    )

    assert named.credentials[0].authorities == (own_authority(scene),)


def test_without_a_trusted_authority_nothing_is_asked(scene: Scene) -> None:
    """A request that no certificate could answer is not made."""
    scene.verifier.trust.remove(scene.issuer.entry().id)

    with pytest.raises(InvalidTemplate, match="no certificate authority is trusted"):
        scene.ask(varied(scene.template(), authorities="trusted"))


def test_an_authority_without_an_identifier_of_its_own_goes_by_its_key() -> None:
    """RFC 5280, 4.2.1.2: the SHA-1 of its key, as what it certifies would say."""
    root = Authority()
    assert len(base64url.decode(authority_key_id(root.der))) == 20
    with pytest.raises(ProtocolError):
        authority_key_id(b"no certificate")
    assert unverified_leaf(x5c(root.certify())).authority_key_ids == ()
    signer, pem = certified("issuer", "https://university.example", "Example University")
    anchor = entry_from_anchor(pem, name="x").anchor
    assert anchor is not None
    assert authority_key_id(anchor) in unverified_leaf(signer.x5c).authority_key_ids
