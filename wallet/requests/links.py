"""The link of a request, before anything is fetched: where it would be read from, and how it came.

    link = parse_link("openid4vp://?client_id=x509_hash%3A...&request_uri=https%3A%2F%2Femployer.example%2Fr%2F1")
    asked_host(link)            # "employer.example", which is all a page shows before the person says yes (S0)

Source: OpenID4VP 1.0, sections 5, 5.10 and 9; HAIP 1.0, section 5.1.
"""

from enum import StrEnum
from typing import Any

from proofs import jose, strict_json
from schemas.errors import ProtocolError
from schemas.presentation import RequestLink, split_client_id
from wallet.hosts import host_of


class CameBy(StrEnum):
    """How a request came to the person: asked about at S0, and kept in the history."""

    LINK = "link"  # opened in this browser
    PASTED = "pasted"
    PICTURE = "picture"  # a picture of a QR code
    CAMERA = "camera"  # a QR code before the camera
    CODE = "code"  # typed
    COMMAND = "command"  # the command line

    @property
    def perhaps_from_elsewhere(self) -> bool:
        """Whether another device, and so perhaps another person, may have started it."""
        return self is not CameBy.LINK


def asked_host(link: RequestLink) -> str:
    """The host that the person is asked about: where the request is fetched, else where an answer would go."""
    return host_of(link.request_uri or _answer_address(link))


def _answer_address(link: RequestLink) -> str:
    if link.request:
        try:
            return str(strict_json.loads_object(jose.parse_jws(link.request).payload).get("response_uri", ""))
        except ProtocolError:
            return ""
    prefix, original = split_client_id(link.client_id)
    return str((link.parameters or {}).get("response_uri") or (original if prefix == "redirect_uri" else ""))


def link_as_json(link: RequestLink) -> dict[str, Any]:
    """The link as it rests between two screens."""
    return {
        "client_id": link.client_id,
        "request_uri": link.request_uri,
        "request_uri_method": link.request_uri_method,
        "request": link.request,
        "parameters": dict(link.parameters) if link.parameters is not None else None,
    }


def link_from_json(members: dict[str, Any]) -> RequestLink:
    """The link as it was before `link_as_json`."""
    return RequestLink(**members)
