"""Taking back and deleting, as far as no database is needed: which items, how long it may take, and the statement.

    shared = shared_items(template, {"certificate"})               # what a share consisted of, by name
    chosen = chosen_items(act.items, shared)                       # what of it is to go
    left = without(kept, chosen, shared)                           # what then remains of each presentation
    StatementWriter(signer, backup_days=30).write(...)             # what the person is told

Nothing here tells a value. An item is named by its credential query and the claims path in it; a narrower path than the
one that was asked may name one element of an array, never more than a number.

Source: docs/withdrawal.md; GDPR, articles 7(3), 12(3) and 17.
"""

import calendar
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from proofs.after_share import sign_recipient_message
from proofs.keys import Signer
from schemas.consent import LocalizedText, Path
from schemas.errors import ProtocolError
from schemas.withdrawal import (
    STATEMENT_TYPE,
    DeletionStatement,
    Ground,
    ItemReference,
    Reason,
    StatedException,
    StatedItem,
    StatementOutcome,
)
from verifier.disclosed import KeptPresentation, item_label, type_label
from verifier.request_templates import RequestTemplate
from verifier.requests import Transaction

SYSTEMS: Final = (
    LocalizedText(
        sv="Tjänsten som tog emot svaret: dess databas och filerna bredvid den.",
        en="The service that received the answer: its database and the files beside it.",
    ),
)
ASKING_PROGRAM: Final = LocalizedText(
    sv="Det program hos oss som ställde frågan har fått veta att det ska radera sin egen kopia.",
    en="Our program that asked has been told to delete its own copy.",
)
MIN_WORDS_CHARACTERS: Final = 10


class UnknownItem(ProtocolError):
    """An item that is named was not part of this share."""

    error = "unknown_item"


# ---------------------------------------------------------------------------------------------------------------------
# Items


def shared_items(template: RequestTemplate, query_ids: Collection[str]) -> tuple[StatedItem, ...]:
    """What was asked for in these credential queries: each item as the template asks, or the credential as a whole."""
    found = []
    for query_id, credential, items in template.queries():
        if query_id not in query_ids:
            continue
        vct = credential.vct[0]
        for item in items:
            label = item.label or item_label(vct, item.path)
            found.append(StatedItem(credential=query_id, path=item.path, label=label))
        if not items:
            title = LocalizedText(sv=type_label(vct, template, "sv")[:600], en=type_label(vct, template, "en")[:600])
            found.append(StatedItem(credential=query_id, label=title))
    return tuple(found)


def chosen_items(references: Iterable[ItemReference], shared: Sequence[StatedItem]) -> tuple[StatedItem, ...]:
    """The shared items that the references speak of, each narrowed to the element named. Raises `UnknownItem`."""
    chosen: dict[tuple[str, Path], StatedItem] = {}
    for reference in references:
        found = [one for one in shared if one.credential == reference.credential and agree(one.path, reference.path)]
        if not found:
            raise UnknownItem("an item that is named was not part of this share")
        for one in found:
            # Of what was sent, only numbers are kept: a name in a path could be anything, also about a person.
            narrowed = tuple(
                there if wanted is None and isinstance(there, int) else wanted
                for wanted, there in zip(one.path, (*reference.path, *one.path[len(reference.path) :]), strict=False)
            )
            chosen.setdefault((one.credential, narrowed), one.model_copy(update={"path": narrowed}))
    return tuple(chosen.values())


def agree(one: Path, other: Path) -> bool:
    """Whether two paths speak of the same thing or one of a part of the other; None stands for any element."""
    return all(
        first == second
        or (first is None and not isinstance(second, str))
        or (second is None and isinstance(first, int))
        for first, second in zip(one, other, strict=False)
    )


def covers(items: Iterable[StatedItem], chosen: Iterable[StatedItem]) -> bool:
    """Whether every chosen item is one of `items` or a part of one."""
    known = list(items)
    return all(
        any(
            whole.credential == one.credential and len(whole.path) <= len(one.path) and _includes(whole.path, one.path)
            for whole in known
        )
        for one in chosen
    )


def _includes(whole: Path, part: Path) -> bool:
    return all(
        first == second or (first is None and not isinstance(second, str))
        for first, second in zip(whole, part, strict=False)
    )


def merged(some: Iterable[StatedItem], more: Iterable[StatedItem]) -> tuple[StatedItem, ...]:
    """Both lists as one, without what is there already."""
    found = list(some)
    found += [one for one in more if not covers(found, [one])]
    return tuple(found)


def item_name(item: ItemReference) -> str:
    """An item in one word, for forms and commands: `transcript/courses/*/credits`."""
    return "/".join([item.credential, *("*" if part is None else str(part) for part in item.path)])


class InvalidRefusal(ProtocolError):
    """A refusal lacks its ground, its words in one of the languages, or what is kept; `field` says which."""

    error = "invalid_refusal"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def stated_exception(
    askable: Sequence[StatedItem], *, ground: str, words_sv: str, words_en: str, keep: Collection[str]
) -> StatedException:
    """What is kept of the items that are to go, on which ground, and why.

    `keep` names items as `item_name` does. Raises `InvalidRefusal`.
    """
    if ground not in list(Ground):
        raise InvalidRefusal("ground", f"the ground is one of {', '.join(Ground)}")
    for name, text in (("words_sv", words_sv), ("words_en", words_en)):
        if len(" ".join(text.split())) < MIN_WORDS_CHARACTERS:
            raise InvalidRefusal(name, "say in both languages, in a sentence, why it is kept")
    kept = tuple(item for item in askable if item_name(item) in keep)
    if len({item_name(item) for item in kept}) != len(set(keep)) or not kept:
        raise InvalidRefusal("keep", "name what is kept, as the list of the deletion does")
    try:
        words = LocalizedText(sv=" ".join(words_sv.split()), en=" ".join(words_en.split()))
    except ValidationError as exc:
        raise InvalidRefusal("words_sv", "the words have at most 600 ordinary characters in each language") from exc
    return StatedException(ground=Ground(ground), words=words, items=kept)


# ---------------------------------------------------------------------------------------------------------------------
# What remains


@dataclass(frozen=True, slots=True)
class Remainder:
    """What remains when items are erased: per place of a presentation what is left of it, None for nothing.

    Presentations that are not touched are not named. `erased` lists what went: what was chosen, and the same claim of
    the same certificate where another query had asked for it as well.
    """

    changed: dict[int, KeptPresentation | None]
    erased: tuple[StatedItem, ...]


def without(
    kept: Sequence[KeptPresentation],
    chosen: Sequence[StatedItem],
    shared: Sequence[StatedItem],
    *,
    keeping: Sequence[StatedItem] = (),
) -> Remainder:
    """Take the chosen items out of what is kept. What is in `keeping` stays, by whatever other name it was chosen.

    A presentation is signed as a whole: one that shows an erased item goes, even where other items of it stay. One of
    which nothing that was asked is left goes altogether, with what its certificate always shows.
    """
    certificates: dict[str, set[int]] = {}
    for one in kept:
        certificates.setdefault(one.query_id, set()).add(one.certificate)
    chosen = [item for item in chosen if not any(_is_same(item, one, certificates) for one in keeping)]
    changed: dict[int, KeptPresentation | None] = {}
    erased = tuple(chosen)
    for place, one in enumerate(kept):
        hits = [item for item in chosen if one.certificate in certificates.get(item.credential, ())]
        is_whole = any(item.credential == one.query_id and not item.path for item in hits)
        paths = [item.path for item in hits if item.path]
        asked = [item for item in shared if item.credential == one.query_id]
        shown = [item for item in asked if any(agree(item.path, path) for path in paths)] if paths else []
        items = tuple(item for item in one.items if not any(agree(item.path, path) for path in paths))
        if not (is_whole or [item for item in shown if item.path] or len(items) != len(one.items)):
            continue
        is_left = not is_whole and any(item.path and agree(item.path, left.path) for item in asked for left in items)
        changed[place] = replace(one, items=items, token=None) if is_left else None
        also = [ItemReference(credential=one.query_id, path=path) for path in paths]
        erased = merged(erased, [each for ref in also for each in _narrowed(ref, asked)])
    return Remainder(changed, erased)


def _is_same(item: StatedItem, other: StatedItem, certificates: Mapping[str, set[int]]) -> bool:
    """Whether two items are one claim of one certificate that two queries asked for."""
    share_one = certificates.get(item.credential, set()) & certificates.get(other.credential, set())
    return bool(share_one and item.path and other.path and agree(item.path, other.path))


def _narrowed(reference: ItemReference, asked: Sequence[StatedItem]) -> tuple[StatedItem, ...]:
    try:
        return chosen_items([reference], asked)
    except UnknownItem:
        return ()


# ---------------------------------------------------------------------------------------------------------------------
# Time


def due_date(received_at: datetime, *, time_zone: str) -> date:
    """The last day for an answer: one month after the day on which it was received there (GDPR 12(3)).

    A month ends on the day of the same number, or on its last day (Regulation 1182/71, article 3).
    """
    day = received_at.astimezone(ZoneInfo(time_zone)).date()
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# ---------------------------------------------------------------------------------------------------------------------
# The statement


@dataclass(frozen=True, slots=True)
class StatementWriter:
    """Writes deletion statements, signed by the key that signs requests; none without such a key.

    `backup_days` is how long copies stay in backups.
    """

    signer: Signer | None
    backup_days: int
    time_zone: str

    def write(
        self,
        transaction: Transaction,
        *,
        reason: Reason,
        outcome: StatementOutcome,
        items: Sequence[StatedItem],
        decided_at: datetime,
        deleted_at: datetime | None,
        destroyed_keys: Sequence[str],
        exceptions: Sequence[StatedException] = (),
        receipt_id: str = "",
        by_program: bool = False,
    ) -> str:
        """The statement as a JWT, "" when requests are not signed. `by_program`: a program of ours made the request."""
        if self.signer is None:
            return ""
        backups_until = None
        if deleted_at is not None:
            backups_until = deleted_at.astimezone(ZoneInfo(self.time_zone)).date() + timedelta(days=self.backup_days)
        statement = DeletionStatement(
            iss=transaction.client_id,
            iat=int(decided_at.timestamp()),
            request_id=transaction.handle,
            nonce=transaction.nonce,
            receipt_id=receipt_id or None,
            reason=reason,
            outcome=outcome,
            items=tuple(items),
            deleted_at=int(deleted_at.timestamp()) if deleted_at is not None else None,
            backups_until=backups_until,
            systems=SYSTEMS if deleted_at is not None else (),
            informed=(ASKING_PROGRAM,) if by_program and deleted_at is not None else (),
            exceptions=tuple(exceptions),
            destroyed_keys=tuple(destroyed_keys),
        )
        return sign_recipient_message(statement.claims(), signer=self.signer, typ=STATEMENT_TYPE)
