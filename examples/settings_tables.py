"""The README's tables of settings, written from the settings themselves.

python -m examples.settings_tables     # writes them anew between the README's markers
"""

import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic.fields import FieldInfo

from issuer.settings import IssuerSettings
from service.settings import ServiceSettings
from verifier.settings import VerifierSettings
from wallet.settings import WalletSettings
from wallet.terminal import DEFAULT_PERSON

README = Path("README.md")
BEGIN, END = "<!-- settings begin -->", "<!-- settings end -->"
SERVICES: tuple[type[ServiceSettings], ...] = (IssuerSettings, WalletSettings, VerifierSettings)
UNITS = ("seconds", "hours", "days", "bytes")
EVERY_SERVICE = tuple(ServiceSettings.model_fields)
OWN_PER_SERVICE = ("data", "port", "body_limit_bytes")
"""Common settings whose defaults differ between the services."""
COMMAND_LINE = {"wallet": (("WALLET_PERSON", "Whose vault the commands open; also `--person NAME`.", DEFAULT_PERSON),)}
"""What is read by the commands alone and so is no member of a service's settings."""


def tables() -> str:
    """The settings that every service has, then each service's own; with unit and default."""
    common = {name: ServiceSettings.model_fields[name] for name in EVERY_SERVICE if name not in OWN_PER_SERVICE}
    parts = ["### Every service", _table("*_", common.items())]
    for settings in SERVICES:
        own = {n: f for n, f in settings.model_fields.items() if n not in EVERY_SERVICE or n in OWN_PER_SERVICE}
        prefix = settings.model_config.get("env_prefix", "")
        parts += [f"### {settings.service.capitalize()}", _table(prefix, own.items(), service=settings.service)]
        for name, meaning, default in COMMAND_LINE.get(settings.service, ()):
            parts[-1] += f"\n| `{name}` | {meaning} | text | `{default}` |"
    parts.append("More on each: [issuer](docs/settings-issuer.md), [wallet](docs/settings-wallet.md), ")
    parts[-1] += "[verifier](docs/settings-verifier.md)."
    return "\n\n".join(parts)


def with_tables(readme: str) -> str:
    """A README with the tables between its markers written anew. Raises `ValueError` where a marker is missing."""
    head, rest = readme.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return f"{head}{BEGIN}\n\n{tables()}\n\n{END}{tail}"


def _table(prefix: str, fields: Iterable[tuple[str, FieldInfo]], *, service: str = "") -> str:
    rows = ["| variable | meaning | unit | default |", "| --- | --- | --- | --- |"]
    for name, field in fields:
        default = f"`{service}-data`" if name == "data" else _default(field)
        meaning = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{prefix}{name.upper()}` | {meaning} | {_unit(name, field.annotation)} | {default} |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=False)
    if value in (None, "", []):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _unit(name: str, annotation: object) -> str:
    """What a value is counted in or written as, told by the setting's name and type."""
    kinds: Mapping[object, str] = {bool: "true or false", int: "number", str: "text", Path: "path", list: "list"}
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return _unit(name, next(part for part in typing.get_args(annotation) if part is not type(None)))
    if annotation is int and (unit := next((unit for unit in UNITS if unit in name.split("_")), None)):
        return unit
    return kinds.get(origin or annotation, "text")


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
