"""Names that deceive: hosts that could be taken for a known one, and words that mix alphabets.

    look_alike("skattevérket.se", KNOWN_HOSTS)          # "skatteverket.se"
    look_alike("csn.se.verify.example", KNOWN_HOSTS)    # "csn.se"
    mixes_alphabets("Sk\u0430tteverket")                # True: one of the letters is Cyrillic

Deterministic and small on purpose: a fixed list of hosts that are often imitated here, the hosts that this person has
shared with, and a handful of letters that look alike. A host that equals a known one, or lies under it, is that one.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

KNOWN_HOSTS: Final = (
    "1177.se", "antagning.se", "arbetsformedlingen.se", "bankid.com", "bolagsverket.se", "chalmers.se", "csn.se",
    "forsakringskassan.se", "gu.se", "handelsbanken.se", "ki.se", "kronofogden.se", "kth.se", "ladok.se", "liu.se",
    "lu.se", "migrationsverket.se", "nordea.se", "pensionsmyndigheten.se", "polisen.se", "postnord.se", "seb.se",
    "skatteverket.se", "skolverket.se", "socialstyrelsen.se", "su.se", "swedbank.se", "transportstyrelsen.se", "uhr.se",
    "umu.se", "uu.se", "verksamt.se",
)  # fmt: skip
"""Hosts of Swedish authorities, universities, banks and carriers: whom fraud imitates most."""

_SHORTEST_FOR_TYPOS: Final = 6
_LOOKS: Final = str.maketrans(
    {
        "0": "o", "1": "l", "3": "e", "5": "s", "ı": "i", "ł": "l", "ø": "o", "ß": "s", "-": None, "_": None,
        # Cyrillic and Greek letters that look like Latin ones.
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ѕ": "s", "ј": "j", "к": "k",
        "т": "t", "в": "v", "м": "m", "н": "h", "ԁ": "d", "ո": "n", "α": "a", "ε": "e", "ο": "o", "ρ": "p", "ν": "v",
        "κ": "k", "τ": "t", "ι": "i", "υ": "u",
    }
)  # fmt: skip


def look_alike(host: str, known: Iterable[str]) -> str:
    """The known host that this one could be taken for, though it is another; empty when there is none."""
    labels = readable(host).split(".")
    hosts = tuple(dict.fromkeys(known))
    if any(_is_under(labels, one.split(".")) for one in hosts):
        return ""
    return next((one for one in hosts if _could_be_taken_for(labels, one.split("."))), "")


def _is_under(labels: list[str], known: list[str]) -> bool:
    return labels[-len(known) :] == known


def _could_be_taken_for(labels: list[str], known: list[str]) -> bool:
    if len(known) < 2 or len(labels) < 2:
        return False
    name, wanted = labels[-2], known[-2]
    if any(labels[at : at + len(known)] == known for at in range(len(labels) - len(known))):
        return True  # csn.se.verify.example
    if name != wanted and _skeleton(name) == _skeleton(wanted):
        return True  # skattevérket.se, swedb4nk is none: a digit that is no letter
    if len(wanted) < _SHORTEST_FOR_TYPOS:
        return False
    if wanted in name.split("-") and name != wanted:
        return True  # skatteverket-aterbaring.se
    return name != wanted and _is_one_slip_away(_skeleton(name), _skeleton(wanted))


def readable(host: str) -> str:
    """A host in lower case with its encoded labels decoded, as somebody would read it in a letter."""
    shown = []
    for label in host.casefold().rstrip(".").split("."):
        try:
            shown.append(label.encode("ascii").decode("idna") if label.startswith("xn--") else label)
        except UnicodeError:
            shown.append(label)
    return ".".join(shown)


def _skeleton(label: str) -> str:
    """What is left when letters that look alike are one letter and accents are gone."""
    folded = label.translate(_LOOKS)
    plain = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return plain.replace("rn", "m").replace("vv", "w")


def _is_one_slip_away(one: str, other: str) -> bool:
    """Whether one letter too many, too few or wrong, or two swapped, is all that differs."""
    if one == other or abs(len(one) - len(other)) > 1:
        return one == other
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[at:], other[at:]
    swapped = rest[:2] == other_rest[:2][::-1] and len(rest) > 1 and rest[2:] == other_rest[2:]
    return rest[1:] == other_rest[1:] or rest[1:] == other_rest or rest == other_rest[1:] or swapped


def mixes_alphabets(text: str) -> bool:
    """Whether one word of a text has letters of several alphabets; a host is read with its encoded labels decoded."""
    for word in readable(text).replace(".", " ").replace("-", " ").split():
        if len({unicodedata.name(letter, "?").partition(" ")[0] for letter in word if letter.isalpha()}) > 1:
            return True
    return False
