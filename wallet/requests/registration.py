"""What the recipient has registered to ask for, as far as its registration certificate shows (ARF, topic 44).

    registration = read_registration(request, query, sender=sender, trust=trust, now=now)
    registration.outcome          # covered, exceeded, unknown, failed or missing

No outcome stops a request: the person is told, and decides (RPRC_17, RPRC_21). Could not check is never covered:

- *covered*: it holds, a registrar whom the operator pinned vouches for it, it is about the party that has proven to
  ask, and all that is asked is registered;
- *exceeded*: the same, but something is asked beyond it;
- *unknown*: nothing is wrong with it, but its registrar or algorithm is not known, the sender has not proven who it is,
  it speaks for somebody else through an intermediary, or whether it was revoked was not asked or not found out;
- *failed*: its signature, form or dates do not hold, it was revoked, it is about somebody else, or there are several;
  with an intermediary it is about somebody else when the sender is neither of the two that it names;
- *missing*: there is none.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from proofs.registration_certificate import (
    CheckedRegistration,
    RegistrationStatus,
    check_registration_certificate,
)
from proofs.request_object import AuthenticatedRequest
from proofs.trust import TrustList
from schemas.consent import LocalizedText
from schemas.dcql import Query
from schemas.errors import CouldNotCheck, ProtocolError
from schemas.presentation import AuthorizationRequest, VerifierInfo
from schemas.receipt import BothLanguages
from schemas.registration import FORMAT, Beyond, beyond


class RegistrationOutcome(StrEnum):
    """What the check of a registration certificate came to."""

    COVERED = "covered"
    EXCEEDED = "exceeded"
    UNKNOWN = "unknown"
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Through:
    """An intermediary that a registrar names, and for whom it asks: identifiers, and the registered name of the latter.

    Trade names of intermediaries are not shown when the person decides (ARF, RPI_07); the identifier says who it is.
    """

    intermediary: str
    on_behalf_of: str
    legal_name: str


@dataclass(frozen=True, slots=True)
class Registration:
    """The outcome, and what is asked beyond it.

    `status` is where to ask whether it was revoked, set only when the registrar is known and it is about the sender.
    `identifier` and `chain` are set only when the certificate was checked and is about the sender: they are what an
    issuer's disclosure policy is judged by. `purpose` and `registrar` are the registered purpose and who registered it.
    `through` is set when a known registrar says that the sender asks through an intermediary, or is one.
    `trust_entry_id` is that of the registrar's entry in the trust list, whatever the outcome; empty when it has none.
    """

    outcome: RegistrationOutcome
    beyond: tuple[Beyond, ...] = ()
    identifier: str = ""
    chain: tuple[str, ...] = ()
    purpose: BothLanguages = field(default_factory=BothLanguages)
    registrar: str = ""
    status: RegistrationStatus | None = None
    through: Through | None = None
    trust_entry_id: str = ""


def read_registration(
    request: AuthorizationRequest,
    query: Query,
    *,
    sender: AuthenticatedRequest,
    trust: TrustList,
    status: str,
    now: datetime,
) -> Registration:
    """What the registration certificate of a request shows. Raises nothing: what is wrong with it is an outcome.

    `status` is what `ask_registration_status` found when the request arrived, empty when it was not asked.
    """
    found = [info for info in request.verifier_info if info.format == FORMAT]
    if not found:
        return Registration(RegistrationOutcome.MISSING)
    (info, *others) = found
    if others or not isinstance(info.data, str):
        return Registration(RegistrationOutcome.FAILED)  # RPRC_19: a single one, by value.
    try:
        checked = check_registration_certificate(info.data, trust=trust, now=now)
    except CouldNotCheck:
        return Registration(RegistrationOutcome.UNKNOWN)
    except ProtocolError:
        return Registration(RegistrationOutcome.FAILED)
    judged = _judged(info, checked, query, sender=sender, status=status)
    return replace(judged, trust_entry_id=checked.trust_entry_id)


def _judged(
    info: VerifierInfo, checked: CheckedRegistration, query: Query, *, sender: AuthenticatedRequest, status: str
) -> Registration:
    """What a certificate that a known registrar signed says about this sender and this query."""
    if sender.identity.level == "unproven":
        # Anybody can send the registration of somebody else, and write that one's identifier into a certificate.
        return Registration(RegistrationOutcome.UNKNOWN)
    if checked.certificate.intermediary:
        return _through_somebody(checked, sender)
    if not _is_about(checked, sender):
        return Registration(RegistrationOutcome.FAILED)
    more = beyond(query, checked.certificate.credentials, only=info.credential_ids)
    known = Registration(
        RegistrationOutcome.EXCEEDED if more else RegistrationOutcome.COVERED,
        more,
        identifier=checked.certificate.identifier,
        chain=checked.chain,
        purpose=_purpose(checked),
        registrar=checked.registrar,
    )
    if checked.status is None or status == "valid":
        return replace(known, status=checked.status)
    if status == "revoked":
        return Registration(RegistrationOutcome.FAILED)
    outcome = known.outcome if more else RegistrationOutcome.UNKNOWN
    return replace(known, outcome=outcome, identifier="", chain=(), status=checked.status)


def _through_somebody(checked: CheckedRegistration, sender: AuthenticatedRequest) -> Registration:
    """A registration with an intermediary: who it is can be told, what it may ask for is not judged."""
    certificate = checked.certificate
    named = Through(certificate.intermediary, certificate.identifier, certificate.legal_name)
    if not _is_proven({named.intermediary, named.on_behalf_of}, sender):
        return Registration(RegistrationOutcome.FAILED)
    return Registration(RegistrationOutcome.UNKNOWN, registrar=checked.registrar, through=named)


def _is_about(checked: CheckedRegistration, sender: AuthenticatedRequest) -> bool:
    """Whether it is about the party that has proven to ask (RPRC_17a)."""
    return _is_proven({checked.certificate.identifier}, sender)


def _is_proven(identifiers: set[str], sender: AuthenticatedRequest) -> bool:
    """Whether the sender's own proof names one of these identifiers.

    A name alone proves nothing: two parties can have the same.
    """
    identity = sender.identity
    names = {identity.organization_identifier, *identity.uris}
    if identity.level == "registered":
        names.add(sender.client_id)
    return bool(identifiers & (names - {""}))


def _purpose(checked: CheckedRegistration) -> BothLanguages:
    """The registered purpose where it can be shown: the rules for texts are those for the notice's."""
    texts = {lang: text for lang, text in checked.certificate.purpose.items() if lang in ("sv", "en")}
    try:
        return BothLanguages(**LocalizedText.model_validate(texts).model_dump())
    except ValueError:
        return BothLanguages()
