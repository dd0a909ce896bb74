"""The issuer's signing key at rest: made at first need, by exactly one of several processes."""

from datetime import datetime
from typing import Any

from issuer.settings import KEY_NAME, IssuerSettings
from proofs.certificate_form import read_pem_anchors
from proofs.certificates import Leaf, unverified_leaf
from proofs.certified_keys import (
    ROOT_VALID_FOR,
    CertifiedKey,
    certified_key,
    create_certified_key,
    import_certified_key,
    load_certified_key,
    locked,
    set_aside_unfinished,
)
from proofs.haip import key_faults
from proofs.jwe import KEY_AGREEMENT
from proofs.keys import SoftwareSigner, generate_signer, load_signer, read_chain, save_signer
from schemas.errors import NotFound, Refused
from service.settings import UnsafeSettings

ENCRYPTION_KEY_NAME = "issuer-encryption"


class KeyExists(Refused):
    """There is a signing key already."""

    error = "key_exists"


class KeyOfAnotherIssuer(Refused):
    """The certificate of the signing key does not name this issuer's public URL."""


def signing_key(settings: IssuerSettings, *, now: datetime) -> CertifiedKey:
    """The key that signs certificates and status lists; made now if there is none yet.

    Raises `KeyOfAnotherIssuer` when its certificate speaks for another address: nobody would trust what it signs.
    """
    key = certified_key(settings.keys, **_terms(settings, now=now))
    _check_names(unverified_leaf(key.signer.x5c), settings, where=f"the certificate in {key.chain_file}")
    return key


def existing_key(settings: IssuerSettings) -> CertifiedKey | None:
    """The signing key, or None when none was made yet."""
    try:
        return load_certified_key(settings.keys, name=KEY_NAME, passphrase=settings.key_passphrase())
    except NotFound:
        return None


def create_key(settings: IssuerSettings, *, now: datetime) -> CertifiedKey:
    """Make the signing key: a root, and a leaf that names the public URL. Raises `KeyExists` when there is one."""
    with locked(settings.keys):
        _refuse_a_second_key(settings)
        set_aside_unfinished(settings.keys, name=KEY_NAME)
        return create_certified_key(settings.keys, **_terms(settings, now=now))


def import_key(
    settings: IssuerSettings, *, key_pem: bytes, key_passphrase: bytes | None, chain_pem: bytes, now: datetime
) -> CertifiedKey:
    """Take over a key and its chain.

    Raises `KeyExists` when there is a key already, `Malformed` or `Refused` when the two cannot be read or do not
    belong together, `KeyOfAnotherIssuer` when the chain names somebody else, `UnsafeSettings` when HAIP is demanded and
    the key does not allow it; then nothing is kept.
    """
    with locked(settings.keys):
        _refuse_a_second_key(settings)
        signer = SoftwareSigner.from_pem(key_pem, passphrase=key_passphrase)
        x5c = read_chain(chain_pem, signer=signer)
        _check_names(unverified_leaf(x5c), settings, where="the certificate to import")
        if settings.haip:
            # What follows the certificates that travel is their root, kept apart from them.
            roots = read_pem_anchors(chain_pem)[len(x5c) :]
            if faults := key_faults(signer.with_chain(x5c), anchors=roots, switch=settings.variable("haip"), now=now):
                raise UnsafeSettings(faults)
        set_aside_unfinished(settings.keys, name=KEY_NAME)
        return import_certified_key(
            settings.keys,
            name=KEY_NAME,
            key_pem=key_pem,
            key_passphrase=key_passphrase,
            chain_pem=chain_pem,
            passphrase=settings.key_passphrase(),
        )


def encryption_key(settings: IssuerSettings) -> dict[str, str]:
    """The private JWK to which wallets encrypt their requests; made now if there is none yet."""
    file = settings.keys / f"{ENCRYPTION_KEY_NAME}.key.pem"
    with locked(settings.keys):
        if not file.exists():
            save_signer(generate_signer(), file, passphrase=settings.key_passphrase())
    signer = load_signer(file, None, passphrase=settings.key_passphrase())
    return {**signer.private_jwk(), "use": "enc", "alg": KEY_AGREEMENT, "kid": signer.kid}


def valid_until(key: CertifiedKey) -> datetime:
    """Until when the key's certificate is valid; nothing that it signs is good for longer."""
    return unverified_leaf(key.signer.x5c).not_after


def _check_names(leaf: Leaf, settings: IssuerSettings, *, where: str) -> None:
    """Raise `KeyOfAnotherIssuer` unless the leaf names the public URL."""
    if not leaf.names(settings.base_url):
        named = ", ".join(leaf.uris or leaf.dns_names) or "nobody"
        raise KeyOfAnotherIssuer(
            f"{where[0].upper()}{where[1:]} speaks for {named}, not for {settings.base_url}: set "
            f"{settings.variable('public_url')} to that address (or --port to its port), or use another data directory."
        )


def _refuse_a_second_key(settings: IssuerSettings) -> None:
    if (key := existing_key(settings)) is not None:
        raise KeyExists(f"There is a signing key already, in {key.key_file}. A new one needs another data directory.")


def _terms(settings: IssuerSettings, *, now: datetime) -> dict[str, Any]:
    """How a key is made."""
    return {
        "name": KEY_NAME,
        "common_name": settings.names["sv"],
        "public_url": settings.base_url,
        "passphrase": settings.key_passphrase(),
        "now": now,
        "leaf_valid_for": ROOT_VALID_FOR,  # No copy outlives the chain that signed it, and certificates live for years.
    }
