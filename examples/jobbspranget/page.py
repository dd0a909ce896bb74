"""The one page of the application: its words in Swedish and English, and its headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from babel.dates import format_date
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from verifier.client import VerifierResult

HERE = Path(__file__).parent
STATIC = HERE / "static"
WORDS = {
    "sv": {
        "title": "Sök praktik",
        "lead": "Du söker genom att dela intyg ur din plånbok. Den visar allt som delas innan något skickas.",
        "needed": "Det här behöver du",
        "one_is_enough": "Ett av dem räcker.",
        "today": "Det måste gälla i dag.",
        "fetch": "Hämtas hos",
        "perhaps": "Kan finnas hos",
        "nobody": "Vi vet inte var det hämtas.",
        "missing": "Saknar du något? Plånboken visar vad, hjälper dig att hämta det och går sedan vidare hit.",
        "share": "Dela från min plånbok",
        "asks": "Plånboken frågar om du började hos {host}. Det är tjänsten som tar emot svar åt oss.",
        "not_told": "Vi får varken personnummer, födelsedatum eller namn.",
        "waiting": "Vi väntar på ditt svar.",
        "look": "Titta igen",
        "nothing_shared": "Du delade inget. Vi har inte fått något om dig.",
        "no_answer": "Inget svar som räcker. Vi fick inget som vi kan använda.",
        "no_answer_help": "Se vad som behövs, och sök igen om du vill",
        "late": "Vi kunde inte läsa ditt svar. Du kom tillbaka för sent, eller så har adressen redan använts.",
        "late_help": "Titta igen om en stund. Står det fortfarande inget svar, sök igen.",
        "received": "Vi har tagit emot ditt svar",
        "next": "Vad som händer nu",
        "then": {
            "eligible": "En människa hos oss väljer bland de behöriga och letar efter en plats som passar dig.",
            "not_eligible": "Din ansökan går inte vidare nu. Stämmer det inte, fråga den som gav dig intyget. "
            "Du kan söka igen när något har ändrats.",
            "undecided": "Din ansökan väntar på dig. Gör det som står ovan och sök igen.",
        },
        "kept": "Vi sparar det du delade till {day}. Sedan raderas det.",
        "nothing_kept": "Vi har inte kvar några av de uppgifter du delade.",
        "take_back": "Du kan ta tillbaka det du delade, när du vill. Öppna din plånbok, välj Delningar, "
        "den här delningen och Ta tillbaka. Kvittot finns också där.",
        "again": "Sök igen",
        "elsewhere": "Den här ansökan började inte i den här webbläsaren.",
        "language": "In English",
    },
    "en": {
        "title": "Apply for an internship",
        "lead": "You apply by sharing certificates from your wallet. It shows all of it before anything is sent.",
        "needed": "What you need",
        "one_is_enough": "One of them is enough.",
        "today": "It has to be true today.",
        "fetch": "Fetch it from",
        "perhaps": "It may be at",
        "nobody": "We do not know where it is fetched.",
        "missing": "Do you lack something? The wallet shows what, helps you to fetch it, and then goes on to us.",
        "share": "Share from my wallet",
        "asks": "The wallet asks whether you began at {host}. That is the service which takes answers for us.",
        "not_told": "We get no identity number, no birth date and no name.",
        "waiting": "We are waiting for your answer.",
        "look": "Look again",
        "nothing_shared": "You shared nothing. We have received nothing about you.",
        "no_answer": "No answer that is enough. Nothing came that we can use.",
        "no_answer_help": "See what is needed, and apply again if you like",
        "late": "We could not read your answer. You came back too late, or the address was used before.",
        "late_help": "Look again in a while. If there is still no answer, apply again.",
        "received": "We have received your answer",
        "next": "What happens now",
        "then": {
            "eligible": "A person here chooses among those who are eligible, and looks for a place that fits you.",
            "not_eligible": "Your application goes no further now. If that is wrong, ask whoever gave you the "
            "certificate. You can apply again when something has changed.",
            "undecided": "Your application waits for you. Do what is said above, and apply again.",
        },
        "kept": "We keep what you shared until {day}. Then it is deleted.",
        "nothing_kept": "We hold nothing of the data that you shared.",
        "take_back": "You can take back what you shared whenever you like. Open your wallet, choose Sharing history, "
        "this share, and Take back. The receipt is there, too.",
        "again": "Apply again",
        "elsewhere": "This application did not begin in this browser.",
        "language": "På svenska",
    },
}
LOCALES = {"sv": "sv_SE", "en": "en_GB"}
TAKEN_BACK = {
    "sv": "Du har tagit tillbaka det du delade. Vi använder det inte längre. Plånboken visar vad som har raderats.",
    "en": "You have taken back what you shared. We no longer use it. Your wallet shows what has been deleted.",
}
DELETED = {
    "sv": "Det du delade är raderat. Vi vet inte längre vad svaret var.",
    "en": "What you shared has been deleted. We no longer know what the answer was.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an application, for whom it is about: a sentence in each language, none when nothing came.

    `kind` is `eligible`, `not_eligible`, `undecided`, `withdrawn`, `deleted`, `declined` for a no of their own, or ""
    when nothing came. `kept_until` is the last day on which what was shared is kept, None when nothing of it is.
    """

    kind: str
    texts: Mapping[str, str]
    kept_until: date | None = None


def answer_of(result: VerifierResult) -> Answer:
    """What to tell of a result. After the person took the share back, or what the answer rests on was deleted, that
    alone is said."""
    if result.state == "withdrawn":
        return Answer("withdrawn", TAKEN_BACK)
    if result.state in ("answered", "deleted") and not result.eligibility:
        return Answer("deleted", DELETED)
    if result.state == "declined":
        return Answer("declined", {})
    kept_until = date.fromisoformat(result.retention_until) if result.values is not None else None
    return Answer(result.eligibility, result.eligibility_texts, kept_until)


HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # An address that somebody came back to holds a code.
    "Vary": "Accept-Language",
}
_TEMPLATE = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
).get_template("page.html")


def language(request: Request) -> str:
    """What was chosen (`?lang=`), else the first of `Accept-Language` that there is, else Swedish."""
    wanted = [request.query_params.get("lang", ""), *request.headers.get("accept-language", "").split(",")]
    tags = [one.partition(";")[0].strip()[:2].lower() for one in wanted]
    return next((tag for tag in tags if tag in WORDS), "sv")


def asking_host(link: str) -> str:
    """Where the wallet will say that the request comes from: the host of its `request_uri`; "" when it has none."""
    (address,) = parse_qs(urlsplit(link).query).get("request_uri", [""])[:1]
    return urlsplit(address).netloc


def page(request: Request, kind: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """One of the pages (`needs`, `answer`, `elsewhere`) in the reader's language. `came_back`: with a code, of which
    nothing came when there is no answer; that is the reader's to mend, and no success."""
    lang = language(request)
    if told.setdefault("came_back", False) and told["answer"] is None:
        status = 400
    other = "en" if lang == "sv" else "sv"
    told["host"] = asking_host(told.get("link", ""))
    told["day"] = lambda one: format_date(one, format="long", locale=LOCALES[lang])
    return HTMLResponse(_TEMPLATE.render(lang=lang, other=other, words=WORDS[lang], kind=kind, **told), status, HEADERS)
