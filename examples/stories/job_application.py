"""An application form is filled in with chosen parts of a certificate of employment and of a course certificate."""

from examples.demo import COURSE, STUDY_RECORD
from examples.services import Services, trust_issuer
from examples.stories.telling import DATA, TEMPLATES, never_arrived, receipts_agree, receive, share


def job_application(services: Services) -> None:
    """Elin has a certificate from a university and one from an earlier employer, two issuers. She shows what the form
    demands, and of what it may be told besides she chooses her tasks; not how much she worked, and not her grade."""
    services.start("fjordtal", 0, program="issuer", ISSUER_NAME="Fjordtal AB", ISSUER_NAME_EN="Fjordtal Ltd")
    trust_issuer(services, "fjordtal")
    receive(services, "issuer", "micro-credential", STUDY_RECORD, "--course", COURSE)
    receive(services, "fjordtal", "employment", DATA / "employment.json")
    shared = share(services, TEMPLATES / "job-application.toml", "--optional", "1")
    assert shared.told["outcome"] == "delivered", shared.told
    assert shared.result["accepted"], shared.result["checks"]
    assert {proof["issuer_name"] for proof in shared.result["presentations"]} == {
        "Fjordtal AB",
        "Nordanviks universitet",
    }
    (employer,), (tasks,) = shared.shown["employer"], shared.shown["tasks"]
    assert employer == {"sv": "Fjordtal AB", "en": "Fjordtal Ltd"}
    assert [task["en"] for task in tasks] == ["Developing medical record systems", "Tutoring interns"]
    assert set(shared.shown) == {"job_title", "employer", "end_date", "tasks", "date_of_issuance"}
    never_arrived(services, shared, ("19980423", "980423-2388", "1998-04-23", "Sjöberg"))
    receipts_agree(services, shared)
