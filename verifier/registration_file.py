"""The verifier's own registration certificate, which a registrar issued and every request carries along.

    registration = RegistrationFile(settings.registration_file, identity)
    registration.check(now=now)                  # at start and for `/ready`: raises `UnusableRegistration`
    registration.current(now=now)                # for a request: the certificate, or "" when there is none that holds

Without a file there is none. The file is read anew when it has changed. One that is not ours, has ended or cannot be
read is not sent: a wallet would call it false, and warn of us.

Source: ETSI TS 119 475, clause 5.2 (`rc-wrp+jwt`); OpenID4VP 1.0, section 5.1 (`verifier_info`).
"""

from datetime import datetime
from pathlib import Path

import structlog

from proofs.leaf import unverified_leaf
from proofs.registration_certificate import MAX_BYTES, NotOurs, RegistrationExpired, read_own_registration
from schemas.errors import ProtocolError, TemporarilyUnavailable
from verifier.requests import ClientIdentity

VARIABLE = "VERIFIER_REGISTRATION_FILE"

_log = structlog.get_logger("verifier")


class UnusableRegistration(TemporarilyUnavailable):
    """The registration certificate of this verifier cannot be sent."""


class RegistrationFile:
    """The file of the setting, and what was read from it last."""

    def __init__(self, path: Path | None, identity: ClientIdentity) -> None:
        self._path = path
        self._identifiers = identifiers_of(identity)
        self._version: tuple[int, int, int] | None = None
        self._token = ""
        self._told = ""

    def current(self, *, now: datetime) -> str:
        """The registration certificate to send along; empty when there is none, or none that holds.

        Why it is left out stands in the log, once for each reason.
        """
        try:
            token = self._usable(now)
        except UnusableRegistration as exc:
            if self._told != str(exc):
                _log.warning("registration_left_out", reason=str(exc))
            self._told = str(exc)
            return ""
        self._told = ""
        return token

    def check(self, *, now: datetime) -> None:
        """Raise `UnusableRegistration`, in a sentence that names the setting, when there is one that does not hold."""
        self._usable(now)

    def _usable(self, now: datetime) -> str:
        if self._path is None:
            return ""
        if not self._identifiers:
            raise UnusableRegistration(f"{VARIABLE}: requests are not signed, so no registration counts for them.")
        token = self._read(self._path)
        try:
            read_own_registration(token, identifiers=self._identifiers, now=now)
        except RegistrationExpired as exc:
            raise UnusableRegistration(f"{VARIABLE}: {exc}.") from exc
        except NotOurs as exc:
            mine = ", ".join(sorted(self._identifiers))
            raise UnusableRegistration(f"{VARIABLE}: {exc}; this verifier is {mine}.") from exc
        except ProtocolError as exc:
            raise UnusableRegistration(
                f"{VARIABLE} holds no registration certificate that can be used: {exc}."
            ) from exc
        return token

    def _read(self, path: Path) -> str:
        """The text of the file, read only when it is another than last time."""
        try:
            found = path.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            if version != self._version:
                with path.open("rb") as file:
                    self._token = file.read(MAX_BYTES + 2).decode("ascii").strip()
                self._version = version
        except (OSError, UnicodeDecodeError) as exc:
            self._version = None
            raise UnusableRegistration(f"{VARIABLE} names a file that cannot be read.") from exc
        return self._token


def identifiers_of(identity: ClientIdentity) -> frozenset[str]:
    """By what a wallet can tell that a registration is ours: what our own proof names. Empty when nothing is signed."""
    if identity.signer is None:
        return frozenset()
    if identity.did:
        return frozenset({identity.did, identity.client_id})
    leaf = unverified_leaf(identity.signer.x5c)
    return frozenset({*leaf.uris, leaf.organization_identifier, identity.client_id} - {""})
