"""The disclosure policy that an issuer embeds: which recipients a certificate is meant for (CS-16, OA-11).

    policy_outcome({"policy": "allow_list", "values": ["NTRSE-556000-0001"]}, identifier="NTRSE-556000-0001", chain=())

It is stored when the certificate is received, as `disclosure_policy` of the issuer's `credential_metadata`, with
`policy` one of `none`, `allow_list` (identifiers of recipients) and `root_of_trust` (base64url SHA-256 of
certificates). As the ARF demands it is judged by the recipient's *registration certificate* alone (EDP_02, EDP_03): its
identifier, and the chain that signed it. Without one that was checked the outcome is unknown, which is never "allowed".
The decision stays with the person (EDP_07).

Source: ARF, annex 2, topic 43. The exact names of members are those of ETSI TS 119 472-3, which was not at hand; both
spellings that are found in the field are read, and a policy that is not understood is unknown.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

_MOST_VALUES = 1_000


class PolicyOutcome(StrEnum):
    """What the issuer's policy says of one recipient."""

    NONE = "none"  # The issuer has no policy.
    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"


def policy_outcome(policy: object, *, identifier: str, chain: Collection[str]) -> PolicyOutcome:
    """What a stored policy says of a recipient.

    `identifier` is that of its checked registration certificate, `chain` the base64url SHA-256 of every certificate
    that vouched for it, its anchors included; both empty when there is none that was checked.
    """
    if policy is None:
        return PolicyOutcome.NONE
    if not isinstance(policy, Mapping):
        return PolicyOutcome.UNKNOWN
    kind = str(policy.get("policy", "")).replace("_", "").casefold()
    if kind in ("none", "nopolicy"):
        return PolicyOutcome.NONE
    values = _texts(policy.get("values"))
    if values is None or kind not in ("allowlist", "rootoftrust"):
        return PolicyOutcome.UNKNOWN
    if not identifier:
        return PolicyOutcome.UNKNOWN
    shown = {identifier} if kind == "allowlist" else set(chain)
    return PolicyOutcome.ALLOWED if shown & values else PolicyOutcome.NOT_ALLOWED


def _texts(values: Any) -> set[str] | None:
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_VALUES:
        return None
    return set(values) if all(isinstance(value, str) for value in values) else None
