"""Links that leave the wallet for an address that somebody else gave: an e-mail draft, a web page.

Such an address decides where the person's letter goes, so it is a link only where every reader agrees what it is. What
is no link is shown as the text that it is.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from proofs.identifiers import host_of

AUTHORITY_MAIL: Final = "imy@imy.se"
_MAIL: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
"""One address, without a percent sign: `a%0D%0ABcc%3Ab` would be read as two lines (RFC 6068, section 5 and 7)."""


def is_mail(address: str) -> bool:
    """Whether an address is one to write to."""
    return _MAIL.fullmatch(address) is not None


def mail_link(address: str, subject: str, body: str) -> str:
    """The draft of an e-mail; "" when the address is none. Lines end as in RFC 6068, section 5.

    A subject is one line, whatever names stand in it.
    """
    if not is_mail(address):
        return ""
    lines = "\r\n".join(body.splitlines())
    return f"mailto:{address}?subject={quote(' '.join(subject.split()), safe='')}&body={quote(lines, safe='')}"


def to_the_authority(subject: str, body: str) -> dict[str, str]:
    """A letter to the supervisory authority as its page shows it, with the draft that opens it in an e-mail."""
    href = mail_link(AUTHORITY_MAIL, subject, body)
    return {"subject": subject, "body": body, "mail": AUTHORITY_MAIL, "href": href}


def in_lines(lines: Iterable[str]) -> str:
    """A letter of these lines. No text of somebody else begins a line of its own; empty ones that follow each other are
    one."""
    written = "\n".join(" ".join(line.split()) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", written)


def is_web(url: str) -> bool:
    """Whether an address can be a link to a web page: over https, and at the same host for every reader."""
    return host_of(url, schemes=("https",)) is not None
