"""From a checked request and what the vault holds to a decision, and the digest that binds an approval to it.

    decision = build_decision(checked, certificates, chosen, past=past, share_id=..., salt=..., language="sv", now=now)

The same arguments give the same decision and the same digest. The digest covers who asks, the nonce, where the answer
goes, each item with its value, the purpose, how long it is kept, the language and the version of the screen (CS-25). It
is salted per share, so that it tells nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from proofs import strict_json
from schemas.consent import Basis
from schemas.dcql import Answer, Choice, InvalidQuery, InvalidSelection, Option, Selection, answer, value_at
from wallet import sensitivity
from wallet.certificates import StoredCertificate
from wallet.decision.acting import Possible, Side, asks_for_power, side_of
from wallet.decision.candidates import Obstacle, candidate_for, is_bound, lacks, obstacle_of
from wallet.decision.items import Group, Item, groups_for, left_behind
from wallet.decision.model import SCREEN_VERSION, Alternative, Chosen, Decision, LeftBehind, Optional, Unanswered
from wallet.decision.recency import DemandedDays, demanded_days
from wallet.decision.recheck import recheck_offered
from wallet.decision.unanswered import unanswered
from wallet.over_asking import Past, ShownCertificate, evaluate, gather, policy_outcome
from wallet.requests import CheckedRequest, Registration

MOST_TRIED: Final = 10
"""So many powers are tried for what a request asks; each more is offered all the same, and told of last."""


def build_decision(
    checked: CheckedRequest,
    certificates: Sequence[StoredCertificate],
    chosen: Chosen,
    *,
    past: Past,
    share_id: str,
    salt: bytes,
    language: str,
    now: datetime,
    time_zone: str,
) -> Decision:
    """The decision about a checked request, given what the vault holds and what the person has chosen so far.

    `past` is what the wallet remembered of the sender when the request arrived, `time_zone` where this wallet's days
    begin. Raises `InvalidSelection` when `chosen` names something that is not among the alternatives, `InvalidQuery`
    when the query takes more work than we do.
    """
    demanded = demanded_days(
        checked.query, checked.stated.notice if checked.stated else None, at=now, time_zone=time_zone
    )

    side = side_of(certificates, chosen.acting_for)

    def obstacle(certificate: StoredCertificate) -> Obstacle | None:
        return _obstacle(side, certificate, demanded, now=now)

    usable, found = _answered(side, checked, certificates, demanded, now=now)
    ways = side.options_of(found)
    in_use = _open_to(side, ways, chosen)
    required_only, selection = _select(found, in_use) if ways else (None, None)
    choices = [choice for some in selection.choices.values() for choice in some] if selection is not None else []
    acting = side.acting(checked, choices, usable.values(), now=now, time_zone=time_zone)
    if acting is not None and acting.faults:
        required_only, selection = None, None
    maker = _Maker(checked, usable, found, in_use, language)
    required = maker.required(selection)
    optional = maker.optional(required_only)
    shown = (*required, *(group for part in optional if part.is_ticked for group in part.groups))
    behind = tuple(_behind(group, shown) for group in _one_per_certificate(shown))
    notice = checked.stated.notice if checked.stated else None
    retention_until = notice.retention_date(checked.asked_at) if notice else None
    named = [group.certificate for group in shown if group.items]  # A grant names at least one item.
    recheck = recheck_offered(checked, named, retention_until=retention_until)
    if acting is not None:
        recheck = None  # What outlasts this one share is not an agent's to give.
    if recheck is None:
        chosen = replace(chosen, recheck=False)
    facts = gather(
        checked, past=past, shown=[_shown(one.certificate, checked.registration) for one in _one_per_certificate(shown)]
    )
    decision = Decision(
        share_id=share_id,
        checked=checked,
        language=language,
        chosen=chosen,
        is_satisfiable=selection is not None,
        required=required,
        optional=optional,
        alternatives=tuple(one for one in maker.alternatives(selection) if one.option is None or one.option in ways),
        left_behind=behind,
        facts=facts,
        warned=evaluate(facts),
        lacks=() if selection is not None else lacks(checked.query, certificates, obstacle=obstacle),
        selection=selection,
        retention_until=retention_until,
        recheck=recheck,
        acting=acting,
        powers=_possible(side, checked, certificates, demanded, now=now, time_zone=time_zone),
        digest="",
        meaning="",
        unanswered=maker.unanswered(required_only),
    )
    return replace(decision, digest=shown_digest(decision, salt=salt), meaning=meaning_digest(decision, salt=salt))


def _obstacle(side: Side, certificate: StoredCertificate, demanded: DemandedDays, *, now: datetime) -> Obstacle | None:
    found = side.obstacle(certificate) or obstacle_of(certificate, at=now)
    return Obstacle.OUTDATED if found is None and demanded.is_outdated(certificate) else found


def _answered(
    side: Side,
    checked: CheckedRequest,
    certificates: Sequence[StoredCertificate],
    demanded: DemandedDays,
    *,
    now: datetime,
) -> tuple[dict[str, StoredCertificate], Answer]:
    """What of the vault may be shown for this side, and what the request finds there."""
    usable = {one.id: one for one in certificates if _obstacle(side, one, demanded, now=now) is None}
    candidates = [candidate_for(one) for one in usable.values()]
    return usable, answer(checked.query, candidates, sensitivity=sensitivity.weight)


def _possible(
    side: Side,
    checked: CheckedRequest,
    certificates: Sequence[StoredCertificate],
    demanded: DemandedDays,
    *,
    now: datetime,
    time_zone: str,
) -> tuple[Possible, ...]:
    """The powers that could be chosen, each tried; none when no power is asked for."""
    if not asks_for_power(checked):
        return ()
    found = []
    for position, held in enumerate(side.held):
        faults = side.faults_of(held, now=now, time_zone=time_zone)
        answers = False
        if not faults and position < MOST_TRIED:
            other = Side(held, side.held)
            with suppress(InvalidQuery):
                usable, there = _answered(other, checked, certificates, demanded, now=now)
                ways = other.options_of(there)
                selection = _select(there, _open_to(other, ways, Chosen()))[1] if ways else None
                if selection is not None:
                    choices = [choice for some in selection.choices.values() for choice in some]
                    acting = other.acting(checked, choices, usable.values(), now=now, time_zone=time_zone)
                    answers = acting is not None and not acting.faults
        found.append(Possible(held, faults, answers))
    return tuple(found)


def _open_to(side: Side, ways: Sequence[int], chosen: Chosen) -> Chosen:
    """What was chosen; for another, the least revealing way that shows the power stands in where none was chosen."""
    if side.chosen is None or not ways:
        return chosen
    if chosen.option is not None and chosen.option not in ways:
        raise InvalidSelection("this way of answering does not show the power")
    return chosen if chosen.option is not None else replace(chosen, option=ways[0])


def _select(found: Answer, chosen: Chosen) -> tuple[Selection, Selection] | tuple[None, None]:
    """What answers the required part, and the same with the optional parts that the person ticked.

    Each optional part is answered beside the required one alone: another tick never changes what stood beside this one.
    """
    if not found.satisfiable:
        return None, None
    required_only = found.select(option=chosen.option, picked=chosen.picked)
    ticked: dict[int, int] = {}
    picked = dict(chosen.picked)
    for part in found.optional_after(required_only):
        if part.index in chosen.ticked and part.satisfiable:
            ticked[part.index] = part.options[0].preference[0]
            for query_id, choices in part.options[0].choices.items():
                picked.setdefault(query_id, tuple(choice.key for choice in choices))
    if chosen.ticked - ticked.keys():
        raise InvalidSelection("there is no such optional part")
    return required_only, found.select(option=chosen.option, picked=picked, ticked=ticked)


class _Maker:
    """Turns what the query language found into what a person sees."""

    def __init__(
        self,
        checked: CheckedRequest,
        certificates: Mapping[str, StoredCertificate],
        found: Answer,
        chosen: Chosen,
        language: str,
    ) -> None:
        self._checked = checked
        self._certificates = certificates
        self._found = found
        self._chosen = chosen
        self._language = language
        self._notice = checked.stated.notice if checked.stated else None

    def groups(
        self, choices: Sequence[Choice], *, one_tick: bool, shown_anyway: frozenset[str] = frozenset()
    ) -> tuple[Group, ...]:
        return groups_for(
            choices,
            self._certificates,
            query=self._checked.query,
            notice=self._notice,
            language=self._language,
            own_yes=self._notice is not None and self._notice.basis is Basis.CONSENT,
            one_tick=one_tick,
            approved=self._chosen.approved,
            shown_anyway=shown_anyway,
        )

    def required(self, selection: Selection | None) -> tuple[Group, ...]:
        if selection is None:
            return ()
        option = self._found.options[self._chosen.option or 0]
        choices = [choice for query_id in option.choices for choice in selection.choices[query_id]]
        return self.groups(choices, one_tick=False)

    def optional(self, selection: Selection | None) -> tuple[Optional, ...]:
        if selection is None:
            return ()
        parts = []
        taken = set(self._found.options[self._chosen.option or 0].choices)
        shown_anyway = frozenset(choice.candidate_id for query_id in taken for choice in selection.choices[query_id])
        for part in self._found.optional_after(selection):
            if not part.satisfiable:
                continue  # Told by `unanswered`.
            choices = [
                choice for query_id, some in part.options[0].choices.items() if query_id not in taken for choice in some
            ]
            groups = self.groups(choices, one_tick=True, shown_anyway=shown_anyway)
            if groups:
                parts.append(Optional(part.index, groups, part.index in self._chosen.ticked))
        return tuple(parts)

    def unanswered(self, selection: Selection | None) -> tuple[Unanswered, ...]:
        """The optional parts that nothing here answers; what they ask for, by the first way that they name."""
        if selection is None:
            return ()
        query = self._checked.query
        lacking = [part.index for part in self._found.optional_after(selection) if not part.satisfiable]
        first_ways = {index: query.credential_sets[index].options[0] for index in lacking}
        usable = self._certificates.values()
        return tuple(
            unanswered(index, [query.credential(one) for one in way], usable) for index, way in first_ways.items()
        )

    def alternatives(self, selection: Selection | None) -> tuple[Alternative, ...]:
        """The other ways of satisfying the required part, least revealing first."""
        if selection is None:
            return ()
        current = self._chosen.option or 0
        others = [
            self._alternative(_flat(option), option=position, is_least=position == 0)
            for position, option in enumerate(self._found.options)
            if position != current
        ]
        for query_id in self._found.options[current].choices:
            in_use = selection.choices[query_id]
            shown = {choice.candidate_id for choice in in_use}
            multiple = self._checked.query.credential(query_id).multiple
            for position, choice in enumerate(self._found.choices[query_id]):
                if choice in in_use:
                    continue
                other = self._alternative([choice], query_id=query_id, key=choice.key, is_least=position == 0)
                others.append(replace(other, can_add=multiple and choice.candidate_id not in shown))
        return tuple(others)

    def _alternative(
        self,
        choices: Sequence[Choice],
        *,
        option: int | None = None,
        query_id: str = "",
        key: str = "",
        is_least: bool,
    ) -> Alternative:
        groups = self.groups(choices, one_tick=False)
        return Alternative(
            held=tuple(group.certificate for group in groups),
            certificates=tuple(group.names.title for group in groups),
            issuers=tuple(group.names.issuer for group in groups),
            items=tuple(item.name for group in groups for item in group.items),
            option=option,
            query_id=query_id,
            key=key,
            is_least=is_least,
        )


def _flat(option: Option) -> list[Choice]:
    return [choice for some in option.choices.values() for choice in some]


def _one_per_certificate(groups: Sequence[Group]) -> tuple[Group, ...]:
    first: dict[str, Group] = {}
    for group in groups:
        first.setdefault(group.certificate.id, group)
    return tuple(first.values())


def _shown(certificate: StoredCertificate, registration: Registration) -> ShownCertificate:
    return ShownCertificate(
        id=certificate.id,
        bound=is_bound(certificate),
        issuer_trusted=certificate.issuer_trusted,
        status=certificate.status,
        copies_left=certificate.copies_left,
        names=tuple(sorted(path[0] for path in certificate.sd_jwt.disclosure_at if len(path) == 1)),
        policy=policy_outcome(
            certificate.display.get("disclosure_policy"),
            identifier=registration.identifier,
            chain=registration.chain,
        ),
    )


def _behind(group: Group, shown: Sequence[Group]) -> LeftBehind:
    paths = [item.path for one in shown if one.certificate.id == group.certificate.id for item in one.items]
    names, further = left_behind(group.certificate, group.names, paths)
    return LeftBehind(group, names, further)


def shown_digest(decision: Decision, *, salt: bytes) -> str:
    """The digest of what was shown (CS-25), as lower-case hexadecimal."""
    return hashlib.sha256(salt + strict_json.dumps(_shown_in(decision, decision.language))).hexdigest()


def meaning_digest(decision: Decision, *, salt: bytes) -> str:
    """The same of what stands behind the words, which is one in every language: the values and not how they are
    written, and of what others wrote the texts in all languages. It differs from `shown_digest` in either."""
    return hashlib.sha256(salt + strict_json.dumps(_shown_in(decision, ""))).hexdigest()


def _shown_in(decision: Decision, language: str) -> dict[str, Any]:
    """All that a screen shows in a language; with "" what is behind it in any."""
    checked = decision.checked
    notice = checked.stated.notice.claims() if checked.stated else None
    return {
        "screen": SCREEN_VERSION,
        "language": language,
        "share": decision.share_id,
        "client_id": checked.request.client_id,
        "level": checked.identity.level,
        "name": checked.identity.legal_name,
        "nonce": checked.request.nonce,
        "response_uri": checked.request.response_uri,
        "encrypted": checked.answer_key is not None,
        "notice": notice,
        "notice_signed": checked.stated is not None and checked.stated.signed,
        "retention_until": decision.retention_until.isoformat() if decision.retention_until else None,
        "confirms": [
            [one.encoded, one.text.text(language) if language else [one.text.sv, one.text.en]]
            for one in checked.declarations
        ],
        "presented": [
            [choice.query_id, choice.candidate_id, [list(path) for path in choice.paths]] for choice in decision.choices
        ],
        "items": [
            [
                item.id,
                [list(line) for line in item.lines] if language else [],
                item.approved,
                value_at(_certificate(decision, item).claims, item.path),
            ]
            for item in decision.items
        ],
        "warnings": [warned.kind.value for warned in decision.warned],
        "overridden": sorted(decision.chosen.overridden),
        "recheck": decision.allowed_recheck is not None,
        "acting": _acting_shown(decision),
    }


def _acting_shown(decision: Decision) -> list[Any] | None:
    """Under which power for whom, as the banner says it, and the person's own yes to that."""
    if decision.acting is None:
        return None
    power = decision.acting.held.power
    return [
        decision.acting.held.certificate.id,
        power.principal.name(),
        power.agent.name(),
        power.ends_on.isoformat(),
        decision.chosen.acting_confirmed,
    ]


def _certificate(decision: Decision, item: Item) -> StoredCertificate:
    return next(group.certificate for group in decision.groups if group.certificate.id == item.certificate_id)
