"""Codes that are derived instead of stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.derivation import CROCKFORD, IssuerSecret, read_typeable_code

SECRET = IssuerSecret(bytes(range(32)))


def test_every_code_depends_on_secret_offer_and_generation() -> None:
    """Another secret, another offer or another generation gives other codes; the same give the same."""

    def codes(secret: IssuerSecret, offer_id: str, generation: int) -> list[str]:
        return [
            secret.pre_authorized_code(offer_id, generation),
            secret.offer_reference(offer_id, generation),
            secret.transaction_code(offer_id, generation, length=10),
            secret.typeable_code(offer_id, generation, 0),
            secret.key_mark(offer_id, str(generation)).hex(),
        ]

    usual = codes(SECRET, "offer", 1)
    assert codes(IssuerSecret(bytes(range(32))), "offer", 1) == usual
    for other in (codes(IssuerSecret(bytes(32)), "offer", 1), codes(SECRET, "offer2", 1), codes(SECRET, "offer", 2)):
        assert not set(usual) & set(other)
    assert len(set(usual)) == len(usual)


def test_parts_cannot_be_shifted_into_one_another() -> None:
    """Offer "a" in generation 11 is not offer "a1" in generation 1."""
    assert SECRET.pre_authorized_code("a", 11) != SECRET.pre_authorized_code("a1", 1)


@given(st.text(min_size=1, max_size=20), st.integers(1, 1000), st.integers(4, 10))
def test_transaction_codes_are_digits_of_the_wanted_length(offer_id: str, generation: int, length: int) -> None:
    """Leading zeros are kept."""
    code = SECRET.transaction_code(offer_id, generation, length=length)
    assert len(code) == length
    assert code.isdecimal()


@given(st.text(min_size=1, max_size=20), st.integers(1, 9), st.integers(0, 9))
def test_typed_codes_are_read_back_in_every_spelling(offer_id: str, generation: int, series: int) -> None:
    """Lower case, hyphens, spaces and look-alikes make no difference."""
    code = SECRET.typeable_code(offer_id, generation, series)
    assert len(code) == 10
    assert set(code) <= set(CROCKFORD)
    spelled = f" {code[:3].lower()}-{code[3:]} ".replace("0", "o").replace("1", "I")
    assert read_typeable_code(spelled) == code


@pytest.mark.parametrize("text", ["", "ABC", "ABCDEFGHJKM", "ABCDEFGHJ!", "ABCDEFGHJU", "ÅÄÖDEFGHJK"])
def test_what_is_no_typed_code_is_told_at_once(text: str) -> None:
    """Wrong length and foreign characters."""
    assert read_typeable_code(text) is None


def test_a_short_secret_is_refused() -> None:
    """Thirty-one bytes are not enough."""
    with pytest.raises(ValueError):
        IssuerSecret(bytes(31))
