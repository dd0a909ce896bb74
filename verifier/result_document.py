"""The result of a request as JSON, for programs: state, verdict, checks with their sentences, eligibility, values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schemas.consent import LocalizedText
from schemas.standing_permission import PermissionState
from schemas.verification import Check, Outcome
from service.i18n import Catalogues, Translator
from verifier.acting import acting_in
from verifier.countersigning import read_receipt
from verifier.eligibility import Eligibility, Ground, eligibility_of, eligibility_sentence, words_for_person
from verifier.rechecks import Permission
from verifier.sentences import check_name, check_sentence, verdict_sentence
from verifier.store import Contents, Deletion, KeptReceipt, ProofSummary, RequestRecord, State


def result_document(
    record: RequestRecord,
    *,
    contents: Contents | None,
    deletion: Deletion | None,
    catalogues: Catalogues,
    time_zone: str,
) -> dict[str, Any]:
    """Everything there is to tell about a request.

    `accepted` is true only when everything was checked and held, and ends when the person takes the share back. Where
    the verdict tells a value (eligibility, accepted values) there is none once that value was taken back or deleted.
    `values` is null when there are none (any more). `acting_for` names who acted for whom while values are
    kept; null when nobody acted for another. `eligibility` is null for templates that have no such answer, and
    when there is none (any more). `deletion` is the newest one, null when there is none.
    `declaration` is what the person confirmed, null when nothing was asked or the check did not hold.
    """
    verdict, declaration = record.verdict, confirmed(record)
    if record.state is State.NOT_RETURNED:
        deletion = None  # It names what somebody shared of whom whoever asked is told nothing.
    eligibility = eligibility_of(record, contents=contents, time_zone=time_zone)
    return {
        "id": record.id,
        "reference": record.reference,
        "template": record.transaction.question.template.name,
        "kind": record.transaction.kind.value,
        "state": record.state.value,
        "accepted": record.is_accepted,
        "verdict": verdict.value if verdict else None,
        "sentence": _sentence(record, catalogues.translator("en")),
        "sentence_sv": _sentence(record, catalogues.translator("sv")),
        "eligibility": _eligibility(eligibility, catalogues) if eligibility is not None else None,
        "acting_for": _acting(record, contents),
        "checks": _checks(record.result.checks, catalogues),
        "presentations": [_proof(proof, catalogues) for proof in record.proofs],
        "values": _values(contents),
        "declaration": None if declaration is None else declaration.model_dump(),
        "wallet_error": record.wallet_error or None,
        "made_at": _moment(record.transaction.made_at),
        "expires_at": _moment(record.transaction.expires_at),
        "answered_at": _moment(record.answered_at),
        "retention_until": record.retention_until.isoformat(),
        "values_deleted_at": _moment(record.contents_deleted_at),
        "withdrawn_at": _moment(record.withdrawn_at),
        "deletion": deletion_document(deletion) if deletion is not None else None,
    }


def _sentence(record: RequestRecord, t: Translator) -> str | None:
    return verdict_sentence(record.verdict, t, is_genuine=record.is_genuine) if record.verdict else None


def confirmed(record: RequestRecord) -> LocalizedText | None:
    """The sentence that the person confirmed; None when nothing was asked or the check did not hold."""
    text = record.transaction.question.template.declaration
    held = any(check.name == "declaration" and check.outcome is Outcome.PASSED for check in record.result.checks)
    return text if held else None


def receipt_document(kept: KeptReceipt) -> dict[str, Any]:
    """A receipt that a wallet handed in, as it is read and as both signed it (docs/receipt.md)."""
    return {
        "received_at": kept.received_at.isoformat(timespec="seconds"),
        "receipt": read_receipt(kept.receipt_jwt).claims(),
        "receipt_jwt": kept.receipt_jwt,
        "countersignature": kept.countersignature,
    }


def deletion_document(one: Deletion) -> dict[str, Any]:
    """What is known of a deletion: who wants what, where it stands, until when it must be answered. No value is in it.

    `chosen` is null for everything. While `state` is `received`, what it is about must not be used; `deleted` asks
    everybody who has a copy to delete it as well, except for what `exceptions` name.
    """
    return {
        "id": one.id,
        "number": one.number,
        "request_id": one.request_id,
        "action": one.action,
        "state": one.state.value,
        "chosen": None if one.chosen is None else [item.model_dump(mode="json") for item in one.chosen],
        "items": [item.model_dump(mode="json") for item in one.items],
        "exceptions": [exception.model_dump(mode="json") for exception in one.exceptions],
        "received_at": _moment(one.received_at),
        "due_on": one.due_on.isoformat(),
        "decided_at": _moment(one.decided_at),
        "acknowledged_at": _moment(one.acknowledged_at),
        "statement": one.statement or None,
    }


def permission_document(request_id: str, one: Permission | None) -> dict[str, Any]:
    """How the standing permission of a request stands, and every check that was made under it."""
    return {
        "request_id": request_id,
        "state": one.state.value if one is not None else PermissionState.NONE.value,
        "until": one.until.isoformat() if one is not None and one.until is not None else None,
        "next_at": _moment(one.next_at) if one is not None and one.state is not PermissionState.ENDED else None,
        "ended_at": _moment(one.ended_at) if one is not None else None,
        "end_reason": one.end_reason.value if one is not None and one.end_reason else None,
        "checks": [
            {"number": check.number, "at": _moment(check.at), "outcome": check.outcome.value if check.outcome else None}
            for check in (one.checks if one is not None else ())
        ],
    }


def _checks(checks: Iterable[Check], catalogues: Catalogues) -> list[dict[str, str]]:
    swedish, english = catalogues.translator("sv"), catalogues.translator("en")
    return [
        {
            "name": check.name,
            "outcome": check.outcome.value,
            "reason": check.reason,
            "title": check_name(check, english),
            "title_sv": check_name(check, swedish),
            "sentence": check_sentence(check, english),
            "sentence_sv": check_sentence(check, swedish),
        }
        for check in checks
    ]


def _eligibility(found: Eligibility, catalogues: Catalogues) -> dict[str, Any]:
    return {
        "answer": found.answer.value,
        "as_of": found.as_of.isoformat() if found.as_of else None,
        "said_by": list(found.said_by),
        "sentence": eligibility_sentence(found, catalogues.translator("en")),
        "sentence_sv": eligibility_sentence(found, catalogues.translator("sv")),
        "for_person": words_for_person(found, catalogues.translator("en")),
        "for_person_sv": words_for_person(found, catalogues.translator("sv")),
        "grounds": [_ground(ground, catalogues) for ground in found.grounds],
        "fault": _checks([found.fault], catalogues)[0] if found.fault else None,
    }


def _ground(ground: Ground, catalogues: Catalogues) -> dict[str, Any]:
    return {
        "query": ground.query_id,
        "title": ground.kind.text("en"),
        "title_sv": ground.kind.text("sv"),
        "issuer": ground.issuer or None,
        "as_of": ground.as_of.isoformat() if ground.as_of else None,
        "fault": _checks([ground.fault], catalogues)[0] if ground.fault else None,
    }


def _proof(proof: ProofSummary, catalogues: Catalogues) -> dict[str, Any]:
    return {
        "query": proof.query_id,
        "certificate": proof.certificate,
        "type": proof.vct,
        "issuer": proof.issuer,
        "issuer_name": proof.issuer_name,
        "valid_until": _moment(proof.valid_until),
        "status_read_at": _moment(proof.status_read_at),
        "checks": _checks(proof.result.checks, catalogues),
    }


def _acting(record: RequestRecord, contents: Contents | None) -> dict[str, str] | None:
    template = record.transaction.question.template
    found = acting_in(contents.items, template) if contents is not None else None
    return {"agent": found.agent, "principal": found.principal} if found is not None else None


def _values(contents: Contents | None) -> list[dict[str, Any]] | None:
    if contents is None:
        return None
    return [
        item.as_json() | {"display": item.display("en"), "display_sv": item.display("sv")} for item in contents.items
    ]


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
