"""How pages put names of people, items and certificates into sentences."""

import re
from collections.abc import Iterable, Sequence

from babel import Locale

from schemas.consent import LocalizedText
from schemas.receipt import BothLanguages
from service.i18n import N_, Translator, inside_sentence

_ADDRESS = re.compile(r"[^\s.:/]+([.:/][^\s.:/]+)+/?")
_TITLE_GOES = N_("The title “%(title)s” goes with it.")
_TITLE_STAYS = N_("The title “%(title)s” does not go with it.")


def along(names: Iterable[BothLanguages], t: Translator) -> str:
    """What comes along with every share, on one line: what the format always tells, and what the certificate shows."""
    always = (t(N_("the kind of certificate")), t(N_("who issued it")), t(N_("how long it is valid")))
    return t.listed(dict.fromkeys([*always, *(in_a_sentence(name, t) for name in names)]))


def the_certificate(title: str, t: Translator) -> str:
    """How a certificate is listed of which nothing was chosen, so that only what always comes along goes."""
    return t(N_("%(title)s, the certificate itself"), title=title)


def bare_certificate(title: str, t: Translator) -> str:
    """The same on what the person confirms and keeps: it says that nothing else goes."""
    return t(N_("%(title)s, only with what always comes with it"), title=title)


def kind_and_title(kind: str, title: str, t: Translator) -> str:
    """How a certificate is called where its title is known: by the name of its type, which receipts tell as well, and
    by its title where that is another. `title` is "" where nothing keeps it."""
    return t(N_("%(kind)s “%(title)s”"), kind=kind, title=title) if title and title != kind else kind


def told_apart(names: Sequence[tuple[str, str, str]]) -> list[str]:
    """Names of items, each with the id and the name of its certificate: that stands beside the name where two
    certificates have something of the same name."""
    owners: dict[str, set[str]] = {}
    for name, owner, _ in names:
        owners.setdefault(name, set()).add(owner)
    return [f"{name} ({certificate})" if len(owners[name]) > 1 else name for name, _, certificate in names]


def title_sentence(title: str, is_shown: bool | None, t: Translator) -> str:
    """Whether the title by which a certificate is called goes to who asks; "" for one without a title of its own."""
    if is_shown is None:
        return ""
    return t(_TITLE_GOES if is_shown else _TITLE_STAYS, title=title)


def called(name: str, t: Translator, *, proven: bool) -> tuple[str, str]:
    """How sentences speak of somebody, inside and at their beginning.

    An unproven name never stands there as if it were known (CS-09).
    """
    called = name if proven else t(N_("somebody who says it is %(name)s"), name=name)
    # An address is written as it is, also where a sentence begins.
    return called, called if _ADDRESS.fullmatch(called) else called[:1].upper() + called[1:]


def country(code: str, t: Translator) -> str:
    """The name of a country in the reader's language; what is no code of ISO 3166-1 stays as it was written."""
    return str(Locale(t.language).territories.get(code.upper(), code)) if code else ""


def in_a_sentence(name: BothLanguages, t: Translator) -> str:
    """A name inside a sentence."""
    return inside_sentence(name.text(t.language))


def language_of(text: LocalizedText | BothLanguages, t: Translator) -> str:
    """The language that a text of somebody else is shown in, for the `lang` of the part (A-08)."""
    if getattr(text, t.language):
        return t.language
    return "en" if t.language == "sv" else "sv"
