"""Pages for people: templates with autoescape, language, CSRF tokens, messages, links under the public URL's path.

    pages = Pages(settings=settings, templates=[Path(__file__).parent / "templates"], catalogues=catalogues,
                  name=N_("Wallet"), nav=[NavItem("/certificates", N_("Certificates"), shown="in")], clock=clock,
                  sessions=sessions)
    return await pages.render(request, "certificates/list.html", certificates=certificates)

    CSRF = Depends(pages.check_csrf)                  # every POST from a page
    SignedIn = Annotated[Session, Depends(pages.signed_in)]

A template starts with `{% extends "base.html" %}{% import "macros.html" as ui %}` and fills the blocks `title` and
`main` (and `width` with ` narrow` for one column). It has `_`, `ngettext`, `{% trans %}`, `t` (the `Translator`:
dates, numbers), `language`, `path("/x")` for links, `csrf_field()` for forms, `static("name")`, `here` (this page's
link) and `session`. Undefined names are errors. A literal percent sign in a text is written `%%` in `_()`.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from schemas.errors import ProtocolError, Refused
from service.clock import Clock
from service.compiled_templates import CompiledTemplates
from service.error_texts import ErrorTexts
from service.i18n import LANGUAGE_NAMES, LANGUAGES, Catalogues, Translator, choose_language
from service.sessions import Session, Sessions, cookie_key, cookie_name, csrf_token, new_cookie
from service.settings import ServiceSettings
from service.static_files import StaticFiles

_ROOM = Path(__file__).parent
_YEAR_SECONDS = 365 * 24 * 3600
_MESSAGE_KINDS = ("good", "info", "warning", "bad")


class ForgedForm(Refused):
    """The form did not come from our own page, or the page is too old."""

    error = "forged_form"
    status = 403


class SignInRequired(ProtocolError):
    """Only somebody who has signed in may see this. A browser is sent to the sign-in page and back."""

    error = "login_required"
    status = 401


@dataclass(frozen=True, slots=True)
class NavItem:
    """One link of the navigation: our path (without prefix), English label, and who sees it ("all", "in" or "out")."""

    path: str
    label: str
    shown: str = "all"


@dataclass(frozen=True, slots=True)
class LanguageSwitch:
    """How a page that answered a POST is shown in the other language: the fields that are posted again, to which path.

    The handler must treat such a post, which names no decision, as a wish to see the page again.
    """

    path: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormSwitch:
    """How a page with a form that may be half filled is shown in the other language: the form itself is sent, with all
    that stands in it and `to_language`, to the path that shows it. Nothing that was written or ticked is lost.

    The handler must treat a post with `to_language` as a wish to see the page again. A form that searches (GET) is sent
    with `lang` instead, since its query is made of its fields alone.
    """

    form_id: str
    path: str
    searches: bool = False


class Pages:
    """Renders the pages of one service.

    `templates` and `static` are the service's own directories (the shared ones follow), `name` the English name of the
    site for whoever works there, `organisation` whose service it is, in each language: that name stands on pages for
    people without an account (`person.html`); without it the site's does. `sign_in_path` is where somebody without a
    session is sent, `error_texts` what error pages say for further codes.
    """

    def __init__(
        self,
        *,
        settings: ServiceSettings,
        templates: Sequence[Path],
        catalogues: Catalogues,
        name: str,
        organisation: Mapping[str, str] | None = None,
        nav: Sequence[NavItem] = (),
        clock: Clock,
        sessions: Sessions | None = None,
        static: Sequence[Path] = (),
        sign_in_path: str = "/sign-in",
        error_texts: Mapping[str, ErrorTexts] | None = None,
    ) -> None:
        self.settings = settings
        self.sessions = sessions
        self.sign_in_path = sign_in_path
        self.error_texts = error_texts or {}
        self.static_files = StaticFiles(_ROOM / "static", *static)
        self._catalogues = catalogues
        self._nav = nav
        self.clock = clock
        self._message_key = hmac.digest(settings.device_secret(), b"intyga page message", hashlib.sha256)
        self._language_cookie = cookie_name(settings, "language")
        self._message_cookie = cookie_name(settings, "message")
        self._visitor_cookie = cookie_name(settings, "visitor")
        self._environments = {
            language: self._environment(
                catalogues.translator(language),
                [*templates, _ROOM / "templates"],
                name,
                (organisation or {}).get(language),
            )
            for language in LANGUAGES
        }

    # --- who is there ------------------------------------------------------------------------------------------

    async def session(self, request: Request) -> Session | None:
        """The session of the request's cookie (loaded once per request), or None."""
        if self.sessions is None:
            return None
        if not hasattr(request.state, "intyga_session"):
            cookie = request.cookies.get(self.sessions.cookie_name)
            request.state.intyga_session = await self.sessions.load(cookie, now=self.clock())
        loaded: Session | None = request.state.intyga_session
        return loaded

    async def signed_in(self, request: Request) -> Session:
        """Dependency of pages behind a login. Raises `SignInRequired`, which sends a browser to sign in and back."""
        session = await self.session(request)
        if session is None or not session.subject:
            raise SignInRequired
        return session

    # --- language ----------------------------------------------------------------------------------------------

    def language(self, request: Request) -> str:
        """The language: `?lang=`, the one wished for (`speak`), the remembered one, the browser's, or Swedish."""
        wished: str | None = getattr(request.state, "intyga_language", None)
        if wished is not None and request.query_params.get("lang") not in LANGUAGES:
            return wished
        return choose_language(
            query=request.query_params.get("lang"),
            cookie=request.cookies.get(self._language_cookie),
            accept_language=request.headers.get("accept-language"),
        )

    def speak(self, request: Request, language: str | None) -> None:
        """Answer this request in a language that was wished for in another way than by the person's click, which still
        comes first; None changes nothing."""
        request.state.intyga_language = language if language in LANGUAGES else None

    def remember_language(self, request: Request, response: Response) -> None:
        """Answer this browser's next requests in the language of this one."""
        self._set_cookie(response, self._language_cookie, self.language(request), max_age=_YEAR_SECONDS)

    def translator(self, request: Request) -> Translator:
        """The translator for the language to answer in."""
        return self._catalogues.translator(self.language(request))

    # --- answers -----------------------------------------------------------------------------------------------

    async def render(
        self,
        request: Request,
        template: str,
        /,
        *,
        status: int = 200,
        switch: LanguageSwitch | FormSwitch | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page. `switch` is for pages that answer a POST or that have a form to fill in; others keep their query by
        themselves.
        """
        language = self.language(request)
        session = await self.session(request)
        key, visitor = self._form_key(request, session)
        token = csrf_token(key)
        values: dict[str, Any] = {
            "csrf_field": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
            "here": self._here(request),
            "languages": self._languages(request, language, switch),
            "message": self._message(request, language),
            "nav": self._navigation(request, session, language),
            "session": session,
            "session_seconds": int(self.sessions.idle.total_seconds())
            if self.sessions is not None and session is not None and session.subject
            else 0,
        }
        response = HTMLResponse(self.html(template, language=language, **values, **context), status_code=status)
        if visitor is not None:
            self._set_cookie(response, self._visitor_cookie, visitor)
        if request.query_params.get("lang") in LANGUAGES:
            self.remember_language(request, response)
        if self._message_cookie in request.cookies:
            response.delete_cookie(
                self._message_cookie, path="/", secure=self.settings.is_https, httponly=True, samesite="lax"
            )
        return response

    def html(self, template: str, /, *, language: str, **context: Any) -> str:
        """The text of a template in one language, outside any request. `base.html` needs what `render` gives it."""
        return self._environments[language].get_template(template).render(**context)

    def redirect(self, path: str, *, message: str = "", kind: str = "good") -> RedirectResponse:
        """303 to one of our own pages; `message` (an English msgid without values) is shown there once."""
        response = RedirectResponse(self.settings.path(path), status_code=303)
        if message:
            self._set_cookie(response, self._message_cookie, self._signed_message(kind, message))
        return response

    # --- forms -------------------------------------------------------------------------------------------------

    async def check_csrf(self, request: Request) -> None:
        """Dependency of every POST from a page: raises `ForgedForm` without the right `csrf` or X-CSRF-Token."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ForgedForm
        given = request.headers.get("x-csrf-token")
        if given is None:
            value = (await request.form()).get("csrf")
            given = value if isinstance(value, str) else ""
        session = await self.session(request)
        if session is not None:
            expected = session.csrf_token
        else:
            key = cookie_key(request.cookies.get(self._visitor_cookie))
            if key is None:
                raise ForgedForm
            expected = csrf_token(key)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise ForgedForm

    def sign_in_redirect(self, request: Request) -> RedirectResponse:
        """To the sign-in page, which leads back to this page when it was asked for by GET."""
        back = self._own_link(request) if request.method in ("GET", "HEAD") else "/"
        return RedirectResponse(self.settings.path(f"{self.sign_in_path}?{urlencode({'next': back})}"), status_code=303)

    @staticmethod
    def safe_next(path: str | None) -> str:
        """A path of ours (without prefix) to go on to; anything that could lead elsewhere becomes "/"."""
        if not path or not path.startswith("/") or path[1:2] in ("/", "\\"):
            return "/"
        return "/" if any(ord(character) < 0x20 or character == "\\" for character in path) else path

    # --- inside ------------------------------------------------------------------------------------------------

    def _environment(
        self, translator: Translator, directories: Sequence[Path], name: str, organisation: str | None
    ) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(directories),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=CompiledTemplates(),
        )
        i18n: Any = environment
        i18n.install_gettext_callables(translator.text, translator.plural_text, newstyle=True)
        environment.globals.update(
            {
                "language": translator.language,
                "path": self.settings.path,
                "our_name": organisation or translator(name),
                "site_name": translator(name),
                "static": self._static,
                "t": translator,
            }
        )
        return environment

    def _static(self, name: str) -> str:
        return self.settings.path(self.static_files.path(name))

    def _form_key(self, request: Request, session: Session | None) -> tuple[bytes, str | None]:
        """The key that form tokens are derived from, and the value of a visitor's cookie when one must be set."""
        if session is not None and self.sessions is not None:
            key = cookie_key(request.cookies.get(self.sessions.cookie_name))
        else:
            key = cookie_key(request.cookies.get(self._visitor_cookie))
        if key is not None:
            return key, None
        fresh = new_cookie()
        key = cookie_key(fresh)
        assert key is not None
        return key, fresh

    def _own_link(self, request: Request) -> str:
        pairs = [
            (name, value) for name, value in parse_qsl(request.url.query, keep_blank_values=True) if name != "lang"
        ]
        return quote(request.scope["path"]) + (f"?{urlencode(pairs)}" if pairs else "")

    def _here(self, request: Request) -> str:
        return self.settings.path(self._own_link(request))

    def _languages(
        self, request: Request, language: str, switch: LanguageSwitch | FormSwitch | None
    ) -> list[dict[str, Any]]:
        others = []
        for code in LANGUAGES:
            if code == language:
                continue
            link = self.settings.path(switch.path) if switch is not None else self._here(request)
            href = f"{link}{'&' if '?' in link else '?'}lang={code}"
            filled = switch if isinstance(switch, FormSwitch) else None
            posted = switch if isinstance(switch, LanguageSwitch) else None
            others.append(
                {
                    "code": code,
                    "name": LANGUAGE_NAMES[code],
                    "href": link if filled is not None and filled.searches else href,
                    "form": posted is not None,
                    "fields": list(posted.fields.items()) if posted is not None else [],
                    "form_id": filled.form_id if filled is not None else "",
                    "member": "lang" if filled is not None and filled.searches else "to_language",
                }
            )
        return others

    def _navigation(self, request: Request, session: Session | None, language: str) -> list[dict[str, Any]]:
        here = str(request.scope["path"])
        shown = ("all", "in" if session is not None and session.subject else "out")
        translator = self._catalogues.translator(language)
        return [
            {
                "path": item.path,
                "label": translator(item.label),
                "exact": here == item.path,
                "current": here == item.path or (item.path != "/" and here.startswith(f"{item.path}/")),
            }
            for item in self._nav
            if item.shown in shown
        ]

    def _signed_message(self, kind: str, text: str) -> str:
        body = base64.urlsafe_b64encode(json.dumps([kind, text]).encode()).rstrip(b"=")
        return f"{body.decode()}.{hmac.new(self._message_key, body, hashlib.sha256).hexdigest()}"

    def _message(self, request: Request, language: str) -> dict[str, str] | None:
        """The message of the last redirect. It is signed, so that nobody can make our page say something."""
        body, _, tag = request.cookies.get(self._message_cookie, "").partition(".")
        expected = hmac.new(self._message_key, body.encode(), hashlib.sha256).hexdigest()
        if not body or not hmac.compare_digest(tag.encode(), expected.encode()):
            return None
        kind, text = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        kind = kind if kind in _MESSAGE_KINDS else "info"
        return {"kind": kind, "text": self._catalogues.translator(language)(text)}

    def _set_cookie(self, response: Response, name: str, value: str, **more: Any) -> None:
        response.set_cookie(name, value, path="/", secure=self.settings.is_https, httponly=True, samesite="lax", **more)
