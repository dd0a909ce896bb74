"""An unemployment fund asks whether somebody is registered as a job seeker, and learns that and nothing else."""

from datetime import date

from examples.services import Services
from examples.stories.by_hand import Holder, account
from examples.stories.telling import DATA, TEMPLATES, ask, never_arrived, receipts_agree, take_back

SETTINGS = {
    "ISSUER_PROFILE_FILE": str(DATA / "employment-service-profile.toml"),
    "ISSUER_NAME": "Arbetsförmedlingen",
    "ISSUER_NAME_EN": "Swedish Public Employment Service",
    "VERIFIER_NAME": "A-kassan Norr",
    "VERIFIER_NAME_EN": "Unemployment Fund North",
}
PER = "Per"
"""He is a member of another fund, which his certificate names."""


PEOPLE = (account("per", born="1979-11-30", given_name="Per", family_name="Lindqvist"),)


def unemployment_insurance(services: Services) -> None:
    """Per opens the fund's request and lacks the certificate. His wallet fetches it from the employment service, where
    he signs in, and he is back at the very same request. He shows that he is registered, since when and as of which
    day. Neither his number nor his birth date, his name, his office or his fund goes along. Afterwards he takes it
    back."""
    services.command("issuer", "import", str(DATA / "job-seekers.csv"))
    per = Holder(services, PER, login="per")
    asked = ask(services, TEMPLATES / "unemployment-insurance.toml")
    assert per.opens(asked["request"]) == ["Job seeker registration"]
    per.fetches()
    assert "9 February 2026" in per.reviews()
    shared = per.shares(asked["id"])
    assert shared.told["outcome"] == "shared", shared.told
    assert shared.result["accepted"], shared.result["checks"]
    assert shared.shown["registered_status"] == [True]
    assert shared.shown["registered_since"] == ["2026-02-09"]
    assert date.fromisoformat(shared.shown["as_of"][0])
    assert set(shared.shown) == {"registered_status", "registered_since", "as_of"}
    never_arrived(services, shared, ("19791130", "791130-2391", "1979-11-30", "Lindqvist", "Hantverkarnas", "Sörbyn"))
    receipts_agree(services, shared, person=PER)
    take_back(services, shared, person=PER)
