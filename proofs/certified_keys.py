"""Certified keys: a signing key with its certificate chain, made, imported and read from a directory.

`{name}.key.pem` is the private key, encrypted; `{name}.chain.pem` the leaf and any intermediates; `{name}.root.pem`
the root that others add to their trust; `{name}.root.key.pem` the root's key, encrypted, kept so that a later leaf
can stand under the same root. Files are written once and never overwritten. The chain is written last: a key without
its chain was never finished, and never used.
"""

import fcntl
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from proofs.certificate_form import read_pem_chain
from proofs.identifiers import host_of
from proofs.keys import SoftwareSigner, generate_signer, load_signer, read_chain, save_signer, write_new_file
from schemas.errors import Malformed, NotFound, Refused

ROOT_VALID_FOR = timedelta(days=3652)
LEAF_VALID_FOR = timedelta(days=731)
BACKDATED = timedelta(hours=1)  # A peer whose clock is behind must not see a certificate from the future.


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A signer with its chain, and the files it rests in; `root_file` is None when an import brought no root."""

    signer: SoftwareSigner
    key_file: Path
    chain_file: Path
    root_file: Path | None


def create_certified_key(
    directory: Path,
    *,
    name: str,
    common_name: str,
    public_url: str,
    passphrase: bytes,
    now: datetime,
    leaf_valid_for: timedelta = LEAF_VALID_FOR,
) -> CertifiedKey:
    """Make a root and a leaf certificate, and write them with the encrypted keys.

    `common_name` is the organization's name as people know it; `public_url` becomes the leaf's URI subject
    alternative name and its host the DNS name (or IP address) beside it, so that it works on loopback too.
    `leaf_valid_for` is how long the leaf is valid, at most as long as the root (ten years).

    Raises `Malformed` when `public_url` has no host or `common_name` is empty, `Refused` when a file of that name
    exists.
    """
    files = _files(directory, name)
    _refuse_existing(files)
    if not common_name.strip():
        raise Malformed("a certified key needs the name of its organization")
    root, leaf = generate_signer(), generate_signer()
    root_certificate = _root_certificate(root, common_name=common_name, now=now)
    leaf_certificate = _leaf_certificate(
        leaf,
        issuer=root_certificate,
        issuer_signer=root,
        common_name=common_name,
        public_url=public_url,
        now=now,
        valid_for=min(leaf_valid_for, ROOT_VALID_FOR),
    )
    key_file, chain_file, root_file, root_key_file = files
    directory.mkdir(parents=True, exist_ok=True)
    save_signer(leaf, key_file, passphrase=passphrase)
    save_signer(root, root_key_file, passphrase=passphrase)
    write_new_file(root_file, root_certificate.public_bytes(Encoding.PEM), secret=False)
    write_new_file(chain_file, leaf_certificate.public_bytes(Encoding.PEM), secret=False)
    return load_certified_key(directory, name=name, passphrase=passphrase)


def certified_key(
    directory: Path,
    *,
    name: str,
    common_name: str,
    public_url: str,
    passphrase: bytes,
    now: datetime,
    leaf_valid_for: timedelta = LEAF_VALID_FOR,
) -> CertifiedKey:
    """The certified key of that name; made now when there is none, by exactly one of several processes.

    One that was being made when its process died is set aside. Raises what loading and creating raise.
    """
    with locked(directory):
        try:
            return load_certified_key(directory, name=name, passphrase=passphrase)
        except NotFound:
            set_aside_unfinished(directory, name=name)
            return create_certified_key(
                directory,
                name=name,
                common_name=common_name,
                public_url=public_url,
                passphrase=passphrase,
                now=now,
                leaf_valid_for=leaf_valid_for,
            )


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Nobody else makes or takes over keys in a directory meanwhile; the lock ends with its process."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_aside_unfinished(directory: Path, *, name: str) -> None:
    """A key without its chain was being made when the process died: nothing was ever signed with it.

    It is renamed rather than removed, in case somebody else put it there. Only inside `locked`.
    """
    if not (directory / f"{name}.chain.pem").exists():
        for file in directory.glob(f"{name}.*.pem"):
            file.replace(file.with_name(f"{file.name}.unfinished"))


def load_certified_key(directory: Path, *, name: str, passphrase: bytes) -> CertifiedKey:
    """Read a certified key. Raises `NotFound` when there is none of that name, `Malformed` for unreadable files."""
    key_file, chain_file, root_file, _ = _files(directory, name)
    if not key_file.exists() or not chain_file.exists():
        raise NotFound(f"there is no key named {name}")
    signer = load_signer(key_file, chain_file, passphrase=passphrase)
    return CertifiedKey(signer, key_file, chain_file, root_file if root_file.exists() else None)


def import_certified_key(
    directory: Path, *, name: str, key_pem: bytes, key_passphrase: bytes | None, chain_pem: bytes, passphrase: bytes
) -> CertifiedKey:
    """Take over an existing key and its chain (PEM, leaf first; a root at the end is kept apart).

    Raises `Malformed` when key or chain cannot be read, `Refused` when the leaf does not certify the key, is
    self-signed, or files of that name exist.
    """
    files = _files(directory, name)
    _refuse_existing(files)
    signer = SoftwareSigner.from_pem(key_pem, passphrase=key_passphrase)
    x5c = read_chain(chain_pem, signer=signer)
    certificates = read_pem_chain(chain_pem)
    key_file, chain_file, root_file, _ = files
    directory.mkdir(parents=True, exist_ok=True)
    save_signer(signer, key_file, passphrase=passphrase)
    for root in certificates[len(x5c) :]:
        write_new_file(root_file, root.public_bytes(Encoding.PEM), secret=False)
    chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates[: len(x5c)])
    write_new_file(chain_file, chain, secret=False)
    return load_certified_key(directory, name=name, passphrase=passphrase)


def _files(directory: Path, name: str) -> tuple[Path, Path, Path, Path]:
    if not name or not all(character.isalnum() or character in "-_" for character in name):
        raise Refused("a key name consists of letters, digits, hyphen and underscore")
    key, chain, root, root_key = (f"{name}.{kind}.pem" for kind in ("key", "chain", "root", "root.key"))
    return directory / key, directory / chain, directory / root, directory / root_key


def _refuse_existing(files: tuple[Path, ...]) -> None:
    for file in files:
        if file.exists():
            raise Refused(f"the file {file.name} exists already")


def _root_certificate(root: SoftwareSigner, *, common_name: str, now: datetime) -> x509.Certificate:
    subject = _subject(common_name, f"{common_name} root")
    return (
        _builder(root, subject=subject, issuer=subject, now=now, valid_for=ROOT_VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .sign(root.private_key, hashes.SHA256())
    )


def _leaf_certificate(
    leaf: SoftwareSigner,
    *,
    issuer: x509.Certificate,
    issuer_signer: SoftwareSigner,
    common_name: str,
    public_url: str,
    now: datetime,
    valid_for: timedelta,
) -> x509.Certificate:
    issuer_key = issuer_signer.private_key
    return (
        _builder(leaf, subject=_subject(common_name, common_name), issuer=issuer.subject, now=now, valid_for=valid_for)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(public_url)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _builder(
    signer: SoftwareSigner, *, subject: x509.Name, issuer: x509.Name, now: datetime, valid_for: timedelta
) -> x509.CertificateBuilder:
    public_key = signer.private_key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(organization: str, common_name: str) -> x509.Name:
    # RFC 5280 bounds both attributes to 64 characters.
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization[:64]),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(public_url: str) -> list[x509.GeneralName]:
    host = host_of(public_url)
    if host is None or any(not 0 < len(label) < 64 for label in host.split(".")):
        raise Malformed("the public URL has no host")
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(public_url)]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    return names
