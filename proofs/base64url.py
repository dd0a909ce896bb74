"""Base64url without padding, as JOSE writes it (RFC 7515, section 2), read strictly.

Two different texts never decode to the same bytes: padding, white space, the characters `+` and `/`, and bits
left over in the last character are refused. Otherwise a digest over a text and a comparison of its bytes could
disagree about what was signed.

    decode(encode(b"intyga")) == b"intyga"
"""

from binascii import a2b_base64, b2a_base64

from schemas.errors import Malformed

_TO_URL = bytes.maketrans(b"+/", b"-_")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PADDING = (b"", b"", b"==", b"=")
# By the length modulo four: the characters that may come last, those whose left-over bits are zero.
_LAST: tuple[frozenset[int], ...] = (
    frozenset(_ALPHABET),
    frozenset(),
    frozenset(_ALPHABET[::16]),
    frozenset(_ALPHABET[::4]),
)
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/~~~")  # "~" is outside the alphabet: "+", "/" and padding are refused.


def encode(data: bytes) -> str:
    """Encode bytes as base64url text without padding."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def encode_bytes(data: bytes) -> bytes:
    """Encode bytes as base64url without padding, as ASCII bytes."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def decode(text: str | bytes) -> bytes:
    """Decode base64url text without padding.

    Raises `Malformed` for any text that `encode` would not have produced.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        over = len(raw) & 3
        if over and raw[-1] not in _LAST[over]:
            raise Malformed("not base64url in its one canonical form")
        return a2b_base64(raw.translate(_FROM_URL) + _PADDING[over], strict_mode=True)
    except ValueError as exc:
        raise Malformed("not base64url without padding") from exc
