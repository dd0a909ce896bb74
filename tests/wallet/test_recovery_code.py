"""The recovery code itself: every slip of the pen that people make is found before the code is tried."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.recovery_code import ALPHABET, GROUPS, SECRET_BYTES, WrongCode, new_code, read_code, write_code
from wallet.recovery_words import PAIRS, check_words

FIRST_WORDS = (("tiger", "tiger"), ("ko", "cow"))
OF_THE_LIST = "24a147a03934355a8e4115618f0ff4b775094623be49025fc9f26de529569f52"

SECRETS = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)


@given(SECRETS)
def test_a_code_is_read_as_it_was_written(secret: bytes) -> None:
    """Seven groups of five signs, and back."""
    code = write_code(secret)

    assert [len(group) for group in code.split(" ")] == [5] * GROUPS
    assert read_code(code) == secret


@given(SECRETS)
def test_people_may_write_it_as_they_like(secret: bytes) -> None:
    """Small letters, no spaces, lines, dashes, and the letters O, I and L for the digits that look like them."""
    code = write_code(secret)

    for written in (
        code.lower(),
        code.replace(" ", ""),
        code.replace(" ", "\n"),
        code.replace(" ", " – "),
        code.replace("0", "O").replace("1", "l"),
        f"  {code}.",
    ):
        assert read_code(written) == secret


@given(SECRETS, st.integers(0, 34), st.sampled_from(ALPHABET))
def test_one_wrong_sign_names_its_group(secret: bytes, position: int, sign: str) -> None:
    """Whichever sign is wrong, and whatever stands in its place: the group is named, and no other."""
    signs = write_code(secret).replace(" ", "")
    if signs[position] == sign:
        return
    written = signs[:position] + sign + signs[position + 1 :]

    with pytest.raises(WrongCode) as caught:
        read_code(written)

    assert caught.value.groups == (position // 5 + 1,)


@given(SECRETS, st.integers(0, 6), st.integers(0, 3))
def test_two_neighbours_that_changed_places_are_found(secret: bytes, group: int, place: int) -> None:
    """The commonest slip after a wrong sign."""
    signs = list(write_code(secret).replace(" ", ""))
    at = group * 5 + place
    if signs[at] == signs[at + 1]:
        return
    signs[at], signs[at + 1] = signs[at + 1], signs[at]

    with pytest.raises(WrongCode) as caught:
        read_code("".join(signs))

    assert caught.value.groups == (group + 1,)


@given(SECRETS, st.integers(0, 6), st.integers(0, 6))
def test_two_groups_that_changed_places_are_found(secret: bytes, one: int, other: int) -> None:
    """A line skipped while copying."""
    groups = write_code(secret).split(" ")
    if one == other:
        return
    groups[one], groups[other] = groups[other], groups[one]

    with pytest.raises(WrongCode) as caught:
        read_code(" ".join(groups))

    assert set(caught.value.groups) == {one + 1, other + 1}


@pytest.mark.parametrize("written", ["", "4K7M2", "x" * 36, "x" * 1_000_000, " " * 5000])
def test_a_wrong_length_is_told_as_such(written: str) -> None:
    """Too few or too many signs, also absurdly many."""
    with pytest.raises(WrongCode) as caught:
        read_code(written)

    assert caught.value.has_wrong_length


def test_signs_that_are_no_signs_name_their_group() -> None:
    """The letter U, umlauts and pictures are in no code."""
    groups = new_code().split(" ")

    for sign in ("U", "Å", "\N{GRINNING FACE}", "*"):
        with pytest.raises(WrongCode) as caught:
            read_code(" ".join([*groups[:3], sign + groups[3][1:], *groups[4:]]))
        assert caught.value.groups == (4,)


def test_codes_are_random() -> None:
    """128 bits: no two of many agree, and every sign turns up in every place of a group that carries some."""
    codes = [new_code() for _ in range(500)]

    assert len({read_code(code) for code in codes}) == 500
    assert {code[0] for code in codes} == set(ALPHABET)


def test_a_known_code() -> None:
    """The form that is on people's papers does not change."""
    assert write_code(bytes(range(16))) == "000G8 40R4P 0M30D E2094 185GP R38EP 1XTBD"


def test_the_words_of_a_code_never_change() -> None:
    """They stand on paper: the same code has the same words in every later wallet, and the lists are one to one."""
    assert check_words(bytes(16)) == FIRST_WORDS
    assert len(PAIRS) == len({one for one, _ in PAIRS}) == len({one for _, one in PAIRS}) == 64
    assert all(word.isalpha() and word == word.lower() and len(word) <= 9 for pair in PAIRS for word in pair)
    digest = hashlib.sha256(repr(PAIRS).encode()).hexdigest()
    assert digest == OF_THE_LIST, "a word that is moved or changed makes papers wrong"
