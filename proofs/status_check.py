"""Step 11 of `proofs.verify`: what the status list says about a credential."""

from collections.abc import Mapping
from typing import Any

from proofs import status_list
from proofs.findings import EARLIER, Findings
from schemas.errors import CouldNotCheck

_REASONS = {status_list.VALID: "", status_list.INVALID: "revoked", status_list.SUSPENDED: "suspended"}


async def check_status(found: Findings, claims: Mapping[str, Any]) -> None:
    """Step 11: what the status list says. An unreachable or broken list leaves the question open.

    A verifier does not ask the list of an issuer whom nobody vouches for; a wallet does, since its person chose it.
    """
    expected = found.expected
    if "status" not in claims:
        if expected.status == "required":
            found.fail("status", "missing_status", "the credential cannot be asked for its status")
        found.passed("status")
        return
    if found.issuer is None and expected.audience is not None:
        # Anyone can make a credential: a stranger must not choose what a verifier fetches (Token Status List, 8.3).
        found.unknown("status", EARLIER, "the status of a credential of an unknown issuer is not asked for")
        return
    mechanisms = claims["status"]
    if not isinstance(mechanisms, dict):
        found.fail("status", "malformed", "`status` is not an object")
    if "status_list" not in mechanisms:
        found.unknown("status", "unsupported_status", "the status is kept by a mechanism that is not supported")
        return
    reference = mechanisms["status_list"]
    uri = reference.get("uri") if isinstance(reference, dict) else None
    index = reference.get("idx") if isinstance(reference, dict) else None
    if not isinstance(uri, str) or type(index) is not int or index < 0:
        found.fail("status", "malformed", "`status_list` does not name a list and an index in it")
    try:
        token = await expected.resolver.status_list(uri, fresh_at=expected.now)
        listed = _read_status_list(found, token, uri)
        found.status = listed.status(index)
    except status_list.OutOfRange as exc:
        found.fail("status", "out_of_range", exc)
    except status_list.StaleStatusList as exc:
        found.unknown("status", "list_stale", exc)
    except status_list.InvalidStatusList as exc:
        found.unknown("status", "list_invalid", exc)
    except CouldNotCheck as exc:
        found.unknown("status", "list_unreachable", exc)
    else:
        reason = _REASONS.get(found.status, "not_valid")
        if reason:
            found.fail("status", reason, "the status list does not say valid")
        found.passed("status")


def _read_status_list(found: Findings, token: str, uri: str) -> status_list.StatusList:
    expected, leaf = found.expected, found.leaf
    anchors = leaf.anchors if leaf is not None else ()
    if expected.status_signers == "any_trusted":
        anchors = expected.trust.anchors("issuer")
    own = (found.signing_key,) if found.signing_key is not None else ()
    listed = found.trusted_by.jwks if found.trusted_by is not None else ()
    return status_list.check_status_list_token(
        token,
        expected_uri=uri,
        anchors=anchors,
        issuer_keys=own + listed,
        now=expected.now,
        skew_seconds=expected.skew_seconds,
    )
