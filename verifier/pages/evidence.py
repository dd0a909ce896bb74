"""Files about an answer: its evidence, as it came, while it is kept (that it was taken stands in the log), and the
receipt that the wallet handed in."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from proofs import strict_json
from schemas.errors import NotFound
from verifier.pages.access import SignedIn, StaffDep, VerifierDep
from verifier.result_document import receipt_document

router = APIRouter(dependencies=[SignedIn])


class NoReceipt(NotFound):
    """No receipt of this request is kept: the wallet handed none in, or it named people and went with the values."""


class NothingKept(NotFound):
    """Nothing of this answer is kept: it did not hold, or its date has passed."""


@router.get("/requests/{request_id}/evidence")
async def evidence(verifier: VerifierDep, staff: StaffDep, request_id: str) -> Response:
    """One JSON file: what was asked, when it was answered, what the checks said, and every presentation as received."""
    record = await verifier.database.run(verifier.result, request_id)
    contents = await verifier.database.run(lambda: verifier.contents(request_id, viewer=staff.subject))
    if contents is None:
        raise NothingKept
    vp_token: dict[str, list[str]] = {}
    for query_id, token in contents.evidence:
        vp_token.setdefault(query_id, []).append(token)
    transaction = record.transaction
    document = {
        "request_id": record.id,
        "template": transaction.question.template.name,
        "asked_at": transaction.made_at.isoformat(),
        "answered_at": record.answered_at.isoformat() if record.answered_at else None,
        "keep_until": record.retention_until.isoformat(),
        "client_id": transaction.client_id,
        "nonce": transaction.nonce,
        "dcql_query": transaction.question.dcql,
        "verdict": record.verdict.value if record.verdict else None,
        "checks": [
            {"name": check.name, "outcome": check.outcome.value, "reason": check.reason}
            for check in record.result.checks
        ],
        "vp_token": vp_token,
    }
    return _file(document, f"answer-{transaction.made_at.date().isoformat()}-{record.id[:8]}.json")


@router.get("/requests/{request_id}/receipt")
async def receipt(verifier: VerifierDep, request_id: str) -> Response:
    """The receipt as the wallet signed it, and our signature: the same that the person has. It holds no value."""
    record = await verifier.database.run(verifier.result, request_id)
    kept = await verifier.database.run(verifier.deletions.store.receipt, request_id)
    if kept is None:
        raise NoReceipt
    name = f"receipt-{record.transaction.made_at.date().isoformat()}-{record.id[:8]}.json"
    return _file(receipt_document(kept), name)


def _file(document: Mapping[str, Any], name: str) -> Response:
    return Response(
        strict_json.dumps(document),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
