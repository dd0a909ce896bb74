"""Tokens made to be expensive: whoever reads them spends effort in proportion to their size, not to its square."""

import cProfile
import pstats
from collections.abc import Callable
from typing import Any

import pytest

from proofs import base64url, strict_json
from proofs.formats.sd_jwt import always_visible, parse_sd_jwt, select_disclosures
from schemas.errors import ProtocolError
from tests.proofs.cast import digest, disclosure
from tests.proofs.test_sd_jwt import signed


def calls(work: Callable[[], object]) -> int:
    """How many functions the work calls, those of the interpreter included: its cost, the same on every machine."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # the stubs leave it out


def many(count: int) -> str:
    """A credential with that many disclosable claims, within the size that is read."""
    disclosures = [base64url.encode(b'["%d","%d",1]' % (number, number)) for number in range(count)]
    return signed({"_sd": [digest(each) for each in disclosures]}, *disclosures)


@pytest.mark.parametrize("name", ["read", "choose", "list"])
def test_ten_times_the_disclosures_take_ten_times_the_effort(name: str) -> None:
    """Reading, choosing many of many, and listing what is always visible."""

    def work(count: int) -> Callable[[], object]:
        token = many(count)
        sd_jwt = parse_sd_jwt(token)
        paths = list(sd_jwt.disclosure_at)
        works: dict[str, Callable[[], object]] = {
            "read": lambda: parse_sd_jwt(token),
            "choose": lambda: select_disclosures(sd_jwt, paths, nested=True),
            "list": lambda: always_visible(sd_jwt),
        }
        return works[name]

    assert calls(work(20_000)) < 11 * calls(work(2_000))


@pytest.mark.parametrize(
    "token",
    ["a.b.c" + "~" * 1_900_000, "a.b.c~" + "A~" * 900_000, "~" * 1_900_000, "." * 1_900_000, "A" * 2_000_001],
    ids=["tildes", "disclosures", "only tildes", "dots", "letters"],
)
def test_what_is_no_token_is_refused_without_effort(token: str) -> None:
    """Size alone buys nothing."""

    def refused() -> None:
        with pytest.raises(ProtocolError):
            parse_sd_jwt(token)

    assert calls(refused) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{ }," * 400_000 + b"1]",
        b'["' + b"\\n" * 900_000 + b'" ]',
        b"[" + b'"", ' * 400_000 + b"1]",
        b"[" + b"1234567890123456789, " * 80_000 + b"1]",
        b"[0." + b"1" * 1_900_000 + b", 1]",
        b'{"a":' * 60 + b"1" + b"}" * 60 + b" " * 1_900_000,
    ],
    ids=["objects", "escapes", "texts", "integers", "decimals", "space"],
)
def test_two_megabytes_of_any_json_are_read_in_a_few_steps(text: bytes) -> None:
    """Counting members and digits goes over the text once."""
    assert calls(lambda: strict_json.loads(text, max_bytes=2_000_000)) < 2 * len(text)


def test_a_deep_chain_of_wide_disclosures_is_read_member_by_member() -> None:
    """As deep as is allowed, as wide as fits."""
    inner = disclosure("salt", "x", 1)
    shown: list[Any] = [inner]
    for _ in range(60):
        inner = disclosure("salt", "x", {"_sd": [digest(inner)], "y": list(range(2_000))})
        shown.append(inner)
    token = signed({"_sd": [digest(inner)]}, *shown)

    assert calls(lambda: parse_sd_jwt(token)) < 30 * 60 * 2_000
