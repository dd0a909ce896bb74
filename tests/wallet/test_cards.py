"""Cards: everything that a certificate says can be read, whoever made it and whatever it holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.formats.concealment import plan_disclosures
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from schemas.types import CREDENTIAL_TYPES
from schemas.verification import Check, Outcome, VerificationResult
from tests.schemas.types.records import several
from tests.world import NOW, World
from wallet.cards import CardView, read_card, standing
from wallet.certificates import StoredCertificate
from wallet.display import display_of_type, read_type_document

SIGNER = generate_signer()


def stored(
    claims: dict[str, Any], *, disclosable: list[tuple[str | None, ...]] | None = None, **more: Any
) -> StoredCertificate:
    """A certificate with these claims, as it would lie in a vault."""
    payload = {"vct": "urn:example:type", "iss": "https://uni.example", **claims}
    token = issue_sd_jwt_vc(
        payload, disclosable=plan_disclosures(disclosable or []), signer=SIGNER, holder_jwk=SIGNER.public_jwk
    )
    sd_jwt = parse_sd_jwt(token)
    values: dict[str, Any] = {
        "id": "c1",
        "format": "dc+sd-jwt",
        "vct": payload["vct"],
        "type_chain": (payload["vct"],),
        "issuer_identifier": "https://uni.example",
        "issuer_name": "Uni",
        "issuer_trusted": True,
        "received_at": NOW,
        "valid_from": None,
        "valid_until": None,
        "copies_left": 1,
        "copies_total": 1,
        "claims": sd_jwt.claims,
        "token": token,
        "sd_jwt": sd_jwt,
        "report": VerificationResult((Check("form", Outcome.PASSED),)),
        "checked_at": NOW,
        "status": "valid",
        "status_uri": None,
        "display": {},
        "issuer_display": (),
        "collected_from": "https://uni.example",
        "version": 1,
    }
    return StoredCertificate(**values | more)


def lines(card: CardView) -> dict[str, str]:
    """Labels and values of a card."""
    return {line.label: line.value for group in card.groups for line in group.lines}


def test_an_unknown_type_is_read_by_the_names_of_its_claims() -> None:
    """Nothing described it; still every value is there, under a name that can be read."""
    claims = {"given_name": "Åsa", "address": {"street_address": "Storgatan 1", "zip": 12345}, "tags": ["a", "b"]}

    card = read_card(stored(claims), "en")

    assert lines(card)["Given name"] == "Åsa"
    assert lines(card)["Tags"] == "a, b"
    assert "Storgatan 1" in lines(card).values()
    assert {"Address of the issuer", "Type of certificate", "Key in the wallet"} <= {
        line.label for line in card.technical
    }


def test_an_issuers_names_are_used_for_an_unknown_type() -> None:
    """Labels per language come from the issuer's display data, with elements of arrays counted."""
    display = {
        "display": [{"name": "Körkort", "locale": "sv"}, {"name": "Licence", "locale": "en-GB"}],
        "claims": [
            {"path": ["grades", None, "value"], "display": [{"name": "Betyg", "locale": "sv"}, {"name": "Mark"}]},
        ],
    }
    certificate = stored({"grades": [{"value": "A"}, {"value": "B"}]}, display=display)

    swedish, english = read_card(certificate, "sv"), read_card(certificate, "en")

    assert (swedish.title, english.title) == ("Körkort", "Licence")
    assert [line.value for group in swedish.groups for line in group.lines] == ["A", "B"]
    assert "Betyg" in swedish.groups[0].lines[0].label
    assert "Mark" in english.groups[0].lines[0].label
    assert len(swedish.groups) == 2


def test_what_can_stay_hidden_is_what_the_signature_lets_stay_hidden() -> None:
    """Not what a description promises, but how this very certificate is made."""
    certificate = stored({"open": "1", "closed": "2", "list": [{"a": "3"}]}, disclosable=[("closed",), ("list", None)])

    card = read_card(certificate, "en")

    assert {line.label for line in card.hideable} >= {"Closed"}
    assert {line.label for line in card.always_shown} == {"Open"}


def test_a_known_type_shows_what_it_does_not_know_as_well() -> None:
    """A claim that the type never heard of is not swallowed."""
    vct = CREDENTIAL_TYPES["micro-credential"].vct
    claims = {"vct": vct, "achievement_title": {"sv": "Kurs", "en": "Course"}, "surprise": "here"}

    card = read_card(stored(claims, vct=vct), "en")

    assert card.title == "Course"
    assert lines(card)["Surprise"] == "here"


def test_a_title_in_a_third_language_says_which() -> None:
    """A screen reader is told when the title is in another language than the page (A-08)."""
    vct = CREDENTIAL_TYPES["micro-credential"].vct
    card = read_card(stored({"vct": vct, "achievement_title": {"fi": "Kurssi"}}, vct=vct), "sv")

    assert (card.title, card.title_language) == ("Kurssi", "fi")


@pytest.mark.parametrize(
    ("changes", "word", "tone"),
    [
        ({}, "valid", "good"),
        ({"status": "none"}, "no_status", "quiet"),
        ({"status": "unknown"}, "not_checked", "warning"),
        ({"status": "revoked", "issuer_trusted": False}, "revoked", "bad"),
        ({"status": "suspended"}, "suspended", "warning"),
        ({"issuer_trusted": False}, "unknown_issuer", "warning"),
        ({"valid_until": NOW}, "expired", "warning"),
        ({"valid_from": NOW + timedelta(days=1)}, "not_yet_valid", "warning"),
        ({"report": VerificationResult((Check("signature", Outcome.FAILED),))}, "not_genuine", "bad"),
    ],
)
def test_a_card_is_green_only_when_everything_is_known(changes: dict[str, Any], word: str, tone: str) -> None:
    """Revoked beats everything; unknown is never good."""
    stands = standing(replace(stored({}), **changes), now=NOW)

    assert (stands.word, stands.tone) == (word, tone)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)
_NAMES = st.text(min_size=1, max_size=12).filter(lambda name: name not in ("_sd", "...", "_sd_alg"))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_NAMES, _VALUES, max_size=5), st.sampled_from(["sv", "en"]), st.booleans())
def test_any_certificate_can_be_read(claims: dict[str, Any], language: str, known: bool) -> None:
    """Whatever a certificate holds, of a known or an unknown type, there is a card for it."""
    base = stored({})
    vct = CREDENTIAL_TYPES["micro-credential"].vct if known else "urn:x"

    card = read_card(replace(base, claims={**base.claims, **claims}, vct=vct), language)

    assert all(line.label is not None and line.value for group in card.groups for line in group.lines)


# --- type metadata ----------------------------------------------------------------------------------------------------

DOCUMENT = (
    b'{"vct":"https://t.example/v","display":[{"locale":"en","name":"Thing","rendering":{"simple":{}}}],'
    b'"claims":[{"path":["a"],"display":[{"locale":"en","label":"Alpha"}],"sd":"always"}]}'
)


def test_type_metadata_names_types_and_claims() -> None:
    """Names and labels of the type are taken over, pictures are not."""
    shown = display_of_type(read_type_document(DOCUMENT, vct="https://t.example/v", integrity=None))

    assert shown == {
        "display": [{"name": "Thing", "locale": "en"}],
        "claims": [{"path": ["a"], "display": [{"name": "Alpha", "locale": "en"}]}],
    }


@pytest.mark.parametrize(
    "integrity",
    ["sha256-AAAA", "md5-AAAA", "", 7, "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256-%%%"],
)
def test_type_metadata_with_another_digest_is_not_used(integrity: object) -> None:
    """S-16: what does not have the digest that the certificate states must not be processed."""
    assert read_type_document(DOCUMENT, vct="https://t.example/v", integrity=integrity) == {}


def test_type_metadata_with_the_right_digest_is_used() -> None:
    """The strongest digest counts."""
    import base64
    import hashlib

    good = base64.b64encode(hashlib.sha384(DOCUMENT).digest()).decode()
    assert read_type_document(DOCUMENT, vct="https://t.example/v", integrity=f"sha256-AAAA sha384-{good}")
    assert not read_type_document(DOCUMENT, vct="https://t.example/v", integrity=f"sha384-AAAA sha256-{good}")


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b'{"vct":"urn:other"}', b'{"a":1,"a":2}', b"\xff"])
def test_type_metadata_that_is_none_is_not_used(document: bytes) -> None:
    """A document about another type, or none at all, names nothing."""
    assert read_type_document(document, vct="https://t.example/v", integrity=None) == {}


@pytest.mark.anyio
async def test_the_learning_types_are_read_in_full(world: World) -> None:
    """Every claim of the types that are made of achievements stands on the card, in both languages."""
    vault = await world.wallet.person()
    for name in (one.name for one in CREDENTIAL_TYPES.values() if one.form is None):
        certificate = await world.wallet.receive(vault, world.university.offer(name)[0].offer)
        for language in ("sv", "en"):
            card = read_card(certificate, language)
            shown = {line.path for group in card.groups for line in group.lines} | {
                line.path for line in card.technical
            }
            assert {(key,) for key in certificate.claims} <= {path[:1] for path in shown}
            assert card.hideable
            assert card.always_shown


@pytest.mark.parametrize("name", [one.name for one in CREDENTIAL_TYPES.values() if one.form is not None])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_certificates_of_statements_are_read_in_full(name: str, language: str) -> None:
    """Every value that an authority or an employer states stands on the card, with the label of the type."""
    credential_type = CREDENTIAL_TYPES[name]
    claims = credential_type.claims_from(several(credential_type))
    paths = list(credential_type.disclosable_paths())
    card = read_card(
        stored(claims | {"vct": credential_type.vct}, vct=credential_type.vct, disclosable=paths), language
    )
    lines = [line for group in card.groups for line in group.lines]
    assert set(claims) <= {line.path[0] for line in lines}
    assert {"issuing_authority", "issuing_country"} <= {line.path[0] for line in card.always_shown}
    labels = {spec.label(language) for spec in credential_type.claims}
    assert {line.label for line in lines} <= labels
    assert card.type_name == credential_type.title(language)
