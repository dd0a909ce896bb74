"""QR codes are drawn and read; pictures from outside are bounded."""

import io
import re
import zlib
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service import qr
from service.qr import TextTooLong, UnreadableImage

TEXT = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.example%2Foffers%2Fåäö"


def picture(svg: str, *, kind: str = "PNG", scale: int = 4) -> bytes:
    """The drawing as pixels, made from its own path."""
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]  # our own drawing has it
    image = Image.new("L", (size, size), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg):
        for step in range(int(width)):
            image.putpixel((int(x) + step, int(y)), 0)
    out = io.BytesIO()
    image.resize((size * scale, size * scale), Image.Resampling.NEAREST).convert("RGB").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_is_drawn_can_be_read(kind: str) -> None:
    assert qr.read(picture(qr.svg(TEXT, title="Offer"), kind=kind)) == [TEXT]


def test_the_drawing_has_a_title_and_nothing_else_of_the_outside() -> None:
    drawing = qr.svg(TEXT, title='Offer <script>"&')
    root = ElementTree.fromstring(drawing)

    assert root.attrib["role"] == "img"
    assert root.findtext("{http://www.w3.org/2000/svg}title") == 'Offer <script>"&'
    assert "<script>" not in drawing
    assert "style=" not in drawing


def test_a_picture_without_code_has_none() -> None:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(out, "PNG")

    assert qr.read(out.getvalue()) == []


@pytest.mark.parametrize(("size", "fits"), [(2952, True), (2953, True), (2954, False)])
def test_a_code_holds_so_much_and_no_more(size: int, fits: bool) -> None:
    if fits:
        assert qr.svg("x" * size, title="t")
    else:
        with pytest.raises(TextTooLong):
            qr.svg("x" * size, title="t")


def bomb(width: int, height: int) -> bytes:
    """A small PNG file that says it is a very large picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress(b"\x00" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"not a picture",
        bomb(40_000, 40_000),
        bomb(6_000, 5_001),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"x" * (qr.MAXIMUM_IMAGE_BYTES + 1),
    ],
    ids=["empty", "text", "huge", "just-too-large", "svg", "postscript", "too-many-bytes"],
)
def test_what_is_not_a_picture_of_ours_is_refused(image: bytes) -> None:
    with pytest.raises(UnreadableImage):
        qr.read(image)


@given(st.data())
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    whole = picture(qr.svg("x", title="t"), kind=data.draw(st.sampled_from(["PNG", "GIF", "WEBP", "JPEG"])), scale=1)
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 8)) :]

    try:
        texts = qr.read(damaged)
    except UnreadableImage:
        return
    assert all(isinstance(text, str) for text in texts)
