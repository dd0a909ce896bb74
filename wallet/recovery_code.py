"""The recovery code: 128 random bits in seven groups, each with a check of its own.

    code = new_code()                    # "4K7M2 9QX3T ...", 35 signs
    secret = read_code(written)          # the same however it was written; raises `WrongCode`, naming the groups

The signs are Crockford's 32: no U, and I, L and O are read as 1, 1 and 0. Each group has four signs and a fifth that
checks them: any one wrong sign in a group, two neighbours that changed places and two groups that changed places are
found for certain, before the code is tried. Twelve more bits check the whole, for what slips through a group.
"""

import hashlib
import secrets
from collections.abc import Sequence

from schemas.errors import Refused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP_SIGNS = 7, 5
SECRET_BYTES = 16
_CHECK_BITS = GROUPS * (GROUP_SIGNS - 1) * 5 - SECRET_BYTES * 8
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
_SEPARATORS = str.maketrans("", "", " -\t\r\n\u00a0\u2010\u2011\u2012\u2013\u2014.,;")


class WrongCode(Refused):
    """This is not a recovery code: signs are missing, or some are wrong.

    `groups` are the numbers, from 1, of the groups that cannot be right; `signs` is how many signs were written.
    """

    error = "wrong_recovery_code"

    def __init__(self, *, groups: Sequence[int] = (), signs: int = GROUPS * GROUP_SIGNS) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.signs = signs

    @property
    def has_wrong_length(self) -> bool:
        """Whether there are too few or too many signs."""
        return self.signs != GROUPS * GROUP_SIGNS


def new_code() -> str:
    """A fresh code, its groups parted by spaces."""
    return write_code(secrets.token_bytes(SECRET_BYTES))


def write_code(secret: bytes) -> str:
    """The code of 16 bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("a recovery code holds 16 bytes")
    number = int.from_bytes(secret, "big") << _CHECK_BITS | _whole_check(secret)
    width = GROUPS * (GROUP_SIGNS - 1)
    values = [number >> 5 * (width - 1 - position) & 31 for position in range(width)]
    groups = [values[start : start + GROUP_SIGNS - 1] for start in range(0, width, GROUP_SIGNS - 1)]
    return " ".join(
        "".join(ALPHABET[value] for value in (*group, _group_check(group, index))) for index, group in enumerate(groups)
    )


def read_code(written: str) -> bytes:
    """The 16 bytes of a code as somebody wrote it. Raises `WrongCode`; no code was tried then."""
    signs = written[:1000].upper().translate(_SEPARATORS).translate(_READ_AS)
    if len(signs) != GROUPS * GROUP_SIGNS:
        raise WrongCode(signs=len(signs))
    number, wrong = 0, []
    for index in range(GROUPS):
        group = signs[index * GROUP_SIGNS : (index + 1) * GROUP_SIGNS]
        values = [ALPHABET.find(sign) for sign in group]
        if -1 in values or _group_check(values[:-1], index) != values[-1]:
            wrong.append(index + 1)
        for value in values[:-1]:
            number = number << 5 | max(value, 0)
    secret = (number >> _CHECK_BITS).to_bytes(SECRET_BYTES, "big")
    if wrong or number & (1 << _CHECK_BITS) - 1 != _whole_check(secret):
        raise WrongCode(groups=wrong)
    return secret


def _whole_check(secret: bytes) -> int:
    digest = hashlib.sha256(b"intyga recovery code 1" + secret).digest()
    return int.from_bytes(digest[:2], "big") >> 16 - _CHECK_BITS


def _group_check(values: Sequence[int], index: int) -> int:
    """A weighted sum in the field of 32 elements: every weight differs, so one error or one swap always shows."""
    check = _times(index + 1, 5)
    for position, value in enumerate(values, start=1):
        check ^= _times(value, position)
    return check


def _times(value: int, power: int) -> int:
    """A value times the `power`th power of the generator, modulo x^5 + x^2 + 1."""
    for _ in range(power):
        value = value << 1 ^ (0b100101 if value & 16 else 0)
    return value
