"""A member of staff with a browser that runs no scripts: reads pages, fills in their forms, follows redirects."""

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from lxml import html

from tests.issuer.desk import Desk

PASSWORD = "a long and quiet password"
ROOT = Path(__file__).parent.parent.parent.parent
RECORD = (ROOT / "examples" / "data" / "study-record.xml").read_bytes()


@dataclass
class Registrar:
    """One browser. `page` is what it shows, `at` the path it is on (without the prefix of the public URL)."""

    desk: Desk
    language: str = "en"
    page: Any = None
    at: str = ""
    status: int = 0
    text: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def _headers(self) -> dict[str, str]:
        return {"Accept": "text/html", "Accept-Language": self.language}

    def _show(self, answer: Any) -> "Registrar":
        self.status, self.text = answer.status_code, answer.text
        self.at = str(answer.url).removeprefix(self.desk.issuer)
        self.page = html.fromstring(answer.text)
        assert answer.headers["content-type"].startswith("text/html"), answer.text
        return self

    def visit(self, path: str) -> "Registrar":
        """Open a page of ours, by its path or its whole address."""
        address = path if path.startswith("https://") else self.desk.url(path)
        return self._show(self.desk.client.get(address, headers=self._headers(), follow_redirects=True))

    def send(self, path: str, files: Any = None, **fields: Any) -> "Registrar":
        """Send a form to a path, with the token of the page that is shown."""
        token = self.page.xpath("//input[@name='csrf']/@value")
        data = {"csrf": token[0] if token else ""} | fields
        answer = self.desk.client.post(
            self.desk.url(path), data=data, files=files, headers=self._headers(), follow_redirects=True
        )
        return self._show(answer)

    def press(self, button_id: str, **fields: Any) -> "Registrar":
        """Press a button: sends its form with what is filled in and these further values."""
        button = self.page.get_element_by_id(button_id)
        form = next(button.iterancestors("form"))
        filled: dict[str, Any] = {}
        for element in form.xpath(".//input[@name]|.//select[@name]|.//textarea[@name]"):
            if element.get("type") in ("checkbox", "radio") and element.get("checked") is None:
                continue
            if element.tag == "select":
                chosen = element.xpath("./option[@selected]/@value") or element.xpath("./option[1]/@value")
                filled[element.get("name")] = chosen[0]
            elif element.get("type") == "file":
                continue
            else:
                filled.setdefault(element.get("name"), []).append(element.get("value") or element.text or "")
        if button.get("name"):
            filled[button.get("name")] = button.get("value")
        path = form.get("action").removeprefix(self.desk.settings.path_prefix)
        return self.send(path, **(filled | fields))

    def words(self) -> str:
        """The text of the page, in one line."""
        return " ".join(self.page.text_content().split())

    def ids(self, prefix: str) -> list[str]:
        """The ids on the page that begin with a prefix, without it."""
        return [i.removeprefix(prefix) for i in self.page.xpath("//@id") if i.startswith(prefix)]

    def link(self, element_id: str) -> str:
        """Where a link leads."""
        return str(unescape(self.page.get_element_by_id(element_id).get("href")))

    def sign_in(self) -> "Registrar":
        """Make the first account with a fresh code, and be signed in."""
        code = asyncio.run(self.desk.context.store.accounts.setup_code(now=self.desk.clock()))
        self.visit("/setup")
        return self.send("/setup", setup_code=code, login="registrator", password=PASSWORD)

    def upload(self, data: bytes, name: str = "results.xml") -> "Registrar":
        """Choose a file and look at it."""
        self.visit("/import")
        return self.send("/import", files={"file": (name, data, "application/octet-stream")})

    def keep_record(self, data: bytes = RECORD) -> str:
        """Read the demo record and keep it; returns the identifier of the import."""
        self.upload(data)
        self.press("keep")
        found = re.fullmatch(r"/results/([\w-]+)", self.at)
        assert found, self.words()
        return found[1]

    def offer(self, *numbers: int, type_name: str = "micro-credential", tx_code: str = "no") -> "Registrar":
        """Choose results by their position on the page that is shown, look at the preview and offer."""
        results = [self.page.get_element_by_id(f"choose-{number}").get("value") for number in numbers]
        self.press("show-preview", result=results, type=type_name, tx_code=tx_code)
        assert self.status == 200, self.words()
        return self.press("make-offers")
