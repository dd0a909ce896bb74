"""Who the institution is, recorded by the service for the commands beside it.

`serve` records name, country and profile in the data directory, as it does with the public URL, so that a command in
another shell signs nothing under another name. A command whose own environment names the institution keeps to that.
"""

import json
import os
from pathlib import Path
from typing import Any

from issuer.settings import IssuerSettings
from service.settings import UnsafeSettings

_FILE = "institution.json"
_NAMING = ("name", "name_en", "profile_file")


def record_institution(settings: IssuerSettings) -> None:
    """Write what these settings say of the institution into the data directory; what they leave open is left out."""
    profile = settings.profile_file.resolve() if settings.profile_file is not None else None
    said = {
        "name": settings.name,
        "name_en": settings.name_en,
        "country": settings.country if settings.says_country else None,
        "profile_file": str(profile) if profile is not None else None,
    }
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = settings.data / f".{_FILE}.{os.getpid()}"
    text = json.dumps({name: value for name, value in said.items() if value}, ensure_ascii=False, indent=2)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(settings.data / _FILE)


def recorded_institution(settings: IssuerSettings) -> dict[str, Any]:
    """What the running (or last) service recorded and these settings do not say themselves, by field.

    The names and the profile count together: settings that say one of them get none of the others. Raises
    `UnsafeSettings` when the recorded profile is not there any more, or the record cannot be read.
    """
    recorded = _read(settings.data / _FILE)
    taken = {name: value for name, value in recorded.items() if name == "country" and not settings.says_country}
    if not any(getattr(settings, name) for name in _NAMING):
        taken |= {name: value for name, value in recorded.items() if name in _NAMING}
    profile = taken.get("profile_file")
    if profile is not None and not Path(profile).is_file():
        variable = settings.variable("profile_file")
        fault = f"The service uses the profile {profile}, which is not there: bring it back, or name one in {variable}."
        raise UnsafeSettings([fault])
    return taken


def _read(file: Path) -> dict[str, Any]:
    try:
        recorded = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as exc:
        raise UnsafeSettings([f"{file} is damaged: start the service again, which writes it anew."]) from exc
    if not isinstance(recorded, dict) or not all(isinstance(value, str) for value in recorded.values()):
        raise UnsafeSettings([f"{file} is damaged: start the service again, which writes it anew."])
    return recorded
