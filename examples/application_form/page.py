"""The pages of the form: their words in Swedish and English, and their headers."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from examples.application_form.form import FIELDS
from examples.jobbspranget.page import language

__all__ = ["STATIC", "language", "page"]

HERE = Path(__file__).parent
STATIC = HERE / "static"
WORDS = {
    "sv": {
        "title": "Ansök om jobb",
        "organisation": "Fjällfors Vård AB",
        "lead": "Fyll i för hand, eller hämta uppgifter ur intyg i din plånbok. Den visar allt innan något skickas.",
        "fill": "Fyll i från min plånbok",
        "fill_help": "Du väljer vad du visar. Det som kommer därifrån märks som styrkt, och du kan ta tillbaka det.",
        "proven": "Styrkt. Så säger",
        "typed": "Skrivet av dig",
        "required": "behövs",
        "send": "Skicka ansökan",
        "missing": "Det här saknas innan ansökan kan skickas:",
        "to_wallet": "Vidare till din plånbok",
        "to_wallet_help": "Det du har skrivit är sparat.",
        "open_wallet": "Öppna min plånbok",
        "sent": "Ansökan är skickad",
        "sent_help": "Det här har vi fått:",
        "nothing": "Inte angivet",
        "taken_back": "Du har tagit tillbaka det du visade. Det som fylldes i därifrån är borta härifrån.",
        "elsewhere": "Den här ansökan började inte i den här webbläsaren.",
        "again": "Börja en ny ansökan",
        "language": "In English",
    },
    "en": {
        "title": "Apply for a job",
        "organisation": "Fjällfors Care Ltd",
        "lead": "Fill it in by hand, or from certificates in your wallet. It shows all of it before anything is sent.",
        "fill": "Fill in from my wallet",
        "fill_help": "You choose what to show. What comes from there is marked as proven, and you can take it back.",
        "proven": "Proven. Says",
        "typed": "Written by you",
        "required": "needed",
        "send": "Send the application",
        "missing": "This is missing before the application can be sent:",
        "to_wallet": "On to your wallet",
        "to_wallet_help": "What you have written is kept.",
        "open_wallet": "Open my wallet",
        "sent": "The application is sent",
        "sent_help": "This is what we got:",
        "nothing": "Not given",
        "taken_back": "You have taken back what you showed. What was filled in from it is gone from here.",
        "elsewhere": "This application did not begin in this browser.",
        "again": "Begin a new application",
        "language": "På svenska",
    },
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # An address that somebody came back to holds a code.
    "Vary": "Accept-Language",
}
_TEMPLATE = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
).get_template("page.html")


def page(request: Request, kind: str, *, status: int = 200, missing: Any = (), **told: Any) -> HTMLResponse:
    """One of the pages (`form`, `to_wallet`, `sent`, `elsewhere`) in the reader's language."""
    lang = language(request)
    path = request.url.path
    shown = {"lang": lang, "other": "en" if lang == "sv" else "sv", "words": WORDS[lang], "kind": kind}
    here = path.removesuffix("/wallet").removesuffix("/send")
    content = _TEMPLATE.render(fields=FIELDS, here=here, missing=missing, **shown, **told)
    return HTMLResponse(content, status, HEADERS)
