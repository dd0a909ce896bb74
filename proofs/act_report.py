"""A report of an act, signed by the agent's own key and sealed to the principal's wallet.

The agent's wallet shows the power itself, as to any recipient: a presentation whose audience is the address of the
principal's wallet, and whose nonce is the digest of the report. So whoever reads it knows that a trusted source gave
the power, that the key which the power is bound to made this very report, and that it was made for this address. What
the report says is still the agent's word.

    package = sign_report(report_text, power_token, disclosures=..., signer=key, audience=address.url, now=now)
    token = seal_report(package, recipient_jwk=address.jwk)             # what is posted

    package = open_report(token, private_jwk=key)
    told = await verify_report(package, expected_audience=url, trust=trust, resolver=resolver, now=now, ...)
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from proofs import base64url, jose, strict_json
from proofs.formats.sd_jwt import digest_of, parse_sd_jwt, split_sd_jwt
from proofs.formats.sd_jwt_vc import KEY_BINDING_TYP, build_presentation, holder_jwk
from proofs.keys import DEFAULT_ALGORITHMS, Signer
from proofs.resolve import Resolver
from proofs.trust import TrustList
from proofs.verify import VerificationFailed, verify_credential, verify_presentation
from schemas.act_report import MOST_REPORT_BYTES
from schemas.errors import Malformed, ProtocolError, Refused
from schemas.power import POWER_VCT
from schemas.verification import Outcome

_ENCRYPTION: Final = "A256GCM"
_KEY_AGREEMENT: Final = "ECDH-ES"


class ReportRefused(Refused):
    """The report is not the word of somebody who holds a power from a trusted source."""

    error = "report_refused"


class ReportUnchecked(Refused):
    """Whether it is could not be found out now. `source` is whose key could not be had, `power_copy` the power that it
    would have signed: whoever has the key that this is bound to made the report."""

    error = "report_unchecked"

    def __init__(self, description: str, *, source: str, power_copy: str) -> None:
        super().__init__(description)
        self.source = source
        self.power_copy = power_copy


@dataclass(frozen=True, slots=True)
class ToldAct:
    """A report that was made by the key which a power of a trusted source is bound to. Made by `verify_report` only.

    `power` are the claims that were shown of the power; `power_status` is "valid", "revoked", "suspended", "ended" or
    "unknown": an act can be told after its power has ended. What `report_text` says is the agent's word.
    """

    report_text: str = field(repr=False)
    power: Mapping[str, Any] = field(repr=False)
    power_status: str
    issuer_identifier: str
    power_copy: str = field(repr=False)
    """The power as its source signed it, with nothing disclosed: what `ask_power_status` looks up later."""


def sign_report(
    report_text: str, power: str, *, disclosures: Sequence[str], signer: Signer, audience: str, now: datetime
) -> bytes:
    """The report with the power, shown for it: `disclosures` of the copy `power`, by the key that this copy is bound
    to. As a file it can be handed over as it is."""
    shown = build_presentation(
        power, disclosures=disclosures, signer=signer, audience=audience, nonce=_digest(report_text), now=now
    )
    return strict_json.dumps({"report": report_text, "power": shown})


def seal_report(package: bytes, *, recipient_jwk: Mapping[str, Any]) -> str:
    """The package as a JWE that only the principal's wallet can read. Raises `Malformed` for an unusable key."""
    return jose.encrypt_jwe(package, recipient_jwk=recipient_jwk, enc=_ENCRYPTION)


def open_report(token: str, *, private_jwk: Mapping[str, Any]) -> bytes:
    """The opposite of `seal_report`. Raises `ProtocolError`."""
    _, package = jose.decrypt_jwe(
        token,
        private_jwk=private_jwk,
        algorithms=(_KEY_AGREEMENT,),
        encryptions=(_ENCRYPTION,),
        max_bytes=MOST_REPORT_BYTES,
    )
    return package


async def verify_report(
    package: bytes,
    *,
    expected_audience: str,
    trust: TrustList,
    resolver: Resolver,
    now: datetime,
    max_age_seconds: int,
    not_asked: Collection[str] = (),
) -> ToldAct:
    """Check who made a report: the whole procedure for presentations, but that the power may have ended meanwhile.

    `now` is when the report arrived, `max_age_seconds` how long before it may have been made. An issuer that is not
    trusted for powers is refused, whatever the report says; a status that is missing is refused as for any power.
    The sources in `not_asked` are not asked for their keys: they have just not answered. A report that the key of the
    power did not sign, whoever gave it, is refused all the same.

    Does not check what the report says, and not whom the power is about. Raises `ReportRefused`, `ReportUnchecked`.
    """
    try:
        members = strict_json.loads_object(package, max_bytes=MOST_REPORT_BYTES)
        report_text, power = members["report"], members["power"]
        if set(members) != {"report", "power"} or not isinstance(report_text, str) or not isinstance(power, str):
            raise Malformed("a report is a text and a power")
    except (KeyError, Malformed, Refused) as exc:
        raise ReportRefused("this is no report") from exc
    asked = _asked_for_key(power, trust)
    nonce = _digest(report_text)
    if asked in not_asked:
        raise _unchecked(power, source=asked, audience=expected_audience, nonce=nonce)
    try:
        verified = await verify_presentation(
            power,
            expected_audience=expected_audience,
            expected_nonce=nonce,
            expected_types=(POWER_VCT,),
            trust=trust,
            resolver=resolver,
            now=now,
            status="required",
            max_age_seconds=max_age_seconds,
        )
    except VerificationFailed as exc:
        status = _ended(exc)
        if exc.unverified is None or not status:
            is_open = not exc.report.failed and set(exc.report.unknown) - {"issuer_trusted", "status"}
            if is_open:
                raise _unchecked(power, source=asked, audience=expected_audience, nonce=nonce) from exc
            raise ReportRefused("the power does not hold") from exc
        claims = parse_sd_jwt(power).claims
        return ToldAct(report_text, claims, status, str(claims.get("iss", "")), _undisclosed(power))
    return ToldAct(report_text, verified.claims, "valid", verified.issuer.identifier, _undisclosed(power))


def _unchecked(power: str, *, source: str, audience: str, nonce: str) -> ReportUnchecked:
    """What is raised where the source gives no key: that the power is bound to the sender's key needs none.

    So nobody passes for the holder of a power that they only saw. Raises `ReportRefused` for those who try.
    """
    try:
        parts = split_sd_jwt(power)
        holder_key = holder_jwk(parts.payload)
        if parts.key_binding is None or holder_key is None:
            raise Malformed("the report is signed by no key")
        binding = jose.check_signature(
            parts.key_binding, key=holder_key, typ=KEY_BINDING_TYP, algorithms=DEFAULT_ALGORITHMS
        )
        claims = jose.read_claims(binding)
        expected = {
            "aud": audience,
            "nonce": nonce,
            "sd_hash": digest_of(parts.without_key_binding, hash_name=parts.hash_name),
        }
        if any(claims.get(name) != value for name, value in expected.items()):
            raise Malformed("the key signed something else")
    except ProtocolError as exc:
        raise ReportRefused("the report is not from the key of the power") from exc
    return ReportUnchecked("the power could not be checked", source=source, power_copy=_undisclosed(power))


async def ask_power_status(
    power_copy: str, *, trust: TrustList, resolver: Resolver, now: datetime
) -> Literal["valid", "revoked", "suspended", "unknown"]:
    """How a power stands now, of which a report was taken in before: asked at its source, for whom it is over.

    Raises nothing. "unknown" is what could not be found out: also for a copy that has run out and is not listed as
    revoked, since its power may go on, and for a source that is not trusted any more, which is not asked.
    """
    try:
        _asked_for_key(power_copy, trust)
        verified = await verify_credential(
            power_copy,
            expected_type=POWER_VCT,
            expected_holder_thumbprint=None,
            trust=trust,
            resolver=resolver,
            now=now,
            status="required",
            may_have_run_out=True,
        )
    except VerificationFailed as exc:
        status = _ended(exc)
        return "revoked" if status == "revoked" else "suspended" if status == "suspended" else "unknown"
    except ProtocolError:
        return "unknown"
    expires_at = verified.claims.get("exp")
    has_run_out = isinstance(expires_at, int | float) and expires_at <= now.timestamp()
    return "unknown" if has_run_out else "valid"


def status_list_of(power_copy: str) -> str:
    """The address of the list that tells of a power; "" when it names none."""
    return _listed_at(power_copy)[0]


def status_entry_of(power_copy: str) -> str:
    """Which entry of which list tells of a copy of a power, as "address#index"; "" when it names none.

    What is learned there holds for this entry alone: another copy, of the same power or of another, has its own.
    """
    uri, index = _listed_at(power_copy)
    return f"{uri}#{index}" if uri and index is not None else ""


def _listed_at(power_copy: str) -> tuple[str, int | None]:
    try:
        status = split_sd_jwt(power_copy).payload.get("status")
    except ProtocolError:
        return "", None
    reference = status.get("status_list") if isinstance(status, dict) else None
    uri, index = (reference.get("uri"), reference.get("idx")) if isinstance(reference, dict) else (None, None)
    return uri if isinstance(uri, str) else "", index if type(index) is int else None


def _undisclosed(power: str) -> str:
    return power.partition("~")[0] + "~"


def _ended(failure: VerificationFailed) -> str:
    """How the power stands of which everything else holds: an act can be told after it has ended. "" for all others.

    Dates and status are asked last: where they alone object, who signed, with which key and for whom has passed.
    """
    reasons = {one.name: one.reason for one in failure.report.checks if one.outcome is not Outcome.PASSED}
    if set(reasons) == {"dates", "status"} and reasons["dates"] == "expired":
        return "ended"
    if set(reasons) != {"status"} or reasons["status"] == "missing_status":
        return ""
    return reasons["status"] if reasons["status"] in ("revoked", "suspended") else "unknown"


def _asked_for_key(power: str, trust: TrustList) -> str:
    """Which source is asked for its key; "" when the key comes along and nobody is asked.

    Only one in the trust list whose key is fetched is ever asked: else whoever knows the address of a wallet would
    learn when its owner opens it. Raises `ReportRefused` for all others.
    """
    try:
        parts = split_sd_jwt(power)
    except ProtocolError as exc:
        raise ReportRefused("this is no report") from exc
    issuer = parts.payload.get("iss")
    entries = trust.naming("issuer", issuer) if isinstance(issuer, str) else ()
    if isinstance(issuer, str) and any(one.mechanism != "x5c" for one in entries):
        return issuer  # Even where a certificate comes along.
    if "x5c" not in parts.jws.header:
        raise ReportRefused("nobody here knows the source of the power")
    return ""


def _digest(report_text: str) -> str:
    return base64url.encode(hashlib.sha256(report_text.encode()).digest())
