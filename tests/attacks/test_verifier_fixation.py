"""Session fixation: somebody starts a request in a browser of theirs and sends its link to another person.

Whoever started it must learn nothing of that person, whatever the answer comes to: neither values nor eligibility, nor
which checks held, nor whether it would have been accepted. What they can see is that somebody answered, and that no
browser came back. Only when the answer's code comes back in the session that asked is the result anybody's.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas.withdrawal import StatementOutcome
from tests.verifier.scene import response_code_of
from tests.verifier.test_internship import Applicant, applicant
from tests.verifier.withdrawing import act, statement_of, take
from verifier.exchange import MadeRequest, Reply
from verifier.requests import Kind
from verifier.store import State
from verifier.store.requests import NoSuchRequest
from verifier.verification import Verdict

__all__ = ["applicant"]

MINE, THEIRS = "the browser that asked", "the browser of the person"
YESTERDAY = "2026-11-19"


def answered(applicant: Applicant, what: str) -> tuple[MadeRequest, Reply]:
    """A same-device request that the person's wallet has answered, in one of the ways an answer can turn out."""
    if what == "not eligible":
        applicant.hold({"registered_status": False})
    elif what == "too old":
        applicant.hold({"as_of": YESTERDAY})
    elif what == "unchecked":
        applicant.lists.clear()
    made = applicant.ask("internship", kind=Kind.SAME_DEVICE, binding=MINE)
    request = applicant.fetch(made)
    token = {name: [applicant.presentation(request, name)] for name in ("registration", "target-group", "course")}
    if what == "forged":
        token["course"] = [token["course"][0][:-8] + "AAAAAAAA"]
    return made, applicant.post(made, applicant.form(request, {"vp_token": token}))


def told(applicant: Applicant, made: MadeRequest) -> Mapping[str, Any]:
    """What a program is told, without what differs from request to request."""
    document = applicant.told(made)
    return {name: document[name] for name in sorted(document) if name not in ("id", "made_at", "expires_at")}


WAYS = ["eligible", "not eligible", "too old", "unchecked", "forged"]


def test_whoever_sent_the_link_cannot_tell_one_answer_from_another(tmp_path: Path) -> None:
    """Eligible, not eligible, too old, unchecked or forged: before and after the time is up, all look alike."""
    before, after, logs = {}, {}, {}
    for what in WAYS:
        someone = Applicant(tmp_path / what.replace(" ", "-"))
        someone.hold()
        made, _ = answered(someone, what)
        before[what] = json.dumps(told(someone, made), default=str)
        logs[what] = [(line.event, line.outcome, line.detail) for line in someone.verifier.requests.log()]
        assert someone.verifier.contents(made.id, viewer="test") is None
        someone.pass_time(minutes=10)
        listed = someone.verifier.requests.list_transactions(now=someone.now)
        assert {(one.state, one.verdict, one.proofs) for one in listed} == {(State.NOT_RETURNED, Verdict.REJECTED, ())}
        document = told(someone, made)
        after[what] = json.dumps(document, default=str)
        assert (document["eligibility"], document["checks"], document["presentations"]) == (None, [], [])

    assert len(set(before.values())) == 1, before
    assert len(set(after.values())) == 1, after
    assert len({str(one) for one in logs.values()}) == 1, logs


@pytest.mark.parametrize("what", ["eligible", "not eligible", "too old"])
def test_a_code_that_comes_back_elsewhere_tells_nobody_anything(applicant: Applicant, what: str) -> None:
    """The person's own browser brings the code: the request ends, and neither side learns what it came to."""
    made, reply = answered(applicant, what)

    for binding in (THEIRS, MINE):
        with pytest.raises(NoSuchRequest):
            applicant.verifier.redeem(response_code_of(reply), binding=binding)

    document = told(applicant, made)
    assert (document["state"], document["accepted"]) == ("not_returned", False)
    assert (document["eligibility"], document["checks"], document["presentations"]) == (None, [], [])


@pytest.mark.parametrize(
    ("what", "answer"), [("eligible", "eligible"), ("not eligible", "not_eligible"), ("too old", "undecided")]
)
def test_in_the_session_that_asked_every_answer_is_told(applicant: Applicant, what: str, answer: str) -> None:
    """A no, and what has to be renewed, lead the browser back as a yes does; then all of it is told."""
    made, reply = answered(applicant, what)
    assert (reply.status, set(reply.members)) == (200, {"redirect_uri"})

    assert applicant.verifier.redeem(response_code_of(reply), binding=MINE) == made.id

    document = told(applicant, made)
    assert document["eligibility"]["answer"] == answer
    assert document["state"] == "answered"
    assert (document["values"] is None) is (what != "eligible")


def test_what_is_no_proper_answer_leads_nowhere(applicant: Applicant) -> None:
    """A forged one is refused with 400 and no address; the wallet tells its owner, and nobody else is told."""
    made, reply = answered(applicant, "forged")

    assert (reply.status, set(reply.members)) == (400, {"error", "error_description"})
    assert told(applicant, made)["state"] == "awaiting_return"


@pytest.mark.parametrize("what", ["not eligible", "too old"])
def test_an_answer_that_was_a_no_can_be_taken_back_like_any_other(applicant: Applicant, what: str) -> None:
    """The wallet was told that it arrived: the keys that bound it speak for it, and there is nothing left to delete."""
    made, reply = answered(applicant, what)
    applicant.verifier.redeem(response_code_of(reply), binding=MINE)

    statement = statement_of(take(applicant, act(applicant, made)), applicant, made)

    assert statement.outcome is StatementOutcome.DELETED
    assert told(applicant, made)["eligibility"] is None
