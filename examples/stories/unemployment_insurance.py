"""An unemployment fund asks whether somebody is registered as a job seeker, and learns that and nothing else."""

from datetime import date

from examples.services import Services
from examples.stories.telling import DATA, TEMPLATES, never_arrived, receipts_agree, receive, share

SETTINGS = {
    "ISSUER_PROFILE_FILE": str(DATA / "employment-service-profile.toml"),
    "ISSUER_NAME": "Arbetsförmedlingen",
    "ISSUER_NAME_EN": "Swedish Public Employment Service",
    "VERIFIER_NAME": "A-kassan Norr",
    "VERIFIER_NAME_EN": "Unemployment Fund North",
}
PER = "Per"
"""He is a member of another fund, which his certificate names."""


def unemployment_insurance(services: Services) -> None:
    """Per shows that he is registered, since when and as of which day. Neither his number nor his birth date, his
    name, his office or his fund goes along."""
    receive(services, "issuer", "registration-certificate", DATA / "job-seekers.csv", person=PER)
    shared = share(services, TEMPLATES / "unemployment-insurance.toml", person=PER)
    assert shared.told["outcome"] == "delivered", shared.told
    assert shared.result["accepted"], shared.result["checks"]
    assert shared.shown["registered_status"] == [True]
    assert shared.shown["registered_since"] == ["2026-02-09"]
    assert date.fromisoformat(shared.shown["as_of"][0])
    assert set(shared.shown) == {"registered_status", "registered_since", "as_of"}
    never_arrived(services, shared, ("19791130", "791130-2391", "1979-11-30", "Lindqvist", "Hantverkarnas", "Sörbyn"))
    receipts_agree(services, shared, person=PER)
