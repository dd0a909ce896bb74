"""Static files, read at start, served under an address with their digest, so that they may be kept for a year."""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response

from schemas.errors import NotFound


class StaticFiles:
    """The files of some directories by name; a later directory wins."""

    def __init__(self, *directories: Path) -> None:
        self._paths: dict[str, str] = {}
        self._contents: dict[str, tuple[bytes, str]] = {}
        for directory in directories:
            for file in sorted(directory.rglob("*")):
                if file.is_file():
                    self._add(file.relative_to(directory).as_posix(), file.read_bytes())

    def path(self, name: str) -> str:
        """Our path (without prefix) of a file. Raises `KeyError` for an unknown one."""
        return self._paths[name]

    async def serve(self, request: Request) -> Response:
        """Handler of `/static/{rest:path}`."""
        found = self._contents.get(request.scope["path"])
        if found is None:
            raise NotFound
        content, media_type = found
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=media_type, headers=headers)

    def _add(self, name: str, content: bytes) -> None:
        path = f"/static/{hashlib.sha256(content).hexdigest()[:16]}/{name}"
        self._paths[name] = path
        self._contents[path] = (content, mimetypes.guess_type(name)[0] or "application/octet-stream")
