"""What a request asks for and the person lacks: who could issue it, and what is on its way already.

Sources come from the trust list alone: a request never says where to sign in. What is on its way hides its own kind at
its own issuer and nothing else, so that several sources are fetched from in any order. What a source said no to can be
tried there again, and elsewhere.
"""

from collections.abc import Collection as Among
from collections.abc import Iterator
from dataclasses import dataclass, replace

from schemas.types import type_of
from service.i18n import N_, Translator, inside_sentence
from wallet.authorizing import ONE_AT_A_TIME
from wallet.collection import Collection, Stage
from wallet.decision import Decision
from wallet.deployment import Deployment
from wallet.hosts import host_of
from wallet.naming import plain
from wallet.pages.words import Words, problem_words
from wallet.vault import UnlockedVault

MOST_SOURCES = 5
_SOME_CERTIFICATE = N_("A certificate")
_TRUSTED_FOR = N_("For “%(kind)s” this wallet trusts %(names)s.")
_REST = N_("You fetch the rest afterwards, in the same way.")
_REST_FROM = N_("You fetch the rest afterwards from %(name)s.")
_NOBODY_KNOWN = N_("This wallet knows nobody who gives “%(kind)s”.")
_ON_ITS_WAY = (Stage.OFFERED, Stage.AUTHORIZING, Stage.ASKING, Stage.COLLECTING, Stage.PENDING, Stage.QUESTION)
_LEADS_ON = (Stage.OFFERED, Stage.AUTHORIZING, Stage.ASKING, Stage.COLLECTING)
"""Where what is fetched there afterwards still follows by itself; what waited is gone on from by the person."""


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who can issue what is missing, as the trust list names them."""

    name: str
    host: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Fetchable:
    """One kind of certificate that is missing, and who can issue it."""

    title: str
    vct: str
    sources: tuple[Source, ...]

    @property
    def inside(self) -> str:
        """The title, as inside a sentence."""
        return inside_sentence(self.title)


@dataclass(frozen=True, slots=True)
class Together:
    """Several kinds that are missing and that one source can issue, to be fetched with one sign-in."""

    source: Source
    kinds: tuple[Fetchable, ...]

    def names(self, t: Translator) -> str:
        """The kinds, as in a sentence."""
        return t.listed(one.inside for one in self.kinds)


@dataclass(frozen=True, slots=True)
class ToAskFor:
    """One kind of certificate that is missing and cannot be fetched from here; `issuers` are those trusted for it, by
    name, and `further` counts those that are not named."""

    title: str
    issuers: tuple[str, ...]
    further: int

    def sentence(self, t: Translator) -> str:
        """Who can issue it, as far as this wallet knows."""
        if not self.issuers:
            return t(_NOBODY_KNOWN, kind=self.title)
        more = [t.plural("%(num)s more", "%(num)s more", self.further)] if self.further else []
        return t(_TRUSTED_FOR, kind=self.title, names=t.listed([*self.issuers, *more]))


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun to be fetched for this request, and has not ended. `hides` are the issuer and type of each
    certificate that may still come of it; `problem` says why it does not go on by itself, if it does not."""

    collection_id: str
    issuer: str
    is_pending: bool
    has_stopped: bool
    problem: Words | None
    hides: frozenset[tuple[str, str]]


def fetchable(decision: Decision, wallet: Deployment, t: Translator, begun: Among[Begun]) -> list[Fetchable]:
    """The missing kinds that somebody whom this wallet trusts can issue, each once; without the sources from which that
    kind is on its way already."""
    hidden = frozenset[tuple[str, str]]().union(*(one.hides for one in begun))
    kinds = (
        replace(one, sources=tuple(source for source in one.sources if (source.identifier, one.vct) not in hidden))
        for one in _obtainable(decision, wallet, t)
    )
    return [one for one in kinds if one.sources]


def _obtainable(decision: Decision, wallet: Deployment, t: Translator) -> list[Fetchable]:
    found: dict[str, Fetchable] = {}
    for lack in decision.lacks:
        for alternatives in decision.checked.query.credential(lack.query_id).types:
            vct = alternatives[-1]
            entries = wallet.sources_of(vct)[:MOST_SOURCES]
            if not entries or vct in found:
                continue
            known = type_of(vct)
            sources = (
                Source(plain(one.name) or host_of(one.identifier), host_of(one.identifier), one.identifier)
                for one in entries
            )
            found[vct] = Fetchable(known.title(t.language) if known else t(_SOME_CERTIFICATE), vct, tuple(sources))
    return list(found.values())


def to_ask_for(decision: Decision, wallet: Deployment, t: Translator) -> list[ToAskFor]:
    """The missing kinds that nobody with a known address can issue, each once: whom the person can ask for them."""
    found: dict[str, ToAskFor] = {}
    for lack in decision.lacks:
        for alternatives in decision.checked.query.credential(lack.query_id).types:
            vct = alternatives[-1]
            known = type_of(vct)
            if vct in found or known is None or wallet.sources_of(vct):
                continue
            names = list(dict.fromkeys(plain(entry.name) for entry in wallet.issuers_of(vct) if plain(entry.name)))
            shown = tuple(names[:MOST_SOURCES])
            found[vct] = ToAskFor(known.title(t.language), shown, len(names) - len(shown))
    return list(found.values())


def _needed(decision: Decision) -> list[str]:
    """The kinds that are missing and have to come; of alternatives, the first one alone."""
    lacking = {lack.query_id for lack in decision.lacks}
    query = decision.checked.query
    wanted = [
        one
        for some in query.sets
        if some.required and not any(lacking.isdisjoint(ids) for ids in some.options)
        for one in some.options[0]
        if one in lacking
    ]
    return list(dict.fromkeys(chain[-1] for one in wanted for chain in query.credential(one).types[:1]))


def together(decision: Decision, found: list[Fetchable]) -> list[Together]:
    """The sources that can issue several kinds of what is missing."""
    kinds = _needed(decision)
    by_vct = {one.vct: one for one in found}
    sources = {source.identifier: source for one in found for source in one.sources}
    groups = [
        Together(source, tuple(by_vct[vct] for vct in kinds if vct in by_vct and source in by_vct[vct].sources))
        for source in sources.values()
    ]
    return [group for group in groups if len(group.kinds) > 1]


def afterwards(decision: Decision, found: list[Fetchable], groups: list[Together], t: Translator) -> str:
    """What is said of the kinds that no such source gives; "" when there are none, or no groups."""
    covered = {kind.vct for group in groups for kind in group.kinds}
    rest = [one for one in found if one.vct in set(_needed(decision)) - covered]
    if not groups or not rest:
        return ""
    names = {source.name for one in rest for source in one.sources}
    return t(_REST_FROM, name=names.pop()) if len(names) == 1 else t(_REST)


def begun(share_id: str, wallet: Deployment, vault: UnlockedVault, t: Translator) -> list[Begun]:
    """What was begun to be fetched for this request and has not ended, or was refused by its source."""
    return [
        Begun(
            collection_id,
            plain(one.offered.metadata.display_name(t.language) or "") or host_of(one.offered.issuer),
            one.stage is Stage.PENDING,
            has_stopped(one),
            problem_words(one.problem) if one.problem else None,
            frozenset() if has_stopped(one) else frozenset((one.offered.issuer, vct) for vct in _to_come(one)),
        )
        for collection_id, one in wallet.collections(vault).items()
        if one.for_share == share_id and (one.stage in _ON_ITS_WAY or has_stopped(one))
    ]


def has_stopped(one: Collection) -> bool:
    """Whether nothing comes of it unless the person tries again: the source said no, or could not be asked.

    One that is to be asked for one kind at a time has not: it knows the order, and is gone on with.
    """
    return one.stage is Stage.FAILED or (one.stage is Stage.OFFERED and one.problem not in ("", ONE_AT_A_TIME))


def _to_come(one: Collection) -> Iterator[str]:
    configurations = dict(one.offered.items)
    for part in one.open_parts:
        if vct := configurations[part.configuration].vct:
            yield vct
    if one.stage in _LEADS_ON:
        yield from one.and_then


def stopped_for(share_id: str, issuer: str, vcts: Among[str], wallet: Deployment, vault: UnlockedVault) -> list[str]:
    """What came to nothing for this request at this issuer, of these types alone: put away when it is tried again."""
    return [
        collection_id
        for collection_id, one in wallet.collections(vault).items()
        if share_id
        and (one.for_share, one.offered.issuer) == (share_id, issuer)
        and has_stopped(one)
        and {*_all_of(one)} <= {*vcts}
    ]


def _all_of(one: Collection) -> Iterator[str]:
    return (configuration.vct or "" for _, configuration in one.offered.items)
