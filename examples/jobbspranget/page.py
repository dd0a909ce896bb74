"""The one page of the application: its words in Swedish and English, and its headers."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
        "not_told": "Vi får varken personnummer, födelsedatum eller namn.",
        "waiting": "Vi väntar på ditt svar.",
        "look": "Titta igen",
        "no_answer": "Inget svar som räcker.",
        "no_answer_help": "Du delade inget, eller så var något för gammalt. Se vad som behövs.",
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
        "not_told": "We get no identity number, no birth date and no name.",
        "waiting": "We are waiting for your answer.",
        "look": "Look again",
        "no_answer": "No answer that is enough.",
        "no_answer_help": "You shared nothing, or something was too old. See what is needed.",
        "again": "Apply again",
        "elsewhere": "This application did not begin in this browser.",
        "language": "På svenska",
    },
}
TAKEN_BACK = {
    "sv": "Du har tagit tillbaka det du delade. Vi använder det inte längre. Plånboken visar vad som har raderats.",
    "en": "You have taken back what you shared. We no longer use it. Your wallet shows what has been deleted.",
}
# What is said instead of the verifier's sentence, by its answer, or by the state of a request that has none.
INSTEAD: dict[str, dict[str, str]] = {"undecided": {}, "withdrawn": TAKEN_BACK}
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


def page(request: Request, kind: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """One of the pages (`needs`, `answer`, `elsewhere`) in the reader's language."""
    lang = language(request)
    other = "en" if lang == "sv" else "sv"
    return HTMLResponse(_TEMPLATE.render(lang=lang, other=other, words=WORDS[lang], kind=kind, **told), status, HEADERS)
