"""The procedure when everything is right, by each mechanism, and what it then says."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from proofs.formats import FORMATS
from proofs.formats.sd_jwt import plan_disclosures
from proofs.keys import generate_signer
from proofs.trust import TrustEntry, TrustList, entry_from_jwk
from proofs.verify import CHECKS, CREDENTIAL_CHECKS
from schemas.verification import Outcome
from tests.proofs.cast import (
    CLAIMS,
    EMPLOYER,
    NONCE,
    NOW,
    STATUS_URI,
    UNIVERSITY,
    VCT,
    Cast,
    certified_by_itself,
    failed,
    reason_of,
)


def test_a_sound_presentation_is_accepted(cast: Cast) -> None:
    """With every check listed in its order, and every fact at hand."""
    verified = cast.verify(cast.show(cast.issue(), [("given_name",)]), status="required", expected_types=[VCT])

    assert verified.report.accepted
    assert [check.name for check in verified.report.checks] == list(CHECKS)
    assert (verified.vct, verified.status) == (VCT, 0)
    assert (verified.issuer.name, verified.issuer.identifier) == ("University", UNIVERSITY)
    assert verified.claims["given_name"] == "Majken"
    assert "family_name" not in verified.claims
    assert verified.holder_thumbprint == cast.holder.kid
    assert verified.presented_at == NOW
    assert verified.valid_until is not None
    assert verified.valid_until.timestamp() == CLAIMS["exp"]
    assert verified.valid_from is None


def test_a_sound_credential_is_accepted_on_arrival(cast: Cast) -> None:
    """Without the checks that only a presentation has."""
    received = cast.receive(cast.issue(), status="required")

    assert [check.name for check in received.report.checks] == list(CREDENTIAL_CHECKS)
    assert {check.outcome for check in received.report.checks} == {Outcome.PASSED}
    assert cast.receive(cast.issue(), expected_type=None, expected_holder_thumbprint=None).vct == VCT


def test_values_do_not_show_when_results_are_printed(cast: Cast) -> None:
    """Logs and error messages hold no claims, tokens or nonces."""
    shown = cast.show(cast.issue())
    refusal = cast.refusal(shown, expected_nonce="other")

    for text in (repr(cast.verify(shown)), str(refusal), repr(refusal.report)):
        for value in ("Majken", "Exempelsson", NONCE, shown, cast.holder.public_jwk["x"]):
            assert value not in text


@pytest.mark.parametrize("mechanism", ["jwks", "metadata"])
def test_an_issuer_without_certificate_is_trusted_by_its_key(cast: Cast, mechanism: str) -> None:
    """Listed, or published at its address."""
    key = generate_signer()
    token = cast.show(cast.issue(signer=key, leave_out=["status"]))
    listed = entry_from_jwk(key.public_jwk, identifier=UNIVERSITY, name="University", role="issuer")
    published = TrustEntry("u", "University", "issuer", UNIVERSITY, "metadata")
    document = {"issuer": UNIVERSITY, "jwks": {"keys": [{**key.public_jwk, "kid": key.kid}]}}
    resolver = cast.resolver(issuer_metadata={UNIVERSITY: json.dumps(document).encode()})

    verified = cast.verify(token, trust=TrustList((listed if mechanism == "jwks" else published,)), resolver=resolver)

    assert verified.issuer.name == "University"
    unknown = cast.refusal(token, resolver=resolver, trust=TrustList())
    assert reason_of(unknown.report, "issuer_trusted") == "issuer_unknown"
    other = entry_from_jwk(generate_signer().public_jwk, identifier=UNIVERSITY, name="University", role="issuer")
    assert failed(cast.refusal(token, resolver=resolver, trust=TrustList((other,)))) == (["signature"], "bad_signature")


def test_a_listed_key_counts_even_when_a_certificate_comes_along(cast: Cast) -> None:
    """The trust list says by which mechanism an issuer is known."""
    listed = entry_from_jwk(cast.issuer.public_jwk, identifier=UNIVERSITY, name="Listed", role="issuer")

    verified = cast.verify(cast.show(cast.issue()), trust=TrustList((listed,)))

    assert verified.issuer.name == "Listed"


def test_the_credentials_own_key_may_sign_the_status_list(cast: Cast) -> None:
    """Also for an issuer who is known by its key alone."""
    key = generate_signer()
    listed = entry_from_jwk(key.public_jwk, identifier=UNIVERSITY, name="University", role="issuer")
    resolver = cast.resolver(status_lists={STATUS_URI: cast.status_token(signer=key)})

    assert cast.verify(cast.show(cast.issue(signer=key)), trust=TrustList((listed,)), resolver=resolver).status == 0


def test_a_self_signed_certificate_does_not_speak_for_an_issuer(cast: Cast) -> None:
    """HAIP 6.1.1."""
    alone = certified_by_itself(UNIVERSITY)

    assert failed(cast.refusal(cast.show(cast.issue(signer=alone)))) == (["issuer_trusted"], "chain_refused")


def test_an_issuer_whose_identifier_cannot_be_looked_up_is_undetermined(cast: Cast) -> None:
    """A kind of identifier that we cannot follow is no answer."""
    refusal = cast.refusal(cast.show(cast.issue(signer=generate_signer(), iss="did:web:university.example")))

    assert reason_of(refusal.report, "signature") == "issuer_key_unreachable"
    nobody = cast.refusal(cast.show(cast.issue(signer=generate_signer(), leave_out=["iss"])))
    assert failed(nobody) == (["signature"], "no_issuer_key")


def test_clocks_may_differ_a_little(cast: Cast) -> None:
    """A minute before and after."""
    shown = cast.show(cast.issue(exp=int(NOW.timestamp()) + 10, nbf=int(NOW.timestamp()) + 10, leave_out=["status"]))

    assert cast.verify(shown)
    assert cast.verify(shown, now=NOW + timedelta(seconds=69))
    assert failed(cast.refusal(shown, now=NOW + timedelta(seconds=70))) == (["dates"], "expired")
    assert failed(cast.refusal(shown, skew_seconds=0)) == (["dates"], "not_yet_valid")
    later = cast.show(cast.issue(iat=int(NOW.timestamp()) + 61, leave_out=["status"]))
    assert failed(cast.refusal(later)) == (["dates"], "issued_in_future")


@pytest.mark.parametrize("identifier", sorted(FORMATS))
def test_every_format_issues_shows_and_parses(cast: Cast, identifier: str) -> None:
    """The same walk over the table of formats."""
    proof_format = FORMATS[identifier]
    token = proof_format.issue(
        {"vct": VCT, "iss": UNIVERSITY, "grade": "VG"},
        disclosable=plan_disclosures([("grade",)]),
        signer=cast.issuer,
        holder_jwk=cast.holder.public_jwk,
    )
    shown = proof_format.present(token, disclosures=[], signer=cast.holder, audience=EMPLOYER, nonce=NONCE, now=NOW)

    assert proof_format.parse(token).claims["grade"] == "VG"
    assert "grade" not in proof_format.parse(shown).claims
    assert proof_format.identifier == identifier


def test_a_credential_meant_for_other_verifiers_is_refused(cast: Cast) -> None:
    """RFC 9901, section 7.1, step 6: an audience in the credential itself counts."""
    assert cast.verify(cast.show(cast.issue(aud=EMPLOYER)))
    assert cast.verify(cast.show(cast.issue(aud=["x509_hash:another", EMPLOYER])))
    for audience in ("x509_hash:another", ["x509_hash:another"], [], 7):
        assert failed(cast.refusal(cast.show(cast.issue(aud=audience)))) == (["audience"], "other_audience")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_alteration_is_ever_accepted(cast: Cast, data: st.DataObject) -> None:
    """Whatever is changed, dropped or doubled: refused by a report, and by nothing else."""
    shown = cast.show(cast.issue(leave_out=["status"]))
    start = data.draw(st.integers(0, len(shown) - 1))
    length = data.draw(st.sampled_from([1, 1, 1, 4, 60]))
    replacement = data.draw(st.text(alphabet="AZaz09-_.~=+/ {", max_size=4) | st.just(shown[start : start + 9]))
    altered = shown[:start] + replacement + shown[start + length :]
    assume(altered != shown)

    refusal = cast.refusal(altered)

    assert not refusal.report.accepted
    assert [check.name for check in refusal.report.checks] == list(CHECKS)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.text(alphabet="eyJ.~", max_size=20))
def test_any_input_is_refused_by_a_report(cast: Cast, text: str) -> None:
    """Nothing but `VerificationFailed` is raised for what is no token."""
    assert cast.refusal(text).report.failed == ["form"]
    assert cast.refusal_on_arrival(text).report.failed == ["form"]
