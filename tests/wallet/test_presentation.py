"""From a decision to bytes: exactly the disclosures that were agreed to, for every choice of items."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.formats.sd_jwt import parse_sd_jwt, plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.jose import parse_jws
from proofs.keys import SoftwareSigner, generate_signer
from schemas.dcql import ConcretePath, value_at
from schemas.presentation import AuthorizationRequest
from tests.wallet.fake_verifier import query
from tests.world import NOW
from wallet import consent as gate
from wallet.consent import Consent, Presented
from wallet.presentation import CopyDiffers, HeldCopy, answer_form, present, refusal

HOLDER, ISSUER = generate_signer(), generate_signer()
CLAIMS: dict[str, Any] = {
    "iss": "https://university.example",
    "vct": "urn:example:diploma",
    "name": "Astrid",
    "birth": "1999-10-02",
    "address": {"street": "Storgatan 1", "city": "Umeå"},
    "courses": [{"title": "Algebra", "grade": "B"}, {"title": "Biology", "grade": "C"}],
}
HIDDEN: list[tuple[str | None, ...]] = [
    ("name",),
    ("birth",),
    ("address",),
    ("address", "street"),
    ("address", "city"),
    ("courses",),
    ("courses", None),
    ("courses", None, "title"),
    ("courses", None, "grade"),
]
PATHS: list[ConcretePath] = [
    ("name",),
    ("birth",),
    ("address",),
    ("address", "street"),
    ("address", "city"),
    ("courses",),
    *((("courses", n)) for n in range(2)),
    *((("courses", n, name)) for n in range(2) for name in ("title", "grade")),
]


def token(*, holder: SoftwareSigner | None = HOLDER, **changes: Any) -> str:
    """A certificate with nested disclosures."""
    return issue_sd_jwt_vc(
        {**CLAIMS, **changes},
        disclosable=plan_disclosures(HIDDEN),
        signer=ISSUER,
        holder_jwk=holder.public_jwk if holder else None,
    )


def request(**changes: Any) -> AuthorizationRequest:
    """A request of a recipient."""
    return AuthorizationRequest.from_parameters(
        {
            "client_id": "x509_hash:abc",
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "response_uri": "https://employer.example/r",
            "nonce": "0123456789abcdef",
            "state": "s",
            "dcql_query": query(["name"]),
            **changes,
        }
    )


def agreed(paths: Mapping[str, Iterable[ConcretePath]], *, bound: bool = True) -> Consent:
    """A consent to some paths per query, made past the gate for this test alone."""
    presented = tuple(
        Presented(query_id, "c1", tuple(some), tuple(value_at(CLAIMS, path) for path in some), bound)
        for query_id, some in ((one, tuple(two)) for one, two in paths.items())
    )
    return Consent(
        share_id="s",
        request=request(),
        answer_key=None,
        presented=presented,
        shown_digest="",
        language="sv",
        screen_version="",
        method="passphrase",
        decided_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        recheck=None,
        permission=None,
        made_by=gate._MADE_BY_DECIDE,
    )


def expected(paths: Iterable[ConcretePath]) -> set[ConcretePath]:
    """What must be disclosed: the paths, what contains them, and what lies below them."""
    wanted: set[ConcretePath] = set()
    for path in paths:
        wanted.update(path[:length] for length in range(1, len(path) + 1))
        wanted.update(other for other in PATHS if other[: len(path)] == path)
    return wanted


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(PATHS), max_size=5))
def test_cs03_every_choice_discloses_exactly_itself(paths: set[ConcretePath]) -> None:
    """Whatever is chosen: the chosen items, what they need to be reached, what is inside them, and nothing else."""
    chosen = sorted(paths, key=repr)

    answer = present(agreed({"q": chosen}), {"c1": HeldCopy(token(), HOLDER)}, now=NOW)

    (presentation,) = answer.vp_token["q"]
    assert isinstance(presentation, str)
    shown = parse_sd_jwt(presentation)
    # Indexes shift when elements are withheld; the values tell which they are.
    assert len(shown.disclosures) == len(expected(chosen))
    values = {(disclosure.name, repr(disclosure.value)) for disclosure in shown.disclosures if disclosure.name}
    held = parse_sd_jwt(token())
    names = {path[-1] for path in expected(chosen) if isinstance(path[-1], str)}
    assert {name for name, _ in values} == names
    assert held.claims["name"] == "Astrid"


def test_each_presentation_is_bound_to_recipient_and_request() -> None:
    """Audience is the full identifier with its prefix, nonce the request's; typ and alg stand alone in the header."""
    answer = present(agreed({"a": [("name",)], "b": [("birth",)]}), {"c1": HeldCopy(token(), HOLDER)}, now=NOW)

    for query_id, name in (("a", "name"), ("b", "birth")):
        (presentation,) = answer.vp_token[query_id]
        assert isinstance(presentation, str)
        binding = parse_jws(presentation.rpartition("~")[2])
        assert binding.header == {"typ": "kb+jwt", "alg": "ES256"}
        assert b'"aud":"x509_hash:abc"' in binding.payload
        assert b'"nonce":"0123456789abcdef"' in binding.payload
        assert [one.name for one in parse_sd_jwt(presentation).disclosures] == [name]


def test_cs17_an_unbound_certificate_goes_without_key_binding() -> None:
    """What is tied to no key has none to prove; exactly the chosen disclosures go."""
    copy = HeldCopy(token(holder=None), None)

    answer = present(agreed({"q": [("name",)]}, bound=False), {"c1": copy}, now=NOW)

    (presentation,) = answer.vp_token["q"]
    assert isinstance(presentation, str)
    assert presentation.endswith("~")
    assert [one.name for one in parse_sd_jwt(presentation).disclosures] == ["name"]


@pytest.mark.parametrize("changes", [{"name": "Astrid B"}, {"name": None}])
def test_a_copy_that_says_something_else_is_not_sent(changes: dict[str, Any]) -> None:
    """What the person saw is what goes, or nothing."""
    with pytest.raises(CopyDiffers):
        present(agreed({"q": [("name",)]}), {"c1": HeldCopy(token(**changes), HOLDER)}, now=NOW)


def test_a_no_says_only_no() -> None:
    """Two members, whatever the reason."""
    assert answer_form(refusal(request()).members(), None) == {"error": "access_denied", "state": "s"}
    assert answer_form(refusal(request(state=None)).members(), None) == {"error": "access_denied"}
