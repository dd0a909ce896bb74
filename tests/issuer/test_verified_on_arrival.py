"""What the issuer issues passes the procedure by which wallets and verifiers check it, every type, every step."""

import asyncio

import pytest

from issuer.status import Status
from proofs.keys import SoftwareSigner, generate_signer
from proofs.resolve import DictResolver
from proofs.trust import TrustList, entry_from_anchor
from proofs.verify import VerificationFailed, VerifiedCredential, verify_credential
from schemas.issuance import jwt_vc_issuer_metadata_url
from schemas.types import CREDENTIAL_TYPES
from tests.issuer.desk import Desk, achievement
from tests.schemas.types.records import several


@pytest.mark.parametrize("type_name", sorted(CREDENTIAL_TYPES))
def test_a_fresh_copy_passes_every_check(desk: Desk, type_name: str) -> None:
    """Signature, trust, type, holder, dates and status hold, and the card can be read in both languages."""
    credential_type, key = CREDENTIAL_TYPES[type_name], generate_signer()
    (token,) = _collect(desk, type_name, [key])

    verified = _verify(desk, token, type_name, thumbprint=key.kid)

    assert verified.report.accepted
    assert verified.issuer.identifier in ("", desk.issuer)
    card = credential_type.card(verified.claims, "en")
    assert card.issuer in ("Example University", "Nordanvik University")
    assert credential_type.card(verified.claims, "sv").lines


def test_a_revoked_and_a_suspended_copy_fail_by_their_status(desk: Desk) -> None:
    """The only check that fails is the status, and it says which."""
    key = generate_signer()
    offer = desk.offer()
    desk_token = desk.token(offer)
    answer = desk.ask_credential(desk_token, desk.request(proofs=desk.proofs([key])))
    token = answer.json()["credentials"][0]["credential"]
    for status, reason in ((Status.SUSPENDED, "suspended"), (Status.REVOKED, "revoked")):
        desk.change(offer, status)
        with pytest.raises(VerificationFailed) as caught:
            _verify(desk, token, "micro-credential", thumbprint=key.kid)
        assert caught.value.report.failed == ["status"]
        assert caught.value.report.checks[-1].reason == reason


def _collect(desk: Desk, type_name: str, keys: list[SoftwareSigner]) -> list[str]:
    credential_type = CREDENTIAL_TYPES[type_name]
    records = [achievement()] if credential_type.form is None else several(credential_type)
    offer = desk.offer(type_name, records=records)
    request = desk.request(type_name, proofs=desk.proofs(keys))
    answer = desk.ask_credential(desk.token(offer), request)
    return [item["credential"] for item in answer.json()["credentials"]]


def _verify(desk: Desk, token: str, type_name: str, *, thumbprint: str) -> VerifiedCredential:
    credential_type = CREDENTIAL_TYPES[type_name]
    root = desk.context.key.root_file
    assert root is not None
    resolver = DictResolver(
        issuer_metadata={desk.issuer: desk.client.get(jwt_vc_issuer_metadata_url(desk.issuer)).content},
        status_lists={desk.url("/status/1"): desk.status_token().text},
        type_metadata={credential_type.vct: desk.client.get(desk.url(f"/types/{type_name}/1")).content},
    )
    return asyncio.run(
        verify_credential(
            token,
            expected_type=credential_type.vct,
            expected_holder_thumbprint=thumbprint,
            trust=TrustList((entry_from_anchor(root.read_bytes(), name="Example University", role="issuer"),)),
            resolver=resolver,
            now=desk.clock(),
            status="required",
        )
    )
