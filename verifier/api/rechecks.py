"""Later checks for programs: the person's standing permission, and its use (docs/standing-permission.md).

GET  /api/requests/ID/permission    how it stands, and every check that was made
POST /api/requests/ID/recheck       one check more; 409 unless the person lets it happen now
"""

from typing import Any

from fastapi import APIRouter

from verifier.api.embedding import KeyDep, VerifierDep, check_own
from verifier.api.messages import NOT_FOUND, REFUSED, PermissionOut, RecheckOut, changed_meanwhile
from verifier.result_document import permission_document

router = APIRouter(prefix="/api", responses=REFUSED)


@router.get("/requests/{request_id}/permission", response_description="How the permission stands", responses=NOT_FOUND)
async def get_permission(request_id: str, key: KeyDep, verifier: VerifierDep) -> PermissionOut:
    """Whether, and until when, the person lets you check again."""
    await check_own(verifier, request_id, key)
    return PermissionOut.model_validate(await _document(verifier, request_id))


@router.post(
    "/requests/{request_id}/recheck",
    response_description="It was checked",
    responses=NOT_FOUND
    | changed_meanwhile("`recheck_not_permitted`: no permission, paused, ended, or too soon after the last check"),
)
async def recheck(request_id: str, key: KeyDep, verifier: VerifierDep) -> RecheckOut:
    """Check once more whether what was shown still holds. The person is told of it.

    409 `recheck_not_permitted` without a permission, while it is paused, after its end, and too soon after the last.
    """
    await check_own(verifier, request_id, key)
    outcome = await verifier.rechecks.check_again(request_id, actor=key.id)
    permission = PermissionOut.model_validate(await _document(verifier, request_id))
    return RecheckOut(outcome=outcome, permission=permission)


async def _document(verifier: VerifierDep, request_id: str) -> dict[str, Any]:
    return permission_document(request_id, await verifier.rechecks.permission(request_id))
