"""What the first page says of certificates on their way: what is waited for and from whom, and what has arrived.

A certificate that the person waited for is told until they have seen it, with the way back to the request for which it
was fetched, while that is open.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.issuance import display_name
from service.i18n import N_, Translator
from wallet.cards import read_card
from wallet.certificates import UnknownCertificate
from wallet.collection import Collection, PartState, Stage
from wallet.deployment import Deployment
from wallet.hosts import host_of
from wallet.naming import plain
from wallet.pages.history_view import row_view
from wallet.pages.words import problem_words
from wallet.redemption import TOO_MANY
from wallet.sharing import Sharing
from wallet.vault import UnlockedVault

NUMBERED = N_("%(title)s, %(number)s of %(count)s")


@dataclass(frozen=True, slots=True)
class AskedBy:
    """The request for which something is fetched: where it is, and who asks."""

    share_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something on its way. `asked_by` is None when it was not fetched for a request, or that is over."""

    id: str
    host: str
    stage: str
    words: Any
    titles: tuple[str, ...]
    issuer: str
    asked_by: AskedBy | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What was waited for and is there, not yet seen: one certificate, or all that came together.

    `certificate_id` is "" when it was deleted."""

    id: str
    title: str
    issuer: str
    certificate_id: str
    asked_by: AskedBy | None


def waiting_views(vault: UnlockedVault, wallet: Deployment, t: Translator) -> tuple[list[Waiting], list[Arrived]]:
    """What waits, and what has arrived after a wait."""
    waiting, arrived = [], []
    for collection_id, one in wallet.collections(vault).items():
        if one.renews or (one.stage is Stage.DONE and not one.has_come):
            continue
        issuer = issuer_name(one, t)
        request = asked_by(vault, wallet, one.for_share, t)
        if one.has_come:
            title, certificate_id = _come(vault, wallet, one, t)
            arrived.append(Arrived(collection_id, title, issuer, certificate_id, request))
            continue
        words = problem_words(one.problem) if one.problem else None
        host, titles = host_of(one.offered.issuer), tuple(_still_to_come(one, t))
        waiting.append(Waiting(collection_id, host, one.stage.value, words, titles, issuer, request))
    return waiting, arrived


def issuer_name(one: Collection, t: Translator) -> str:
    """What the issuer of a collection is called."""
    return plain(one.offered.metadata.display_name(t.language) or "") or host_of(one.offered.issuer)


def asked_by(vault: UnlockedVault, wallet: Deployment, share_id: str, t: Translator) -> AskedBy | None:
    """The request for which something is fetched; None when there is none, or it has been answered or forgotten."""
    sharing = Sharing(wallet)
    if not share_id or not sharing.is_kept(vault, share_id) or not sharing.is_open(vault, share_id):
        return None
    view = row_view(sharing.entry(vault, share_id), t, now=wallet.clock(), titles={})
    return AskedBy(share_id, view["called"])


def _come(vault: UnlockedVault, wallet: Deployment, one: Collection, t: Translator) -> tuple[str, str]:
    titles, first = [], ""
    for certificate_id in one.stored_ids:
        try:
            certificate = wallet.certificate(vault, certificate_id)
        except UnknownCertificate:
            continue
        titles.append(read_card(certificate, t.language).title)
        first = first or certificate.id
    return t.listed(titles or part_titles(one, t)), first


def _still_to_come(one: Collection, t: Translator) -> Iterator[str]:
    final = (PartState.STORED, PartState.REFUSED)
    return (title for part, title in zip(one.parts, part_titles(one, t), strict=True) if part.state not in final)


def part_titles(one: Collection, t: Translator) -> list[str]:
    """What each certificate of a collection is called before it is there, in order; several of a kind are numbered."""
    configurations = dict(one.offered.items)
    kinds = [part.configuration for part in one.parts if part.problem != TOO_MANY]
    seen: Counter[str] = Counter()
    titles = []
    for part in one.parts:
        metadata = configurations[part.configuration].credential_metadata
        kind = plain(display_name(metadata.display if metadata else None, t.language) or part.configuration)
        seen[part.configuration] += 1
        count = kinds.count(part.configuration)
        if count > 1 and part.problem != TOO_MANY:
            number = seen[part.configuration]
            kind = t(NUMBERED, title=kind, number=str(number), count=str(count))
        titles.append(kind)
    return titles
