"""Check words of a recovery code: two words that follow from it, to compare with those on the paper.

    check_words(read_code(written))          # (("sol", "sun"), ("fisk", "fish"))

Whoever has written a code sees its words before it is tried. The checks within the code find slips of the pen; the
words tell, for people, that it is this paper's code and not another one's. Both languages name the same things, so that
a paper in one language can be compared with a page in the other. They say nothing of the code's 128 bits beyond twelve
bits of a hash, stand on the same paper, and are stored nowhere; codes made before there were words have theirs too.
"""

import hashlib
from typing import Final

WORDS: Final = 2
_BITS = 6

_SWEDISH = (
    "apa björn bi dörr eld fisk flod fot fågel får gaffel gräs gurka hand hatt hav hjul honung hund hus "
    "häst jord järn kanin katt ko krona kung kök lampa lejon lok lök måne mjölk morot mus nyckel näsa ost "
    "päron regn ring ros salt sand sked sko skog skola sky snö sol spegel sten stjärna stol tiger torn "
    "träd tåg vatten vinter ägg"
)
_ENGLISH = (
    "ape bear bee door fire fish river foot bird sheep fork grass cucumber hand hat sea wheel honey dog "
    "house horse earth iron rabbit cat cow crown king kitchen lamp lion engine onion moon milk carrot "
    "mouse key nose cheese pear rain ring rose salt sand spoon shoe forest school cloud snow sun mirror "
    "stone star chair tiger tower tree train water winter egg"
)
PAIRS: Final = tuple(zip(_SWEDISH.split(), _ENGLISH.split(), strict=True))
"""The 64 things, in Swedish and English."""


def check_words(secret: bytes) -> tuple[tuple[str, str], ...]:
    """The two words of the 16 bytes of a code, each in Swedish and in English."""
    digest = hashlib.sha256(b"intyga recovery code words 1" + secret).digest()
    number = int.from_bytes(digest[:2], "big") >> 16 - WORDS * _BITS
    return tuple(PAIRS[number >> _BITS * place & (1 << _BITS) - 1] for place in reversed(range(WORDS)))


def in_language(secret: bytes, language: str) -> str:
    """The words as a page shows them."""
    return " ".join(swedish if language == "sv" else english for swedish, english in check_words(secret))
