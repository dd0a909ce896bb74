"""Request objects, made by the verifier and authenticated by the wallet. Attacks on them are in `tests/attacks`."""

from pathlib import Path

import pytest

from proofs import jose
from proofs.certificates import CertifiedKey
from proofs.keys import generate_signer
from proofs.request_object import (
    InvalidClientIdentifier,
    check_request_object,
    client_id_prefix,
    sign_request_object,
    x509_hash_client_id,
    x509_san_dns_client_id,
)
from proofs.trust import TrustEntry, TrustList, entry_from_jwk
from schemas.errors import Refused
from tests.proofs.cast import NOW, certified, trusting


@pytest.fixture(scope="module")
def employer(tmp_path_factory: pytest.TempPathFactory) -> CertifiedKey:
    """An employer with a certificate."""
    return certified(tmp_path_factory.mktemp("employer"), "employer", "https://employer.example/asks")


def test_a_signed_request_names_its_sender(employer: CertifiedKey) -> None:
    """By hash, or by the name that the answer goes to."""
    address = "https://employer.example/answer"
    signer = employer.signer
    for client_id in (x509_hash_client_id(signer), x509_san_dns_client_id(signer, "employer.example")):
        token = sign_request_object({"client_id": client_id, "response_uri": address, "nonce": "n"}, signer=signer)

        request = check_request_object(
            token, expected_client_id=client_id, trust=TrustList((trusting(employer, role="verifier"),)), now=NOW
        )

        assert jose.parse_jws(token).header == {
            "alg": "ES256", "typ": "oauth-authz-req+jwt", "x5c": list(signer.x5c),
        }  # fmt: skip
        assert request.parameters["aud"] == "https://self-issued.me/v2"
        assert (request.client_id, request.signed, request.signing_jwk) == (client_id, True, signer.public_jwk)
        assert (request.identity.level, request.identity.legal_name) == ("certificate", "Employer")
        assert request.identity.dns_names == ("employer.example",)
        assert client_id.startswith(f"{request.prefix}:")


def test_a_registered_verifier_needs_no_certificate() -> None:
    """Its key is in the trust list, for this identifier and as long as the entry lasts."""
    key = generate_signer()
    entry = entry_from_jwk(key.public_jwk, identifier="employer", name="The Employer", role="verifier")
    other = TrustEntry("m", "M", "verifier", "employer", "metadata")
    token = sign_request_object({"client_id": "employer", "nonce": "n"}, signer=key)

    request = check_request_object(token, expected_client_id="employer", trust=TrustList((other, entry)), now=NOW)

    assert (request.prefix, request.identity.level) == ("pre-registered", "registered")
    assert (request.identity.legal_name, request.identity.trust_entry_id) == ("The Employer", entry.id)
    forged = sign_request_object({"client_id": "employer", "nonce": "n"}, signer=generate_signer())
    with pytest.raises(InvalidClientIdentifier):
        check_request_object(forged, expected_client_id="employer", trust=TrustList((entry,)), now=NOW)


def test_the_prefix_ends_at_the_first_colon() -> None:
    """OpenID4VP 1.0, section 5.9.1."""
    assert client_id_prefix("redirect_uri:https://a.example:8443/b") == "redirect_uri"
    assert client_id_prefix("employer") == "pre-registered"


def test_a_name_that_is_not_certified_is_not_claimed(employer: CertifiedKey, tmp_path: Path) -> None:
    """We do not sign requests that every wallet would refuse."""
    with pytest.raises(Refused):
        x509_san_dns_client_id(employer.signer, "other.example")
    with pytest.raises(ValueError, match="client identifier"):
        sign_request_object({"nonce": "n"}, signer=employer.signer)
