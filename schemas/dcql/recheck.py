"""The verifier's own look at what came back: is it what the query asked for (OpenID4VP 1.0, 8.6 and 14.9)?

A verifier must not rely on the wallet to keep to the query. This module shares nothing with the wallet's selection but
the meaning of a path and of "equal". It judges verified content: signatures, binding, trust and status are
`proofs/verify.py`'s.

    checks = check_answer(query, {"course": [PresentedCredential(...)]})
    [check.name for check in checks]     # ["query", "values"]
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.dcql.matching import is_expected, matches_authority, matches_type
from schemas.dcql.paths import ClaimsPath, ConcretePath, PathError, is_index, select_claims, starts_with, value_at
from schemas.dcql.query import ClaimQuery, CredentialQuery, Query
from schemas.verification import Check, Outcome


@dataclass(frozen=True, slots=True)
class PresentedCredential:
    """What a verified presentation shows.

    `type_chain` is its type and what that extends, as the verifier knows it. `claims` are the processed claims, with
    what was disclosed. `holder_bound` says that a key binding was verified. `disclosed` are the concrete paths, in
    `claims`, at which a disclosure stood; `None` when not known (then nothing is said about over-disclosure).
    `positions` gives, for the concrete path of an array in `claims`, where its elements stood before undisclosed ones
    fell out; an array that is not named is complete. `None` means not known, and then a path with an index into an
    array could not be checked.
    """

    format: str
    type_chain: tuple[str, ...]
    claims: Mapping[str, Any]
    holder_bound: bool = True
    authorities: Collection[tuple[str, str]] | None = None
    disclosed: Collection[ConcretePath] | None = None
    positions: Mapping[ConcretePath, Sequence[int]] | None = None


@dataclass(frozen=True, slots=True)
class _Fault:
    reason: str
    detail: str
    outcome: Outcome = Outcome.FAILED


class _PositionUnknown(Exception):
    """The place of an array element before others were left out is not known."""


def check_answer(query: Query, presented: Mapping[str, Sequence[PresentedCredential]]) -> list[Check]:
    """The checks `query` and `values`, in this order.

    `presented` maps the ids of the answer (all keys of `vp_token`, known or not) to the verified presentations.

    `query` fails with the first of these reasons: `unknown_query`, `empty`, `multiple`, `format`, `type`,
    `holder_binding`, `authority`, `claim_missing`, `set_missing`; its detail names every query with a fault. It passes
    with the reason `more_than_asked` when a presentation disclosed what no query asked for. `values` fails with
    `value_differs` when a claim has none of the values that the query names. When an array element cannot be found
    since its place is not known, `query` could not be checked, reason `position_unknown`.

    Source: OpenID4VP 1.0, sections 6.4, 8.1, 8.6 and 14.9.
    """
    known = {credential.id: credential for credential in query.credentials}
    faults = [_Fault("unknown_query", "an id that the query does not have") for one in presented if one not in known]
    different: list[str] = []
    more: list[str] = []
    for query_id, credential in known.items():
        if query_id not in presented:
            continue
        faults += _count_faults(credential, presented[query_id])
        for one in presented[query_id]:
            fault, differs = _presentation(credential, one)
            faults += [fault] if fault else []
            different += [query_id] if differs else []
            more += [query_id] if not fault and _shows_more(query, one) else []
    faults += _missing_sets(query, presented)
    return [_query_check(faults, more), _values_check(faults, different)]


def _count_faults(credential: CredentialQuery, some: Sequence[PresentedCredential]) -> list[_Fault]:
    if not some:
        return [_Fault("empty", f"{credential.id}: no presentation")]  # 8.1
    if len(some) > 1 and not credential.multiple:
        return [_Fault("multiple", f"{credential.id}: more than one presentation")]  # 8.1
    return []


def _presentation(credential: CredentialQuery, one: PresentedCredential) -> tuple[_Fault | None, bool]:
    """What is wrong with one presentation, and whether a claim has another value than asked for."""
    reason = ""
    if one.format != credential.format:
        reason = "format"
    elif not matches_type(credential, one.type_chain):
        reason = "type"
    elif credential.require_cryptographic_holder_binding and not one.holder_bound:
        reason = "holder_binding"
    elif (
        credential.trusted_authorities
        and one.authorities is not None
        and not matches_authority(credential.trusted_authorities, one.authorities)
    ):
        reason = "authority"
    if reason:
        return _Fault(reason, f"{credential.id}: {reason}"), False
    return _claims(credential, one)


def _claims(credential: CredentialQuery, one: PresentedCredential) -> tuple[_Fault | None, bool]:
    """One combination must be there in full (6.4.1), with values that were asked for."""
    complete = False
    unknown = False
    for _, claims in credential.alternatives():
        try:
            found = [_selected(claim.path, one) for claim in claims]
        except PathError:
            continue
        except _PositionUnknown:
            unknown = True
            continue
        complete = True
        if all(_has_value(claim, places, one) for claim, places in zip(claims, found, strict=True)):
            return None, False
    if complete:
        return None, True
    if unknown:
        detail = f"{credential.id}: the place of an array element is not known"
        return _Fault("position_unknown", detail, Outcome.COULD_NOT_CHECK), False
    return _Fault("claim_missing", f"{credential.id}: a claim is missing"), False


def _has_value(claim: ClaimQuery, places: Sequence[ConcretePath], one: PresentedCredential) -> bool:
    return not claim.values or any(is_expected(value_at(one.claims, place), claim.values) for place in places)


def _selected(path: ClaimsPath, one: PresentedCredential) -> list[ConcretePath]:
    return select_presented(one.claims, path, positions=one.positions)


def select_presented(
    claims: Mapping[str, Any],
    path: ClaimsPath,
    *,
    positions: Mapping[ConcretePath, Sequence[int]] | None,
    spend: Callable[[int], None] | None = None,
) -> list[ConcretePath]:
    """`select_claims` for a presentation: an index in `path` is the place of an element in the credential as issued.

    `positions` is as in `PresentedCredential`. Returns places in `claims`, in what is left; `place_as_issued` turns
    them round. Raises `PathError` as `select_claims` does, which also says what `spend` is.
    """
    if not any(is_index(component) for component in path):
        return select_claims(claims, path, spend=spend)
    places: list[ConcretePath] = [()]
    for component in path:
        step: list[ConcretePath] = []
        for place in places:
            inner = value_at(claims, place)
            if is_index(component):
                assert isinstance(component, int)
                step += _at_index(place, inner, component, positions)
            else:
                step += [(*place, *found) for found in _relative(inner, component)]
        places = step
        if spend:
            spend(1 + len(places))
    if not places:
        raise PathError("nothing_selected")
    return places


def _relative(inner: Any, component: str | int | None) -> list[ConcretePath]:
    try:
        return select_claims(inner, (component,))
    except PathError as exc:
        if exc.reason == "nothing_selected":
            return []
        raise


def place_as_issued(place: ConcretePath, positions: Mapping[ConcretePath, Sequence[int]]) -> ConcretePath:
    """Where an element of a presentation stood in the credential as issued, before undisclosed elements fell out.

    Two presentations of one credential leave out different elements: only these places can be compared.
    """
    issued: list[str | int] = []
    for depth, component in enumerate(place):
        places = positions.get(place[:depth]) if isinstance(component, int) else None
        issued.append(places[component] if places is not None and isinstance(component, int) else component)
    return tuple(issued)


def _at_index(
    place: ConcretePath, inner: Any, index: int, positions: Mapping[ConcretePath, Sequence[int]] | None
) -> list[ConcretePath]:
    if not isinstance(inner, list | tuple):
        raise PathError("not_an_array")
    if positions is None:
        raise _PositionUnknown
    here = positions.get(place, range(len(inner)))
    return [(*place, at) for at, original in enumerate(here) if original == index and at < len(inner)]


def _shows_more(query: Query, one: PresentedCredential) -> bool:
    """Whether a disclosure is neither asked for, nor below what is asked for, nor needed to reach it.

    A wallet may put the claims of several queries for one credential into each of its presentations (6.4).
    """
    if one.disclosed is None:
        return False
    asked: list[ConcretePath] = []
    for credential in query.credentials:
        if credential.format != one.format or not matches_type(credential, one.type_chain):
            continue
        for claim in credential.claims:
            try:
                asked += _selected(claim.path, one)
            except (PathError, _PositionUnknown):
                continue
    return any(
        not any(starts_with(place, path) or starts_with(path, place) for path in asked) for place in one.disclosed
    )


def _missing_sets(query: Query, presented: Mapping[str, Sequence[PresentedCredential]]) -> list[_Fault]:
    """Every required set has an option of which all queries are answered (6.4.2)."""
    answered = {query_id for query_id, some in presented.items() if some}
    for one in query.sets:
        if one.required and not any(answered.issuperset(option) for option in one.options):
            return [_Fault("set_missing", "something required was not answered")]
    return []


def _query_check(faults: Sequence[_Fault], more: Sequence[str]) -> Check:
    if faults:
        first = min(faults, key=lambda fault: fault.outcome is not Outcome.FAILED)
        return Check("query", first.outcome, first.reason, "; ".join(fault.detail for fault in faults))
    if more:
        return Check("query", Outcome.PASSED, "more_than_asked", "more was disclosed than asked: " + ", ".join(more))
    return Check("query", Outcome.PASSED)


def _values_check(faults: Sequence[_Fault], different: Sequence[str]) -> Check:
    if different:
        return Check("values", Outcome.FAILED, "value_differs", "another value than asked for: " + ", ".join(different))
    if faults:
        return Check("values", Outcome.COULD_NOT_CHECK, "earlier_check_failed", "the answer is not what was asked for")
    return Check("values", Outcome.PASSED)
