"""Later checks for programs: the person's standing permission, and its use (docs/standing-permission.md).

GET  /api/requests/ID/permission    how it stands, and every check that was made
POST /api/requests/ID/recheck       one check more; 409 unless the person lets it happen now
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from verifier.api.embedding import KeyDep, VerifierDep, check_own
from verifier.result_document import permission_document

router = APIRouter(prefix="/api")


class CheckOut(BaseModel):
    """One check. `outcome` is null while it is under way; only `valid` says that what was shown still holds."""

    number: int
    at: str
    outcome: str | None


class PermissionOut(BaseModel):
    """The permission: `none`, `active`, `paused` or `ended`; its last day; the earliest moment of the next check."""

    request_id: str
    state: str
    until: str | None
    next_at: str | None
    ended_at: str | None
    end_reason: str | None
    checks: list[CheckOut]


class RecheckOut(BaseModel):
    """What a check came to, and how the permission stands after it."""

    outcome: str
    permission: PermissionOut


@router.get("/requests/{request_id}/permission")
async def get_permission(request_id: str, key: KeyDep, verifier: VerifierDep) -> PermissionOut:
    """Whether, and until when, the person lets you check again."""
    await check_own(verifier, request_id, key)
    return PermissionOut.model_validate(await _document(verifier, request_id))


@router.post("/requests/{request_id}/recheck")
async def recheck(request_id: str, key: KeyDep, verifier: VerifierDep) -> RecheckOut:
    """Check once more whether what was shown still holds. The person is told of it.

    409 `recheck_not_permitted` without a permission, while it is paused, after its end, and too soon after the last.
    """
    await check_own(verifier, request_id, key)
    outcome = await verifier.rechecks.check_again(request_id, actor=key.id)
    permission = PermissionOut.model_validate(await _document(verifier, request_id))
    return RecheckOut(outcome=outcome.value, permission=permission)


async def _document(verifier: VerifierDep, request_id: str) -> dict[str, Any]:
    return permission_document(request_id, await verifier.rechecks.permission(request_id))
