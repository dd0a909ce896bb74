"""What a wallet does after a share, towards a scene: messages by a holder key, honest or changed in one thing.

answer = take(scene, act(scene, made, "withdraw"))
statement_of(answer)
"""

import asyncio
import secrets
from datetime import timedelta
from typing import Any

from proofs.after_share import check_recipient_message, sign_holder_message
from proofs.jose import parse_jws, sign_jws
from proofs.keys import SoftwareSigner, generate_signer
from proofs.trust import TrustList
from schemas.receipt import RECEIPT_TYPE
from schemas.withdrawal import (
    RECEIPT_SUBMISSION_TYPE,
    STATEMENT_TYPE,
    WITHDRAWAL_TYPE,
    DeletionStatement,
)
from tests.verifier.scene import MICRO, Scene
from verifier.deletion import shared_items
from verifier.deletion_desk import DeskAnswer
from verifier.exchange import MadeRequest, Verifier

PSEUDONYM = "xVg2kQ0nP5sTz8yB1uHf4jLc"


def claims_for(scene: Scene, made: MadeRequest, **claims: Any) -> dict[str, Any]:
    """The claims that every message has, and those given; None leaves one out."""
    whole = {
        "aud": made.transaction.client_id,
        "nonce": made.transaction.nonce,
        "iat": int(scene.now.timestamp()),
        "jti": secrets.token_urlsafe(16),
        **claims,
    }
    return {name: value for name, value in whole.items() if value is not None}


def act(
    scene: Scene,
    made: MadeRequest,
    action: str = "withdraw",
    *,
    signer: SoftwareSigner | None = None,
    typ: str = WITHDRAWAL_TYPE,
    **claims: Any,
) -> bytes:
    """A withdrawal as the wallet posts it."""
    whole = claims_for(scene, made, action=action, **claims)
    return sign_holder_message(whole, signer=signer or scene.holder, typ=typ).encode()


def take(scene: Scene, body: bytes, *, verifier: Verifier | None = None) -> DeskAnswer:
    """Post it. Raises what the verifier raises."""
    return asyncio.run((verifier or scene.verifier).deletions.take_act(body))


def statement_in(token: str, *, client_id: str, scene: Scene) -> DeletionStatement:
    """A statement, checked as a wallet checks it."""
    assert parse_jws(token).header["typ"] == STATEMENT_TYPE
    claims, _ = check_recipient_message(
        token, typ=STATEMENT_TYPE, expected_client_id=client_id, trust=TrustList(), now=scene.now
    )
    return DeletionStatement.model_validate(claims)


def statement_of(answer: DeskAnswer, scene: Scene, made: MadeRequest) -> DeletionStatement:
    """The statement of an answer, checked."""
    assert answer.status == 200, answer
    return statement_in(answer.token, client_id=made.transaction.client_id, scene=scene)


def terms_of(made: MadeRequest) -> dict[str, Any]:
    """What the notice of the request declared, as a receipt repeats it."""
    template = made.transaction.question.template

    def both(text: Any) -> dict[str, str] | None:
        return {"sv": text.sv, "en": text.en} if text else None

    def texts(some: Any) -> list[dict[str, str] | None] | None:
        return None if some is None else [both(one) for one in some]

    return {
        "purposes": [
            {
                "text": both(template.purpose),
                "basis": template.basis.value,
                "basis_detail": both(template.basis_detail),
            }
        ],
        "recipients": texts(template.recipients),
        "processors": texts(template.processors),
        "countries": None if template.countries is None else list(template.countries),
        "automated_decisions": template.automated_decisions,
        "rights": {"withdraw_contact": template.contact},
    }


def receipt_for(scene: Scene, made: MadeRequest, **changed: Any) -> str:
    """A receipt of all that was shared of a micro-credential, signed by a key of its own."""
    both = {"sv": "x", "en": "x"}
    answered = {one.query_id for one in scene.result(made).proofs}
    receipt = {
        "schema": "urn:intyga:receipt:1",
        "record_id": "r1",
        "language": "sv",
        "holder_pseudonym": PSEUDONYM,
        "controller": {
            "name": both,
            "identifier": made.transaction.client_id,
            "level": "certificate",
            "host": "localhost",
            "supervisory_authority": "IMY",
        },
        "notice": {"signed": True, "language": "sv"},
        **terms_of(made),
        "items": [
            {
                "name": one.label.model_dump(),
                "certificate": {language: MICRO.title(language) for language in both},
                "certificate_type": MICRO.vct,
                "issuer": "x",
                "path": [0 if part is None else part for part in one.path],
                "required": True,
                "approved_separately": False,
                "commitment": "c",
            }
            for one in shared_items(made.transaction.question.template, answered)
        ],
        "retention": {"until": made.transaction.retention_until.isoformat()},
        "events": [{"type": "approved", "at": scene.now.isoformat(), "actor": "holder"}],
        "previous_event_digest": "d",
        **changed,
    }
    key = generate_signer()
    return sign_jws(receipt, signer=key, typ=RECEIPT_TYPE, header={"jwk": key.public_jwk})


def submission(
    scene: Scene, made: MadeRequest, receipt: str, *, signer: SoftwareSigner | None = None, **claims: Any
) -> bytes:
    """A receipt as the wallet hands it in."""
    whole = claims_for(scene, made, receipt=receipt, **claims)
    return sign_holder_message(whole, signer=signer or scene.holder, typ=RECEIPT_SUBMISSION_TYPE).encode()


def ago(scene: Scene, **amount: float) -> int:
    """A moment in the past, in seconds since 1970 (negative amounts: in the future)."""
    return int((scene.now - timedelta(**amount)).timestamp())
