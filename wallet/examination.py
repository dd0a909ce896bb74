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
from proofs.trust import TrustList
from proofs.verify import VerificationFailed, verify_credential
from schemas.errors import ProtocolError
from schemas.issuance import FORMAT_SD_JWT_VC, Display, display_name
from schemas.types.type_rules import BrokenTypeRules
from schemas.verification import Outcome, VerificationResult
from wallet.certificates import NewCertificate, NewCopy, StoredCertificate
from wallet.collection import Collection, Part
from wallet.hosts import host_of
from wallet.offers import Offered
from wallet.receiving import Examined, Verdict
from wallet.trusted import judged_under
from wallet.type_description import described_by_type

# Members that may differ between copies of one certificate (VCI 15.4.1): keys, slots and times.
_OWN_TO_A_COPY = frozenset({"cnf", "status", "iat", "nbf", "exp", "jti"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one copy's verification came to. `issuer_name` is empty unless the issuer is trusted."""

    verdict: Verdict
    report: VerificationResult
    issuer_name: str
    issuer_identifier: str
    status: str
    problem: str = ""

    @property
    def issuer_trusted(self) -> bool:
        """Whether the trust list vouches for the issuer."""
        return any(c.name == "issuer_trusted" and c.outcome is Outcome.PASSED for c in self.report.checks)


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
    try:
        display = offered.raw_displays.get(part.configuration) or await described_by_type(parsed[0], resolver=resolver)
    except BrokenTypeRules:
        return Examined(Verdict.REFUSED, problem="breaks_type")
    view = _view(offered, display, parsed[0], worst, now=now) | {"judged_under": judged_under(trust, at=now)}
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
        return _judged(exc, sd_jwt, trust=trust)
    issuer = verified.issuer
    return Judgement(Verdict.GOOD, verified.report, issuer.name, issuer.identifier, _status(verified.report, sd_jwt))


def _judged(failure: VerificationFailed, sd_jwt: UnverifiedSDJWT, *, trust: TrustList) -> Judgement:
    """What a report with a fault comes to.

    A status that could not be found out does not keep a certificate out, nor does an issuer that nobody here vouches
    for, if the person wants it. Everything else does.
    """
    report = failure.report
    verdict, problem = Verdict.REFUSED, ""
    if report.failed:
        problem = _problem(report)
    elif set(report.unknown) <= {"status"}:
        verdict = Verdict.GOOD
    elif set(report.unknown) <= {"status", "issuer_trusted"}:
        verdict = Verdict.UNKNOWN_ISSUER
    else:
        problem = "not_checked"
    identifier = _stated_issuer(sd_jwt, failure)
    name = _listed_name(failure, identifier, trust=trust) if "issuer_trusted" not in report.unknown else ""
    return Judgement(verdict, report, name, identifier, _status(report, sd_jwt), problem)


def _status(report: VerificationResult, sd_jwt: UnverifiedSDJWT) -> str:
    """The word for the status check: valid, revoked, suspended, unknown, or none when the issuer publishes none."""
    check = next((c for c in report.checks if c.name == "status"), None)
    if check is None or check.outcome is Outcome.COULD_NOT_CHECK:
        return "unknown"
    if check.outcome is Outcome.PASSED:
        return "valid" if "status" in sd_jwt.claims else "none"
    return check.reason if check.reason in ("revoked", "suspended") else "unknown"


_PROBLEMS = {
    "type_not_trusted": "not_entitled",
    "unexpected_type": "other_type",
    "unexpected_key_binding": "already_shown",
    "not_bound": "other_key",
    "other_holder": "other_key",
    "expired": "expired",
    "not_yet_valid": "expired",
    "revoked": "revoked",
    "suspended": "suspended",
}


def _problem(report: VerificationResult) -> str:
    """The stable reason for a page, from the check that failed."""
    failed = next(check for check in report.checks if check.outcome is Outcome.FAILED)
    return _PROBLEMS.get(failed.reason, "not_genuine")


def _listed_name(failure: VerificationFailed, identifier: str, *, trust: TrustList) -> str:
    """The name of an issuer that the report calls trusted, as the trust list has it."""
    leaf = failure.leaf
    if leaf is not None and leaf.anchor is not None:
        for entry in trust.under_anchor("issuer", leaf.anchor, (identifier, *leaf.uris)):
            return entry.name if entry.identifier else leaf.legal_name or entry.name
    return next((entry.name for entry in trust.naming("issuer", identifier)), "")


def _stated_issuer(sd_jwt: UnverifiedSDJWT, failure: VerificationFailed) -> str:
    """Who the certificate says issued it: `iss`, else a URI of the signing certificate, else nothing."""
    issuer = sd_jwt.claims.get("iss")
    if isinstance(issuer, str):
        return issuer
    return failure.leaf.uris[0] if failure.leaf is not None and failure.leaf.uris else ""


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


def _view(
    offered: Offered, display: Mapping[str, Any], sd_jwt: UnverifiedSDJWT, judgement: Judgement, *, now: datetime
) -> dict[str, Any]:
    claims = sd_jwt.claims
    also = claims.get("aka_vcts")
    displays = [{"name": d.name or "", "locale": d.locale or ""} for d in offered.metadata.display or []]
    return {
        "format": FORMAT_SD_JWT_VC,
        "vct": str(claims.get("vct", "")),
        "type_chain": [
            str(claims.get("vct", "")),
            *([v for v in also if isinstance(v, str)] if isinstance(also, list) else []),
        ],
        "issuer_identifier": judgement.issuer_identifier or offered.issuer,
        "issuer_name": judgement.issuer_name or own_words(displays, offered.issuer),
        "issuer_trusted": judgement.issuer_trusted,
        "received_at": int(now.timestamp()),
        "valid_from": claims.get("nbf") if moment(claims.get("nbf")) else None,
        "valid_until": claims.get("exp") if moment(claims.get("exp")) else None,
        "status": judgement.status,
        "report": report_as_json(judgement.report),
        "checked_at": int(now.timestamp()),
        "display": dict(display),
        "issuer_display": displays,
        "collected_from": offered.issuer,
    }


def own_words(displays: Sequence[Mapping[str, Any]], issuer: str) -> str:
    """What an issuer calls itself: untrusted text, its host when it says nothing."""
    named = [Display(name=one["name"], locale=one["locale"]) for one in displays]
    return display_name(named, "sv") or host_of(issuer)


def name_now(certificate: StoredCertificate, judgement: Judgement) -> str:
    """The issuer's name after a judgement: a name of the trust list goes when its issuer is not trusted any more."""
    if judgement.issuer_name:
        return judgement.issuer_name
    if judgement.issuer_trusted or not certificate.issuer_trusted:
        return certificate.issuer_name
    return own_words(certificate.issuer_display, certificate.collected_from)


def with_known_status(report: VerificationResult, before: VerificationResult) -> VerificationResult:
    """A report with what an earlier one found about the status, where that could not be found out anew."""
    known = {check.name: check for check in before.checks if check.name == "status"}
    return VerificationResult(tuple(known.get(check.name, check) for check in report.checks))


def report_as_json(report: VerificationResult) -> list[dict[str, str]]:
    """The checks of a report as they rest in a view."""
    return [
        {"name": check.name, "outcome": check.outcome.value, "reason": check.reason, "detail": check.detail}
        for check in report.checks
    ]
