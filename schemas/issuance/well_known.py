"""Well-known addresses: the string goes between host and path of an identifier."""

from urllib.parse import urlsplit, urlunsplit

from schemas.errors import Malformed


def well_known_url(identifier: str, name: str, *, keep_trailing_slash: bool) -> str:
    """Insert `/.well-known/NAME` between host and path of an identifier.

    `keep_trailing_slash` follows OpenID4VCI (insertion only); RFC 8414 and SD-JWT VC remove a terminating slash first.
    Raises `Malformed` when the identifier is no http(s) URL, or has user information, query or fragment.
    Whether http is allowed at all is judged by whoever fetches.
    """
    try:
        parts = urlsplit(identifier)
        host = parts.hostname
    except ValueError as exc:
        raise Malformed("the identifier is not a URL") from exc
    if (
        parts.scheme not in ("https", "http")
        or not host
        or "@" in parts.netloc
        or "?" in identifier
        or "#" in identifier
    ):
        raise Malformed("an identifier is an https URL without user information, query and fragment")
    path = parts.path if keep_trailing_slash else parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, f"/.well-known/{name}{path}", "", ""))


def credential_issuer_metadata_url(credential_issuer: str) -> str:
    """Where the metadata of a credential issuer is (12.2.2): `https://h/a/` keeps its trailing slash."""
    return well_known_url(credential_issuer, "openid-credential-issuer", keep_trailing_slash=True)


def authorization_server_metadata_url(issuer: str) -> str:
    """Where the metadata of an authorization server is (RFC 8414, section 3.1): a trailing slash is dropped."""
    return well_known_url(issuer, "oauth-authorization-server", keep_trailing_slash=False)


def jwt_vc_issuer_metadata_url(issuer: str) -> str:
    """Where the JWT VC issuer metadata is (SD-JWT VC, section 4): a trailing slash is dropped."""
    return well_known_url(issuer, "jwt-vc-issuer", keep_trailing_slash=False)
