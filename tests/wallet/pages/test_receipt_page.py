"""The receipt on the page says everything that its file says."""

import html
import re
from collections.abc import Iterator
from typing import Any

from tests.wallet.fake_verifier import known_verifier, notice, query
from tests.wallet.pages.sharing_browser import latest_entry
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.world import World

EVERYTHING = notice(
    controller={
        "name": {"sv": "Exempelbolaget AB", "en": "Example Company Ltd"},
        "contact": "hr@employer.example",
        "organisation_number": "556000-0001",
        "country": "SE",
        "data_protection_contact": "dpo@employer.example",
    },
    basis_detail={"sv": "Vi måste kunna lita på uppgifterna.", "en": "We have to rely on the details."},
    recipients=[{"en": "Payroll Ltd"}],
    processors=[{"en": "Cloud Ltd"}],
    countries=["NO"],
    automated_decisions=True,
    withdraw={"url": "https://employer.example/back", "contact": "back@employer.example", "phone": "+46 8 000 00"},
)
WORDS = {
    "controller.level": "Confirmed by somebody this wallet trusts",
    "controller.country": "Sweden",
    "purposes.0.basis": "An interest of theirs that they say weighs more than yours.",
    "countries.0": "Norway",
    "automated_decisions": "Decisions by machine Yes, they say",
    "notice.signed": "Their notice was signed Yes",
    "notice.language": "Language shown to you English",
    "language": "Language shown to you English",
    "items.0.required": "It was needed",
    "items.0.approved_separately": "It was needed.",  # And not "... and you said yes to it by itself."
    "retention.until": "Kept until",
    "events.0.type": "The request was shown to you",
    "events.1.type": "You decided to share",
    "events.2.type": "They received it",
}
"""What stands on the page for members whose value is a word for machines."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of a JSON value that is no object and no array, with its place."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from leaves(member, f"{path}.{number}")
    else:
        yield path, value


def _is_elsewhere(path: str) -> bool:
    """The other language, who acted (which the words of the event say), and moments, which the page writes out."""
    return path.endswith((".sv", ".actor", ".at"))


def test_cs29_the_page_says_every_member_of_the_file(world: World) -> None:
    """Nobody has to read JSON to know what was declared, agreed and done."""
    employer = known_verifier(world)
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=EVERYTHING).link())
    assert "Cloud Ltd" in text_of(page), "also before deciding"
    confirm(browser, decide(browser, page, "share"))
    entry = latest_entry(browser)
    receipt = browser.get(f"/history/{entry}/receipt.json").json()["receipt"]

    said = text_of(browser.get(f"/history/{entry}/receipt"))

    members = dict(leaves(receipt))
    assert WORDS.keys() <= members.keys()
    expected = {path: WORDS.get(path, str(value)) for path, value in members.items() if not _is_elsewhere(path)}
    missing = {path: words for path, words in expected.items() if words.casefold() not in said.casefold()}
    assert missing == {}


def test_cs29_what_was_not_declared_is_said_too(world: World) -> None:
    """A recipient that declares nothing: "not stated" for each, never an empty line."""
    employer = known_verifier(world)
    browser = person(world)
    bare = notice(basis=None, recipients=None, withdraw=None, retention=None)
    confirm(browser, decide(browser, look(browser, employer.ask(query(["family_name"]), notice=bare).link()), "share"))

    page = browser.get(f"/history/{latest_entry(browser)}/receipt")

    for label in ("Passed on to", "Handled for them by", "Other countries", "Decisions by machine", "Kept until"):
        assert f"{label} Not stated" in text_of(page), label
    assert re.search(r"<dd[^>]*>\s*</dd>", html.unescape(page.text)) is None


def test_cs29_a_receipt_of_a_no_names_whom_to_turn_to(world: World) -> None:
    """Nothing went; the authority and the contact stand there all the same."""
    employer = known_verifier(world)
    browser = person(world)
    decide(browser, look(browser, employer.ask(query(["family_name"]), notice=EVERYTHING).link()), "refuse")

    said = text_of(browser.get(f"/history/{latest_entry(browser)}/receipt"))

    assert "You decided not to share" in said
    assert "Integritetsskyddsmyndigheten" in said
    assert "Kept until Nothing was shared" in said
