"""Settings that every service has, read from environment variables with the service's prefix.

    class IssuerSettings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix="ISSUER_")
        service: ClassVar[str] = "issuer"

    settings = IssuerSettings(data=Path("data"))
    settings.url("/token")          # "https://issuer.example/prefix/token", from ISSUER_PUBLIC_URL
    settings.problems()             # unsafe settings, each naming its variable; a service refuses to start with any

Identifiers and links come from the public URL. On loopback, where none is set, it is `http://localhost:PORT`.
"""

import difflib
import ipaddress
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_MINIMUM_PASSPHRASE_BYTES = 16
_PRIVATE_FILE_MODE = 0o600
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_ADDRESS = re.compile(
    rf"https?://(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[1-9][0-9]*)?(?:/[A-Za-z0-9._~-]+)*"
)
# A host, perhaps with a port, and no pattern: `*` would match nothing, whatever an operator hopes.
_HOST = re.compile(r"(?:[a-z0-9._-]+|\[?[0-9a-f]*:[0-9a-f:.]+\]?)(?::[1-9][0-9]{0,4})?")


class ServiceSettings(BaseSettings):
    """What the operator decides about a service. Subclasses set `env_prefix` and `service` and add their own."""

    model_config = SettingsConfigDict(env_prefix="SERVICE_", extra="ignore", frozen=True)

    service: ClassVar[str] = "service"
    """The short name of the service: it stands in cookie names, file names and log lines."""

    also_read: ClassVar[frozenset[str]] = frozenset()
    """Variables with the same prefix that commands read and that are no settings of the service."""

    data: Path = Field(description="Directory that holds everything the service writes.")
    public_url: str = Field(default="", description="Address under which people and peers reach the service.")
    host: str = Field(default="", description="Address to listen on; empty: 127.0.0.1 and ::1.")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on; 0: any free one.")
    allow_loopback: bool = Field(default=False, description="Let outgoing requests use http and loopback addresses.")
    allow_hosts: Annotated[list[str], NoDecode] = Field(
        default=[], description="Further test hosts (host or host:port) outgoing requests may reach, comma-separated."
    )
    ca_file: Path | None = Field(default=None, description="PEM file with a further root for outgoing TLS.")
    key_passphrase_file: Path | None = Field(default=None, description="File with the passphrase of the key files.")
    proxies: Annotated[list[str], NoDecode] = Field(
        default=[], description="Addresses of proxies whose X-Forwarded-For is believed, comma-separated."
    )
    time_zone: str = Field(default="Europe/Stockholm", description="Time zone in which pages show moments.")
    session_idle_seconds: int = Field(
        default=15 * 60, ge=60, le=8 * 3600, description="A session ends after this rest."
    )
    session_absolute_seconds: int = Field(default=8 * 3600, ge=60, le=24 * 3600, description="A session ends anyway.")
    body_limit_bytes: int = Field(
        default=2_000_000, ge=1_000, le=100_000_000, description="Largest request body, where no other bound holds."
    )
    api_docs: bool = Field(default=False, description="Serve the OpenAPI description and its page.")

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError("not the name of a time zone, such as Europe/Stockholm") from exc
        return value

    @field_validator("allow_hosts", "proxies", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("allow_hosts")
    @classmethod
    def _lower_case(cls, value: list[str]) -> list[str]:
        return [host.lower() for host in value]

    @field_validator("public_url")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        address = value.strip().rstrip("/")
        try:
            _ = urlsplit(address).port
        except ValueError as exc:  # Half an IPv6 address, or a port beyond 65535.
            raise ValueError("this is not an http(s) address") from exc
        return address

    @field_validator("ca_file", "key_passphrase_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    # --- addresses ---------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end: `https://host`, `https://host/prefix`, `http://localhost:8000`."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.base_url)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the public URL."""
        return f"{self._parts.scheme}://{self._parts.netloc}"

    @property
    def host_name(self) -> str:
        """The host of the public URL, without its port."""
        return self._parts.hostname or ""

    @property
    def has_host_name(self) -> bool:
        """Whether that host is a name, and not a numeric address."""
        try:
            ipaddress.ip_address(self.host_name)
        except ValueError:
            return True
        return False

    @property
    def path_prefix(self) -> str:
        """The path of the public URL without a slash at its end; empty when the service has a whole host."""
        return self._parts.path.rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether people reach the service by https."""
        return self._parts.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether the public URL names this very machine (localhost, 127.0.0.0/8, ::1)."""
        return is_loopback_host(self._parts.hostname or "")

    def url(self, path: str = "") -> str:
        """The public address of a path that starts with a slash (or of the service itself)."""
        return self.base_url + path

    def path(self, path: str) -> str:
        """The path of a link on our own pages: the prefix of the public URL and a path that starts with a slash."""
        return self.path_prefix + path

    def well_known_path(self, name: str) -> str:
        """The path of a well-known document, inserted between host and the path of the public URL (RFC 8414, 3.1).

        `well_known_path("openid-credential-issuer")` is `/.well-known/openid-credential-issuer/prefix`.
        """
        return f"/.well-known/{name}{self.path_prefix}"

    def well_known_url(self, name: str) -> str:
        """The whole address of a well-known document of this service."""
        return self.origin + self.well_known_path(name)

    def on_port(self, port: int) -> Self:
        """These settings with the port that was really bound."""
        return self.model_copy(update={"port": port})

    # --- safety ------------------------------------------------------------------------------------------------

    def variable(self, field: str) -> str:
        """The name of the environment variable of a field, for messages."""
        return f"{self.model_config.get('env_prefix', '')}{field}".upper()

    def problems(self) -> list[str]:
        """Unsafe or impossible settings, one sentence each, naming the variable. Empty when the service may start.

        Subclasses extend it: `return [*super().problems(), ...]`.
        """
        found = self._public_url_problems()
        if self.host and not is_loopback_host(self.host) and not self.is_https:
            found.append(
                f"{self.variable('host')} opens the service to other machines: set an https address in "
                f"{self.variable('public_url')} and put a TLS proxy in front."
            )
        found.extend(self._proxy_problems())
        found.extend(
            f"{self.variable('allow_hosts')} must name hosts, each as host or host:port: {host!r} is none."
            for host in self.allow_hosts
            if not _HOST.fullmatch(host)
        )
        if self.ca_file is not None and not self.ca_file.is_file():
            found.append(f"{self.variable('ca_file')} names a file that is not there.")
        if self.session_idle_seconds > self.session_absolute_seconds:
            found.append(
                f"{self.variable('session_idle_seconds')} is longer than {self.variable('session_absolute_seconds')}."
            )
        found.extend(self._passphrase_problems())
        return found

    def _proxy_problems(self) -> list[str]:
        variable = self.variable("proxies")
        found = []
        for written in self.proxies:
            try:
                everybody = written == "*" or ipaddress.ip_network(written).prefixlen == 0
            except ValueError:  # A name is never compared with anything: it would silently not count.
                found.append(f"{variable} must name addresses or networks: {written!r} is neither.")
                continue
            if everybody:
                found.append(f"{variable} must name addresses: {written!r} lets everybody forge where they come from.")
        return found

    def _public_url_problems(self) -> list[str]:
        variable, parts = self.variable("public_url"), self._parts
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return [f"{variable} is not an http(s) address."]
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            return [f"{variable} must not hold user information, a query or a fragment."]
        is_plain = _PLAIN_ADDRESS.fullmatch(self.base_url) and not {".", ".."} & set(parts.path.split("/"))
        is_usual_port = parts.port == {"http": 80, "https": 443}[parts.scheme]
        if self.public_url and (is_usual_port or not is_plain):
            # It is compared letter by letter, by browsers and peers, and stands in certificates.
            return [
                f"{variable} must be written plainly: the host in lower case (xn-- for letters beyond a to z), no port "
                "where it is the usual one, a path of letters, digits and - . _ ~ between single slashes."
            ]
        if not self.is_https and not self.is_loopback:
            return [f"{variable} must start with https:// (plain http is for loopback only)."]
        return []

    def _passphrase_problems(self) -> list[str]:
        variable = self.variable("key_passphrase_file")
        if self.key_passphrase_file is None:
            return [] if self.is_loopback else [f"{variable} must name a file: only on loopback one is made for you."]
        try:
            passphrase = self.key_passphrase_file.read_bytes().strip()
        except OSError:
            return [f"{variable} names a file that cannot be read."]
        if len(passphrase) < _MINIMUM_PASSPHRASE_BYTES:
            return [f"{variable} holds fewer than {_MINIMUM_PASSPHRASE_BYTES} characters."]
        return []

    def announcements(self) -> list[str]:
        """Settings that lift a guard, one sentence each; every one is told at start."""
        told = self._unknown_variables()
        if self.allow_loopback:
            told.append(f"{self.variable('allow_loopback')}: outgoing requests may use http and loopback addresses.")
        if self.allow_hosts:
            hosts = ", ".join(self.allow_hosts)
            told.append(f"{self.variable('allow_hosts')}: outgoing requests may reach {hosts} at any address.")
        if self.ca_file is not None:
            told.append(f"{self.variable('ca_file')}: a further root is trusted for outgoing TLS.")
        if self.proxies:
            told.append(f"{self.variable('proxies')}: X-Forwarded-For of {', '.join(self.proxies)} is believed.")
        return told

    def _unknown_variables(self) -> list[str]:
        """Variables with this service's prefix that nothing here reads, each with the known setting nearest to it.

        They are told and not refused: an orchestrator sets some of its own for a service of this name, such as
        `VERIFIER_SERVICE_HOST`. A value is never repeated, for it may be a secret.
        """
        prefix = self.variable("")
        known = {self.variable(field) for field in type(self).model_fields}
        told = []
        for written in sorted(os.environ):
            name = written.upper()  # Settings are read whatever the case of their letters.
            if not name.startswith(prefix) or name in known or name in self.also_read:
                continue
            nearest = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f" Did you mean {nearest[0]}?" if nearest else ""
            told.append(f"{written}: no setting has this name, so it does nothing.{hint}")
        return told

    # --- secrets -----------------------------------------------------------------------------------------------

    def key_passphrase(self) -> bytes:
        """The passphrase of the key files; on loopback, without a file of its own, one made in the data directory.

        Raises `UnsafeSettings` when there is none and the service is not on loopback, or has keys already: they were
        made with another one, which the service knows and this command does not.
        """
        if self.key_passphrase_file is not None:
            return self.key_passphrase_file.read_bytes().strip()
        if not self.is_loopback:
            raise UnsafeSettings(self._passphrase_problems())
        made, key = self.data / "key-passphrase", self.data / "keys" / f"{self.service}.key.pem"
        if key.exists() and not made.exists():
            raise UnsafeSettings(
                [
                    f"{self.variable('key_passphrase_file')} is not set here, and {key} has a passphrase: set it as "
                    f"the service has it. If it was made in {made}, bring that file back from a backup."
                ]
            )
        return _made_once(made, secrets.token_urlsafe(32).encode())

    def device_secret(self) -> bytes:
        """32 random bytes kept beside the database, made at the first call; login names and passphrases use it.

        Raises `UnsafeSettings` when the file is damaged.
        """
        file = self.data / "device-secret"
        try:
            return bytes.fromhex(_made_once(file, secrets.token_bytes(32).hex().encode()).decode())
        except ValueError as exc:
            raise UnsafeSettings([f"{file} is damaged: bring it back from a backup."]) from exc


class UnsafeSettings(Exception):
    """The service refuses to start; `problems` are sentences that name the variables."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def refuse_unsafe(settings: ServiceSettings) -> None:
    """Raise `UnsafeSettings` naming every unsafe setting, or return when there is none."""
    if problems := settings.problems():
        raise UnsafeSettings(problems)


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address literal is this very machine: localhost, *.localhost, 127.0.0.0/8, ::1."""
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def record_public_url(data: Path, url: str) -> None:
    """Write the public URL into the data directory, where the other commands find it."""
    data.mkdir(parents=True, exist_ok=True)
    temporary = data / f".public-url.{os.getpid()}"
    temporary.write_text(url + "\n", encoding="utf-8")
    temporary.replace(data / "public-url")


def recorded_public_url(data: Path) -> str | None:
    """The public URL that the running (or last) service recorded, or None."""
    try:
        return (data / "public-url").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _made_once(path: Path, fresh: bytes) -> bytes:
    """The content of a private file; made from `fresh` when missing. Exactly one of several processes makes it."""
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # Another process was first: its content counts.
            os.link(temporary, path)
    finally:
        temporary.unlink()
    return path.read_bytes().strip()


def settings_values(settings: ServiceSettings) -> dict[str, Any]:
    """Every setting by its variable's name, for a command that prints them. Secrets are files, so none is shown."""
    return {settings.variable(name): getattr(settings, name) for name in type(settings).model_fields}
