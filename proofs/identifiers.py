"""Web addresses as identifiers, taken apart in the one way on which every reader agrees.

Readers of addresses differ about user names, backslashes, white space and letters beyond ASCII: for one of them
`https://a.example\\@b.example/` is at `a.example`, for another at `b.example`. Where a host decides whom we believe or
where data goes, such an address has no host at all.

    host_of("https://University.example:8443/a")   # "university.example"
    host_of("https://a.example\\@b.example/")      # None
"""

import re
from typing import Any, Final

_WEB_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#][!#-;=?-\[\]_a-z~]*)?"
)
"""RFC 3986 without user information: host and port, then characters that a URI may have, and no others."""


def host_of(address: Any, *, schemes: tuple[str, ...] = ("https", "http")) -> str | None:
    """The host of a web address in lower case, IPv6 addresses without brackets; None for everything else."""
    found = _WEB_ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found is None or found["scheme"] not in schemes:
        return None
    return found["host"].lower().strip("[]")
