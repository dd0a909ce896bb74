"""Attacks on what a person confirms with a share (`transaction_data`; OpenID4VP 1.0, sections 5.1, 8.4 and B.3.3).

In the wallet: nobody signs what the page does not show, in whole and in words. At the verifier: nothing but exactly the
sentence that was asked counts as confirmed, by one key that may.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proofs import base64url, strict_json
from proofs.formats.sd_jwt import parse_sd_jwt, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation
from proofs.jose import parse_jws, read_claims
from proofs.transaction_data import encode_transaction_data, hashes_claims, hashes_fault
from schemas.consent import LocalizedText
from schemas.receipt import BothLanguages
from tests.verifier.scene import Scene, assert_refused_by
from tests.verifier.withdrawing import receipt_for
from tests.wallet.fake_verifier import FakeVerifier, credential, known_verifier, notice, query, with_optional
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.people import Sharer
from tests.world import World
from verifier.countersigning import ReceiptMismatch, check_fits, read_receipt
from verifier.exchange import MadeRequest
from verifier.request_templates import InvalidTemplate, RequestTemplate, parse_template
from wallet.consent import ShownSomethingElse
from wallet.decision import build_decision
from wallet.receipts import receipt_of

TEXT = {"sv": "Min ansökan är fullständig och sann.", "en": "My application is complete and true."}
TYPE = "urn:intyga:transaction:declaration:1"


def declaration(**changes: Any) -> dict[str, Any]:
    """A good declaration with other members; None leaves one out."""
    members = {"type": TYPE, "credential_ids": ["certificate"], "text": TEXT} | changes
    return {name: value for name, value in members.items() if value is not None}


def sent(*objects: Mapping[str, Any]) -> list[str]:
    """As it stands in a request."""
    return [encode_transaction_data(one) for one in objects]


def hashes(presentation: str) -> dict[str, Any]:
    """What the key of a presentation signed."""
    return read_claims(parse_jws(presentation.rpartition("~")[2]))


# --- in the wallet ----------------------------------------------------------------------------------------------------


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    return known_verifier(world)


@pytest.mark.anyio
async def test_what_was_shown_is_what_is_signed(world: World, employer: FakeVerifier) -> None:
    """The digest of the very string, in the key binding; the sentence in the receipt, word for word."""
    sharer = await Sharer.with_certificate(world)
    data = sent(declaration())
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice(), transaction_data=data).link())
    await sharer.approve(share_id)

    (presentation,) = employer.answers[0]["vp_token"]["certificate"]
    claims = hashes(presentation)
    assert hashes_fault(claims, expected=data) == ""
    assert "transaction_data_hashes_alg" not in claims
    assert receipt_of(sharer.entry(share_id)).declarations == (BothLanguages(**TEXT),)


@pytest.mark.anyio
async def test_without_a_declaration_nothing_is_signed_besides(world: World, employer: FakeVerifier) -> None:
    """An ordinary share, and a receipt as it always was."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(share_id)

    (presentation,) = employer.answers[0]["vp_token"]["certificate"]
    assert set(hashes(presentation)) == {"iat", "aud", "nonce", "sd_hash"}
    assert "declarations" not in receipt_of(sharer.entry(share_id)).claims()


REFUSED: dict[str, Any] = {
    "unknown type": sent(declaration(type="urn:example:payment")),
    "known and unknown type": sent(declaration(), declaration(type="urn:example:payment")),
    "no type": sent(declaration(type=None)),
    "no ids": sent(declaration(credential_ids=None)),
    "empty ids": sent(declaration(credential_ids=[])),
    "id of no query": sent(declaration(credential_ids=["other"])),
    "id twice": sent(declaration(credential_ids=["certificate", "certificate"])),
    "ids are a text": sent(declaration(credential_ids="certificate")),
    "no text": sent(declaration(text=None)),
    "one language": sent(declaration(text={"en": "I owe you 1,000 kronor."})),
    "empty in one": sent(declaration(text={"sv": "", "en": "Yes."})),
    "a third language": sent(declaration(text=TEXT | {"de": "Ich zahle."})),
    "text is a string": sent(declaration(text="I agree.")),
    "text that reorders": sent(declaration(text=TEXT | {"en": "I pay \u202e000,1"})),
    "text with lines": sent(declaration(text=TEXT | {"en": "I agree.\n\n\nAnd I pay."})),
    "text too long to read": sent(declaration(text=TEXT | {"en": "x" * 5_000})),
    "a member that nobody sees": sent(declaration(amount="1000 SEK")),
    "the same twice": sent(declaration(), declaration()),
    "the same words twice": sent(declaration(), declaration(transaction_data_hashes_alg=["sha-256"])),
    "too many": sent(*(declaration(text={"sv": f"Nummer {n}.", "en": f"Number {n}."}) for n in range(6))),
    "unknown digest": sent(declaration(transaction_data_hashes_alg=["md5", "sha-1", "SHA-256"])),
    "no digest": sent(declaration(transaction_data_hashes_alg=[])),
    "digest is a text": sent(declaration(transaction_data_hashes_alg="sha-256")),
    "digests that do not agree": sent(
        declaration(transaction_data_hashes_alg=["sha-512"]),
        declaration(text={"sv": "Något annat.", "en": "Something else."}),
    ),
    "empty": [],
    "no array": declaration(),
    "an object in clear": [declaration()],
    "no base64url": ["%%%"],
    "padded": [encode_transaction_data(declaration()) + "="],
    "no JSON": [base64url.encode(b"hello")],
    "no object": [base64url.encode(b'["a"]')],
    "members twice": [base64url.encode(b'{"type":"x","type":"' + TYPE.encode() + b'"}')],
    "too large": [base64url.encode(strict_json.dumps(declaration() | {"x": "y" * 50_000}))],
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_not_understood_whole_is_refused(world: World, employer: FakeVerifier, case: str) -> None:
    """The request is not shown as a decision, and its fault has the code of the specification."""
    sharer = await Sharer.with_certificate(world)

    share_id = await sharer.begin(employer.ask(query(["family_name"]), transaction_data=REFUSED[case]).link())

    fault = sharer.sharing.fault(sharer.vault, share_id)
    assert fault is not None
    assert fault.error == "invalid_transaction_data"


@pytest.mark.anyio
async def test_a_key_of_the_holder_is_demanded(world: World, employer: FakeVerifier) -> None:
    """B.3.3: what no key is bound to cannot sign."""
    sharer = await Sharer.with_certificate(world)
    unbound = query(["family_name"], require_cryptographic_holder_binding=False)

    share_id = await sharer.begin(employer.ask(unbound, transaction_data=sent(declaration()), state="0" * 43).link())

    fault = sharer.sharing.fault(sharer.vault, share_id)
    assert fault is not None
    assert fault.error == "invalid_transaction_data"


@pytest.mark.anyio
async def test_a_declaration_that_only_something_optional_could_carry_is_refused(
    world: World, employer: FakeVerifier
) -> None:
    """The share without the optional part would leave it out, or the part would not be optional any more."""
    sharer = await Sharer.with_certificate(world)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))

    refused = await sharer.begin(
        employer.ask(asked, transaction_data=sent(declaration(credential_ids=["extra"]))).link()
    )
    both = await sharer.begin(
        employer.ask(
            asked, notice=notice(), transaction_data=sent(declaration(credential_ids=["extra", "certificate"]))
        ).link()
    )

    assert sharer.sharing.fault(sharer.vault, refused) is not None
    await sharer.approve(both)
    assert list(employer.answers[0]["vp_token"]) == ["certificate"]
    assert "transaction_data_hashes" in hashes(employer.answers[0]["vp_token"]["certificate"][0])


@pytest.mark.anyio
async def test_of_several_certificates_one_signs(world: World, employer: FakeVerifier) -> None:
    """OpenID4VP 5.1: only one of those that may; and every sentence in that one."""
    sharer = await Sharer.with_certificate(world)
    asked = {"credentials": [credential(["family_name"]), credential(["credits"], query_id="extra")]}
    ids = ["extra", "certificate"]
    other = declaration(credential_ids=ids, text={"sv": "Jag är arton år.", "en": "I am eighteen."})
    data = sent(declaration(credential_ids=ids), other)

    await sharer.approve(await sharer.begin(employer.ask(asked, notice=notice(), transaction_data=data).link()))

    shown = [hashes(one[0]) for one in employer.answers[0]["vp_token"].values()]
    carrying = [claims for claims in shown if "transaction_data_hashes" in claims]
    assert len(shown) == 2
    (claims,) = carrying
    assert hashes_fault(claims, expected=data) == ""


@pytest.mark.anyio
@pytest.mark.parametrize(("named", "used"), [(["sha-256"], "sha-256"), (["x", "sha-512", "sha-384"], "sha-384")])
async def test_a_named_digest_is_used_and_named(
    world: World, employer: FakeVerifier, named: list[str], used: str
) -> None:
    """B.3.3.1: one of those named, which the answer then names."""
    sharer = await Sharer.with_certificate(world)
    data = sent(declaration(transaction_data_hashes_alg=named))

    await sharer.approve(
        await sharer.begin(employer.ask(query(["family_name"]), notice=notice(), transaction_data=data).link())
    )

    claims = hashes(employer.answers[0]["vp_token"]["certificate"][0])
    assert claims["transaction_data_hashes_alg"] == used
    assert (
        claims["transaction_data_hashes"]
        == hashes_claims(data, algorithm=used, is_named=True)["transaction_data_hashes"]
    )


@pytest.mark.anyio
async def test_an_approval_is_of_this_sentence(world: World, employer: FakeVerifier) -> None:
    """CS-25: another sentence under the same approval is "something else"; the language of the reader counts."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(
        employer.ask(query(["family_name"]), notice=notice(), transaction_data=sent(declaration())).link()
    )
    seen = sharer.decision(share_id)
    (one,) = seen.checked.declarations

    def digest(**changes: Any) -> str:
        checked = replace(seen.checked, declarations=(replace(one, **changes),) if changes else ())
        return build_decision(
            checked, sharer.vault.certificates(), seen.chosen, past=seen.facts.past, share_id=share_id, salt=b"s",
            language="en", now=world.clock(), time_zone="Europe/Stockholm",
        ).digest  # fmt: skip

    digests = {digest(), digest(encoded=one.encoded), digest(encoded="x"), digest(text=LocalizedText(sv="a", en="b"))}
    assert len(digests) == 4
    with pytest.raises(ShownSomethingElse):
        await sharer.sharing.approve(
            sharer.vault, share_id, language="en", approved_digest=digest(), passphrase="fyra ord utan samband"
        )


def test_the_pages_show_the_sentence_before_and_at_the_confirmation(world: World, employer: FakeVerifier) -> None:
    """In the reader's language, as their words, on both screens; a text that looks like a page stays a text."""
    odd = {"sv": "Jag lovar <b>allt</b>.", "en": "I promise <b>everything</b>."}
    browser = person(world)
    page = look(
        browser,
        employer.ask(query(["family_name"]), notice=notice(), transaction_data=sent(declaration(text=odd))).link(),
    )
    asked = decide(browser, page, "share")

    for shown in (page, asked):
        assert "I promise &lt;b&gt;everything&lt;/b&gt;." in shown.text
        assert "<b>everything" not in shown.text
    assert "If you share, you also sign this." in text_of(page)
    assert "You also confirm this" in text_of(asked)
    confirm(browser, asked)
    assert "transaction_data_hashes" in hashes(employer.answers[0]["vp_token"]["certificate"][0])


# --- at the verifier --------------------------------------------------------------------------------------------------


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier, an issuer that it trusts, and a holder."""
    return Scene(tmp_path)


def with_declaration(template: RequestTemplate, **changes: Any) -> RequestTemplate:
    """The template with a sentence to confirm."""
    return parse_template(template.model_dump(mode="json", exclude_defaults=True) | {"declaration": TEXT} | changes)


def ask(scene: Scene) -> tuple[MadeRequest, dict[str, Any]]:
    """A request with a declaration, and its parameters."""
    made = scene.ask(with_declaration(scene.template()))
    return made, scene.fetch(made)


def confirmed(scene: Scene, request: Mapping[str, Any], query_id: str = "certificate", **claims: Any) -> str:
    """A presentation whose key signs these members besides."""
    (wanted,) = [one for one in request["dcql_query"]["credentials"] if one["id"] == query_id]
    held = parse_sd_jwt(scene.certificate)
    paths = [tuple(claim["path"]) for claim in wanted["claims"]]
    return build_presentation(
        scene.certificate,
        disclosures=select_disclosures(held, paths, nested=True),
        signer=scene.holder,
        audience=request["client_id"],
        nonce=request["nonce"],
        now=scene.now,
        further_claims=claims,
    )


def good(request: Mapping[str, Any], **named: Any) -> dict[str, Any]:
    """What an honest wallet signs."""
    return hashes_claims(request["transaction_data"], algorithm="sha-256", is_named=False) | named


def test_a_confirmed_sentence_is_accepted_and_told(scene: Scene) -> None:
    """The request says what is to be confirmed, and by which of the certificates."""
    made, request = ask(scene)
    (text,) = request["transaction_data"]
    assert strict_json.loads(base64url.decode(text)) == {"type": TYPE, "credential_ids": ["certificate"], "text": TEXT}

    assert scene.answer_with(made, confirmed(scene, request, **good(request))).status == 200

    record = scene.result(made)
    assert record.is_accepted
    assert [check.name for check in record.result.checks][-1] == "declaration"


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("nothing", "declaration_missing"),
        ("another text", "declaration_other_text"),
        ("twice", "declaration_other_text"),
        ("one more", "declaration_other_text"),
        ("none in the list", "declaration_other_text"),
        ("no list", "declaration_other_text"),
        ("numbers", "declaration_other_text"),
        ("digest of what it decodes to", "declaration_other_text"),
        ("another digest", "declaration_other_algorithm"),
        ("a digest that is no text", "declaration_other_algorithm"),
        ("said to be the default", "declaration_other_text"),
    ],
)
def test_anything_but_exactly_this_is_refused(scene: Scene, case: str, reason: str) -> None:
    """Everything else about the answer is good."""
    made, request = ask(scene)
    right = good(request)
    (one,) = right["transaction_data_hashes"]
    other = hashes_claims(sent(declaration(text={"sv": "Nej.", "en": "No."})), algorithm="sha-256", is_named=False)
    longer = hashes_claims(request["transaction_data"], algorithm="sha-512", is_named=True)
    decoded = base64url.encode(base64url.decode(request["transaction_data"][0])[:32])
    claims: dict[str, Any] = {
        "nothing": {},
        "another text": other,
        "twice": {"transaction_data_hashes": [one, one]},
        "one more": {"transaction_data_hashes": [one, *other["transaction_data_hashes"]]},
        "none in the list": {"transaction_data_hashes": []},
        "no list": {"transaction_data_hashes": one},
        "numbers": {"transaction_data_hashes": [7]},
        "digest of what it decodes to": {"transaction_data_hashes": [decoded]},
        "another digest": longer,
        "a digest that is no text": right | {"transaction_data_hashes_alg": ["sha-256"]},
        "said to be the default": longer | {"transaction_data_hashes_alg": "sha-256"},
    }[case]

    reply = scene.answer_with(made, confirmed(scene, request, **claims))

    assert_refused_by(scene, made, reply, "declaration", reason)


def test_a_sentence_of_another_request_of_ours_does_not_count(scene: Scene) -> None:
    """The same sentence, confirmed for another request: its nonce is another, and that check objects."""
    _, before = ask(scene)
    made, request = ask(scene)

    reply = scene.answer_with(made, confirmed(scene, dict(before), **good(request)))

    assert_refused_by(scene, made, reply, "nonce", "other_nonce")


def test_only_one_that_may_confirms(scene: Scene) -> None:
    """An optional part that carries it, or both: nobody was asked to sign with those."""
    optional = "certificate-optional-1"
    for carrying in ((optional,), ("certificate", optional)):
        made, request = ask(scene)
        token = {
            one: [confirmed(scene, request, one, **(good(request) if one in carrying else {}))]
            for one in ("certificate", optional)
        }
        reply = scene.post(made, scene.form(request, {"vp_token": token}))
        assert_refused_by(scene, made, reply, "declaration", "declaration_elsewhere")


def test_a_template_asks_only_for_what_somebody_must_show(scene: Scene) -> None:
    """One language is not enough, and with everything optional nothing would carry the sentence."""
    faulty: list[Any] = [{"sv": "Ja."}, {}, "Yes."]
    for one_language in faulty:
        with pytest.raises(InvalidTemplate):
            with_declaration(scene.template(), declaration=one_language)
    members = scene.template().model_dump(mode="json", exclude_defaults=True)
    for one in members["credentials"]:
        one["required"] = False
    with pytest.raises(InvalidTemplate, match="a declaration is confirmed with something that is required"):
        parse_template(members | {"declaration": TEXT})


def test_a_receipt_that_says_something_else_is_not_counter_signed(scene: Scene) -> None:
    """The recipient signs only what it asked to be confirmed."""

    def fits(receipt_says: list[dict[str, str]], asked: dict[str, str] | None) -> None:
        template = scene.template() if asked is None else with_declaration(scene.template(), declaration=asked)
        made = scene.ask(template)
        receipt = read_receipt(receipt_for(scene, made, declarations=receipt_says))
        until = made.transaction.retention_until
        check_fits(receipt, transaction=made.transaction, retention_until=until, received=[], acted=None)

    fits([TEXT], TEXT)
    fits([], None)
    for says, asked in (([TEXT], None), ([], TEXT), ([TEXT | {"en": "No."}], TEXT), ([TEXT, TEXT], TEXT)):
        with pytest.raises(ReceiptMismatch, match="confirmed"):
            fits(says, asked)
