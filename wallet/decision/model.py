"""The decision screen as a value: everything the person is shown, and what they have chosen so far.

    decision.required, decision.optional, decision.count, decision.digest

Nothing here is preselected: `Chosen()` is the state of a fresh screen. `building.py` makes decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from schemas.dcql import Choice, Selection
from schemas.receipt import BothLanguages
from wallet.decision.candidates import Lack
from wallet.decision.items import Group, Item
from wallet.decision.warnings import Warned
from wallet.requests import CheckedRequest

SCREEN_VERSION = "share-2"
"""Changed with every change of what the decision screen says, so that an approval of an older screen is refused."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person has chosen so far: nothing, on a fresh screen.

    `option` is a position among the ways of satisfying the required part (None: the least revealing one). `picked`
    names the choices for a credential query (their keys), several only where it says `multiple`. `ticked` are the
    indexes of optional sets. `approved` are the ids of items that got a yes of their own.
    """

    option: int | None = None
    picked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ticked: frozenset[int] = frozenset()
    approved: frozenset[str] = frozenset()


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
class Alternative:
    """Another way of answering: another option of the required part, or another certificate for one query (S2b).

    Exactly one of `option` and `query_id` with `key` is set. `items` are the names of what it would show. `can_add`
    tells that the certificate can be shown beside the others, since the recipient takes several.
    """

    certificates: tuple[BothLanguages, ...]
    issuers: tuple[str, ...]
    items: tuple[BothLanguages, ...]
    option: int | None = None
    query_id: str = ""
    key: str = ""
    is_least: bool = False
    can_add: bool = False


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What stays hidden of a certificate that is shown: the most sensitive items by name, and how many further ones."""

    group: Group
    names: tuple[BothLanguages, ...]
    further: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person decides about. `is_satisfiable` is False when the required part cannot be answered."""

    share_id: str
    checked: CheckedRequest
    language: str
    chosen: Chosen
    is_satisfiable: bool
    required: tuple[Group, ...]
    optional: tuple[Optional, ...]
    alternatives: tuple[Alternative, ...]
    left_behind: tuple[LeftBehind, ...]
    warnings: tuple[Warned, ...]
    lacks: tuple[Lack, ...]
    selection: Selection | None
    retention_until: date | None
    digest: str

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
    def count(self) -> int:
        """How many items would be shared now."""
        return len({(item.certificate_id, item.path) for item in self.items})

    @property
    def missing_yes(self) -> tuple[Item, ...]:
        """Items that would be shared but still need the person's own yes."""
        return tuple(item for item in self.items if item.needs_yes and not item.approved)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What would be presented, per credential query."""
        if self.selection is None:
            return ()
        return tuple(choice for some in self.selection.choices.values() for choice in some)
