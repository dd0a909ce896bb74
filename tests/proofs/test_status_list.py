"""Status lists: the published vectors in both directions, and every round trip."""

import json
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import base64url, jose
from proofs.status_list import (
    WIDTHS,
    check_status_list_token,
    decode_status_list,
    encode_status_list,
    make_status_list_token,
    new_status_list,
    set_status,
    status_at,
)
from schemas.errors import CouldNotCheck, Malformed
from tests.proofs.cast import NOW, STATUS_URI, Cast


def test_the_published_short_lists(vectors: Path) -> None:
    """Token Status List, section 4.1."""
    for case in json.loads((vectors / "token-status-list" / "short_lists.json").read_text())["cases"]:
        published = base64url.encode(bytes.fromhex(case["compressed"]))
        packed = decode_status_list(published, bits=case["bits"])
        assert packed.hex() == case["packed"]
        assert [status_at(packed, index, bits=case["bits"]) for index in range(len(case["statuses"]))] == case[
            "statuses"
        ]
        assert decode_status_list(encode_status_list(case["statuses"], bits=case["bits"]), bits=case["bits"]) == packed


def test_the_published_long_lists(vectors: Path) -> None:
    """Token Status List, appendix with the test vectors: 1, 2, 4 and 8 bits, a million entries."""
    for case in json.loads((vectors / "token-status-list" / "long_lists.json").read_text())["cases"]:
        bits, statuses = case["bits"], dict(case["statuses"])
        packed = decode_status_list(case["lst"], bits=bits)
        assert len(packed) == case["entries"] * bits // 8
        assert {index: status_at(packed, index, bits=bits) for index in statuses} == statuses
        made = new_status_list(case["entries"], bits=bits)
        for index, value in statuses.items():
            set_status(made, index, value, bits=bits)
        assert made == packed
        assert decode_status_list(encode_status_list(made, bits=bits), bits=bits) == packed


@given(st.sampled_from(WIDTHS), st.data())
def test_what_is_set_is_read_and_nothing_else_changes(bits: int, data: st.DataObject) -> None:
    """Every entry keeps its own value."""
    values = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=40))
    packed = bytearray(decode_status_list(encode_status_list(values, bits=bits), bits=bits))
    assert [status_at(packed, index, bits=bits) for index in range(len(values))] == values

    index = data.draw(st.integers(0, len(values) - 1))
    values[index] = data.draw(st.integers(0, 2**bits - 1))
    set_status(packed, index, values[index], bits=bits)

    assert [status_at(packed, each, bits=bits) for each in range(len(values))] == values


@given(st.binary(max_size=60) | st.binary(max_size=60).map(zlib.compress), st.sampled_from(WIDTHS))
def test_any_list_is_read_or_refused(data: bytes, bits: int) -> None:
    """Nothing but `Malformed` is raised, and never more than was allowed is made."""
    try:
        assert len(decode_status_list(base64url.encode(data), bits=bits, max_bytes=50)) <= 50
    except Malformed:
        return


def test_values_that_do_not_fit_are_refused() -> None:
    """Two bits hold four values."""
    for values in ([4], [-1]):
        with pytest.raises(ValueError, match="does not fit"):
            encode_status_list(values, bits=2)
    for bits in (0, 3, 5):
        with pytest.raises(ValueError, match="width"):
            new_status_list(8, bits=bits)


def test_the_exact_size_is_allowed() -> None:
    """The limit is a limit, not one less."""
    lst = encode_status_list(bytes(100), bits=8)

    assert len(decode_status_list(lst, bits=8, max_bytes=100)) == 100
    with pytest.raises(Malformed):
        decode_status_list(lst, bits=8, max_bytes=99)


def test_a_list_token_carries_what_readers_look_for(cast: Cast) -> None:
    """`x5c`, and the leaf's key as `jwk` with the same `kid`."""
    header = jose.parse_jws(cast.status_token()).header

    assert header["x5c"] == list(cast.issuer.x5c)
    assert header["kid"] == header["jwk"]["kid"] == cast.issuer.kid
    assert header["typ"] == "statuslist+jwt"


def test_a_list_token_is_checked_again_when_time_passes(cast: Cast) -> None:
    """Reading it once does not make it last."""
    token = make_status_list_token(
        statuses=cast.statuses,
        bits=2,
        uri=STATUS_URI,
        signer=cast.issuer,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        ttl_seconds=60,
    )

    def check(**changes: object) -> object:
        arguments = {
            "expected_uri": STATUS_URI,
            "anchors": cast.trust.anchors("issuer"),
            "issuer_keys": (),
            "now": NOW,
            **changes,
        }
        return check_status_list_token(token, **arguments)  # type: ignore[arg-type]  # One of them is wrong on purpose.

    assert check()
    assert check(anchors=(), issuer_keys=[cast.issuer.public_jwk])
    for change in ({"now": NOW + timedelta(hours=2)}, {"anchors": ()}, {"expected_uri": "https://other.example"}):
        with pytest.raises(CouldNotCheck):
            check(**change)
    assert check()
