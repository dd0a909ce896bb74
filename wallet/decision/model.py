"""The decision screen as a value: everything the person is shown, and what they have chosen so far.

    decision.required, decision.optional, decision.count, decision.digest

Nothing here is preselected: `Chosen()` is the state of a fresh screen. `building.py` makes decisions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from schemas.consent import RecheckOffer
from schemas.dcql import Choice, ConcretePath, Selection
from schemas.receipt import BothLanguages
from wallet.certificates import StoredCertificate
from wallet.decision.acting import Acting, Possible
from wallet.decision.candidates import Lack
from wallet.decision.items import Group, Item
from wallet.over_asking import AskedFacts, Place, Warned, WarningKind, says
from wallet.requests import CheckedRequest

SCREEN_VERSION = "share-12"
"""Changed with every change of what the decision screen says, so that an approval of an older screen is refused."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person has chosen so far: nothing, on a fresh screen.

    `option` is a position among the ways of satisfying the required part (None: the least revealing one). `picked`
    names the choices for a credential query (their keys), several only where it says `multiple`. `ticked` are the
    indexes of optional sets. `approved` are the ids of items that got a yes of their own. `overridden` are the kinds of
    warnings that the person went on in spite of, one by one. `recheck` is the yes to later checks, where they are
    offered. `acting_for` is the power under which they answer for somebody else ("": for themself), `acting_confirmed`
    their own yes to that.
    """

    option: int | None = None
    picked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ticked: frozenset[int] = frozenset()
    approved: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    recheck: bool = False
    acting_for: str = ""
    acting_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Optional:
    """One optional part: its items, and whether the person ticked it."""

    index: int
    groups: tuple[Group, ...]
    is_ticked: bool

    @property
    def items(self) -> tuple[Item, ...]:
        """All items of this part."""
        return tuple(item for group in self.groups for item in group.items)


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Something that the person has with another value than those that are asked for, and these."""

    name: BothLanguages
    accepted: tuple[BothLanguages, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An optional part that nothing in this wallet answers, and the names of what it asks for: of what the person does
    not have, and of what they have with a value that is not accepted."""

    index: int
    names: tuple[BothLanguages, ...]
    not_accepted: tuple[NotAccepted, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way of answering: another option of the required part, or another certificate for one query (S2b).

    Exactly one of `option` and `query_id` with `key` is set. `held` are the certificates that it would show, `items`
    the names of what of them. `can_add` tells that the certificate can be shown beside the others, since the recipient
    takes several.
    """

    held: tuple[StoredCertificate, ...]
    certificates: tuple[BothLanguages, ...]
    issuers: tuple[str, ...]
    items: tuple[BothLanguages, ...]
    option: int | None = None
    query_id: str = ""
    key: str = ""
    is_least: bool = False
    can_add: bool = False

    def in_place_of(self, chosen: Chosen) -> Chosen:
        """What is chosen when it is taken instead of what is in use; ticks are for the screen that follows."""
        if self.option is not None:
            return replace(chosen, option=self.option, picked={})
        return replace(chosen, picked={**chosen.picked, self.query_id: (self.key,)})


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What stays hidden of a certificate that is shown: the most sensitive items by name, and how many further ones."""

    group: Group
    names: tuple[BothLanguages, ...]
    further: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person decides about. `is_satisfiable` is False when the required part cannot be answered.

    `facts` are what the over-asking rules looked at, `warned` is everything that they said. `recheck` are later checks
    that may be allowed beside the share, None when there are none. `digest` is of what the screen shows,
    `meaning` of what is behind it in every language. `acting` is the power under which it is answered for
    somebody else, None for the person themself; `powers` are those under which it could be.
    """

    share_id: str
    checked: CheckedRequest
    language: str
    chosen: Chosen
    is_satisfiable: bool
    required: tuple[Group, ...]
    optional: tuple[Optional, ...]
    alternatives: tuple[Alternative, ...]
    left_behind: tuple[LeftBehind, ...]
    facts: AskedFacts
    warned: tuple[Warned, ...]
    lacks: tuple[Lack, ...]
    selection: Selection | None
    retention_until: date | None
    recheck: RecheckOffer | None
    acting: Acting | None
    powers: tuple[Possible, ...]
    digest: str
    meaning: str
    unanswered: tuple[Unanswered, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that would be shared now: the required items and the ticked optional ones."""
        required = [item for group in self.required for item in group.items]
        return (*required, *(item for part in self.optional if part.is_ticked for item in part.items))

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that would be shared now."""
        return (*self.required, *(group for part in self.optional if part.is_ticked for group in part.groups))

    @property
    def bare(self) -> tuple[Group, ...]:
        """The certificates that would go with nothing but what every share of them shows, each once (CS-03)."""
        chosen = {item.certificate_id for item in self.items}
        return tuple({one.certificate.id: one for one in self.groups if one.certificate.id not in chosen}.values())

    @property
    def count(self) -> int:
        """How many things would be shared now: items, and certificates that go without any chosen one."""
        return len({(item.certificate_id, item.path) for item in self.items}) + len(self.bare)

    @property
    def count_needed(self) -> int:
        """How many things they ask for at least, whatever is ticked."""
        return len(_things(self.required))

    @property
    def count_optional(self) -> int:
        """How many things they ask for beyond, ticked or not, and also those that nothing in this wallet answers."""
        further = _things(group for part in self.optional for group in part.groups) - _things(self.required)
        shown_anyway = {(group.certificate.id, ()) for group in self.required}
        lacking = sum(len(part.names) + len(part.not_accepted) or 1 for part in self.unanswered)
        return len(further - shown_anyway) + lacking

    @property
    def missing_yes(self) -> tuple[Item, ...]:
        """Items that would be shared but still need the person's own yes."""
        return tuple(item for item in self.items if item.needs_yes and not item.approved)

    @property
    def misses_acting_yes(self) -> bool:
        """Whether it is for somebody else and the person has not said that they act for them."""
        return self.acting is not None and not self.chosen.acting_confirmed

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What the person should think of, the most serious first. What stands elsewhere on the screens is left out."""
        return tuple(warned for warned in self.warned if says(warned.kind).place is Place.DECISION)

    @property
    def repeated(self) -> Warned | None:
        """That the person said no to the same question a short while ago (CS-21); None when they did not."""
        return next((warned for warned in self.warned if warned.kind is WarningKind.REPEATED), None)

    @property
    def overrides(self) -> tuple[Warned, ...]:
        """Failed checks of who asks: nothing is shared without a tick for each (CS-20)."""
        return tuple(warned for warned in self.warned if says(warned.kind).needs_override)

    @property
    def missing_overrides(self) -> tuple[Warned, ...]:
        """Failed checks that the person has not ticked."""
        return tuple(warned for warned in self.overrides if warned.kind.value not in self.chosen.overridden)

    @property
    def missing_step(self) -> Warned | None:
        """What must be read before any answer, yes or no, and has not been (OA-09)."""
        return next(
            (
                warned
                for warned in self.warned
                if says(warned.kind).needs_step and warned.kind.value not in self.chosen.overridden
            ),
            None,
        )

    @property
    def allowed_recheck(self) -> RecheckOffer | None:
        """The later checks that the person ticked; None when they did not, or when none are offered."""
        return self.recheck if self.chosen.recheck else None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What would be presented, per credential query."""
        if self.selection is None:
            return ()
        return tuple(choice for some in self.selection.choices.values() for choice in some)


def _things(groups: Iterable[Group]) -> set[tuple[str, ConcretePath]]:
    """The items of groups, and each certificate that would go without any, as the empty path."""
    found: set[tuple[str, ConcretePath]] = set()
    for group in groups:
        found |= {(item.certificate_id, item.path) for item in group.items} or {(group.certificate.id, ())}
    return found
