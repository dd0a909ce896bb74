"""What arrives is examined before it is kept: form, keys, signature, issuer, type, dates, status.

    examined = await examine(collection, part, trust=trust, resolver=resolver, now=now)
    examined.verdict        # GOOD, UNKNOWN_ISSUER (the person decides) or REFUSED

All copies of a batch must pass, belong to keys that were made for them (in any order, each key once), and say the same.
Source: RFC 9901, section 7.2; SD-JWT VC, section 2.4; OpenID4VCI 1.0, section 8.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt
from proofs.keys import check_public_jwk, thumbprint
from proofs.resolve import Resolver
from proofs.status_list import INVALID, SUSPENDED
from proofs.trust import TrustList
from proofs.verify import VerificationFailed, VerifiedCredential, verify_credential
from schemas.errors import ProtocolError
from schemas.issuance import FORMAT_SD_JWT_VC, display_name
from schemas.verification import Check, Outcome, VerificationResult
from wallet.certificates import NewCertificate, NewCopy
from wallet.collection import Collection, Part
from wallet.offers import Offered, host_of
from wallet.receiving import Examined, Verdict

# Members that may differ between copies of one certificate (VCI 15.4.1): keys, slots and times.
_OWN_TO_A_COPY = frozenset({"cnf", "status", "iat", "nbf", "exp", "jti"})
_STATUS_WORDS = {INVALID: "revoked", SUSPENDED: "suspended"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one copy's verification came to: the report, and what is known of issuer, validity and status."""

    verdict: Verdict
    report: VerificationResult
    issuer_name: str = ""
    issuer_identifier: str = ""
    status: str = "none"
    problem: str = ""


class _Unacceptable(ProtocolError):
    """A copy is not what was asked for; the message is the stable reason."""


async def examine(
    collection: Collection, part: Part, *, trust: TrustList, resolver: Resolver, now: datetime
) -> Examined:
    """Examine everything that was received for one certificate of an offer."""
    offered = collection.offered
    configuration = dict(offered.items)[part.configuration]
    try:
        copies, parsed = _matched(part)
        _say_the_same(parsed)
    except _Unacceptable as exc:
        return Examined(Verdict.REFUSED, problem=str(exc))
    judgements = [
        await judge(copy.token, sd_jwt, expected_type=configuration.vct, trust=trust, resolver=resolver, now=now)
        for copy, sd_jwt in zip(copies, parsed, strict=True)
    ]
    for judgement in judgements:
        if judgement.verdict is Verdict.REFUSED:
            return Examined(Verdict.REFUSED, problem=judgement.problem)
    worst = next((j for j in judgements if j.verdict is Verdict.UNKNOWN_ISSUER), judgements[0])
    view = _view(offered, part, parsed[0], worst, now=now)
    return Examined(worst.verdict, NewCertificate(view=view, copies=tuple(copies)))


def _matched(part: Part) -> tuple[list[NewCopy], list[UnverifiedSDJWT]]:
    """Each received copy with the key it is bound to, whatever order they came in."""
    keys = {thumbprint(check_public_jwk({k: v for k, v in key.items() if k != "d"})): key for key in part.keys}
    copies, parsed = [], []
    for token in part.received:
        try:
            sd_jwt = parse_sd_jwt(token)
            bound_to = holder_thumbprint(sd_jwt.claims)
        except ProtocolError as exc:
            raise _Unacceptable("not_readable") from exc
        if sd_jwt.key_binding is not None:
            # RFC 9901, section 7.2: only a holder adds a key binding; one from the issuer was made by somebody else.
            raise _Unacceptable("already_shown")
        if part.keys and bound_to is None:
            raise _Unacceptable("other_key")
        if bound_to is not None and bound_to not in keys:
            raise _Unacceptable("other_key")
        copies.append(NewCopy(token=token, key_private_jwk=keys.pop(bound_to) if bound_to is not None else {}))
        parsed.append(sd_jwt)
    return copies, parsed


def holder_thumbprint(claims: Mapping[str, Any]) -> str | None:
    """The thumbprint of the key in `cnf`, None without `cnf`. Raises `Malformed` for any other way of binding."""
    confirmation = claims.get("cnf")
    if confirmation is None:
        return None
    if not isinstance(confirmation, Mapping) or not isinstance(confirmation.get("jwk"), Mapping):
        raise _Unacceptable("other_key")
    return thumbprint(check_public_jwk(confirmation["jwk"]))


def _say_the_same(parsed: Sequence[UnverifiedSDJWT]) -> None:
    """Copies of one certificate say the same; else a person would show something other than what they saw."""
    first, *others = [{k: v for k, v in p.claims.items() if k not in _OWN_TO_A_COPY} for p in parsed]
    if any(other != first for other in others):
        raise _Unacceptable("copies_differ")


async def judge(
    token: str,
    sd_jwt: UnverifiedSDJWT,
    *,
    expected_type: str | None,
    trust: TrustList,
    resolver: Resolver,
    now: datetime,
) -> Judgement:
    """Verify one copy and say what may be done with it. Used on arrival, and again whenever its status is asked for."""
    expected_holder = holder_thumbprint(sd_jwt.claims)
    try:
        verified = await verify_credential(
            token,
            expected_type=expected_type,
            expected_holder_thumbprint=expected_holder,
            trust=trust,
            resolver=resolver,
            now=now,
            status="if_present",
        )
    except VerificationFailed as exc:
        return _judged(exc, sd_jwt, expected_type=expected_type, now=now)
    return Judgement(
        Verdict.GOOD,
        verified.report,
        issuer_name=verified.issuer.name,
        issuer_identifier=verified.issuer.identifier or stated_issuer(sd_jwt, verified),
        status="none" if verified.status is None else "valid",
    )


def _judged(
    failure: VerificationFailed, sd_jwt: UnverifiedSDJWT, *, expected_type: str | None, now: datetime
) -> Judgement:
    report = failure.report
    checks = {check.name: check for check in report.checks}
    faults = {c.name for c in report.checks if c.outcome is not Outcome.PASSED and c.reason != "earlier_check_failed"}
    stated = stated_issuer(sd_jwt, failure)
    if faults == {"status"}:
        status = checks["status"]
        issuer = checks["issuer_trusted"]
        name = issuer.detail if issuer.outcome is Outcome.PASSED else ""
        if status.outcome is Outcome.FAILED:
            word = "suspended" if status.reason == "suspended" else "revoked"
            return Judgement(Verdict.REFUSED, report, name, stated, status=word, problem=word)
        return Judgement(Verdict.GOOD, report, name, stated, status="unknown")
    unknown_issuer = bool(faults & {"issuer_trusted", "signature"}) and not (
        set(report.failed) - {"issuer_trusted"}
    )
    if not unknown_issuer:
        return Judgement(Verdict.REFUSED, report, "", stated, status="unknown", problem=_problem(report))
    # The checks behind the issuer were not made; what does not need a known issuer is made here.
    if problem := _own_faults(sd_jwt, expected_type=expected_type, now=now):
        return Judgement(Verdict.REFUSED, report, "", stated, status="unknown", problem=problem)
    return Judgement(Verdict.UNKNOWN_ISSUER, report, "", stated, status="unknown")


def _own_faults(sd_jwt: UnverifiedSDJWT, *, expected_type: str | None, now: datetime) -> str:
    if expected_type is not None and sd_jwt.claims.get("vct") != expected_type:
        return "other_type"
    expires = moment(sd_jwt.claims.get("exp"))
    return "expired" if expires is not None and expires <= now else ""


def _problem(report: VerificationResult) -> str:
    """The stable reason for a page from the first check that failed."""
    first: Check | None = next((c for c in report.checks if c.outcome is Outcome.FAILED), None)
    if first is None:
        return "not_checked"
    return {"dates": "expired", "type": "other_type", "holder_binding": "other_key"}.get(first.name, "not_genuine")


def stated_issuer(sd_jwt: UnverifiedSDJWT, checked: VerificationFailed | VerifiedCredential) -> str:
    """Who the certificate says issued it: `iss`, else a URI of the signing certificate, else nothing."""
    issuer = sd_jwt.claims.get("iss")
    if isinstance(issuer, str):
        return issuer
    leaf = checked.leaf if isinstance(checked, VerificationFailed) else None
    return leaf.uris[0] if leaf is not None and leaf.uris else ""


def moment(seconds: object) -> datetime | None:
    """A NumericDate as a moment; None when it is absent or beyond what a calendar holds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 253_402_300_800:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def status_uri(claims: Mapping[str, Any]) -> str | None:
    """Where the status list of a copy is, or None."""
    status = claims.get("status")
    listed = status.get("status_list") if isinstance(status, Mapping) else None
    uri = listed.get("uri") if isinstance(listed, Mapping) else None
    return uri if isinstance(uri, str) else None


def _view(offered: Offered, part: Part, sd_jwt: UnverifiedSDJWT, judgement: Judgement, *, now: datetime) -> dict[str, Any]:
    claims = sd_jwt.claims
    trusted = judgement.verdict is Verdict.GOOD
    says = display_name(offered.metadata.display, "sv") or host_of(offered.issuer)
    also = claims.get("aka_vcts")
    displays = offered.metadata.display or []
    return {
        "format": FORMAT_SD_JWT_VC,
        "vct": str(claims.get("vct", "")),
        "type_chain": [str(claims.get("vct", "")), *([v for v in also if isinstance(v, str)] if isinstance(also, list) else [])],
        "issuer_identifier": judgement.issuer_identifier or offered.issuer,
        "issuer_name": judgement.issuer_name if trusted and judgement.issuer_name else says,
        "issuer_trusted": trusted,
        "received_at": int(now.timestamp()),
        "valid_from": claims.get("nbf") if moment(claims.get("nbf")) else None,
        "valid_until": claims.get("exp") if moment(claims.get("exp")) else None,
        "status": judgement.status,
        "status_uri": status_uri(claims),
        "report": report_as_json(judgement.report),
        "checked_at": int(now.timestamp()),
        "display": offered.raw_displays.get(part.configuration, {}),
        "issuer_display": [{"name": d.name or "", "locale": d.locale or ""} for d in displays],
        "collected_from": offered.issuer,
    }


def report_as_json(report: VerificationResult) -> list[dict[str, str]]:
    """The checks of a report as they rest in a view."""
    return [
        {"name": check.name, "outcome": check.outcome.value, "reason": check.reason, "detail": check.detail}
        for check in report.checks
    ]
