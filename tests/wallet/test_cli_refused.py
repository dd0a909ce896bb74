"""What `receive` says of a certificate that was refused: a true sentence, and the code that it speaks of."""

import pytest

from service.commands import CommandFailed
from wallet.cli import _fail
from wallet.pages.words import PROBLEMS


@pytest.mark.parametrize("reason", sorted(PROBLEMS))
def test_a_sentence_that_speaks_of_a_code_has_it_below(reason: str) -> None:
    """The last line is the code, whatever the reason."""
    with pytest.raises(CommandFailed) as caught:
        _fail(reason, "")

    assert str(caught.value).splitlines()[-1] == f"Code: {reason}"
    assert caught.value.error == reason


def test_the_code_of_the_issuer_stands_beside_ours() -> None:
    """Both are needed by whoever helps."""
    with pytest.raises(CommandFailed, match=r"\nCode: denied \(the issuer's: invalid_proof\)$"):
        _fail("denied", "invalid_proof")


def test_a_missing_entry_of_the_wallet_is_not_blamed_on_the_issuer() -> None:
    """`not_entitled` is about whom this wallet trusts for what, which the issuer can do nothing about."""
    words = PROBLEMS["not_entitled"]

    assert words.title == "This wallet does not trust the issuer for this certificate"
    assert "whoever runs this wallet" in words.advice
