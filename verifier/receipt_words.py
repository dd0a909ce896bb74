"""Whether the free texts of a receipt are words that we know ourselves, so that it may outlive the values.

    holds_no_value(receipt, template=template)

A receipt names what was shared and outlives it. What its wallet calls an item, or its person towards us, could be
anything, also a value: only what the type, the request or the path itself calls it is none. A receipt with other words
is counter-signed and not kept.
"""

import re
from collections.abc import Iterable

from schemas.consent import Path
from schemas.receipt import BothLanguages, Item, Receipt
from schemas.types import type_of
from verifier.deletion import agree
from verifier.disclosed import type_label
from verifier.request_templates import RequestTemplate

_PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{22,86}")
"""16 to 64 random bytes in base64url: no name is as long without a space in it, or next to none."""
_NUMBER = re.compile(r" [0-9]{1,4}$")


def holds_no_value(receipt: Receipt, *, template: RequestTemplate) -> bool:
    """Whether pseudonym, items and what came along are called by known words alone."""
    kinds = {one.certificate_type for one in receipt.items}
    return (
        _PSEUDONYM.fullmatch(receipt.holder_pseudonym) is not None
        and all(_is_known(item.certificate, _titles([item.certificate_type], template)) for item in receipt.items)
        and all(_is_called(item, template) for item in receipt.items)
        and all(
            _is_known(one.certificate, _titles(_all_types(template), template))
            and all(_is_known(name, _labels(_all_types(template) | kinds)) for name in one.items)
            for one in receipt.came_along
        )
    )


def _is_called(item: Item, template: RequestTemplate) -> bool:
    """Whether an item has the name of its type, of the request, or of its path; entries of lists with their number:
    `Course 1: Grade`."""
    known = _labels([item.certificate_type], item.path)
    for credential in template.credentials:
        if item.certificate_type in credential.vct:
            asked = [one for one in credential.items if one.label is not None and agree(one.path, item.path)]
            known |= {_plain(text) for one in asked if one.label for text in (one.label.sv, one.label.en)}
    return _is_known(item.name, known)


def _is_known(said: BothLanguages, known: set[str]) -> bool:
    return all(
        not text or _plain(text) in known or all(_plain(_NUMBER.sub("", part)) in known for part in text.split(": "))
        for text in (said.sv, said.en)
    )


def _labels(vcts: Iterable[str], path: Path = ()) -> set[str]:
    """What claims are called in the types that we know, and by the names in a path."""
    types = [known for vct in vcts if (known := type_of(vct)) is not None]
    labels = {spec.label(language) for one in types for spec in one.all_claims() for language in ("sv", "en")}
    return {_plain(text) for text in (*labels, *(part for part in path if isinstance(part, str)))}


def _titles(vcts: Iterable[str], template: RequestTemplate) -> set[str]:
    """What certificates of these types are called, by type or template, and their bare types."""
    some = list(vcts)
    return {_plain(text) for vct in some for text in (vct, *(type_label(vct, template, one) for one in ("sv", "en")))}


def _all_types(template: RequestTemplate) -> set[str]:
    return {vct for credential in template.credentials for vct in credential.vct}


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()
