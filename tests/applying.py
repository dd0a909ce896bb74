"""The example application of Jobbsprånget as a process beside the services, and a browser of sorts that visits it."""

import http.client
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from examples.jobbspranget.running import running_application

__all__ = ["EXAMPLE", "WAIT_SECONDS", "Visitor", "running_application"]

EXAMPLE = Path(__file__).parents[1] / "examples" / "jobbspranget"
WAIT_SECONDS = 60.0


@dataclass
class Visitor:
    """A browser of its own, as far as one page needs it: keeps cookies for their paths, and follows no links."""

    cookies: dict[str, str] = field(default_factory=dict)

    def opens(self, url: str, *, language: str = "sv") -> tuple[int, str]:
        """The status and the text of a page."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
        held = [cookie for path, cookie in self.cookies.items() if parts.path.startswith(path)]
        try:
            headers = {"Accept-Language": language} | ({"Cookie": "; ".join(held)} if held else {})
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target or "/", headers=headers)
            answer = connection.getresponse()
            for set_cookie in answer.headers.get_all("Set-Cookie") or []:
                path = re.search(r"Path=([^;]+)", set_cookie, re.IGNORECASE)
                self.cookies[path[1] if path else "/"] = set_cookie.partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()
