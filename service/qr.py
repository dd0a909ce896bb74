"""QR codes: drawn as inline SVG, read from pictures that people upload."""

import io
import warnings
from typing import Any

import zxingcpp
from markupsafe import Markup
from PIL import Image, UnidentifiedImageError
from qrcode.constants import ERROR_CORRECT_L
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode

from schemas.errors import Malformed

MAXIMUM_IMAGE_BYTES = 8_000_000
MAXIMUM_IMAGE_PIXELS = 30_000_000
_READ_EDGE_PIXELS = 2400
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_QUIET_ZONE = 4  # modules, ISO/IEC 18004


class UnreadableImage(Malformed):
    """The file is not a picture of a kind and size that is read here."""

    error = "unreadable_image"


class TextTooLong(Malformed):
    """The text does not fit into a QR code."""


def svg(text: str, *, title: str) -> Markup:
    """An inline `<svg>` of a QR code, black on white in every colour scheme; `title` is for who cannot see it.

    Raises `TextTooLong` beyond what version 40 holds (2,953 bytes).
    """
    code: Any = QRCode(error_correction=ERROR_CORRECT_L, border=_QUIET_ZONE)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as exc:
        raise TextTooLong from exc
    matrix = code.get_matrix()
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" role="img" shape-rendering="crispEdges">'
        '<title>{1}</title><rect width="{0}" height="{0}" fill="#fff"/><path fill="#000" d="{2}"/></svg>'
    ).format(len(matrix), title, _path(matrix))


def read(image: bytes) -> list[str]:
    """The texts of the QR codes in a PNG, JPEG, WebP or GIF picture; empty when there is none.

    The picture is at most 8 MB and 30 million pixels. Raises `UnreadableImage` for anything else.
    """
    if len(image) > MAXIMUM_IMAGE_BYTES:
        raise UnreadableImage("The picture is larger than 8 MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image), formats=_FORMATS) as picture:
                width, height = picture.size
                if width * height > MAXIMUM_IMAGE_PIXELS:
                    raise UnreadableImage("The picture has more than 30 million pixels.")
                picture.draft("L", (_READ_EDGE_PIXELS, _READ_EDGE_PIXELS))
                grey = picture.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise UnreadableImage from exc
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        TypeError,
    ) as exc:  # What Pillow raises inside files.
        raise UnreadableImage from exc
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [barcode.text for barcode in found if barcode.valid]


def _path(matrix: list[list[bool]]) -> str:
    """One SVG path: a bar of height 1 for each run of dark modules in a row."""
    bars = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                bars.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return "".join(bars)
