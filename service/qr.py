"""QR codes: drawn as inline SVG, read from pictures that people upload."""

from schemas.errors import Malformed

MAXIMUM_IMAGE_BYTES = 8_000_000
MAXIMUM_IMAGE_PIXELS = 30_000_000


class UnreadableImage(Malformed):
    """The file is not a picture of a kind and size that is read here."""


def svg(text: str, *, title: str) -> str:
    """An inline `<svg>` of a QR code with the text, black on white, `title` for those who do not see it. Safe in HTML."""
    raise NotImplementedError


def read(image: bytes) -> list[str]:
    """The texts of the QR codes in a PNG, JPEG, WebP or GIF picture; empty when there is none. Raises `UnreadableImage`."""
    raise NotImplementedError
