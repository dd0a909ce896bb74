"""Making, reading and judging the labelled set.

python -m tests.over_asking.vectors        # writes tests/vectors/over_asking/requests.json anew
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from proofs.request_object import VerifierIdentity
from schemas.consent import RequestNotice
from schemas.dcql import parse_query
from schemas.presentation import AuthorizationRequest, RequestLink
from schemas.registration import beyond, read_registered
from tests.over_asking.cases import honest
from tests.over_asking.hard import hard_cases
from tests.over_asking.sectors import SECTORS
from tests.over_asking.twists import TWISTS
from wallet.over_asking import AskedFacts, Past, PolicyOutcome, ShownCertificate, asked_paths, evaluate, fired, gather
from wallet.over_asking.past import path_key
from wallet.requests import CheckedRequest, FetchedRequest, Registration, RegistrationOutcome, StatedNotice

FILE: Final = Path(__file__).parents[1] / "vectors" / "over_asking" / "requests.json"
ASKED_AT: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_TWISTS_PER_REQUEST: Final = 11
"""Each honest request meets so many twists, in turn, so that the set stays of a size that somebody can read."""


def make() -> list[dict[str, Any]]:
    """The whole set: honest requests, each with some twists in turn, and the hard cases."""
    made = []
    names = list(TWISTS)
    for number, (sector, language) in enumerate((one, lang) for one in SECTORS for lang in ("sv", "en")):
        made.append(honest(sector, language).as_json())
        for step in range(_TWISTS_PER_REQUEST):
            name = names[(number * _TWISTS_PER_REQUEST + step) % len(names)]
            twisted = TWISTS[name](honest(sector, language), sector)
            if twisted is not None:
                twisted.id = f"{sector.id}-{language}-{name}"
                made.append(twisted.as_json())
    return made + [case.as_json() for case in hard_cases()]


def as_text(cases: list[dict[str, Any]]) -> str:
    """The set as it rests: one request on each line, so that changes can be read."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, sort_keys=True) for case in cases)
    return f"[\n{lines}\n]\n"


def load() -> list[dict[str, Any]]:
    """The set in the file."""
    cases: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return cases


def facts_of(case: dict[str, Any]) -> AskedFacts:
    """What the rules see of a request: read by the wallet's own readers, with identity and past as the case says."""
    request = AuthorizationRequest.from_parameters(
        {
            "client_id": "x509_hash:of-the-labelled-set",
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "response_uri": case["response_uri"],
            "nonce": "nonce-of-the-labelled-set",
            "dcql_query": case["dcql_query"],
        }
    )
    query = parse_query(case["dcql_query"])
    identity = dict(case["identity"])
    born = ASKED_AT - timedelta(days=identity.pop("certificate_age_days"))
    notice = RequestNotice.model_validate(case["notice"]) if case["notice"] else None
    registration = Registration(RegistrationOutcome.MISSING)
    if case["registered"] is not None:
        more = beyond(query, read_registered(case["registered"]))
        outcome = RegistrationOutcome.EXCEEDED if more else RegistrationOutcome.COVERED
        registration = Registration(outcome, more)
    link = RequestLink(client_id=request.client_id, parameters={})
    checked = CheckedRequest(
        fetched=FetchedRequest(link, "", None, ASKED_AT),
        checked_at=ASKED_AT,
        vouched_by=(),
        request=request,
        query=query,
        identity=VerifierIdentity(
            level=identity["level"],
            legal_name=identity["legal_name"],
            dns_names=tuple(identity["dns_names"]),
            certificate_not_before=born,
        ),
        stated=StatedNotice(notice, signed=True, digest="") if notice else None,
        registration=registration,
        answer_key=None,
        expires_at=ASKED_AT + timedelta(minutes=5),
    )
    return gather(checked, past=past_of_case(case), shown=[shown_of_case(case)])


def past_of_case(case: dict[str, Any]) -> Past:
    """What the wallet remembers in a case."""
    past = dict(case["past"])
    query = parse_query(case["dcql_query"])
    more: tuple[str, ...] = ()
    if case["last_query"] is not None:
        before = set(asked_paths(parse_query(case["last_query"])))
        more = tuple(one for one in asked_paths(query) if one not in before)
    if "more_paths" in past:
        types = [vct for some in query.credentials[0].types for vct in some]
        more = tuple(path_key(types, tuple(path)) for path in past.pop("more_paths"))
    return Past(came_by=case["came_by"], more=more, **past)


def shown_of_case(case: dict[str, Any]) -> ShownCertificate:
    """What the rules need of the certificate that a case is about."""
    return ShownCertificate(id="held", policy=PolicyOutcome(case["policy"]))


def judge(case: dict[str, Any]) -> set[str]:
    """The rules of consent.md that fire."""
    return {rule for rule in fired(evaluate(facts_of(case))) if rule.startswith("OA-")}


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(as_text(make()), encoding="utf-8")
