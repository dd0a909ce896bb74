"""A certificate as a person reads it: everything it says, in their language, and what a share of it could leave out.

    card = read_card(certificate, "sv")
    card.title, card.groups[0].lines[0].label, card.groups[0].lines[0].can_stay_hidden

Labels and values come from the type when it is known here, else from the issuer's display data, else from the names
of the claims. Everything that is in the certificate is on the card, also what nobody described.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from proofs.keys import check_public_jwk, thumbprint
from schemas.errors import ProtocolError
from schemas.types import REGISTERED_CLAIMS, Card, display_value, type_of
from schemas.types.card import Part
from wallet.certificates import StoredCertificate
from wallet.examination import moment
from wallet.naming import Names, plain, without_controls

Path = tuple[str | int, ...]
_TECHNICAL = frozenset(spec.path[0] for spec in REGISTERED_CLAIMS) | {"aka_vcts", "jti", "sub", "_sd_alg"}
_MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a certificate says. `can_stay_hidden` tells whether a share can leave it out.

    `parts` are the texts of a value that has several, or one in another language than the page's.
    """

    label: str
    value: str
    can_stay_hidden: bool
    path: Path = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together, under a heading when they are an element of a list."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CardView:
    """A certificate for a page. `title_language` is set when the title is in another language than the page."""

    title: str
    title_language: str
    type_name: str
    issuer: str
    date: str
    level: str
    credits: str
    groups: tuple[Group, ...]
    technical: tuple[Line, ...]
    edge: int

    @property
    def summary(self) -> str:
        """Level and credits in one line."""
        return ", ".join(part for part in (self.level, self.credits) if part)

    @property
    def hideable(self) -> tuple[Line, ...]:
        """What a share could leave out."""
        return tuple(line for group in self.groups for line in group.lines if line.can_stay_hidden)

    @property
    def always_shown(self) -> tuple[Line, ...]:
        """What goes along with every share."""
        return tuple(line for group in self.groups for line in group.lines if not line.can_stay_hidden)


def read_card(certificate: StoredCertificate, language: str) -> CardView:
    """The card of a certificate in a language (`sv` or `en`)."""
    names = Names(certificate)
    known = type_of(certificate.vct)
    card = known.card(certificate.claims, language) if known is not None else None
    lines = [*_known_lines(certificate, card), *_other_lines(certificate, card, names, language)]
    return CardView(
        title=names.title.text(language),
        title_language=_title_language(certificate, language),
        type_name=names.type_name.text(language),
        issuer=names.issuer,
        date=card.date if card and card.date else _received(certificate, language),
        level=card.level if card else "",
        credits=card.credits if card else "",
        groups=_grouped(lines, names, language),
        technical=tuple(_technical_lines(certificate, language)),
        edge=sha256(certificate.issuer_identifier.encode()).digest()[0] % 8,
    )


def _known_lines(certificate: StoredCertificate, card: Card | None) -> list[Line]:
    if card is None:
        return []
    return [
        Line(
            line.label,
            without_controls(line.value) or "–",
            _hideable(certificate, line.path),
            line.path,
            tuple(Part(without_controls(part.text), part.language) for part in line.parts),
        )
        for line in card.lines
    ]


def _other_lines(certificate: StoredCertificate, card: Card | None, names: Names, language: str) -> Iterator[Line]:
    """What the type does not know: every remaining value, under the best name there is."""
    covered = {line.path for line in card.lines} if card else set()
    count = 0
    for path, value in _leaves(certificate.claims, ()):
        if path[0] in _TECHNICAL or any(path[:length] in covered for length in range(1, len(path) + 1)):
            continue
        count += 1
        if count > _MOST_LINES:
            return
        shown = "\n".join(line.text for line in names.lines(path, language)) if path else ""
        label = names.label(path).text(language) or str(path[-1])
        yield Line(label, shown or str(value), _hideable(certificate, path), path)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value with its path; lists of plain values and language maps are one value."""
    if isinstance(value, Mapping) and value and not (path and _is_text_map(value)):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    elif path:
        yield path, value


def _is_text_map(value: Mapping[str, Any]) -> bool:
    return all(len(key) in (2, 3) and key.isalpha() and isinstance(text, str) for key, text in value.items())


def _hideable(certificate: StoredCertificate, path: Path) -> bool:
    """Whether some disclosure on the way to this value can be left out."""
    disclosed = certificate.sd_jwt.disclosure_at
    return any(path[:length] in disclosed for length in range(1, len(path) + 1))


def _grouped(lines: list[Line], names: Names, language: str) -> tuple[Group, ...]:
    """Lines in order: those of the certificate itself first, then element by element of its lists."""
    grouped: dict[Path, list[Line]] = {(): []}
    for line in lines:
        index = next((i for i, part in enumerate(line.path) if isinstance(part, int)), None)
        grouped.setdefault(line.path[: index + 1] if index is not None else (), []).append(line)
    return tuple(
        Group(names.label(prefix).text(language) if prefix else "", tuple(inside))
        for prefix, inside in grouped.items()
        if inside
    )


def _technical_lines(certificate: StoredCertificate, language: str) -> Iterator[Line]:
    specs = {spec.path[0]: spec for spec in REGISTERED_CLAIMS}
    for name, value in certificate.claims.items():
        if name not in _TECHNICAL:
            continue
        spec = specs.get(name)
        label = spec.label(language) if spec is not None else name
        hideable = _hideable(certificate, (name,))
        yield Line(label, _technical_value(name, value, language), hideable, (name,))


def _technical_value(name: str, value: Any, language: str) -> str:
    if name == "cnf" and isinstance(value, Mapping) and isinstance(value.get("jwk"), Mapping):
        try:
            return thumbprint(check_public_jwk(value["jwk"]))
        except ProtocolError:
            return "–"
    if name == "status" and isinstance(value, Mapping) and isinstance(value.get("status_list"), Mapping):
        return plain(str(value["status_list"].get("uri", "–")))
    if name in ("iat", "nbf", "exp") and (at := moment(value)) is not None:
        return at.isoformat().replace("+00:00", "Z")  # A day alone would be another one than where the person is.
    return without_controls(display_value(value, None, language))


def _received(certificate: StoredCertificate, language: str) -> str:
    issued = certificate.claims.get("iat")
    seconds = issued if isinstance(issued, int | float) else certificate.received_at.timestamp()
    return display_value(seconds, "time", language)


def _title_language(certificate: StoredCertificate, language: str) -> str:
    """The language of the title when the certificate has none in the page's language."""
    title = certificate.claims.get("achievement_title")
    if not isinstance(title, Mapping) or not title or language in title:
        return ""
    for wanted in ("en", "sv"):
        if wanted in title:
            return wanted
    first = str(next(iter(title)))
    return first if first.isalpha() and len(first) in (2, 3) and first != "und" else ""


def last_day(certificate: StoredCertificate, *, time_zone: str) -> date | None:
    """The last day on which a certificate holds, where this wallet's days begin; None when no end is stated.

    What it says of its own last day goes first: its `exp` is the end of that day in UTC, which is another day here.
    """
    ends = []
    if certificate.valid_until is not None:
        end = certificate.valid_until - timedelta(seconds=1)
        with suppress(OverflowError):  # On the last day that there is, it is a day of no calendar further east.
            end = end.astimezone(ZoneInfo(time_zone))
        ends.append(end.date())
    known = type_of(certificate.vct)
    said = certificate.claims.get(known.last_day) if known is not None and known.last_day is not None else None
    with suppress(ValueError):
        ends += [date.fromisoformat(said)] if isinstance(said, str) else []
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a certificate stands now: a stable word, and the tone it is shown in (good, warning, bad, quiet)."""

    word: str
    tone: str


def standing(certificate: StoredCertificate, *, now: datetime) -> Standing:
    """How a certificate stands: never "good" while something about it is not known."""
    if certificate.status == "revoked":
        return Standing("revoked", "bad")
    if certificate.status == "suspended":
        return Standing("suspended", "warning")
    if certificate.is_expired(at=now):
        return Standing("expired", "warning")
    if certificate.valid_from is not None and certificate.valid_from > now.astimezone(UTC):
        return Standing("not_yet_valid", "warning")
    if not certificate.issuer_trusted:
        return Standing("unknown_issuer", "warning")
    if certificate.report.failed:
        return Standing("not_genuine", "bad")
    if certificate.status == "unknown":
        return Standing("not_checked", "warning")
    return Standing("valid", "good") if certificate.status == "valid" else Standing("no_status", "quiet")
