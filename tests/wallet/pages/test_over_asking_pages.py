"""Warnings, failed checks, guesses and muting on the pages, as a browser without scripts meets them."""

import re
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from lxml import html

from tests.attacks.test_wallet_receiving import METADATA, changed_json
from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.pages.test_share_pages import arrive, confirm, decide, look, person, text_of, ticks
from tests.wallet.test_pages import collect, field, make_wallet, send
from tests.world import World
from wallet.certificates import StoredCertificate
from wallet.vault import UnlockedVault


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    return known_verifier(world)


def warned(page: httpx2.Response) -> list[str]:
    """The kinds of warnings on a page, open or behind "more", in their order."""
    return re.findall(r'id="warning-([a-z_]+)"', page.text)


def test_three_warnings_stand_open_and_the_rest_behind_more(world: World) -> None:
    """The most serious first; nothing is lost."""
    stranger = FakeVerifier(world, "shop.example")
    said = notice(purpose={"sv": "Identifiering", "en": "Identification"}, retention=None, basis="consent")

    page = look(person(world), stranger.ask(query(["family_name"]), notice=said).link())

    open_ones, _, behind = page.text.partition('id="warnings-more"')
    first, rest = re.findall(r'id="warning-(\w+)"', open_ones), re.findall(r'id="warning-(\w+)"', behind)
    assert first == ["unproven", "young_certificate", "forced_consent"]
    assert rest == ["vague_purpose", "no_retention"]
    assert "2 more things" in text_of(page)


def test_cs20_a_failed_check_has_an_empty_box_and_sharing_needs_it(world: World) -> None:
    """The box is never ticked beforehand; without it the page names what is missing, with it the share goes on."""
    browser, stranger = person(world), FakeVerifier(world, "shop.example")
    page = look(browser, stranger.ask(query(["family_name"]), notice=notice()).link())
    assert ticks(page) == 0
    assert 'id="override-unproven"' in page.text

    without = decide(browser, page, "share")
    assert 'href="#override-unproven"' in without.text
    assert "Your passphrase" not in text_of(without)
    skipped = browser.get(f"{page.url.path}/confirm")
    assert "Your passphrase" not in text_of(skipped)
    other = decide(browser, without, "share", override="guesses_values")
    assert "Your passphrase" not in text_of(other)

    agreed = decide(browser, other, "share", override="unproven")
    assert "Your passphrase" in text_of(agreed)
    done = confirm(browser, agreed)
    assert 'data-outcome="shared"' in done.text
    assert len(stranger.forms) == 1


def test_oa09_a_guess_is_read_before_the_screen_with_yes_and_no(world: World, employer: FakeVerifier) -> None:
    """The first page has neither; posting an answer past it answers nothing."""
    browser = person(world)
    claims = [{"path": ["family_name"], "values": ["Somebody Else"]}]
    asked = {"credentials": [{**query()["credentials"][0], "claims": claims}]}

    page = look(browser, employer.ask(asked, notice=notice()).link())

    assert "asks for a certain answer" in text_of(page)
    assert 'value="refuse"' not in page.text
    for answer in ("refuse", "share"):
        assert "asks for a certain answer" in text_of(decide(browser, page, answer))
    assert employer.forms == []
    read = decide(browser, page, "read")
    assert 'value="refuse"' in read.text
    decide(browser, read, "refuse")
    assert employer.answers[0]["error"] == "access_denied"


def test_cs21_a_repeated_question_can_be_muted_and_ends_silently(world: World, employer: FakeVerifier) -> None:
    """Muted, the next one is not shown and not answered, unless the person wants to see it."""
    browser = person(world)

    def ask() -> str:
        return employer.ask(query(["family_name"]), notice=notice()).link()

    first = look(browser, ask())
    assert 'id="mute"' not in first.text
    decide(browser, first, "refuse")
    again = look(browser, ask())
    assert "You said no to the same question less than 24 hours ago." in text_of(again)
    muted = decide(browser, again, "mute")
    assert "The question is muted for 24 hours." in text_of(muted)
    answers = len(employer.forms)

    silent = look(browser, ask())
    assert "You have muted this question" in text_of(silent)
    assert len(employer.forms) == answers
    shown = send(
        browser, silent, "/present", link=field(silent, "link"), came_by=field(silent, "came_by"), decision="show"
    )
    assert 'value="refuse"' in shown.text


def test_cs21_a_repeated_question_about_what_one_lacks_is_told_and_can_be_muted(
    world: World, employer: FakeVerifier
) -> None:
    """The same sentence and the same button as where it could be answered."""
    browser = person(world)

    def ask() -> str:
        return employer.ask(query(["x"], vct="urn:other"), notice=notice()).link()

    first = look(browser, ask())
    assert 'id="mute"' not in first.text
    assert warned(first) == []
    decide(browser, first, "refuse")
    again = look(browser, ask())
    assert "You said no to the same question less than 24 hours ago." in text_of(again)
    assert warned(again) == ["repeated"]

    assert "The question is muted for 24 hours." in text_of(decide(browser, again, "mute"))
    assert "You have muted this question" in text_of(look(browser, ask()))


def test_a_question_that_was_not_refused_cannot_be_muted(world: World, employer: FakeVerifier) -> None:
    """Also when somebody posts it."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    after = decide(browser, page, "mute")

    assert 'value="refuse"' in after.text


def test_oa12_what_came_from_elsewhere_is_said_at_the_first_question(world: World, employer: FakeVerifier) -> None:
    """A pasted link may be somebody else's; one that was opened here says nothing of it."""
    browser = person(world)
    link = employer.ask(query(["family_name"]), notice=notice()).link()

    pasted = send(browser, browser.get("/receive"), "/receive", link=link)

    assert "warning-not_started_here" in pasted.text
    assert "warning-not_started_here" not in arrive(browser, link).text


def test_cs16_what_the_issuer_meant_stands_beside_its_certificate_and_the_share_goes_on(
    world: World, employer: FakeVerifier
) -> None:
    """A list of those it is meant for, and a recipient that has not shown who it is there: said, and left to the
    person."""

    def meant_for_some(document: dict[str, Any]) -> None:
        for one in document["credential_configurations_supported"].values():
            policy = {"policy": "allow_list", "values": ["NTRSE-556000-0001"]}
            one.setdefault("credential_metadata", {})["disclosure_policy"] = policy

    browser = world.wallet.browser("en")
    make_wallet(browser)
    with world.network.changing(changed_json(METADATA, meant_for_some)):
        collect(browser, world.university.offer()[0].offer)

    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    (beside,) = re.findall(r'<p class="share-policy">(.*?)</p>', page.text)
    assert "The issuer meant it for some only. We could not check whether for them." in beside
    done = confirm(browser, decide(browser, page, "share"))
    assert 'data-outcome="shared"' in done.text


def test_cs17_a_certificate_that_anybody_can_show_says_so_and_can_be_shared(
    world: World, employer: FakeVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line in what always comes with it, and a warning; the person may go on."""
    browser = person(world)
    really = UnlockedVault.certificates

    def tied_to_nothing(vault: UnlockedVault) -> list[StoredCertificate]:
        return [
            replace(one, claims={name: value for name, value in one.claims.items() if name != "cnf"})
            for one in really(vault)
        ]

    monkeypatch.setattr(UnlockedVault, "certificates", tied_to_nothing)
    asked = query(["family_name"], require_cryptographic_holder_binding=False)
    page = look(browser, employer.ask(asked, notice=notice(), state="tBZ0HOh1Vn9VTq0bHkQx3w").link())

    always = page.text.partition('<details id="always" open>')[2].partition("</details>")[0]
    assert "This certificate is not tied to your wallet, so whoever has it can show it again." in always
    assert "one-time copy" not in always
    assert "bearer" in warned(page)
    done = confirm(browser, decide(browser, page, "share"))
    assert 'data-outcome="shared"' in done.text


def test_who_shows_no_registration_is_warned_of_beside_the_name(world: World, employer: FakeVerifier) -> None:
    """A warning with one thing to do, in both languages; among what to think of there is room for three others."""
    browser = person(world)

    english = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    swedish = browser.get(f"{english.url.path}?lang=sv")

    told = {page: said_of_registration(page) for page in (english, swedish)}
    assert told[english] == (
        "They have not shown that they are registered to ask for this. Look closely at what they ask for."
    )
    assert told[swedish] == (
        "De har inte visat att de är registrerade för att fråga efter detta. Titta noga på vad de frågar efter."
    )
    assert "unregistered" not in warned(english)


def said_of_registration(page: Any) -> str:
    """The warning beside the name of who asks, as text."""
    tree: Any = html.fromstring(page.text)
    (place,) = tree.xpath("//*[@id='who-registration']")
    assert place.xpath("./*[contains(@class, 'status-warning')]"), "marked as a warning, by sign and words"
    return " ".join(place.text_content().split())


def test_the_history_tells_what_was_warned_of(world: World) -> None:
    """With the names, from the facts that were kept."""
    browser, stranger = person(world), FakeVerifier(world, "shop.example")
    asked = stranger.ask(query(["family_name"], ["personal_administrative_number"]), notice=notice())
    page = look(browser, asked.link())
    decide(browser, page, "refuse")

    entry = browser.get(page.url.path.replace("/share/", "/history/"))

    assert "We cannot confirm who is asking." in text_of(entry)
    assert "sensitive that their purpose does not call for: personal administrative number." in text_of(entry)
