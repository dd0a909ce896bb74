"""Hosts as a person reads them.

host_of("https://Employer.Example:8443/x")     # "employer.example:8443"
host_of("https://exämple.example/")            # "xn--exmple-cua.example": two scripts can look alike
"""

from urllib.parse import urlsplit

_USUAL_PORTS = {"https": 443, "http": 80}


def host_of(url: str) -> str:
    """Host (and port, if unusual) of a URL, ASCII and lower case; empty when there is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        # A name in another script is shown in its encoded form, so that a look-alike shows as what it is.
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port and port != _USUAL_PORTS.get(parts.scheme) else shown
