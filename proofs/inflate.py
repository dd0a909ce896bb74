"""Bounded decompression: a megabyte of zlib can become a gigabyte, so that the output is limited before it exists."""

import zlib

from schemas.errors import Malformed


def inflate(data: bytes, *, wbits: int, max_bytes: int) -> bytes:
    """Decompress one DEFLATE stream.

    `wbits` is `zlib.MAX_WBITS` for the ZLIB format and `-zlib.MAX_WBITS` for raw DEFLATE.
    Raises `Malformed` when the result would exceed `max_bytes`, the stream is broken, truncated, or followed by more.
    """
    decompressor = zlib.decompressobj(wbits=wbits)
    try:
        result = decompressor.decompress(data, max_bytes + 1)
    except zlib.error as exc:
        raise Malformed("the compressed data is broken") from exc
    if len(result) > max_bytes:
        raise Malformed("the compressed data is too large when decompressed")
    if not decompressor.eof or decompressor.unused_data or decompressor.unconsumed_tail:
        raise Malformed("the compressed data is truncated or followed by something else")
    return result
