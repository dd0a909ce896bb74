"""How an issuer makes claims selectively disclosable: the plan, the salts, the disclosures and their digests.

A plan is made once per credential type from paths; `None` in a path means every element of an array. A path below
another disclosable one makes a recursive disclosure (RFC 9901, section 4.2.6).

    plan = plan_disclosures([("given_name",), ("courses", None), ("courses", None, "grade")])
    payload, disclosures = conceal(claims, plan)
"""

import binascii
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from proofs import base64url, strict_json
from schemas.errors import Refused

DIGESTS_KEY: Final = "_sd"
ELEMENT_KEY: Final = "..."
ALGORITHM_KEY: Final = "_sd_alg"
RESERVED_NAMES: Final = frozenset({DIGESTS_KEY, ELEMENT_KEY, ALGORITHM_KEY})
HASH_NAME: Final = "sha-256"

PlanPath = tuple[str | None, ...]

_TO_URL = bytes.maketrans(b"+/", b"-_")
_SALT_BYTES = 18  # 144 random bits, above the 128 of RFC 9901, section 9.3, and 24 characters without padding.
_SALT_CHARACTERS = 24
_SALTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class DisclosurePlan:
    """Which claims of a type become disclosable: a tree of member names, `None` for every element of an array."""

    selective: bool
    children: Mapping[str | None, "DisclosurePlan"]


def plan_disclosures(paths: Iterable[PlanPath]) -> DisclosurePlan:
    """Make the plan for these paths; order and repetition do not matter.

    Raises `Refused` for an empty path, a reserved claim name, or a path that begins with an array element.
    """
    tree: dict[Any, Any] = {}
    for path in paths:
        if not path or path[0] is None or not RESERVED_NAMES.isdisjoint(path):
            raise Refused("this path cannot be made disclosable")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[DIGESTS_KEY] = True
    return _plan(tree)


def _plan(tree: dict[Any, Any]) -> DisclosurePlan:
    children = {step: _plan(below) for step, below in tree.items() if step != DIGESTS_KEY}
    return DisclosurePlan(selective=DIGESTS_KEY in tree, children=children)


def conceal(claims: Mapping[str, Any], plan: DisclosurePlan, *, decoys: int = 0) -> tuple[dict[str, Any], list[bytes]]:
    """Replace the planned claims by digests.

    `decoys` adds that many digests without a disclosure at the top level (RFC 9901, section 4.2.5).

    Returns the payload, with `_sd_alg` when there is a digest, and the encoded disclosures, parents before what is
    below them. A path of the plan that the claims do not have is passed over: optional claims may be absent.

    Raises `Refused` when the claims use a reserved name.
    """
    refuse_reserved_names(claims)
    run = _Concealment()
    payload = run.conceal_object(claims, plan)
    if decoys:
        digests = [base64url.encode(hashlib.sha256(os.urandom(32)).digest()) for _ in range(decoys)]
        payload[DIGESTS_KEY] = sorted([*payload.get(DIGESTS_KEY, ()), *digests])
    if run.disclosures or decoys:
        payload[ALGORITHM_KEY] = HASH_NAME
    return payload, run.disclosures[::-1]


def refuse_reserved_names(value: Any) -> None:
    """Raise `Refused` when a member anywhere in the value is named `_sd`, `...` or `_sd_alg`."""
    if isinstance(value, Mapping):
        if not RESERVED_NAMES.isdisjoint(value):
            raise Refused("the claims use a name that is reserved for digests")
        for member in value.values():
            if type(member) is not str:
                refuse_reserved_names(member)
    elif isinstance(value, list | tuple):
        for element in value:
            if type(element) is not str:
                refuse_reserved_names(element)


class _Concealment:
    """One run over the claims of one credential; salts are drawn in blocks and used once."""

    def __init__(self) -> None:
        self.disclosures: list[bytes] = []
        self._salts = b""
        self._used = 0

    def _salt(self) -> str:
        if self._used == len(self._salts):
            random = os.urandom(_SALT_BYTES * _SALTS_AT_ONCE)
            self._salts = binascii.b2a_base64(random, newline=False).translate(_TO_URL)
            self._used = 0
        start = self._used
        self._used = start + _SALT_CHARACTERS
        return self._salts[start : self._used].decode("ascii")

    def _disclose(self, content: list[Any]) -> str:
        encoded = base64url.encode_bytes(strict_json.dumps(content))
        self.disclosures.append(encoded)
        return base64url.encode(hashlib.sha256(encoded).digest())

    def conceal_object(self, claims: Mapping[str, Any], plan: DisclosurePlan) -> dict[str, Any]:
        result: dict[str, Any] = {}
        digests: list[str] = []
        for name, value in claims.items():
            below = plan.children.get(name)
            if below is None:
                result[name] = value
                continue
            inner = self._conceal(value, below) if below.children else value
            if below.selective:
                digests.append(self._disclose([self._salt(), name, inner]))
            else:
                result[name] = inner
        if digests:
            # Section 4.2.4.1: the order of the digests must not tell the order of the claims.
            digests.sort()
            result[DIGESTS_KEY] = digests
        return result

    def _conceal(self, value: Any, plan: DisclosurePlan) -> Any:
        if isinstance(value, Mapping):
            return self.conceal_object(value, plan)
        element_plan = plan.children.get(None)
        if element_plan is None or not isinstance(value, list | tuple):
            return value
        return [self._conceal_element(element, element_plan) for element in value]

    def _conceal_element(self, element: Any, plan: DisclosurePlan) -> Any:
        inner = self._conceal(element, plan) if plan.children else element
        return {ELEMENT_KEY: self._disclose([self._salt(), inner])} if plan.selective else inner
