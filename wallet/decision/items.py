"""The items of a share as a person sees them: name, actual value, why, and what comes with them.

An item is one thing asked for in one certificate. What a presentation shows besides (a parent that holds more than the
part asked for) stands as an item of its own, marked `comes_along`, so that nothing leaves unseen. So does what is
sensitive and cannot be hidden in that certificate: it needs a yes of its own like any other (CS-18).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from schemas.consent import LocalizedText, RequestNotice
from schemas.dcql import Choice, ConcretePath, Query, leaves, starts_with, value_at
from schemas.receipt import BothLanguages
from wallet import sensitivity
from wallet.certificates import StoredCertificate
from wallet.naming import Line, Names, values_asked

_MOST_LEFT_BEHIND = 3


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that would be shown.

    `id` is stable within a share and names the item's tick in the form. `lines` are names and values in the language of
    the screen, with the language of a value that is in another; the name is empty for a single value. `kind` is set for
    sensitive items (CS-18).
    `needs_yes` says that the item is shared only after a yes of its own; `approved` that the person gave it.
    `disclosed` is False for what the certificate shows anyway. `accepted` are the only values that they accept, where
    the request names such.
    """

    id: str
    query_id: str
    certificate_id: str
    path: ConcretePath
    name: BothLanguages
    lines: tuple[Line, ...]
    reason: LocalizedText | None
    kind: sensitivity.Kind | None
    disclosed: bool
    comes_along: bool = False
    needs_yes: bool = False
    approved: bool = False
    accepted: tuple[BothLanguages, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one certificate, with what the person needs to recognise it."""

    certificate: StoredCertificate
    names: Names
    items: tuple[Item, ...]


def groups_for(
    choices: Iterable[Choice],
    certificates: Mapping[str, StoredCertificate],
    *,
    query: Query,
    notice: RequestNotice | None,
    language: str,
    own_yes: bool,
    one_tick: bool,
    approved: frozenset[str],
    shown_anyway: frozenset[str] = frozenset(),
) -> tuple[Group, ...]:
    """What these choices show, grouped by certificate.

    `own_yes` makes every item need its own yes (the basis is consent). `one_tick` says that the person already ticks
    this group by itself: then a single item needs no second yes, while several need one each. `shown_anyway` are the
    ids of certificates that are shown without these choices: what they always show stands there already.
    """
    grouped: dict[str, list[Choice]] = {}
    for choice in choices:
        grouped.setdefault(choice.candidate_id, []).append(choice)
    groups = []
    for certificate_id, some in grouped.items():
        certificate = certificates[certificate_id]
        names = Names(certificate)
        plain = _items(
            some,
            certificate,
            names,
            query=query,
            notice=notice,
            language=language,
            with_unavoidable=certificate_id not in shown_anyway,
        )
        ticked_alone = one_tick and len(plain) == 1 and len(grouped) == 1
        items = tuple(_with_yes(item, own_yes, ticked_alone, approved) for item in plain)
        groups.append(Group(certificate, names, items))
    return tuple(groups)


def _with_yes(item: Item, own_yes: bool, ticked_alone: bool, approved: frozenset[str]) -> Item:
    needs_yes = (own_yes or item.kind is not None) and not ticked_alone
    return replace(item, needs_yes=needs_yes, approved=needs_yes and item.id in approved)


def _items(
    choices: Iterable[Choice],
    certificate: StoredCertificate,
    names: Names,
    *,
    query: Query,
    notice: RequestNotice | None,
    language: str,
    with_unavoidable: bool,
) -> list[Item]:
    found: dict[ConcretePath, Item] = {}

    def add(choice: Choice, path: ConcretePath, *, comes_along: bool) -> None:
        if path in found:
            return  # Several queries for the same thing show it once to the person.
        value = value_at(certificate.claims, path)
        found[path] = Item(
            id=item_id(choice.query_id, certificate.id, path),
            query_id=choice.query_id,
            certificate_id=certificate.id,
            path=path,
            name=names.label(path),
            lines=tuple(names.lines(path, language)),
            reason=_reason(notice, query, choice.query_id, path),
            kind=sensitivity.kind_of(path, value),
            disclosed=is_hidden(certificate, path) or holds_hidden(certificate, path),
            comes_along=comes_along,
            accepted=_accepted(query, choice.query_id, path),
        )

    for choice in choices:
        for path in _as_asked(choice, query):
            add(choice, path, comes_along=False)
        for leaf in sorted(choice.reveals, key=repr):
            asked = any(starts_with(leaf, path) for path in choice.paths)
            if not asked and is_hidden(certificate, leaf):
                add(choice, leaf, comes_along=True)
        if not with_unavoidable:
            continue
        for path in _unavoidable_paths(certificate):
            if sensitivity.kind_of(path, value_at(certificate.claims, path)) is not None:
                add(choice, path, comes_along=True)
    return list(found.values())


def _as_asked(choice: Choice, query: Query) -> list[ConcretePath]:
    """The paths of a choice in the order in which the query asks for them."""
    claims = query.credential(choice.query_id).claims

    def position(path: ConcretePath) -> int:
        return next((place for place, claim in enumerate(claims) if _matches(claim.path, path)), len(claims))

    # Elements of one array stay together: all that is asked of the first course, then of the second.
    def index(path: ConcretePath) -> int:
        return next((part for part in path if isinstance(part, int)), -1)

    return sorted(choice.paths, key=lambda path: (index(path), position(path)))


def item_id(query_id: str, certificate_id: str, path: ConcretePath) -> str:
    """The name of an item in forms and on the command line."""
    return ".".join([query_id, certificate_id[:8], *(str(part) for part in path)])


def _reason(notice: RequestNotice | None, query: Query, query_id: str, path: ConcretePath) -> LocalizedText | None:
    """The recipient's reason for this item: given for its path as the query writes it, for a part above, or for all."""
    if notice is None:
        return None
    for claim in query.credential(query_id).claims:
        if _matches(claim.path, path) and (reason := notice.reason_for(query_id, claim.path)) is not None:
            return reason
    return notice.reason_for(query_id, ())


def _accepted(query: Query, query_id: str, path: ConcretePath) -> tuple[BothLanguages, ...]:
    credential = query.credential(query_id)
    found = (claim for claim in credential.claims if claim.values and _matches(claim.path, path))
    return next((values_asked(credential, claim) for claim in found), ())


def _matches(asked: tuple[str | int | None, ...], path: ConcretePath) -> bool:
    return len(asked) <= len(path) and all(
        mine == theirs or (mine is None and isinstance(theirs, int)) for mine, theirs in zip(asked, path, strict=False)
    )


def is_hidden(certificate: StoredCertificate, path: ConcretePath) -> bool:
    """Whether the value at this path is shown only when a disclosure is given."""
    hidden = certificate.sd_jwt.disclosure_at
    return any(path[:length] in hidden for length in range(1, len(path) + 1))


def holds_hidden(certificate: StoredCertificate, path: ConcretePath) -> bool:
    """Whether something below this path is shown only when a disclosure is given."""
    return any(starts_with(hidden, path) for hidden in certificate.sd_jwt.disclosure_at)


# What only the protocol needs is told in words by the page, not as values.
_TECHNICAL = frozenset(
    {"iss", "vct", "vct#integrity", "cnf", "status", "iat", "nbf", "exp", "aka_vcts", "_sd_alg", "jti"}
)


def unavoidable(certificate: StoredCertificate, names: Names, language: str) -> list[Line]:
    """What every share of this certificate shows, whatever was chosen (CS-03)."""
    shown: list[Line] = []
    for path in _unavoidable_paths(certificate):
        label = names.label(path).text(language)
        for line in names.lines(path, language):
            shown.append(line._replace(name=f"{label}: {line.name}" if line.name else label))
    return shown


def _unavoidable_paths(certificate: StoredCertificate) -> Iterator[ConcretePath]:
    for key, value in certificate.claims.items():
        top: ConcretePath = (key,)
        if key in _TECHNICAL or is_hidden(certificate, top):
            continue
        if holds_hidden(certificate, top):
            yield from (leaf for leaf in leaves(value, top) if not is_hidden(certificate, leaf))
        else:
            yield top


def shows_title(certificate: StoredCertificate, names: Names, shared: Iterable[ConcretePath]) -> bool | None:
    """Whether who is shown these items learns the title by which the person knows the certificate; None where it has
    none but the name of its kind."""
    title = names.title_path
    return None if title is None else not is_hidden(certificate, title) or title in shared


def always_shown(certificate: StoredCertificate) -> list[Any]:
    """The values behind `unavoidable`, each with its path: what a commitment to them is made over."""
    return [[list(path), value_at(certificate.claims, path)] for path in _unavoidable_paths(certificate)]


def unavoidable_names(certificate: StoredCertificate, names: Names) -> tuple[BothLanguages, ...]:
    """The names of what `unavoidable` shows beside the issuer's name, each once, in both languages, without values."""
    found: dict[str, BothLanguages] = {}
    for path in _unavoidable_paths(certificate):
        if path == ("issuing_authority",):
            continue  # Whoever is told what comes along is told of the issuer in words.
        label = names.label(path)
        found.setdefault(label.sv, label)
    return tuple(found.values())


def left_behind(
    certificate: StoredCertificate, names: Names, shared: Iterable[ConcretePath]
) -> tuple[tuple[BothLanguages, ...], int]:
    """What of a certificate stays hidden: the two or three most sensitive items by name (CS-13), the most sensitive
    first, and how many further ones there are."""
    taken = tuple(shared)
    hidden = [
        path
        for path in certificate.sd_jwt.disclosure_at
        if not any(starts_with(path, one) or starts_with(one, path) for one in taken)
    ]
    hidden.sort(key=lambda path: (-_weight(certificate, path), len(path), repr(path)))
    named: dict[str, BothLanguages] = {}
    for path in hidden:
        label = names.label(path)
        named.setdefault(label.sv, label)
    told = list(named)[:_MOST_LEFT_BEHIND]
    covered = [path for path in hidden if names.label(path).sv in told]
    # What only holds other hidden items is not counted beside them, nor what lies in something that was named.
    further = {
        names.label(path).sv
        for path in hidden
        if not any(starts_with(path, one) for one in covered)
        and not any(starts_with(one, path) for one in hidden if one != path)
    }
    return tuple(named[name] for name in told), len(further)


def _weight(certificate: StoredCertificate, path: ConcretePath) -> int:
    kind = sensitivity.kind_of(path, value_at(certificate.claims, path))
    return 100 if kind is not None else sensitivity.weight(path)
