"""The file of a whole wallet: a zip archive with a manifest, encrypted unless the person wants it plain.

    file = await sealed_archive(write_archive(files, made_at=now), passphrase)
    files = read_archive(await opened_archive(file, passphrase))     # {"history.json": b"...", ...}, all as written

The encrypted form is one line that names the format, one line of JSON with salt and cost, and the sealed archive; both
lines are authenticated. The cost is pinned: a file with another one is refused before anything is derived. The archive
is never unpacked to disk. Its names, number, sizes and digests are checked against the manifest, and what it inflates
to is bounded, so that a hostile file is refused within bounded time and memory. See docs/export.md.
"""

import hashlib
import io
import re
import secrets
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from proofs import base64url, sealing, strict_json
from schemas.errors import Malformed, ProtocolError, Refused
from service.passwords import KDFParameters, derive_key

FORMAT, VERSION = "urn:intyga:wallet-export", 1
KNOWN_VERSIONS = frozenset({1})
MAX_FILE_BYTES = 32_000_000
MAX_INFLATED_BYTES = 96_000_000
MAX_FILES = 20_000
SHORTEST_PASSPHRASE = 8

_MAGIC = b"intyga-wallet-export 1\n"
_COST = "argon2id,65536,3,4"
_MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,80}(/[a-z0-9][a-z0-9.-]{0,80}){0,3}")
# The file has to open anywhere, so that no device secret can be part of its key; derive_key asks for one.
_EVERYWHERE = hashlib.sha256(b"intyga wallet export 1").digest()


class ExportBroken(Malformed):
    """This is not a whole file of a wallet: something in it is missing, changed or not of the known form."""

    error = "export_broken"


class ExportTooLarge(ExportBroken):
    """The file is larger than what is read here, or would become so."""

    error = "export_too_large"
    status = 413


class UnknownExportVersion(ExportBroken):
    """The file was made by a later version of the wallet."""

    error = "unknown_export_version"


class ExportLocked(Refused):
    """The passphrase does not open this file, or the file was changed or is torn."""

    error = "export_locked"
    status = 403


class UnsuitableFilePassphrase(Refused):
    """The passphrase for the file is too short."""

    error = "unsuitable_file_passphrase"


def write_archive(files: Mapping[str, bytes], *, made_at: datetime) -> bytes:
    """The archive of files by their names, with a manifest that holds the size and the SHA-256 of each."""
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    manifest = {"format": FORMAT, "version": VERSION, "made_at": int(made_at.timestamp()), "files": listed}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {_MANIFEST: strict_json.dumps(manifest), **files}.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name} cannot be a name in an archive")
            # A fixed time, as the manifest has the real one: the same content gives the same archive.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


async def sealed_archive(archive: bytes, passphrase: str) -> bytes:
    """The archive, encrypted under a passphrase of its own. Raises `UnsuitableFilePassphrase`."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UnsuitableFilePassphrase
    salt = secrets.token_bytes(16)
    header = _MAGIC + strict_json.dumps({"kdf": _COST, "salt": base64url.encode(salt)}) + b"\n"
    return header + sealing.seal(await _key(passphrase, salt), archive, context=header)


def is_sealed(file: bytes) -> bool:
    """Whether a file is one that a passphrase opens."""
    return file.startswith(_MAGIC)


async def opened_archive(file: bytes, passphrase: str) -> bytes:
    """The archive in a file; one that was saved plain is it already.

    Raises `ExportTooLarge`, `ExportBroken`, and `ExportLocked` when the passphrase is another one or a byte differs.
    """
    if len(file) > MAX_FILE_BYTES:
        raise ExportTooLarge
    if not is_sealed(file):
        return file
    end = file.find(b"\n", len(_MAGIC), len(_MAGIC) + 500)
    if end < 0:
        raise ExportBroken
    header = file[: end + 1]
    try:
        said = strict_json.loads_object(file[len(_MAGIC) : end])
        salt = base64url.decode(said["salt"])
    except (ProtocolError, KeyError, TypeError, ValueError) as exc:
        raise ExportBroken from exc
    if said.get("kdf") != _COST or len(salt) != 16:
        raise ExportBroken("the cost of the key derivation is not the one of this version")
    try:
        return sealing.unseal(await _key(passphrase, salt), file[end + 1 :], context=header)
    except sealing.SealBroken as exc:
        raise ExportLocked from exc


def read_archive(archive: bytes) -> dict[str, bytes]:
    """The files of an archive, each as its manifest says.

    Raises `ExportBroken`, `ExportTooLarge`, `UnknownExportVersion`.
    """
    if len(archive) > MAX_FILE_BYTES:
        raise ExportTooLarge
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            files = _inflated(opened)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as exc:
        raise ExportBroken from exc
    manifest = _manifest(files.pop(_MANIFEST, b""))
    listed = {one["name"]: one for one in manifest["files"]}
    if len(listed) != len(manifest["files"]) or set(listed) != set(files):
        raise ExportBroken("the files are not those of the manifest")
    for name, content in files.items():
        if listed[name]["size"] != len(content) or listed[name]["sha256"] != hashlib.sha256(content).hexdigest():
            raise ExportBroken("a file is not the one of the manifest")
    return files


def _inflated(archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise ExportTooLarge
    files: dict[str, bytes] = {}
    left = MAX_INFLATED_BYTES
    for member in members:
        if not _NAME.fullmatch(member.filename) or member.filename in files:
            raise ExportBroken("a name in the archive is not one that is written here")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 0x1:
            raise ExportBroken("a file in the archive is packed in another way")
        with archive.open(member) as packed:
            content = packed.read(left + 1)  # What the archive says of its sizes is not believed.
        left -= len(content)
        if left < 0:
            raise ExportTooLarge
        files[member.filename] = content
    return files


def _manifest(content: bytes) -> dict[str, Any]:
    try:
        manifest = strict_json.loads_object(content, max_bytes=10_000_000)
        if manifest["format"] != FORMAT:
            raise ExportBroken
        if manifest["version"] not in KNOWN_VERSIONS:
            raise UnknownExportVersion
        for one in manifest["files"]:
            if not (isinstance(one["name"], str) and isinstance(one["size"], int) and isinstance(one["sha256"], str)):
                raise ExportBroken
    except (KeyError, TypeError, AttributeError) as exc:
        raise ExportBroken from exc
    except ExportBroken:
        raise
    except Malformed as exc:
        raise ExportBroken from exc
    return manifest


async def _key(passphrase: str, salt: bytes) -> bytes:
    return await derive_key(passphrase, salt=salt, device_secret=_EVERYWHERE, parameters=KDFParameters.from_text(_COST))
