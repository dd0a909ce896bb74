"""Standing permissions towards a scene: messages by a holder key, honest or changed in one thing, and checks.

made = permitted(scene)
post(scene, wish(scene, made, "end"))
check_again(scene, made)
"""

import asyncio
from datetime import timedelta
from typing import Any

from proofs.after_share import check_recipient_message, sign_holder_message
from proofs.keys import SoftwareSigner
from proofs.trust import TrustList
from schemas.standing_permission import (
    PERMISSION_STATE_TYPE,
    PERMISSION_TYPE,
    RecheckOutcome,
    StatedPermission,
)
from tests.verifier.scene import Scene
from tests.verifier.withdrawing import claims_for
from verifier.exchange import MadeRequest, Verifier
from verifier.request_templates import RequestTemplate, TemplateRecheck

PURPOSE = {
    "sv": "Vi vill se att intyget gäller under hela anställningen.",
    "en": "We want to see that the certificate holds as long as you work here.",
}
ITEMS = [{"credential": "certificate", "path": ["family_name"]}]
WHOLE = [{"credential": "certificate", "path": []}]


def offering(scene: Scene, **changed: Any) -> RequestTemplate:
    """The built-in template with later checks offered: for 90 days, every 30 days."""
    recheck = TemplateRecheck.model_validate({"days": 90, "every_days": 30, "purpose": PURPOSE, **changed})
    return scene.template().model_copy(update={"recheck": recheck})


def answered(scene: Scene, **changed: Any) -> MadeRequest:
    """A request that offers later checks, answered."""
    made = scene.ask(offering(scene, **changed))
    scene.answer(made)
    assert scene.result(made).is_accepted
    return made


def wish(
    scene: Scene,
    made: MadeRequest,
    action: str = "grant",
    *,
    signer: SoftwareSigner | None = None,
    typ: str = PERMISSION_TYPE,
    **claims: Any,
) -> bytes:
    """A wish as the wallet posts it; None leaves a claim out."""
    whole: dict[str, Any] = {"action": action, "wished_at": int(scene.now.timestamp() * 1000)}
    if action == "grant":
        until = made.transaction.recheck_until
        whole |= {"items": ITEMS, "until": until.isoformat() if until else "2027-01-01", "purpose": PURPOSE}
    whole = claims_for(scene, made, **{**whole, **claims})
    return sign_holder_message(whole, signer=signer or scene.holder, typ=typ).encode()


def post(scene: Scene, body: bytes, *, verifier: Verifier | None = None) -> StatedPermission:
    """Post it; what is stated, checked as a wallet checks it. Raises what the verifier raises."""
    token = asyncio.run((verifier or scene.verifier).rechecks.take_act(body))
    client_id = scene.verifier.identity.client_id
    claims, _ = check_recipient_message(
        token, typ=PERMISSION_STATE_TYPE, expected_client_id=client_id, trust=TrustList(), now=scene.now
    )
    return StatedPermission.model_validate(claims)


def permitted(scene: Scene, **changed: Any) -> MadeRequest:
    """A request that was answered, with a permission in force."""
    made = answered(scene, **changed)
    post(scene, wish(scene, made))
    return made


def stated(scene: Scene, made: MadeRequest) -> StatedPermission:
    """How the permission of a request stands, as the wallet is told."""
    return post(scene, wish(scene, made, "status", wished_at=None))


def check_again(scene: Scene, made: MadeRequest, *, verifier: Verifier | None = None) -> RecheckOutcome:
    """Check again, as staff does. Raises what the verifier raises."""
    return asyncio.run((verifier or scene.verifier).rechecks.check_again(made.id, actor="test"))


def later(scene: Scene, **amount: float) -> int:
    """A moment after now (negative: before), in milliseconds since 1970."""
    return int((scene.now + timedelta(**amount)).timestamp() * 1000)
