"""An application form is filled in with chosen parts of a certificate of employment and of a course certificate."""

import time
from pathlib import Path

from examples.browsing import Browser
from examples.demo import COURSE, PERSON, STUDY_RECORD
from examples.internship import ANSWER_SECONDS
from examples.jobbspranget.running import running_application
from examples.services import Services, trust_issuer
from examples.stories.telling import DATA, Shared, never_arrived, receipts_agree, receive, take_back, verdict

NUMBERS = ("19980423", "980423-2388", "1998-04-23")


def job_application(services: Services) -> None:
    """Elin has a certificate from a university and one from an earlier employer, two issuers. She opens the form of a
    small receiver program (`examples/application_form/`), writes her given name, and has the rest filled in from her
    wallet: what the form demands, and of what it may be told besides her tasks and her family name; not how much she
    worked, and not her grade. The form marks what is proven, and by whom, and she sends it. Then she takes it back, and
    what was filled in is empty; what she wrote is still there."""
    services.start("fjordtal", 0, program="issuer", ISSUER_NAME="Fjordtal AB", ISSUER_NAME_EN="Fjordtal Ltd")
    trust_issuer(services, "fjordtal")
    receive(services, "issuer", "micro-credential", STUDY_RECORD, "--course", COURSE)
    receive(services, "fjordtal", "employment", DATA / "employment.json")
    with running_application(services, example="application_form") as (url, log):
        elin = Browser()
        shared = _filled_in(services, elin, url, log)
        assert shared.result["accepted"], shared.result["checks"]
        assert {proof["issuer_name"] for proof in shared.result["presentations"]} == {
            "Fjordtal AB",
            "Nordanviks universitet",
        }
        assert set(shared.shown) == {"job_title", "employer", "end_date", "tasks", "family_name", "date_of_issuance"}
        never_arrived(services, shared, NUMBERS)
        proven = _proven(elin)
        assert proven == {
            "family_name": ("Sjöberg", "Fjordtal AB"),
            "job_title": ("Systems developer", "Fjordtal AB"),
            "employer": ("Fjordtal Ltd", "Fjordtal AB"),
            "end_date": ("30 June 2026", "Fjordtal AB"),
            "tasks": ("Developing medical record systems\nTutoring interns", "Fjordtal AB"),
            "achievement_title": ("Computer Security for Health Care Systems", "Nordanviks universitet"),
            "date_of_issuance": ("15 June 2026", "Nordanviks universitet"),
        }, proven
        elin.presses("send")
        sent = elin.reads("//dl[@id='application']/div")
        assert "Given name Elin Written by you" in sent
        receipts_agree(services, shared, is_confirmed=False)

        take_back(services, shared)
        _wait_until_told(elin)
        after = elin.reads("//dl[@id='application']/div")
        assert "Given name Elin Written by you" in after, "what was typed stays"
        assert not [line for line in after if "Proven" in line], "what was filled in is gone"
        assert not [word for word in (*NUMBERS, "Sjöberg") if word in log.read_text()]


def _filled_in(services: Services, elin: Browser, url: str, log: Path) -> Shared:
    """From the form to the wallet and back."""
    passphrase = (services.data / "passphrase").read_text().strip()
    elin.opens(url)
    elin.presses("fill", given_name="Elin")
    elin.presses("unlock", name=PERSON, passphrase=passphrase)
    elin.presses("arrival-continue")
    chosen = [part for word in ("Tasks", "Family name") for part in _optional(elin, word)]
    elin.presses("decide-share", optional=chosen)
    elin.presses("decide-share", passphrase=passphrase)
    assert elin.url.startswith(url), "the browser is back at the form"
    request_id = log.read_text().rpartition("filled in by request ")[2].split()[0]
    return Shared(request_id, {"outcome": "delivered"}, verdict(services, request_id))


def _wait_until_told(elin: Browser) -> None:
    """Until the receiver program, which the verifier tells, has emptied the form."""
    deadline = time.monotonic() + ANSWER_SECONDS
    elin.opens(elin.url)
    while not elin.has("taken-back"):
        assert time.monotonic() < deadline, "the form should be empty"
        time.sleep(0.2)
        elin.opens(elin.url)


def _optional(elin: Browser, word: str) -> list[str]:
    """The tick at an optional item."""
    return elin.values(f"//input[@name='optional' and @id=//label[contains(., '{word}')]/@for]/@value")


def _proven(elin: Browser) -> dict[str, tuple[str, str]]:
    """The fields that the form marks as proven: the value and who says so."""
    names = elin.values("//*[@readonly]/@id")
    values = elin.values("//input[@readonly]/@value | //textarea[@readonly]/text()")
    marks = [mark.rpartition("Says ")[2] for mark in elin.reads("//p[@class='mark']")]
    return {name: (value, mark) for name, value, mark in zip(names, values, marks, strict=True)}
