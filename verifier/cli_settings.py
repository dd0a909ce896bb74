"""How the commands find the verifier's settings and public URL."""

from pathlib import Path
from typing import Annotated, Any

from service.clock import utc_now
from service.commands import CommandFailed, data_option
from service.http import OutgoingHTTP
from service.settings import recorded_public_url, refuse_unsafe
from verifier.app import make_verifier
from verifier.exchange import Verifier
from verifier.settings import VerifierSettings

VerifierData = Annotated[Path, data_option("verifier")]
DEFAULT_DATA = Path("verifier-data")


def settings_for(data: Path, *, needs_url: bool = True) -> VerifierSettings:
    """The settings of a command that works beside the service.

    Raises `CommandFailed` when the public URL is needed and nobody said it, `UnsafeSettings` for unsafe ones.
    """
    settings = VerifierSettings(data=data)
    if not settings.public_url:
        recorded = recorded_public_url(data)
        if recorded is None and needs_url:
            raise CommandFailed(
                f"The verifier's address is not known: set {settings.variable('public_url')}, or start "
                f"`intyga-verifier serve --data {data}` once, which records it.",
                error="public_url_unknown",
            )
        settings = VerifierSettings(data=data, public_url=recorded or "")
    refuse_unsafe(settings)
    return settings


def settings_to_serve(data: Path, port: int | None) -> VerifierSettings:
    """The settings of the service itself; its public URL defaults to its own port on this machine."""
    chosen: dict[str, Any] = {} if port is None else {"port": port}
    return VerifierSettings(data=data, **chosen)


def open_verifier(data: Path, *, http: OutgoingHTTP | None = None) -> Verifier:
    """The verifier over its database and key, for one command."""
    return make_verifier(settings_for(data), clock=utc_now, http=http)
