"""One short story per flow, each through real services and their installed commands; each is also a test.

python -m examples.stories [NAME]     # one_course, taken_back_by_the_issuer, a_no_tells_nothing

A story raises `AssertionError` at the first thing that is not as told.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples.demo import COURSE, EXAMPLE_SETTINGS, PERSON, STUDY_RECORD
from examples.services import Services, start_trusting

ONE_COURSE = "ST3020"


def one_course(services: Services) -> None:
    """A university abroad needs one course of a transcript. The person shows that one; it verifies by itself, and the
    receiver cannot tell how many others there are."""
    receive(services, "--type", "course-results")
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
    asked = services.command("verifier", "request", "--template-file", str(file))
    shared = services.command("wallet", "present", asked["request"], "--approve", "--person", PERSON)
    assert shared["outcome"] == "delivered"
    result = verdict(services, asked["id"])
    assert result["accepted"], result["checks"]
    shown = [value["value"] for value in result["values"] if value["path"][0] == "courses"]
    assert shown == [ONE_COURSE], "one course, and of it the code alone"
    assert not any(value["path"][0] in ("family_name", "birthdate") for value in result["values"])


def taken_back_by_the_issuer(services: Services) -> None:
    """The university finds a mistake and revokes. Whoever checks after that sees it, and it is final."""
    offer = receive(services, "--type", "micro-credential", "--course", COURSE)
    first = ask_and_share(services)
    assert first["accepted"]
    services.command("issuer", "revoke", offer["id"])
    second = ask_and_share(services)
    assert second["verdict"] == "rejected"
    assert [check["name"] for check in second["checks"] if check["outcome"] == "failed"] == ["status"]
    services.command("issuer", "reinstate", offer["id"], accept=(1,))


def a_no_tells_nothing(services: Services) -> None:
    """The person says no. The employer learns that there is no answer, and not why."""
    receive(services, "--type", "micro-credential", "--course", COURSE)
    asked = services.command("verifier", "request", "--template", "employer-micro-credential")
    services.command("wallet", "present", asked["request"], "--refuse", "--person", PERSON, accept=(0, 1))
    result = verdict(services, asked["id"])
    assert result["state"] == "declined"
    assert not result["accepted"]
    assert result["values"] is None


STORIES: tuple[Callable[[Services], None], ...] = (one_course, taken_back_by_the_issuer, a_no_tells_nothing)


def receive(services: Services, *offer: str) -> Any:
    """The university offers, the person takes; gives the offer."""
    made = services.command("issuer", "offer", *offer, "--from", str(STUDY_RECORD))[0]
    services.command("wallet", "receive", made["offer"], "--person", PERSON)
    return made


def ask_and_share(services: Services) -> Any:
    """The employer asks, the person shares what is needed; gives the verdict."""
    asked = services.command("verifier", "request", "--template", "employer-micro-credential")
    services.command("wallet", "present", asked["request"], "--approve", "--person", PERSON, accept=(0, 1))
    return verdict(services, asked["id"])


def verdict(services: Services, request_id: str) -> Any:
    """What became of a request, waiting for it as long as half a minute. Only an accepted one ends with status 0."""
    return services.command("verifier", "result", request_id, "--wait", "30", accept=(0, 1))


def tell(story: Callable[[Services], None]) -> None:
    """Start the services in a directory of their own, tell one story, stop them."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        passphrase_file = data / "passphrase"
        passphrase_file.write_text("a passphrase for a story\n")
        with Services(data, settings={**EXAMPLE_SETTINGS, "WALLET_PASSPHRASE_FILE": str(passphrase_file)}) as services:
            start_trusting(services)
            story(services)


if __name__ == "__main__":
    for told in STORIES:
        if sys.argv[1:] in ([], [told.__name__]):
            tell(told)
            print(f"{told.__name__}: as told")
