"""The receipt as people read it: whatever its file says stands on its page, in the reader's language."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import service
import wallet
from proofs.transaction_data import encode_transaction_data
from schemas.receipt import EventType, Receipt
from service.i18n import Translator, load_catalogues
from tests.wallet.fake_verifier import FakeVerifier, credential, notice, query, with_optional
from tests.wallet.pages.sharing_browser import latest_entry
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.world import World
from wallet.pages.history_words import GOT_NO
from wallet.pages.phrases import country
from wallet.pages.receipt_view import HAPPENED, LEVELS
from wallet.receipts import check_receipt

DECLARED: dict[str, Any] = {
    "recipients": [{"sv": "Lönebolaget", "en": "Payroll Ltd"}],
    "processors": [{"sv": "Driftbolaget", "en": "Hosting Ltd"}, {"sv": "Molnet", "en": "The Cloud"}],
    "countries": ["US", "NO"],
    "automated_decisions": True,
    "basis": "legitimate_interest",
    "basis_detail": {"sv": "Vi vill anställa rätt.", "en": "We want to hire well."},
    "controller": {
        "name": {"sv": "Exempelbolaget AB", "en": "Example Company Ltd"},
        "contact": "personuppgifter@employer.example",
        "organisation_number": "556000-0001",
        "country": "NO",
        "data_protection_contact": "ombud@employer.example",
    },
    "withdraw": {
        "url": "https://employer.example/take-back",
        "contact": "ta-tillbaka@employer.example",
        "phone": "+46 8 000 00 01",
    },
}
BASES = {
    "sv": {"legitimate_interest": "Ett eget intresse som de säger väger tyngre än ditt. Du får invända."},
    "en": {"legitimate_interest": "An interest of theirs that they say weighs more than yours. You may object."},
}
YES_NO = {"sv": {True: "Ja", False: "Nej"}, "en": {True: "Yes", False: "No"}}


def translator(language: str) -> Translator:
    """The wallet's own texts."""
    assert service.__file__ is not None
    assert wallet.__file__ is not None
    return load_catalogues(Path(service.__file__).parent, Path(wallet.__file__).parent).translator(language)


def facts_of(members: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every fact of the file with its path; a text in both languages is one fact."""
    if isinstance(members, dict) and set(members) != {"sv", "en"}:
        for name, inner in members.items():
            yield from facts_of(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(members, list):
        for inner in members:
            yield from facts_of(inner, path)
    elif members is not None:
        yield path, members


def words_for(path: str, fact: Any, t: Translator) -> str:
    """How a person reads a fact. What is not named here stands as it is in the file."""
    sv = t.language == "sv"
    if isinstance(fact, dict):
        return str(fact[t.language] or fact["en" if sv else "sv"])
    if isinstance(fact, bool):
        return {
            "notice.signed": f"{t('Their notice was signed')} {YES_NO[t.language][fact]}",
            "automated_decisions": f"{t('Decisions by machine')} {t('Yes, they say' if fact else 'No, they say')}",
            "items.required": t("It was needed" if fact else "It was optional"),
            "items.approved_separately": t("you said yes to it by itself") if fact else "",
        }[path]
    match path:
        case "controller.level":
            return t(LEVELS[fact])
        case "controller.country" | "countries":
            return country(fact, t)
        case "language" | "notice.language":
            return f"{t('Language shown to you')} {t('Swedish' if fact == 'sv' else 'English')}"
        case "purposes.basis":
            return BASES[t.language][fact]
        case "retention.until" | "asked_retention.until":
            return t.date(date.fromisoformat(fact))
        case "events.type":
            return t(HAPPENED[EventType(fact)])
        case "events.type of a no":
            return t(GOT_NO if fact == "delivered" else HAPPENED[EventType(fact)])
        case "events.at":
            return t.moment(datetime.fromisoformat(fact))
        case "events.actor" | "events.consent_type" | "controller.party_type":
            return ""  # Said by the words of the event ("you decided", "they confirmed"), and by "who asked".
        case "events.valid_until":
            return f"{t('Kept until')} {t.date(date.fromisoformat(fact))}"
        case "jurisdiction":
            return t("The data protection law of the EU (GDPR)")
        case _:
            return str(fact)


def missing(receipt: dict[str, Any], page: str, t: Translator) -> list[tuple[str, str]]:
    """The facts of a receipt that the text of a page does not tell."""
    of_a_no = {"events.type": "events.type of a no"} if "refused" in [one["type"] for one in receipt["events"]] else {}
    told = [(path, words_for(of_a_no.get(path, path), fact, t)) for path, fact in facts_of(receipt)]
    return [(path, words) for path, words in told if words.casefold() not in page.casefold()]


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("decision", ["share", "refuse"])
def test_cs29_every_fact_of_the_file_stands_on_the_page(
    world: World, employer: FakeVerifier, language: str, decision: str
) -> None:
    """Receivers, processors, countries, ground, machine decisions, rights, steps, seals: all for people as well."""
    browser = person(world, language=language)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    sentence = {"sv": "Ansökan är fullständig och sann.", "en": "The application is complete and true."}
    confirming = encode_transaction_data(
        {"type": "urn:intyga:transaction:declaration:1", "credential_ids": ["certificate"], "text": sentence}
    )
    declared = notice(**DECLARED, request_id="AAtheirOwnNumber17")
    request = employer.ask(asked, notice=declared, transaction_data=[confirming])
    page = decide(browser, look(browser, request.link()), decision)
    if decision == "share":
        confirm(browser, page)
    address = f"/history/{latest_entry(browser)}/receipt"

    shown = text_of(browser.get(address))
    receipt = browser.get(f"{address}.json").json()["receipt"]

    assert len(list(facts_of(receipt))) >= (50 if decision == "share" else 35)
    assert list(missing(receipt, shown, translator(language))) == []
    assert (sentence[language] in shown) == (decision == "share")
    t = translator(language)
    if decision == "refuse":
        assert receipt["retention"] is None
        day = t.date(date.fromisoformat(receipt["asked_retention"]["until"]))
        assert f"{t('Kept until')} {t('Nothing was shared')}" in shown
        assert f"{t('They asked to keep it until')} {day}" in shown
    else:
        assert "asked_retention" not in receipt
        assert t("They asked to keep it until") not in shown
    assert f"{t('Their number for it')} AAtheirOwnNumber17" in shown, "by which they find it"
    for words in ("IMY", "ombud@employer.example", "+46 8 000 00 01", "https://employer.example/take-back"):
        assert words in shown


@pytest.mark.parametrize("language", ["sv", "en"])
def test_cs14_what_was_not_declared_is_told_on_the_receipt(world: World, employer: FakeVerifier, language: str) -> None:
    """Silence is "not stated", and an empty list is what they said."""
    browser = person(world, language=language)
    t = translator(language)
    silent = notice(recipients=None, basis=None, withdraw=None, retention=None)
    confirm(
        browser, decide(browser, look(browser, employer.ask(query(["family_name"]), notice=silent).link()), "share")
    )
    page = browser.get(f"/history/{latest_entry(browser)}/receipt")
    shown = text_of(page)
    none = notice(recipients=[], processors=[], countries=[], automated_decisions=False)
    decide(browser, look(browser, employer.ask(query(["family_name"]), notice=none).link()), "refuse")
    nobody = text_of(browser.get(f"/history/{latest_entry(browser)}/receipt"))

    labels = ("Kept until", "Ground that they state", "Passed on to", "Handled for them by", "Other countries")
    for label in (
        *labels,
        "Decisions by machine",
        "Data protection contact",
        "Their page for it",
        "Their phone for it",
    ):
        assert f"{t(label)} {t('Not stated')}" in shown
    assert re.search(r"<dd[^>]*>\s*</dd>", unescape(page.text)) is None
    for label, words in (
        ("Passed on to", "Nobody, they say"),
        ("Handled for them by", "Nobody else, they say"),
        ("Other countries", "None, they say"),
        ("Decisions by machine", "No, they say"),
    ):
        assert f"{t(label)} {t(words)}" in nobody


def test_a_fact_that_a_page_lacks_is_found(world: World, employer: FakeVerifier) -> None:
    """The comparison above would notice a fact that is only in the file."""
    browser = person(world)
    said = notice(**DECLARED)
    confirm(browser, decide(browser, look(browser, employer.ask(query(["family_name"]), notice=said).link()), "share"))
    address = f"/history/{latest_entry(browser)}/receipt"
    shown, receipt = text_of(browser.get(address)), browser.get(f"{address}.json").json()["receipt"]

    for words in ("Hosting Ltd", "ombud@employer.example", receipt["items"][0]["commitment"], "You decided to share"):
        assert missing(receipt, shown.replace(words, ""), translator("en"))


def test_an_older_receipt_without_the_newer_facts_is_still_one(world: World, employer: FakeVerifier) -> None:
    """Receipts of before processors and telephones were kept are read as they are."""
    browser = person(world)
    confirm(
        browser, decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share")
    )
    file = browser.get(f"/history/{latest_entry(browser)}/receipt.json").json()
    older = file["receipt"] | {"rights": {"withdraw_url": None, "withdraw_contact": None}}
    for name in ("processors", "receipt_id", "jurisdiction"):
        del older[name]

    assert check_receipt(file["jwt"]).processors is None
    assert Receipt.model_validate(older).processors is None
    assert not {"receipt_id", "jurisdiction"} & Receipt.model_validate(older).claims().keys()
    assert re.fullmatch(r"[0-9a-f]{32}", Receipt.model_validate(older).record_id)
