"""The templates that a verifier has at hand: built in, and every file of its template directories.

A file that is no good template is left out and named by `faulty`, so that one typing error does not stop the service.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from schemas.errors import ProtocolError
from verifier.request_templates import (
    BUILT_IN,
    InvalidTemplate,
    RequestTemplate,
    UnknownTemplate,
    built_in_template,
    read_template,
)

# Files are read anew for every request, so that a change counts at once; what they say is worked out once.
_built_in = lru_cache(maxsize=2 * len(BUILT_IN))(built_in_template)
_read = lru_cache(maxsize=256)(read_template)

_SUFFIXES = {".toml": True, ".json": False}
MAX_FILE_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class TemplateShelf:
    """Templates by name, and the files that could not be read with what is wrong in them."""

    templates: dict[str, RequestTemplate]
    faulty: dict[str, str]

    def __getitem__(self, name: str) -> RequestTemplate:
        """The template of this name. Raises `UnknownTemplate`, naming those that are there."""
        if name in self.templates:
            return self.templates[name]
        if name in self.faulty:
            raise InvalidTemplate(self.faulty[name])
        raise UnknownTemplate(f"there is no such template; there are {', '.join(sorted(self.templates))}")


def load_templates(directories: Iterable[Path], *, contact: str) -> TemplateShelf:
    """The built-in templates and those of the directories; a file wins over a built-in template of the same name."""
    templates = {name: _built_in(name, contact=contact) for name in BUILT_IN}
    faulty: dict[str, str] = {}
    for directory in directories:
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if path.suffix not in _SUFFIXES:
                continue
            try:
                template = template_from_file(path)
            except ProtocolError as exc:
                faulty[path.stem] = str(exc)
                continue
            templates[template.name] = template
    return TemplateShelf(templates, faulty)


def template_from_file(path: Path) -> RequestTemplate:
    """The template in one file. Raises `InvalidTemplate`, naming the file, when it cannot be read or is none."""
    try:
        return _read(_content(path), is_toml=_SUFFIXES[path.suffix])
    except InvalidTemplate as exc:
        raise InvalidTemplate(f"{path.name}: {exc}") from exc


def _content(path: Path) -> bytes:
    if path.suffix not in _SUFFIXES:
        raise InvalidTemplate("a template file ends in .toml or .json")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise InvalidTemplate("the file cannot be read") from exc
    if len(content) > MAX_FILE_BYTES:
        raise InvalidTemplate("the file is too large")
    return content
