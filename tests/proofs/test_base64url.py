"""base64url has one spelling for every sequence of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import base64url
from schemas.errors import Malformed


@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    """Nothing is lost on the way."""
    text = base64url.encode(data)

    assert base64url.decode(text) == data
    assert base64url.decode(text.encode()) == data
    assert base64url.encode_bytes(data) == text.encode()


@given(st.text(max_size=40) | st.text(alphabet="AQgw-_+/=~ \n", max_size=12))
def test_a_text_decodes_only_if_it_is_the_one_spelling(text: str) -> None:
    """Whatever decodes is exactly what encoding gives back."""
    try:
        data = base64url.decode(text)
    except Malformed:
        return
    assert base64url.encode(data) == text


@pytest.mark.parametrize("text", ["A", "AB", "ABC", "QQ==", "QQ=", "Q Q", "+_8", "/-8", "QQ\n", "ÅÄÖ", "QUI=", "AAAAA"])
def test_other_spellings_are_refused(text: str) -> None:
    """Padding, foreign characters, left-over bits and impossible lengths."""
    with pytest.raises(Malformed):
        base64url.decode(text)
