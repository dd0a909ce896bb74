"""Client identifiers and their prefixes (OpenID4VP 5.9)."""

_KNOWN_PREFIXES = frozenset(
    {
        "redirect_uri",
        "x509_san_dns",
        "x509_hash",
        "decentralized_identifier",
        "openid_federation",
        "verifier_attestation",
        "origin",
    }
)


def split_client_id(client_id: str) -> tuple[str, str]:
    """Split a client identifier into its prefix and the original identifier.

    The prefix is "" for a pre-registered client: one without a colon, or whose first part is no known prefix (5.9.2).
    """
    prefix, colon, original = client_id.partition(":")
    if colon and prefix in _KNOWN_PREFIXES:
        return prefix, original
    return "", client_id
