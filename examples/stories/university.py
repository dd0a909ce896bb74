"""A university and an employer: one course out of a transcript, a certificate that is revoked, and a no."""

import json

from examples.demo import COURSE, PERSON, STUDY_RECORD
from examples.services import Services
from examples.stories.telling import receive, receive_all, share, take_back, verdict

ONE_COURSE = "ST3020"


def one_course(services: Services) -> None:
    """A university abroad needs one course of a transcript. The person shows that one; it verifies by itself, and the
    receiver cannot tell how many others there are."""
    receive_all(services, "issuer", "course-results", STUDY_RECORD)
    course = {"required": True, "reason": {"sv": "Kursen är ett förkunskapskrav.", "en": "It is a prerequisite."}}
    template = {
        "name": "prerequisite",
        "title": {"sv": "Förkunskaper", "en": "Prerequisites"},
        "purpose": {
            "sv": "Vi prövar om du är behörig till kursen.",
            "en": "We assess whether you may take the course.",
        },
        "retention_days": 30,
        "basis": "public_task",
        "contact": "admissions@university.example",
        "credentials": [
            {
                "id": "transcript",
                "vct": ["urn:intyga:credential:course-results:1"],
                "status": "required",
                "items": [{"path": ["courses", None, "course_code"], "values": [ONE_COURSE], **course}],
            }
        ],
    }
    file = services.data / "prerequisite.json"
    file.write_text(json.dumps(template))
    shared = share(services, file)
    result = shared.result
    assert result["accepted"], result["checks"]
    shown = [value["value"] for value in result["values"] if value["path"][0] == "courses"]
    assert shown == [ONE_COURSE], "one course, and of it the code alone"
    assert not any(value["path"][0] in ("family_name", "birthdate") for value in result["values"])
    take_back(services, shared)


def taken_back_by_the_issuer(services: Services) -> None:
    """The university finds a mistake and revokes. Whoever checks after that sees it, and it is final."""
    offer = receive(services, "issuer", "micro-credential", STUDY_RECORD, "--course", COURSE)
    first = share(services, "employer-micro-credential")
    assert first.result["accepted"]
    services.command("issuer", "revoke", offer["id"])
    again = share(services, "employer-micro-credential")
    second = again.result
    assert second["verdict"] == "rejected", (again.told, second["state"])
    assert [check["name"] for check in second["checks"] if check["outcome"] == "failed"] == ["status"]
    services.command("issuer", "reinstate", offer["id"], accept=(1,))
    take_back(services, first)


def a_no_tells_nothing(services: Services) -> None:
    """The person says no. The employer learns that there is no answer, and not why. There is nothing to take back, and
    the wallet says so."""
    receive(services, "issuer", "micro-credential", STUDY_RECORD, "--course", COURSE)
    asked = services.command("verifier", "request", "--template", "employer-micro-credential")
    services.command("wallet", "present", asked["request"], "--refuse", "--person", PERSON, accept=(0, 1))
    result = verdict(services, asked["id"])
    assert result["state"] == "declined"
    assert not result["accepted"]
    assert result["values"] is None
    (entry,) = [
        one
        for one in services.command("wallet", "ledger", "--person", PERSON)["entries"]
        if one["outcome"] == "refused"
    ]
    services.command("wallet", "take-back", entry["id"], "--yes", "--person", PERSON, accept=(1,))
