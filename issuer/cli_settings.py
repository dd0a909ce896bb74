"""How the commands find the issuer's settings and public URL."""

from pathlib import Path
from typing import Annotated, Any

from issuer.institution import recorded_institution
from issuer.settings import IssuerSettings
from service.commands import CommandFailed, data_option
from service.settings import recorded_public_url, refuse_unsafe

IssuerData = Annotated[Path, data_option("issuer")]
DEFAULT_DATA = Path("issuer-data")


def settings_for(data: Path, *, needs_url: bool = True, needs_institution: bool = False) -> IssuerSettings:
    """The settings of a command that works beside the service: of its environment, else as the service recorded them.

    Only a command that signs in the institution's name needs to know it: nobody is kept from revoking, or from locking
    somebody out, by a profile that is not there.
    Raises `CommandFailed` when the public URL is needed and nobody said it, `UnsafeSettings` for unsafe ones
    and for a recorded profile that is not there any more.
    """
    settings = IssuerSettings(data=data)
    recorded_values = recorded_institution(settings) if needs_institution else {}
    if not settings.public_url:
        recorded = recorded_public_url(data)
        if recorded is None and needs_url:
            raise CommandFailed(
                f"The issuer's address is not known: set {settings.variable('public_url')}, or start "
                f"`intyga-issuer serve --data {data}` once, which records it.",
                error="public_url_unknown",
            )
        recorded_values["public_url"] = recorded or ""
    settings = IssuerSettings(data=data, **recorded_values)
    refuse_unsafe(settings)
    return settings


def settings_to_serve(data: Path, port: int | None) -> IssuerSettings:
    """The settings of the service itself; its public URL defaults to its own port on this machine."""
    chosen: dict[str, Any] = {} if port is None else {"port": port}
    return IssuerSettings(data=data, **chosen)
