"""The verdict on an answer: every presentation through the numbered procedure, then the query once more.

    verification = await verify_answer(answer, transaction=transaction, policy=policy, resolver=resolver, now=now)
    verification.result.accepted, verification.result.failed

Steps, each repeated as a comment where it is taken:

1. no entry that was not asked for, no more presentations than asked for (OpenID4VP 8.1)
2. each presentation: `proofs.verify.verify_presentation`, bound to this client id and this nonce (14.1.2), of a type
   that its query asks for, from an issuer trusted for that type and accepted here, and of a day that is recent enough
   where the template says how recent
3. what came back is what was asked for, complete and with acceptable values (8.6, 14.9); this waits for presentations
   that could be read, so that a look-up which did not succeed is never told as something that is missing
4. where a power is among them: it holds today, for this recipient and these certificates, and they are about the person
   acted for (`verifier.acting`); this, too, waits for presentations that could be read
5. where the person was asked to confirm something: exactly that, by the key of one certificate that may (B.3.3.1)

One presentation that fails is a failed answer. What could not be checked is never accepted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from proofs.certificates import Leaf
from proofs.formats.sd_jwt import UnverifiedSDJWT, split_sd_jwt
from proofs.formats.sd_jwt_vc import holder_jwk
from proofs.jose import parse_jws, read_claims
from proofs.keys import thumbprint
from proofs.resolve import Resolver
from proofs.transaction_data import decode_transaction_data, hashes_fault
from proofs.verify import CHECKS, VerificationFailed, VerifiedPresentation, verify_presentation
from schemas.dcql import PresentedCredential, check_answer
from schemas.power import POWER_CHECKS, POWER_VCT
from schemas.presentation import AuthorizationResponse
from schemas.verification import Check, Outcome, VerificationResult
from verifier.acting import acting_checks
from verifier.policies import RECENCY, CredentialRule, Policy
from verifier.requests import Transaction

DECLARATION = "declaration"
ALL_CHECKS = (*CHECKS, RECENCY, "query", "values", *POWER_CHECKS, DECLARATION)
_WORTH_KEEPING = frozenset({"signature", "holder_binding", "audience", "nonce", "disclosures"})
_ORDER = {name: place for place, name in enumerate(ALL_CHECKS)}
_GRAVITY = {Outcome.PASSED: 0, Outcome.COULD_NOT_CHECK: 1, Outcome.FAILED: 2}


def is_genuine(result: VerificationResult) -> bool:
    """Whether nothing speaks against an answer but what it says: a value that is not among the accepted ones, or a day
    that is too long ago. What stands behind that check was not looked at."""
    failed = set(result.failed)
    behind = all(
        one.reason == "earlier_check_failed" for one in result.checks if one.outcome is Outcome.COULD_NOT_CHECK
    )
    return failed <= {"values", RECENCY} and behind


def says_genuine(detail: str) -> bool:
    """The same from what the log keeps of a rejected answer: the names of the checks that failed, then of those that
    could not be made."""
    behind = {RECENCY, "query", "values", DECLARATION, *POWER_CHECKS}
    return detail == "values" or (detail.partition(",")[0] == RECENCY and set(detail.split(",")) <= behind)


class Verdict(StrEnum):
    """What all checks together say."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDETERMINED = "undetermined"

    @classmethod
    def of(cls, result: VerificationResult) -> "Verdict":
        """Accepted only when everything was checked and passed; rejected as soon as one check failed."""
        if result.failed:
            return cls.REJECTED
        return cls.ACCEPTED if result.accepted else cls.UNDETERMINED


@dataclass(frozen=True, slots=True)
class PresentedProof:
    """One presentation after its checks.

    `claims` is empty when a check failed: what did not hold is not kept. When something could only not be checked,
    the claims are there and `result` says so. `claims` holds everything visible, registered claims included.
    `certificate` counts the certificates of the answer: presentations of the same one have the same number.
    `status_read_at` is when the status list that was looked at was read from its issuer. `leaf` is the certificate
    whose key signed; certificates that only came along count for nothing.
    """

    query_id: str
    token: str = field(repr=False)
    result: VerificationResult
    certificate: int = 0
    vct: str = ""
    issuer_name: str = ""
    issuer: str = ""
    valid_until: datetime | None = None
    status_read_at: datetime | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sd_jwt: UnverifiedSDJWT | None = field(default=None, repr=False)
    leaf: Leaf | None = field(default=None, repr=False)

    @property
    def holder_thumbprint(self) -> str:
        """The RFC 7638 thumbprint of the key that bound it, "" when it could not be read."""
        key = holder_jwk(self.sd_jwt.payload) if self.sd_jwt is not None else None
        return thumbprint(key) if key is not None else ""

    @property
    def status_list(self) -> str:
        """The address of the status list that it names, "" when it names none."""
        status = self.claims.get("status")
        listed = status.get("status_list") if isinstance(status, dict) else None
        uri = listed.get("uri") if isinstance(listed, dict) else None
        return uri if isinstance(uri, str) else ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole answer: all checks in one list (each name once, with its worst outcome), and each presentation."""

    result: VerificationResult
    proofs: tuple[PresentedProof, ...]

    @property
    def verdict(self) -> Verdict:
        """What all checks together say."""
        return Verdict.of(self.result)


async def verify_answer(
    answer: AuthorizationResponse, *, transaction: Transaction, policy: Policy, resolver: Resolver, now: datetime
) -> Verification:
    """Check an answer to a transaction. Never raises for what the wallet sent: the result tells."""
    query = transaction.question.query
    rules = {
        query_id: policy.rule_for(credential) for query_id, credential, _ in transaction.question.template.queries()
    }
    # 1. no entry that was not asked for, no more presentations than asked for
    fault = _shape_fault(answer, rules, multiple={one.id for one in query.credentials if one.multiple})
    if fault is not None:
        demanded = [
            name
            for name in (*CHECKS[1:], RECENCY, *_of_whole_answer(transaction, has_power=False))
            if name != RECENCY or any(rule.age for rule in rules.values())
        ]
        return Verification(VerificationResult((fault, *_not_reached(demanded))), ())
    # 2. each presentation
    given = [(query_id, str(token)) for query_id, tokens in answer.vp_token.items() for token in tokens]
    numbers = _certificate_numbers(token for _, token in given)
    proofs = tuple(
        [
            replace(
                await verify_one(query_id, token, rules[query_id], transaction, policy, resolver, now),
                certificate=number,
            )
            for (query_id, token), number in zip(given, numbers, strict=True)
        ]
    )
    # 3. what came back is what was asked for
    if any(proof.result.failed or proof.sd_jwt is None for proof in proofs):
        has_power = any(POWER_VCT in rules[proof.query_id].types for proof in proofs)
        final = _not_reached(_of_whole_answer(transaction, has_power=has_power))
    else:
        presented: dict[str, list[PresentedCredential]] = {}
        for proof in proofs:
            asks_authorities = any(one.trusted_authorities for one in query.credentials if one.id == proof.query_id)
            presented.setdefault(proof.query_id, []).extend(_presented(proof, with_authorities=asks_authorities))
        final = tuple(_with_remark(check, transaction, proofs) for check in check_answer(query, presented))
        # 4. where a power is among them
        final += acting_checks(
            [(proof.certificate, proof.claims) for proof in proofs],
            recipient_names={urlsplit(transaction.response_uri).hostname or ""} - {""},
            today=now.astimezone(ZoneInfo(policy.time_zone)).date(),
        )
        # 5. exactly what the person was asked to confirm
        if transaction.question.transaction_data:
            final = (*final, _declaration(transaction, proofs))
    return Verification(VerificationResult((*_worst(proofs), *final)), proofs)


def _of_whole_answer(transaction: Transaction, *, has_power: bool) -> tuple[str, ...]:
    """The checks that an answer to this request undergoes as a whole."""
    declaration = (DECLARATION,) if transaction.question.transaction_data else ()
    return ("query", "values", *(POWER_CHECKS if has_power else ()), *declaration)


def _declaration(transaction: Transaction, proofs: Iterable[PresentedProof]) -> Check:
    """Whether one presentation that may, and no other, confirms what was asked. The key bindings have been checked."""
    expected = transaction.question.transaction_data
    able = {one for text in expected for one in decode_transaction_data(text)["credential_ids"]}
    bindings = [(proof.query_id, _key_binding(proof.token)) for proof in proofs]
    carrying = [(query_id, claims) for query_id, claims in bindings if "transaction_data_hashes" in claims]
    if not carrying:
        return Check(DECLARATION, Outcome.FAILED, "declaration_missing", "nothing was confirmed")
    if len(carrying) > 1 or carrying[0][0] not in able:
        return Check(DECLARATION, Outcome.FAILED, "declaration_elsewhere", "confirmed by another or by several")
    if fault := hashes_fault(carrying[0][1], expected=expected):
        return Check(DECLARATION, Outcome.FAILED, f"declaration_{fault}", "something else was confirmed")
    return Check(DECLARATION, Outcome.PASSED)


def _key_binding(token: str) -> Mapping[str, Any]:
    """The members of the key binding of a presentation whose check `holder_binding` has passed."""
    binding = split_sd_jwt(token).key_binding
    return read_claims(parse_jws(binding)) if binding else {}


def issuers_of_unknown_keys(verification: Verification) -> set[str]:
    """The issuers in whose published keys there was none that signed: they may have published others since."""
    found: set[str] = set()
    for proof in verification.proofs:
        if ("signature", "bad_signature") in {(check.name, check.reason) for check in proof.result.checks}:
            parts = split_sd_jwt(proof.token)
            iss = parts.payload.get("iss")
            if "x5c" not in parts.jws.header and isinstance(iss, str):
                found.add(iss)
    return found


def _certificate_numbers(tokens: Iterable[str]) -> list[int]:
    """A number for each token: the same for presentations of the same issuer-signed JWT, byte for byte."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(token.partition("~")[0], len(numbers)) for token in tokens]


def _with_remark(check: Check, transaction: Transaction, proofs: Iterable[PresentedProof]) -> Check:
    """Say it when what a template asks of one certificate came from several, which a query cannot forbid.

    That is no fault, since a wallet may use another copy for each part; but a grade must not pass for that of another
    course, so whoever reads it has to know.
    """
    if check.name != "query" or check.outcome is not Outcome.PASSED:
        return check
    numbers: dict[str, set[int]] = {}
    asked = {query_id: credential for query_id, credential, _ in transaction.question.template.queries()}
    for proof in proofs:
        if not asked[proof.query_id].multiple:
            numbers.setdefault(asked[proof.query_id].id, set()).add(proof.certificate)
    if all(len(some) == 1 for some in numbers.values()):
        return check
    return Check("query", Outcome.PASSED, "several_certificates", "what was asked of one came from several")


def _shape_fault(
    answer: AuthorizationResponse, rules: Mapping[str, CredentialRule], *, multiple: Iterable[str]
) -> Check | None:
    if any(query_id not in rules for query_id in answer.vp_token):
        return Check("form", Outcome.FAILED, "unknown_query", "the answer has an entry that was not asked for")
    if any(len(tokens) > 1 and query_id not in multiple for query_id, tokens in answer.vp_token.items()):
        return Check("form", Outcome.FAILED, "multiple", "more than one presentation where one was asked for")
    if not all(isinstance(token, str) for tokens in answer.vp_token.values() for token in tokens):
        return Check("form", Outcome.FAILED, "not_a_string", "a presentation of this format is a string")
    return None


async def verify_one(
    query_id: str,
    token: Any,
    rule: CredentialRule,
    transaction: Transaction,
    policy: Policy,
    resolver: Resolver,
    now: datetime,
) -> PresentedProof:
    """Step 2 for one presentation. Never raises for what is in it: the result tells."""
    try:
        verified = await verify_presentation(
            token,
            expected_audience=transaction.audience,
            expected_nonce=transaction.nonce,
            expected_types=rule.types,
            trust=policy.trust,
            resolver=resolver,
            now=now,
            status=rule.status,
            max_age_seconds=policy.max_age_seconds,
            skew_seconds=policy.skew_seconds,
        )
    except VerificationFailed as exc:
        return _recent_enough(_unaccepted(query_id, token, exc), rule, now)
    return _recent_enough(_accepted(query_id, verified, rule), rule, now)


def _recent_enough(proof: PresentedProof, rule: CredentialRule, now: datetime) -> PresentedProof:
    """The same with the check of its age, where one is demanded; what is too old is not kept."""
    if rule.age is None:
        return proof
    if proof.sd_jwt is None:
        return replace(proof, result=VerificationResult((*proof.result.checks, *_not_reached((RECENCY,)))))
    check = rule.age.check(proof.claims, now=now)
    result = VerificationResult((*proof.result.checks, check))
    if check.outcome is Outcome.PASSED:
        return replace(proof, result=result)
    return replace(proof, result=result, claims={}, sd_jwt=None)


def _accepted(query_id: str, verified: VerifiedPresentation, rule: CredentialRule) -> PresentedProof:
    names = verified.leaf.uris if verified.leaf is not None else ()
    refusal = rule.check_issuer(verified.issuer.identifier, frozenset(names), has_certificate=verified.leaf is not None)
    result = verified.report
    if refusal is not None:
        checks = tuple(refusal if check.name == refusal.name else check for check in result.checks)
        result = VerificationResult(checks)
    return PresentedProof(
        query_id=query_id,
        token=verified.token,
        result=result,
        vct=verified.vct,
        issuer_name=verified.issuer.name,
        issuer=verified.issuer.identifier,
        valid_until=verified.valid_until,
        claims={} if refusal else verified.claims,
        sd_jwt=None if refusal else verified.sd_jwt,
        leaf=verified.leaf,
    )


def _unaccepted(query_id: str, token: str, failure: VerificationFailed) -> PresentedProof:
    """Keep what was said only when nothing failed and it is unaltered, the person's own, and meant for us.

    An unknown issuer or a missing status list makes it uncertain; without a signature it is worth nothing.
    """
    unverified = failure.unverified
    held = {check.name for check in failure.report.checks if check.outcome is Outcome.PASSED}
    if failure.report.failed or unverified is None or not held >= _WORTH_KEEPING:
        return PresentedProof(query_id=query_id, token=token, result=failure.report)
    vct, issuer = unverified.claims.get("vct"), unverified.claims.get("iss")
    return PresentedProof(
        query_id=query_id,
        token=token,
        result=failure.report,
        vct=vct if isinstance(vct, str) else "",
        issuer=issuer if isinstance(issuer, str) else "",
        claims=unverified.claims,
        sd_jwt=unverified,
        leaf=failure.leaf,
    )


def _presented(proof: PresentedProof, *, with_authorities: bool) -> list[PresentedCredential]:
    if proof.sd_jwt is None:
        return []
    also = proof.claims.get("aka_vcts")
    return [
        PresentedCredential(
            format="dc+sd-jwt",
            type_chain=(proof.vct, *(one for one in also if isinstance(one, str)))
            if isinstance(also, list)
            else (proof.vct,),
            claims=proof.claims,
            holder_bound=True,  # `holder_binding` has passed, or its check says what is wrong.
            authorities=_authorities(proof.leaf) if with_authorities else None,
            disclosed=tuple(proof.sd_jwt.disclosure_at),
            positions=proof.sd_jwt.original_indexes,
        )
    ]


def _authorities(leaf: Leaf | None) -> frozenset[tuple[str, str]]:
    """Whose key identifiers stand in the chain that was followed (OpenID4VP 6.1.1.1); none without a certificate."""
    return frozenset(("aki", one) for one in leaf.authority_key_ids) if leaf is not None else frozenset()


def _worst(proofs: Iterable[PresentedProof]) -> list[Check]:
    """Each check once, in the fixed order, with the worst outcome that any presentation had."""
    worst: dict[str, Check] = {}
    for proof in proofs:
        for check in proof.result.checks:
            known = worst.get(check.name)
            if known is None or _GRAVITY[check.outcome] > _GRAVITY[known.outcome]:
                worst[check.name] = check
    return sorted(worst.values(), key=lambda check: _ORDER.get(check.name, len(_ORDER)))


def _not_reached(names: Iterable[str]) -> tuple[Check, ...]:
    return tuple(Check(name, Outcome.COULD_NOT_CHECK, "earlier_check_failed") for name in names)
