"""The issuer's signing key at rest: made at first need, by exactly one of several processes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from issuer.settings import KEY_NAME, IssuerSettings
from proofs.certificates import unverified_leaf
from proofs.certified_keys import CertifiedKey, create_certified_key, import_certified_key, load_certified_key
from schemas.errors import NotFound, Refused


class KeyOfAnotherIssuer(Refused):
    """The certificate of the signing key does not name this issuer's public URL."""


def signing_key(settings: IssuerSettings, *, now: datetime) -> CertifiedKey:
    """The key that signs certificates and status lists; made now if there is none yet.

    Raises `KeyOfAnotherIssuer` when its certificate speaks for another address: nobody would trust what it signs.
    """
    with _locked(settings.keys):
        key = existing_key(settings)
        if key is None:
            key = _create(settings, now=now)
    check_names(key, settings)
    return key


def existing_key(settings: IssuerSettings) -> CertifiedKey | None:
    """The signing key, or None when none was made yet."""
    try:
        return load_certified_key(settings.keys, name=KEY_NAME, passphrase=settings.key_passphrase())
    except NotFound:
        return None


def create_key(settings: IssuerSettings, *, now: datetime) -> CertifiedKey:
    """Make the signing key: a root, and a leaf that names the public URL. Raises `Refused` when there is one."""
    with _locked(settings.keys):
        return _create(settings, now=now)


def import_key(
    settings: IssuerSettings, *, key_pem: bytes, key_passphrase: bytes | None, chain_pem: bytes
) -> CertifiedKey:
    """Take over a key and its chain. Raises `Refused` when there is a key already, or the chain names somebody else."""
    with _locked(settings.keys):
        key = import_certified_key(
            settings.keys,
            name=KEY_NAME,
            key_pem=key_pem,
            key_passphrase=key_passphrase,
            chain_pem=chain_pem,
            passphrase=settings.key_passphrase(),
        )
    check_names(key, settings)
    return key


def check_names(key: CertifiedKey, settings: IssuerSettings) -> None:
    """Raise `KeyOfAnotherIssuer` unless the leaf names the public URL."""
    leaf = unverified_leaf(key.signer.x5c)
    if not leaf.names(settings.base_url):
        named = ", ".join(leaf.uris or leaf.dns_names) or "nobody"
        raise KeyOfAnotherIssuer(
            f"The certificate in {key.chain_file} speaks for {named}, not for {settings.base_url}: set "
            f"{settings.variable('public_url')} to that address (or --port to its port), or use another data directory."
        )


def _create(settings: IssuerSettings, *, now: datetime) -> CertifiedKey:
    return create_certified_key(
        settings.keys,
        name=KEY_NAME,
        common_name=settings.names["sv"],
        public_url=settings.base_url,
        passphrase=settings.key_passphrase(),
        now=now,
    )


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
