"""The evidence of an answer, as it came, for download while it is kept. That it was taken stands in the log."""

from fastapi import APIRouter
from fastapi.responses import Response

from proofs import strict_json
from schemas.errors import NotFound
from verifier.pages.access import SignedIn, StaffDep, VerifierDep

router = APIRouter(dependencies=[SignedIn])


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
    name = f"answer-{transaction.made_at.date().isoformat()}-{record.id[:8]}.json"
    return Response(
        strict_json.dumps(document),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
