"""Decentralized identifiers, as far as a verifier can ask by one: `did:jwk` and `did:web`.

    addresses = did_document_addresses("did:web:employer.example", allow_loopback=False)   # where its document lies
    key = signing_key(document, did="did:web:employer.example", kid="did:web:employer.example#key-1")

A DID proves that whoever signed holds a key (`did:jwk`) or rules a domain (`did:web`), never who that is. A document is
a stranger's text: it must be that of the very DID, the key must be named by the whole `kid`, once, be under the DID's
own control, and be meant for signing as the DID (`authentication` or `assertionMethod`).

Source: DID Core, sections 3.1, 5.2 and 5.3; the methods did:web and did:jwk; OpenID4VP 1.0, section 5.9.3.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from proofs import base64url, strict_json
from proofs.keys import check_public_jwk
from schemas.errors import Malformed, Refused

MAX_DID_CHARACTERS: Final = 1_000
MAX_DOCUMENT_BYTES: Final = 100_000
MAX_METHODS: Final = 100

_DID: Final = re.compile(r"did:(?P<method>[a-z0-9]+):(?P<rest>(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}|:)*[A-Za-z0-9._-])")
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]+")
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?-]+")
_RELATIONSHIPS: Final = ("authentication", "assertionMethod")
_LOOPBACK: Final = "localhost"


def did_method(did: str) -> str:
    """The method of a DID, for example `web`. Raises `Malformed` for what is no DID, a DID URL among it."""
    found = _DID.fullmatch(did) if len(did) <= MAX_DID_CHARACTERS else None
    if found is None:
        raise Malformed("this is not a decentralized identifier")
    return found["method"]


def did_web(public_url: str) -> str:
    """The `did:web` of a web address: its host and port, and its path. Raises `Malformed` when it can have none."""
    host, *path = public_url.partition("://")[2].rstrip("/").split("/")
    did = ":".join(("did", "web", host.lower().replace(":", "%3A"), *path))
    did_document_addresses(did, allow_loopback=False)
    return did


def did_web_host(did: str) -> str:
    """The host that a `did:web` speaks for, with its port where it names one. Raises `Malformed`, as for an IP address.

    A percent-encoded colon before the port is the only encoding that is read.
    """
    if did_method(did) != "web":
        raise Malformed("this is not a did:web")
    host, *_ = did.split(":")[2:]
    name, _, port = host.replace("%3a", "%3A").partition("%3A")
    if not _HOST.fullmatch(name) or ("%" in host and not (_PORT.fullmatch(port) and int(port) < 65536)):
        # No IP address (its last label is a number), no user, no capital letters, nothing else encoded.
        raise Malformed("this did:web names no host")
    return f"{name}:{port}" if port else name


def did_document_addresses(did: str, *, allow_loopback: bool) -> tuple[str, ...]:
    """Where the document of a `did:web` lies: by https, and nowhere else.

    With `allow_loopback`, the document of `localhost` may also be had by http, when https is not spoken there: the
    identifier does not say which, and both are in use on one machine. Raises `Malformed`.
    """
    host = did_web_host(did)
    path = did.split(":")[3:]
    if any(not _SEGMENT.fullmatch(part) or part in (".", "..") for part in path):
        raise Malformed("the path of this did:web cannot be used")
    place = f"//{host}/{'/'.join(path) if path else '.well-known'}/did.json"
    is_here = allow_loopback and host.partition(":")[0] == _LOOPBACK
    return (f"https:{place}", f"http:{place}") if is_here else (f"https:{place}",)


def did_jwk(public_jwk: Mapping[str, Any]) -> str:
    """The `did:jwk` of a public key. Raises as `check_public_jwk`."""
    return f"did:jwk:{base64url.encode(strict_json.dumps(check_public_jwk(public_jwk)))}"


def did_jwk_document(did: str) -> dict[str, Any]:
    """The document that a `did:jwk` stands for. Raises `Malformed`, or `Refused` when the key is meant otherwise."""
    if did_method(did) != "jwk":
        raise Malformed("this is not a did:jwk")
    jwk = strict_json.loads_object(base64url.decode(did.removeprefix("did:jwk:")), max_bytes=MAX_DID_CHARACTERS)
    check_public_jwk(jwk)
    if jwk.get("use", "sig") != "sig":
        raise Refused("the key of this did:jwk is not for signatures")
    return did_document(did, kid=f"{did}#0", public_jwk=jwk)


def did_document(did: str, *, kid: str, public_jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a DID with one key, with which it authenticates and asserts."""
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": did,
        "verificationMethod": [
            {"id": kid, "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": dict(public_jwk)}
        ],
        "authentication": [kid],
        "assertionMethod": [kid],
    }


def check_kid(kid: Any, *, did: str) -> str:
    """The `kid` of a token signed by a DID: a whole DID URL with a fragment, of this very DID (OpenID4VP 5.9.3).

    Raises `Refused`. It needs no document, so that nothing is fetched for a token that names another DID's key.
    """
    if not isinstance(kid, str) or len(kid) > 2 * MAX_DID_CHARACTERS:
        raise Refused("the token does not name the key that signed it")
    base, _, fragment = kid.partition("#")
    if base != did or not _FRAGMENT.fullmatch(fragment):
        raise Refused("the token does not name a key of its sender")
    return kid


def read_did_document(text: str | bytes, *, did: str) -> dict[str, Any]:
    """Read a document that was fetched. Raises `Malformed`, `Refused` when it is that of another DID."""
    document = strict_json.loads_object(text, max_bytes=MAX_DOCUMENT_BYTES)
    if document.get("id") != did:
        raise Refused("the document is that of another decentralized identifier")
    return document


def signing_key(document: Mapping[str, Any], *, did: str, kid: str) -> dict[str, str]:
    """The key that `kid` names in the document of `did`, in minimal form.

    The method must stand in `verificationMethod` exactly once, name the DID as its controller, carry its key as
    `publicKeyJwk`, and be listed in `authentication` or `assertionMethod`: one that is only for key agreement, or in no
    relationship at all, signs nothing here (DID Core 5.3). Relative ids are read as the DID's own.

    Raises `Malformed` or `Refused`.
    """
    check_kid(kid, did=did)
    methods = document.get("verificationMethod")
    if document.get("id") != did or not isinstance(methods, list) or len(methods) > MAX_METHODS:
        raise Refused("the document names no keys of this decentralized identifier")
    named = [one for one in methods if isinstance(one, dict) and _absolute(one.get("id"), did) == kid]
    if len(named) != 1:
        raise Refused("the document does not name the key of the signature, or names it twice")
    (method,) = named
    if method.get("controller") != did:
        raise Refused("the key of the signature is under somebody else's control")
    if not any(kid in _listed(document.get(name), did) for name in _RELATIONSHIPS):
        raise Refused("the key of the signature is not meant for signing")
    jwk = method.get("publicKeyJwk")
    if not isinstance(jwk, dict):
        raise Malformed("the key of the signature is not given as a JWK")
    if jwk.get("use", "sig") != "sig":
        raise Refused("the key of the signature is not for signatures")
    return check_public_jwk(jwk)


def _listed(relationship: Any, did: str) -> set[str]:
    """The ids that a verification relationship refers to.

    A method that is written out inside a relationship is no part of `verificationMethod`, from which the key must come.
    """
    if not isinstance(relationship, list) or len(relationship) > MAX_METHODS:
        return set()
    return {_absolute(one, did) for one in relationship if isinstance(one, str)}


def _absolute(identifier: Any, did: str) -> str:
    if not isinstance(identifier, str):
        return ""
    return did + identifier if identifier.startswith("#") else identifier
