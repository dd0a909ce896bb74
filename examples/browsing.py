"""A person's browser, as far as a walk in the terminal needs one: it opens pages, fills in forms and presses buttons.

    browser = Browser()
    browser.opens("http://localhost:8400")
    browser.presses("wallet")                          # by the id of a link or a button, as a browser without scripts
    browser.presses("unlock", name="Elin", passphrase="...")

Cookies are kept; redirects are followed, and pages that send the browser on by themselves.
"""

from collections.abc import Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from lxml import html

SECONDS = 60
MOST_STEPS = 5


class NotThere(Exception):
    """What was to be pressed or read is not on the page; the message says where the browser is."""


class Browser:
    """One browser with its cookies, at one page."""

    def __init__(self, language: str = "en") -> None:
        # On loopback a browser sends cookies that are for https alone, too.
        policy = DefaultCookiePolicy(secure_protocols=("http", "https"))
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar(policy)))
        self._opener.addheaders = [("Accept", "text/html"), ("Accept-Language", language)]
        self.url = ""
        self._page: Any = None

    def opens(self, url: str) -> None:
        """Go to an address."""
        self._ask(Request(url))  # noqa: S310  # Addresses of our own services on loopback.

    def presses(self, element_id: str, **fields: str | Sequence[str]) -> None:
        """Follow a link or send the form of a button, with what is typed into it; several values for a name are the
        ticks of that name. Raises `NotThere`."""
        (pressed,) = self._found(f"//*[@id='{element_id}']")
        if pressed.tag == "a":
            self.opens(urljoin(self.url, pressed.get("href")))
            return
        (form,) = pressed.xpath("ancestor::form")
        sent = [(name, value) for name, value in form.form_values() if name not in fields]
        if pressed.get("name"):
            sent.append((pressed.get("name"), pressed.get("value") or ""))
        data = urlencode([*sent, *fields.items()], doseq=True).encode()
        self._ask(Request(urljoin(self.url, pressed.get("formaction") or form.action or self.url), data))  # noqa: S310

    def has(self, element_id: str) -> bool:
        """Whether the page has this element."""
        return bool(self._page.xpath(f"//*[@id='{element_id}']"))

    def reads(self, path: str) -> list[str]:
        """The texts at an XPath of the page. Raises `NotThere` when there is none."""
        return [" ".join(one.text_content().split()) for one in self._found(path)]

    def values(self, path: str) -> list[str]:
        """The values of the attributes at an XPath of the page. Raises `NotThere` when there is none."""
        return [str(one) for one in self._found(path)]

    def _found(self, path: str) -> list[Any]:
        found: list[Any] = self._page.xpath(path)
        if not found:
            title = " ".join(self._page.xpath("//title//text() | //h1//text()"))
            raise NotThere(f"{path} is not at {self.url.partition('?')[0]}: {title.strip()}")
        return found

    def _ask(self, request: Request) -> None:
        for _ in range(MOST_STEPS):
            try:
                answer = self._opener.open(request, timeout=SECONDS)
            except HTTPError as refused:  # A page that says so.
                answer = refused
            with answer:
                self.url = answer.geturl()
                self._page = html.fromstring(answer.read().decode() or "<html></html>")
            onward = self._page.xpath("//meta[@http-equiv='refresh']/@content")
            if not onward:
                return
            request = Request(urljoin(self.url, onward[0].partition("url=")[2]))  # noqa: S310
