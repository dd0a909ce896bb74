"""An academic from outside the EU, without personnummer and without a Swedish e-ID, from the letter to taking back.

How he is known at the source has to be real: the public employment service met him at its office and registered him
under a customer number of its own. It offers him his certificates with a transaction code that reaches him by letter.
Whoever finds the link has no code, whoever opens the letter no link, and five wrong codes end the offer.
"""

from examples.services import Services, trust_issuer
from examples.stories.telling import DATA, never_arrived, receipts_agree, receive, share, take_back
from examples.stories.unemployment_insurance import SETTINGS as EMPLOYMENT_SERVICE

SETTINGS = {**EMPLOYMENT_SERVICE, "VERIFIER_NAME": "Jobbsprånget", "VERIFIER_NAME_EN": "Jobbsprånget"}
AMMAN = {
    "ISSUER_NAME": "Example University of Amman",
    "ISSUER_NAME_EN": "Example University of Amman",
    "ISSUER_COUNTRY": "JO",
    "ISSUER_PROFILE_FILE": "",
}
OMAR = "Omar"
CANARIES = ("K-204417", "AM-2011-0457", "1993-03-04", "19930304", "Haddad")


def from_abroad(services: Services) -> None:
    """Omar collects with the codes of his letters, applies for an internship with a course record of a university in
    Jordan, is found eligible, and takes it back. No number of any kind is needed on the way, or goes along."""
    services.start("amman", 0, program="issuer", **AMMAN)
    trust_issuer(services, "amman")
    receive(services, "amman", "course-results", DATA / "results-from-abroad.csv", "--tx-code", person=OMAR)
    receive(services, "issuer", "registration-certificate", DATA / "job-seekers.csv", "--tx-code", person=OMAR)
    a_found_link_is_not_enough(services)

    shared = share(services, "internship", person=OMAR)
    assert shared.told["outcome"] == "delivered", shared.told
    assert shared.result["accepted"], shared.result["checks"]
    assert shared.result["eligibility"]["answer"] == "eligible"
    assert set(shared.shown) == {"registered_status", "in_target_group", "as_of", "courses.achievement_title"}
    assert {proof["issuer_name"] for proof in shared.result["presentations"]} == {
        "Example University of Amman",
        "Arbetsförmedlingen",
    }
    never_arrived(services, shared, CANARIES)
    receipts_agree(services, shared, person=OMAR)
    take_back(services, shared, person=OMAR)


def a_found_link_is_not_enough(services: Services) -> None:
    """The offer of his other certificate is opened without its letter: a wrong code collects nothing; the right one
    does, afterwards."""
    file = DATA / "target-group.csv"
    offers = services.command("issuer", "offer", "--type", "target-group-certificate", "--from", str(file), "--tx-code")
    (offer,) = [one for one in offers if OMAR in one["recipient"]]
    code = offer["tx_code"]
    guessed = f"{(int(code[0]) + 1) % 10}{code[1:]}"
    services.command(
        "wallet", "receive", offer["offer"], "--tx-code", guessed, "--person", "Somebody else", accept=(1,)
    )
    assert not services.command("wallet", "list", "--person", "Somebody else")
    services.command("wallet", "receive", offer["offer"], "--tx-code", code, "--person", OMAR)
