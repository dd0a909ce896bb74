"""Pages with forms as a person leaves them half filled, switched to the other language without scripts.

page = FilledPage(browser, answer)
page.fill(link="employer.example/4K7M2"), page.tick("optional-1")
other = page.switched()
other.is_same_screen(page), other.state == page.state
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2
from starlette.testclient import TestClient

_SWITCH = "the switch itself"
_VOID = {"input", "meta", "link", "br", "img", "hr"}


@dataclass
class Control:
    """A field, a box or a button of a page, with the form that it belongs to."""

    kind: str
    attributes: dict[str, str]
    form: str
    value: str
    is_ticked: bool = False

    @property
    def name(self) -> str:
        """The member that it sends."""
        return self.attributes.get("name", "")


@dataclass
class Form:
    """Where a form goes, and how."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)


class FilledPage(HTMLParser):
    """A page, and what somebody wrote and ticked on it."""

    def __init__(self, browser: TestClient, answer: httpx2.Response) -> None:
        super().__init__()
        self.browser, self.answer = browser, answer
        self.language, self.heading = "", ""
        self.ids: list[str] = []
        self.forms: dict[str, Form] = {}
        self.controls: list[Control] = []
        self.links: dict[str, str] = {}
        self.hrefs: list[str] = []
        self.decisions, self.focused = 0, ""
        self._form, self._inside = "", ""
        self.feed(answer.text)
        for control in self.controls:
            if control.form in self.forms:
                self.forms[control.form].controls.append(control)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the page is made of."""
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given["lang"]
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.hrefs.append(given.get("href", ""))
            self.links[given.get("id", "")] = given.get("href", "")
        self.decisions += "decision" in given.get("class", "").split()
        if "autofocus" in given:
            self.focused = given.get("id", tag)
        if tag == "form":
            self._form = _SWITCH if given.get("class") == "language-form" else given.get("id") or given["action"]
            self.forms[self._form] = Form(given["action"], given["method"])
        if tag in ("input", "textarea", "button", "select"):
            kind = given.get("type", "text") if tag == "input" else tag
            owner = given.get("form", self._form)
            self.controls.append(Control(kind, given, owner, given.get("value", ""), "checked" in given))
        if tag == "option" and "selected" in given:
            self.controls[-1].value = given.get("value", "")
        if tag not in _VOID:
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        """Note where a form ends."""
        self._inside = ""
        if tag == "form":
            self._form = ""

    def handle_data(self, data: str) -> None:
        """Note the first heading, and what stands in a field of several lines."""
        if self._inside == "h1":
            self.heading += data.strip()
        if self._inside == "textarea":
            self.controls[-1].value += data.removeprefix("\n")

    @property
    def ticked_before(self) -> list[str]:
        """The boxes that are ticked as the page came; to be asked before anything is ticked here."""
        return [one.attributes["id"] for one in self.controls if one.is_ticked]

    def fill(self, **fields: str) -> None:
        """Write into fields."""
        for name, value in fields.items():
            (found,) = [one for one in self.controls if one.name == name and one.kind != "hidden"]
            found.value = value

    def tick(self, *ids: str) -> None:
        """Tick boxes."""
        for one in ids:
            self.control(one).is_ticked = True

    def control(self, element_id: str) -> Control:
        """The field, box or button with an id."""
        (found,) = [one for one in self.controls if one.attributes.get("id") == element_id]
        return found

    @property
    def state(self) -> list[tuple[str, str, str]]:
        """All that was written and ticked, and what the page carries; passphrases and what is new each time are not."""
        kept = []
        for one in self.controls:
            if one.kind in ("checkbox", "radio"):
                kept.append((one.form, one.name, f"{one.value} {'ticked' if one.is_ticked else 'empty'}"))
            elif one.kind not in ("button", "password", "file") and one.name not in ("csrf", "digest"):
                kept.append((one.form, one.name, one.value))
        return [one for one in kept if one[0] != _SWITCH]

    def switched(self) -> "FilledPage":
        """The same page in the other language, by the control in the page's head."""
        other = "sv" if self.language == "en" else "en"
        control = f"language-{other}"
        if control in self.links:
            return FilledPage(self.browser, self.browser.get(self.links[control]))
        button = self.control(control)
        form = self.forms[button.form]
        assert button.form == _SWITCH or self._default(form) is not button, "the Enter key switches the language"
        sent: dict[str, list[str]] = {button.name: [button.value]} if button.name else {}
        for one in form.controls:
            is_sent = one.is_ticked if one.kind in ("checkbox", "radio") else one.kind not in ("button", "file")
            if is_sent and one.name:
                sent.setdefault(one.name, []).append(one.value or ("on" if one.kind == "checkbox" else ""))
        path = button.attributes.get("formaction", form.action)
        if form.method == "get":
            return FilledPage(self.browser, self.browser.get(path, params=sent))
        return FilledPage(self.browser, self.browser.post(path, data=sent))

    @staticmethod
    def _default(form: Form) -> Control | None:
        """What the Enter key presses: the first button of the form, wherever it stands on the page."""
        return next((one for one in form.controls if one.kind == "button" and "type" not in one.attributes), None)

    def is_same_screen(self, other: "FilledPage") -> bool:
        """Whether two pages are the same but for their language: the same parts in the same order."""
        return [_without_language(one) for one in self.ids] == [_without_language(one) for one in other.ids]


def _without_language(name: str) -> str:
    return "language" if name.startswith("language-") else name
