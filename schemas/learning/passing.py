"""Whether a result was passed, from the status that a record states or, without one, from the result label.

Only what was passed is an achievement. A label counts only when no status is stated: scales differ, and an `F` beside
the status `passed` is the institution's own business. Words are compared whole, in the languages of our neighbours;
what stands in parentheses explains the letter before it. A word that is not known is pointed out, never guessed at; a
letter or a number that is not known to fail is a grade like any other.
"""

import re
from enum import StrEnum


class Passing(StrEnum):
    """What the record says. UNSTATED is normal: many exports hold passed results only."""

    PASSED = "passed"
    FAILED = "failed"
    IN_PROGRESS = "in-progress"
    UNSTATED = "unstated"
    UNKNOWN_WORD = "unknown word"  # as a status
    UNKNOWN_LABEL = "unknown label"


_PASSED_WORDS = """
    pass, passed, pass with distinction, passed with distinction, pass with merit, pass with credit, approved, accepted
    satisfactory, sufficient, fair, good, very good, excellent, outstanding, distinction, with distinction, merit
    credit, high distinction, credited, recognised, recognized, exempt, exempted, transferred, transfer credit
    godkänd, godkänt, väl godkänd, väl godkänt, mycket väl godkänd, mycket väl godkänt, med beröm godkänd
    med beröm godkänt, med utmärkt beröm godkänd, icke utan beröm godkänd, avklarad, avklarat, tillgodoräknad
    tillgodoräknat, berömlig, utmärkt, nöjaktig, försvarlig, goda insikter
    bestått, greidd, godkjent, godkjend, særdeles godt, meget godt, godt, nokså godt, tilstrekkelig, fremragende
    laudabel, innpasset, fritatt, bestået, godkendt, fortrinlig, udmærket, jævn, tilstrækkelig, godt bestået
    hyväksytty, hyv, välttävä, tyydyttävä, hyvä, kiitettävä, erinomainen, oivallinen, hyväksiluettu, suoritettu
    bestanden, mit auszeichnung bestanden, mit erfolg bestanden, gut, sehr gut, befriedigend, ausreichend, genügend
    anerkannt, ausgezeichnet, mit auszeichnung
    laudatur, eximia cum laude approbatur, magna cum laude approbatur, cum laude approbatur, non sine laude approbatur
    lubenter approbatur, approbatur, cum laude, magna cum laude, summa cum laude
"""
_FAILED_WORDS = """
    fail, failed, failure, not passed, not pass, did not pass, no pass, not approved, not accepted, not satisfactory
    unsatisfactory, insufficient, inadequate, unsuccessful, refused, rejected, absent, no show, not attended, withdrawn
    withdrew, aborted, discontinued, cancelled, canceled, not completed, incomplete
    underkänd, underkänt, icke godkänd, icke godkänt, ej godkänd, ej godkänt, inte godkänd, inte godkänt, otillräcklig
    otillräckligt, ej avklarad, inte avklarad, ej genomförd, ej deltagit, ej närvarande, frånvarande, uteblev, utebliven
    avbrott, avbruten, avbrutet
    ikke bestått, ikkje bestått, ikke godkjent, ikkje godkjend, ikkje godkjent, ikke greidd, ikkje greidd, strøket
    stryk, ikke møtt, ikkje møtt, møtte ikke, avbrutt, utilstrekkelig, ikke bestået, ikke godkendt, dumpet, ikke mødt
    udeblevet, utilstrækkelig, ringe, afbrudt
    hylätty, hyl, ei hyväksytty, keskeytynyt, keskeytetty, poissa
    nicht bestanden, nicht genügend, ungenügend, mangelhaft, durchgefallen, nicht erschienen, abgebrochen
    improbatur
"""
_IN_PROGRESS_WORDS = """
    in progress, ongoing, current, enrolled, registered, pending, not yet graded, not graded, awaiting result
    pågående, pågår, registrerad, påbörjad, ännu inte bedömd, ej bedömd
    pågåande, under vurdering, påbegynt, igangværende, i gang, under bedømmelse
    kesken, käynnissä, ilmoittautunut, arvioimatta
    laufend, in bearbeitung, angemeldet, noch nicht bewertet
"""


def _words(table: str) -> list[str]:
    return [word.strip() for line in table.strip().splitlines() for word in line.split(",")]


_WORDS = (
    dict.fromkeys(_words(_PASSED_WORDS), Passing.PASSED)
    | dict.fromkeys(_words(_FAILED_WORDS), Passing.FAILED)
    | dict.fromkeys(_words(_IN_PROGRESS_WORDS), Passing.IN_PROGRESS)
)
_FAILED_LABELS = frozenset({"ig", "u", "fx", "f", "np", "abs", "ib", "nb", "-3", "00", "0"})
_EXPLANATION = re.compile(r"[()\[\]]|\s[-\u2010-\u2015\u2212]\s|:\s")
_DASHES = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-_](?=[^\W\d_])")
_WORDY = re.compile(r"[^\W\d_]{4}")


def passing(status: str | None, label: str | None) -> Passing:
    """What status and result label together say."""
    stated = _said(status or "") or (Passing.UNKNOWN_WORD if (status or "").strip() else Passing.UNSTATED)
    if stated not in (Passing.UNSTATED, Passing.UNKNOWN_WORD):
        return stated
    graded = _graded(label or "")
    return graded if stated is Passing.UNSTATED or graded in (Passing.FAILED, Passing.IN_PROGRESS) else stated


def _said(text: str) -> Passing | None:
    """What the whole text says as a word, None when it is not known."""
    return _WORDS.get(" ".join(_HYPHEN.sub(" ", text.casefold()).split()).removesuffix("."))


def _graded(label: str) -> Passing:
    """What a label says of itself; a passing grade says nothing that a record of results would not say anyway."""
    if label.strip() and _DASHES.fullmatch(label):
        return Passing.IN_PROGRESS
    parts = [part.strip() for part in _EXPLANATION.split(label) if part.strip()]
    said = {word for part in parts if (word := _said(part)) is not None}
    if len(said) > 1:
        return Passing.UNKNOWN_LABEL
    for word in said:
        return Passing.UNSTATED if word is Passing.PASSED else word
    if parts and parts[0].casefold().removesuffix(".") in _FAILED_LABELS:
        return Passing.FAILED
    return Passing.UNKNOWN_LABEL if _WORDY.search(label) else Passing.UNSTATED
