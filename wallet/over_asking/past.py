"""What the wallet remembers of who asks, read from its history when a request arrives and kept with the request.

    past = past_of(entries, checked, came_by=CameBy.LINK, overdue_deletions=0)

It is read once: what happens in another window while the person reads does not change the screen before them.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.dcql import ClaimsPath, Query
from schemas.types import CREDENTIAL_TYPES
from wallet.ledger import Entry, EventKind, Outcome
from wallet.over_asking.purposes import same_purpose
from wallet.requests import CameBy, CheckedRequest

AFTER_REFUSAL = timedelta(hours=24)
"""How long after a refusal the same question counts as repeated, and how long a muted one stays mute (CS-21)."""
_MOST_HOSTS = 200
_ABOUT_THE_PERSON: Final = frozenset(
    json.dumps(list(spec.path))
    for known in CREDENTIAL_TYPES.values()
    for spec in known.claims
    if spec.category in ("identity", "birth")
)
"""Paths of what says the same of its holder in every certificate, as JSON. An issuer's own number is not among them."""


class Past(BaseModel):
    """What is remembered. `more` are the things asked for now beyond what was asked for or given at the last share
    for the same purpose.

    `overdue_deletions` counts this person's requests to this recipient to delete that are overdue. `hosts` are those
    that something was shared with before.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    came_by: CameBy = CameBy.LINK
    is_first_contact: bool = False
    was_refused: bool = False
    more: tuple[str, ...] = ()
    overdue_deletions: int = 0
    hosts: tuple[str, ...] = ()


def past_of(entries: Sequence[Entry], checked: CheckedRequest, *, came_by: CameBy, overdue_deletions: int) -> Past:
    """What the history says of this sender and this question, as of the moment when the request was fetched."""
    asked = asked_paths(checked.query)
    known = [entry for entry in entries if is_from(entry, checked)]
    shared = [entry for entry in known if entry.outcome is Outcome.SHARED]
    last = max((entry for entry in shared if _is_for_the_same(entry, checked)), key=lambda one: one.at, default=None)
    hosts = dict.fromkeys(_bare(entry.host) for entry in entries if entry.outcome is Outcome.SHARED and entry.host)
    return Past(
        came_by=came_by,
        is_first_contact=not shared,
        was_refused=any(
            entry.outcome is Outcome.REFUSED
            and entry.decided_at is not None
            and checked.asked_at - entry.decided_at < AFTER_REFUSAL
            and same_question(entry.facts.get("asked_paths", ()), asked)
            for entry in known
        ),
        # Entries of before the paths were kept cannot be compared.
        more=_beyond(last, asked) if last is not None and "asked_paths" in last.facts else (),
        overdue_deletions=overdue_deletions,
        hosts=tuple(list(hosts)[:_MOST_HOSTS]),
    )


def is_muted(entries: Iterable[Entry], checked: CheckedRequest, *, now: datetime) -> bool:
    """Whether the person has muted this question of this sender, and that has not ended."""
    asked = asked_paths(checked.query)
    return any(
        event.kind is EventKind.CLOSED
        and float(event.facts.get("muted_until", 0)) > now.timestamp()
        and is_from(entry, checked)
        and same_question(entry.facts.get("asked_paths", ()), asked)
        for entry in entries
        for event in entry.events
    )


def asked_paths(query: Query) -> tuple[str, ...]:
    """What a query asks for as stable names, sorted; for comparing two requests. No values."""
    named: set[str] = set()
    for credential in query.credentials:
        types = tuple(vct for alternative in credential.types for vct in alternative)
        named |= {path_key(types, claim.path) for claim in credential.claims} or {path_key(types, ())}
    return tuple(sorted(named))


def path_key(types: Iterable[str], path: ClaimsPath) -> str:
    """The stable name of one thing asked for: the types that would do, and the path."""
    return f"{'|'.join(sorted(set(types)))} {json.dumps(list(path))}"


def same_question(earlier: Iterable[str], now: Iterable[str]) -> bool:
    """Whether one of two requests asks for all that the other asks for: leaving one thing out makes no new question."""
    one, other = set(earlier), set(now)
    return bool(one and other) and (one <= other or other <= one)


def _is_for_the_same(entry: Entry, checked: CheckedRequest) -> bool:
    """Whether something was shared for the purpose of this request; one that says no purpose is for any."""
    said = entry.facts.get("purpose") or {}
    before = [str(text) for text in said.values()]
    now = [checked.stated.notice.purpose.sv, checked.stated.notice.purpose.en] if checked.stated else []
    return not any(before) or not any(now) or same_purpose(before, now)


def _beyond(last: Entry, asked: Iterable[str]) -> tuple[str, ...]:
    """What is asked for now and was not when something was last shared (OA-08).

    The same thing from fewer types is not more. Nor is what says who the person is and was given then, from whatever
    type: they have the name already. A grade or a title from another certificate is news.
    """
    before = [_read_key(one) for one in last.facts.get("asked_paths", ())]
    given = {json.dumps(item["path"]) for item in last.shared} & _ABOUT_THE_PERSON

    def is_known(one: str) -> bool:
        types, path = _read_key(one)
        return path in given or any(
            path == earlier_path and (not earlier or (types and types <= earlier)) for earlier, earlier_path in before
        )

    return tuple(one for one in asked if not is_known(one))


def _read_key(key: str) -> tuple[frozenset[str], str]:
    """The types and the path, as JSON, that `path_key` made a key of."""
    types, _, path = key.partition(" ")
    return frozenset(types.split("|")) - {""}, path


def is_from(entry: Entry, checked: CheckedRequest) -> bool:
    """The same sender: the same identifier; for one that proves nothing, which may change at will, the same host."""
    if not entry.is_share:
        return False
    if checked.request.prefix == "redirect_uri":
        return bool(entry.host) and entry.host == checked.answer_host
    return bool(entry.facts.get("client_id") == checked.request.client_id)


def _bare(host: str) -> str:
    return host.partition(":")[0]
