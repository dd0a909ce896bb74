"""Everything that the over-asking rules look at, as one value: gathered once, kept with the decision, read again later.

    facts = gather(checked, past=past, shown=[...])
    facts.model_dump(mode="json")            # what the history keeps, sealed

It holds what the recipient said (purpose, basis, retention), the names of what is asked, who they proved to be, what
the wallet remembers of them, and of the certificates that would be shown only what the rules need. No values of claims.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.consent import Basis
from schemas.dcql import Query
from schemas.receipt import BothLanguages
from wallet.naming import name_of_asked
from wallet.over_asking.names import KNOWN_HOSTS, look_alike
from wallet.over_asking.past import Past
from wallet.over_asking.policy import PolicyOutcome
from wallet.requests import CheckedRequest, RegistrationOutcome
from wallet.sensitivity import Kind, kind_of


class _Fact(BaseModel):
    """What rests in a history: members that a later version adds are ignored by an earlier one."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AskedItem(_Fact):
    """One thing asked for. `guessed` says that the query names the values that it wants to hear."""

    query_id: str
    path: tuple[str | int | None, ...]
    name: BothLanguages
    required: bool
    kind: Kind | None = None
    guessed: bool = False


class AskedCertificate(_Fact):
    """One certificate asked for: its format, and the types that would do (none: any)."""

    query_id: str
    format: str
    types: tuple[str, ...] = ()
    required: bool = True


class ShownCertificate(_Fact):
    """What the rules need of a certificate that would be shown.

    `names` are the top-level names of what it could show; `policy` what its issuer's disclosure policy says of this
    recipient.
    """

    id: str
    bound: bool = True
    issuer_trusted: bool = True
    status: str = "valid"
    copies_left: int = 2
    names: tuple[str, ...] = ()
    policy: PolicyOutcome = PolicyOutcome.NONE


class AskedFacts(_Fact):
    """The facts of one request. `retention_days` is None when no end was stated, `certificate_age_days` when the
    sender showed no certificate; `looks_like` names the known host that the sender's could be taken for."""

    level: Literal["registered", "certificate", "unproven"]
    legal_name: str = ""
    says_it_is: BothLanguages = BothLanguages()
    host: str
    dns_names: tuple[str, ...] = ()
    looks_like: str = ""
    certificate_age_days: int | None = None
    has_notice: bool
    notice_signed: bool = False
    purpose: BothLanguages = BothLanguages()
    basis: Basis | None = None
    basis_detail: BothLanguages = BothLanguages()
    retention_days: int | None = None
    certificates: tuple[AskedCertificate, ...]
    items: tuple[AskedItem, ...]
    registration: RegistrationOutcome = RegistrationOutcome.MISSING
    beyond: tuple[BothLanguages, ...] = ()
    past: Past = Past()
    shown: tuple[ShownCertificate, ...] = ()


def gather(checked: CheckedRequest, *, past: Past, shown: Iterable[ShownCertificate]) -> AskedFacts:
    """The facts of a checked request. `past` is what the wallet remembered when it arrived."""
    identity = checked.identity
    notice = checked.stated.notice if checked.stated else None
    until = notice.retention_date(checked.asked_at) if notice else None
    born = identity.certificate_not_before
    hosts = [checked.answer_host.partition(":")[0], *identity.dns_names]
    certificates = tuple(_certificates(checked.query))
    return AskedFacts(
        level=identity.level,
        legal_name=identity.legal_name,
        says_it_is=BothLanguages(**notice.controller.name.model_dump()) if notice else BothLanguages(),
        host=checked.answer_host,
        dns_names=identity.dns_names,
        looks_like=next((like for host in hosts if (like := look_alike(host, (*KNOWN_HOSTS, *past.hosts)))), ""),
        certificate_age_days=None if born is None else (checked.asked_at - born).days,
        has_notice=notice is not None,
        notice_signed=checked.stated is not None and checked.stated.signed,
        purpose=BothLanguages(**notice.purpose.model_dump()) if notice else BothLanguages(),
        basis=notice.basis if notice else None,
        basis_detail=(
            BothLanguages(**notice.basis_detail.model_dump()) if notice and notice.basis_detail else BothLanguages()
        ),
        retention_days=None if until is None else (until - checked.asked_at.date()).days,
        certificates=certificates,
        items=tuple(_items(checked.query, {one.query_id: one for one in certificates})),
        registration=checked.registration.outcome,
        beyond=tuple(name_of_asked(types, path) for types, path in checked.registration.beyond),
        past=past,
        shown=tuple(shown),
    )


def _certificates(query: Query) -> Iterable[AskedCertificate]:
    required = {one for some in query.sets if some.required for ids in some.options for one in ids}
    for credential in query.credentials:
        types = tuple(dict.fromkeys(vct for alternative in credential.types for vct in alternative))
        yield AskedCertificate(
            query_id=credential.id, format=credential.format, types=types, required=credential.id in required
        )


def _items(query: Query, certificates: dict[str, AskedCertificate]) -> Iterable[AskedItem]:
    for credential in query.credentials:
        about = certificates[credential.id]
        for claim in credential.claims:
            yield AskedItem(
                query_id=credential.id,
                path=claim.path,
                name=name_of_asked(about.types, claim.path),
                required=about.required,
                kind=kind_of(claim.path),
                guessed=bool(claim.values),
            )
