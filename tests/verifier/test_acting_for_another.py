"""A receiver that is shown a power beside a certificate: what it checks, what it tells, what it does not believe."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from schemas.power import POWER_CHECKS
from schemas.types import CREDENTIAL_TYPES
from tests.verifier.scene import Scene
from tests.verifier.withdrawing import act, receipt_for, submission, take
from verifier.acting import Acting, acting_in
from verifier.app import catalogues_of
from verifier.countersigning import ReceiptMismatch
from verifier.exchange import MadeRequest
from verifier.request_templates import parse_template
from verifier.result_document import result_document
from verifier.verification import Verdict

POWER = CREDENTIAL_TYPES["power-of-representation"]
REGISTRATION = CREDENTIAL_TYPES["registration-certificate"]
AUTHORITY = {"issuing_authority": {"sv": "Nämnden", "en": "The board"}, "issuing_country": "SE", "as_of": "2026-11-20"}
LINA = {"family_name": "Haddad", "given_name": "Lina", "birthdate": "2012-08-19"}
OMAR = {"family_name": "Haddad", "given_name": "Omar", "birthdate": "1983-03-04"}
HELD: dict[str, Any] = {
    **AUTHORITY,
    **OMAR,
    **{f"principal_{name}": value for name, value in LINA.items()},
    "power_basis": "guardian_of_child",
    "covers_types": [REGISTRATION.vct],
    "covers_recipients": ["localhost"],
    "begins_on": "2026-02-01",
    "ends_on": "2030-08-18",
    "agents_needed": 1,
}
WHY = {"sv": "Vi behöver veta det.", "en": "We need to know."}
ASKED = {
    "power": ("family_name", "given_name", "principal_family_name", "principal_given_name", "principal_birthdate"),
    "registration": ("registered_status", "family_name", "given_name", "birthdate"),
}


class Guardian(Scene):
    """A scene whose holder acts for somebody else."""

    def given(
        self,
        power: dict[str, Any] | None = None,
        subject: dict[str, Any] | None = None,
        *,
        index: int | None = 30,
        status: str = "required",
        leave_out: str = "",
    ) -> tuple[MadeRequest, Any]:
        """Ask for a power and a registration, and answer with these, changed; all but one path of what was asked."""
        types = {"power": POWER, "registration": REGISTRATION}
        credentials = [
            {
                "id": name,
                "vct": [types[name].vct],
                "status": status,
                "items": [{"path": [path], "reason": WHY} for path in paths if f"{name}.{path}" != leave_out],
            }
            for name, paths in ASKED.items()
        ]
        purpose = {"sv": "Vi prövar en ansökan för ett barn.", "en": "We examine an application for a child."}
        template = parse_template(
            {
                "name": "child",
                "title": WHY,
                "purpose": purpose,
                "retention_days": 30,
                "basis": "public_task",
                "contact": "privacy@company.example",
                "credentials": credentials,
            }
        )
        tokens = {
            "power": self.issuer.issue(
                HELD | (power or {}), holder=self.holder, credential_type=POWER, now=self.now, index=index
            ),
            "registration": self.issuer.issue(
                AUTHORITY | LINA | {"registered_status": True} | (subject or {}),
                holder=self.holder,
                credential_type=REGISTRATION,
                now=self.now,
                index=31,
            ),
        }
        made = self.ask(template)
        request = self.fetch(made)
        shown = {name: [self.presentation(request, name, token=token)] for name, token in tokens.items()}
        return made, self.post(made, self.form(request, {"vp_token": shown}))

    def found(self, made: MadeRequest) -> dict[str, str]:
        """Everything that did not pass, with its reason."""
        return {check.name: check.reason for check in self.result(made).result.checks if check.outcome != "passed"}


@pytest.fixture
def guardian(tmp_path: Path) -> Guardian:
    """Omar, who acts for Lina."""
    return Guardian(tmp_path)


def test_a_power_and_its_certificate_are_accepted_and_both_are_named(guardian: Guardian) -> None:
    """Every check of the power is in the list; the document says who acted for whom."""
    made, reply = guardian.given()

    assert reply.status == 200
    record = guardian.result(made)
    assert record.verdict is Verdict.ACCEPTED
    assert {check.name for check in record.result.checks} >= set(POWER_CHECKS)
    told = result_document(
        record,
        contents=guardian.verifier.contents(made.id, viewer="test"),
        deletion=None,
        catalogues=catalogues_of(guardian.settings),
        time_zone=guardian.settings.time_zone,
    )
    assert told["acting_for"] == {"agent": "Omar Haddad", "principal": "Lina Haddad"}


@pytest.mark.parametrize(
    ("power", "subject", "check", "reason"),
    [
        ({"ends_on": "2026-11-19"}, {}, "power_dates", "power_ended"),
        ({"begins_on": "2026-11-21"}, {}, "power_dates", "power_not_begun"),
        ({"covers_types": ["urn:other"]}, {}, "power_scope", "power_other_kind"),
        ({"covers_recipients": ["school.example"]}, {}, "power_scope", "power_other_recipient"),
        ({"agents_needed": 2}, {}, "power_agents", "power_needs_others"),
        ({}, {"given_name": "Sara"}, "power_person", "power_other_person"),
        ({}, OMAR, "power_person", "power_other_person"),
        ({"covers_types": [POWER.vct, REGISTRATION.vct]}, {}, "power_chain", "power_chained"),
    ],
)
def test_what_the_power_does_not_cover_is_rejected(
    guardian: Guardian, power: dict[str, Any], subject: dict[str, Any], check: str, reason: str
) -> None:
    """Everything else of the answer holds: only the power objects."""
    made, reply = guardian.given(power, subject)

    assert reply.status == 400
    assert guardian.found(made) == {check: reason}


def test_a_derived_type_is_a_power_all_the_same(guardian: Guardian) -> None:
    """A type of its own that says to be a power (`aka_vcts`) is judged as one, and names the two."""
    derived = {"vct": "urn:kommun:power:1", "aka_vcts": [POWER.vct]}
    worse: dict[str, Any] = {"ends_on": "2026-03-01", "agents_needed": 3, "covers_recipients": ["elsewhere.example"]}

    made, reply = guardian.given(derived | worse, {"given_name": "Sara"})
    assert reply.status == 400
    assert set(guardian.found(made)) >= {"power_dates", "power_agents", "power_scope", "power_person"}

    made, reply = guardian.given(derived)
    assert guardian.result(made).verdict is Verdict.ACCEPTED
    kept = guardian.verifier.contents(made.id, viewer="test")
    assert kept is not None
    acting = acting_in(kept.items, guardian.result(made).transaction.question.template)
    assert acting == Acting("Omar Haddad", "Lina Haddad")


def test_a_receipt_names_who_acted_or_is_not_counter_signed(guardian: Guardian) -> None:
    """What the answer told of the two, and nothing else; a receipt that is silent of them neither."""
    made, _ = guardian.given()
    said = {
        "principal": "Lina Haddad",
        "agent": "Omar Haddad",
        "power_issuer": "Nämnden",
        "power_ends_on": "2030-08-18",
    }

    def countersign(**changed: Any) -> str:
        items = [
            {
                "name": {language: kind.label((path,), language) for language in WHY},
                "certificate": {language: kind.title(language) for language in WHY}, "certificate_type": kind.vct,
                "issuer": "x", "path": [path], "required": True, "approved_separately": False, "commitment": "c",
            }
            for name, paths in ASKED.items()
            for kind in [POWER if name == "power" else REGISTRATION]
            for path in paths
        ]  # fmt: skip
        receipt = receipt_for(guardian, made, items=items, **changed)
        return asyncio.run(guardian.verifier.deletions.countersign(submission(guardian, made, receipt)))

    for wrong in ({}, {"acting_for": said | {"agent": "Lina Haddad"}}, {"acting_for": said | {"principal": "Sara H"}}):
        with pytest.raises(ReceiptMismatch, match="who acted"):
            countersign(**wrong)
    assert countersign(acting_for=said)
    assert guardian.verifier.deletions.store.receipt(made.id) is not None
    take(guardian, act(guardian, made))
    assert guardian.verifier.deletions.store.receipt(made.id) is None, "names are values, and go with them"


@pytest.mark.parametrize("left_out", ["power.principal_birthdate", "registration.birthdate"])
def test_a_receiver_that_does_not_ask_who_it_is_accepts_nothing(guardian: Guardian, left_out: str) -> None:
    """Somebody of the same name could be another: not rejected, and never accepted."""
    made, reply = guardian.given(leave_out=left_out)

    assert reply.status == 200
    assert guardian.result(made).verdict is Verdict.UNDETERMINED
    assert guardian.found(made) == {"power_person": "power_person_unknown"}


def test_a_power_that_was_taken_back_is_rejected(guardian: Guardian) -> None:
    """Verified like any certificate: the rules of powers do not stand in for its status."""
    guardian.issuer.set_status(30, 1)
    guardian.refresh_list()
    made, reply = guardian.given()

    assert reply.status == 400
    assert guardian.found(made)["status"] == "revoked"
    assert guardian.found(made)["power_dates"] == "earlier_check_failed"


def test_a_power_that_nobody_can_take_back_is_rejected_whatever_the_template_says(guardian: Guardian) -> None:
    """Without a status there is no way to end it."""
    made, _ = guardian.given(index=None, status="if_present")

    assert guardian.found(made)["status"] == "missing_status"
    assert guardian.result(made).verdict is Verdict.REJECTED
