"""Making a request, and handing it over."""

import asyncio
import html
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from proofs import base64url
from service.i18n import load_catalogues
from tests.verifier.pages.desk import TEMPLATE, Desk, Time, add_template, post
from verifier.pages.preview import BASES
from verifier.store.tables import REQUESTS
from wallet.pages.share_words import BASES as WALLET_BASES


def test_the_preview_says_everything_in_both_languages(desk: Desk) -> None:
    """Who asks, why, what, what for, until when, contact: in Swedish and in English, whatever the page's language."""
    page = desk.browser.get("/ask/employer-micro-credential").text

    assert 'id="preview-sv" lang="sv"' in page
    assert 'id="preview-en" lang="en"' in page
    for text in (
        "Example Ltd wants to see 2 things about you",
        "Exempelbolaget AB vill se 2 uppgifter om dig",
        "Vi behöver se att intyget är ditt.",
        "We need to see that the certificate is yours.",
        "18 February 2027",
        "18 februari 2027",
        "dataskydd@exempelbolaget.example",
        "What always comes with it: Short course certificate",
    ):
        assert text in page


def test_alternatives_are_told_as_alternatives(desk: Desk) -> None:
    """An internship needs one record of two: five things, and whoever has a transcript needs no micro-credential."""
    for language, needed in (("en", "5 things needed"), ("sv", "5 uppgifter behövs")):
        card = desk.browser.get(f"/ask?lang={language}").text.partition('id="template-internship"')[2]
        assert needed in card.partition("</article>")[0], language

    for address in ("/ask/internship", "/share/internship?lang=sv", "/share/internship?lang=en"):
        page = desk.browser.get(address).text
        for lang, heading, one_of, ways in (
            (
                "en",
                "Example Ltd wants to see 5 things about you",
                "One of these is needed: Short course certificate or course results",
                ["From: Short course certificate", "From: Course results"],
            ),
            (
                "sv",
                "Exempelbolaget AB vill se 5 uppgifter om dig",
                "Något av detta behövs: Mikromeritintyg eller studieresultat",
                ["Från: Mikromeritintyg", "Från: Studieresultat"],
            ),
        ):
            if "/share" in address and f"lang={lang}" not in address:
                continue
            assert heading in page
            listed = page.partition(one_of)[2].partition('<ul class="preview-ways">')[2]
            assert [listed.index(way) for way in ways] == sorted(listed.index(way) for way in ways)
            for kind in ("Short course certificate", "Course results", "Mikromeritintyg", "Studieresultat"):
                assert f"eeded, from: {kind}" not in page
                assert f"Behövs, från: {kind}" not in page


def test_ways_of_another_size_are_counted_from_fewest_to_most(desk: Desk) -> None:
    """Two things by one way, one by the other."""
    more = TEMPLATE.replace('name = "internship"', 'name = "ways"\nalternatives = [["course"], ["other"]]')
    more += """
  [[credentials.items]]
  path = ["grade"]
  reason = { sv = "Vi behöver veta hur det gick.", en = "We need to know how it went." }

[[credentials]]
id = "other"
vct = ["https://other.example/degree"]
title = { sv = "Examensbevis", en = "Degree" }
"""
    add_template(desk, "ways.toml", more)

    assert "1 to 2 things needed" in desk.browser.get("/ask").text
    page = desk.browser.get("/ask/ways").text
    assert "wants to see 1 to 2 things about you" in page
    assert "vill se 1 till 2 uppgifter om dig" in page


def test_a_template_of_ones_own_is_asked_with(desk: Desk) -> None:
    """Any kind of certificate, any path; which values count is told to staff, and no part of what people read."""
    add_template(desk, "internship.toml", TEMPLATE)

    assert "Internship" in desk.browser.get("/ask").text
    page = desk.browser.get("/ask/internship").text
    assert "Title: only Algebra or Analys counts." in page or "title: only Algebra or Analys counts." in page
    assert page.index('id="value-notes"') > page.rindex("</article>")
    assert "only Algebra" not in desk.new_browser().get("/share/internship").text
    made = desk.ask("internship")
    assert made.transaction.question.template.name == "internship"


def test_the_preview_has_the_words_of_the_wallet(desk: Desk) -> None:
    """What was declared, each by the wallet's name for it and in its words, in both languages; what was not declared is
    not stated, and an offer of later checks stands there as well."""
    assert BASES == WALLET_BASES
    texts = [
        *BASES.values(), "Ground that they state", "In their words", "Passed on to", "Nobody, they say",
        "Handled for them by", "Nobody else, they say", "Other countries", "None, they say", "Decisions by machine",
        "Yes, they say", "No, they say", "To take back", "What you would confirm", "Not stated", "Kept until",
        "Apart from this: may they check again?", "Saying no has no effect on the rest.",
    ]  # fmt: skip
    house = Path(__file__).parents[3]
    rooms = [
        load_catalogues(house / "service", house / room, time_zone="Europe/Stockholm")
        for room in ("wallet", "verifier")
    ]
    for text in texts:
        first, second = (room.translator("sv")(text) for room in rooms)
        assert first == second != text
    add_template(desk, "internship.toml", COUNTRIES + TEMPLATE + LATER)
    page = html.unescape(desk.browser.get("/ask/internship").text)
    for text in (
        "A contract with you, or something you asked for before one.",
        "<dt>Other countries</dt><dd>Norway</dd>",
        "<dt>Decisions by machine</dt><dd>Not stated</dd>",
        "<dt>Handled for them by</dt><dd>Nobody else, they say</dd>",
        "<dt>Passed on to</dt><dd>Not stated</dd>",
        "At most once in 7 days, until 30 November 2026. We look whether it still holds.",
        "<dt>Andra länder</dt><dd>Norge</dd>",
    ):
        assert text in page


COUNTRIES = """
countries = ["NO"]
processors = []
"""
LATER = """
[recheck]
days = 10
every_days = 7
purpose = { sv = "Vi ser efter om det fortfarande gäller.", en = "We look whether it still holds." }
"""


def test_cards_count_what_is_needed_and_what_is_not(desk: Desk) -> None:
    """One thing is "frivillig", several are "frivilliga"; an optional certificate counts as well."""
    more = """
  [[credentials.items]]
  path = ["grade"]
  required = false
  reason = { sv = "Om du vill.", en = "If you like." }
"""
    add_template(desk, "internship.toml", TEMPLATE + more)
    desk.browser.headers["Accept-Language"] = "sv"
    assert "1 uppgift behövs, 1 frivillig<" in desk.browser.get("/ask").text
    other = """
[[credentials]]
id = "other"
vct = ["https://other.example/other"]
required = false
"""
    add_template(desk, "internship.toml", TEMPLATE + more + other)
    assert "1 uppgift behövs, 2 frivilliga<" in desk.browser.get("/ask").text


def test_a_page_says_how_long_the_link_works(desk: Desk) -> None:
    """Minutes, or the days that the template gives for fetching something first; in both languages."""
    assert "Both work for 30 minutes" in desk.browser.get("/ask/course-results").text
    assert "The link and the QR code work for 7 days" in desk.browser.get("/ask/internship").text
    assert "Länken och QR-koden fungerar i 7 dagar" in desk.browser.get("/ask/internship?lang=sv").text
    add_template(desk, "short.toml", TEMPLATE.replace("internship", "short").replace("30", "30\nlifetime_days = 1"))
    assert "fungerar i 1 dag och" in desk.browser.get("/ask/short?lang=sv").text


def test_a_template_without_purpose_retention_or_contact_cannot_be_made(desk: Desk) -> None:
    """The list names the file and what it lacks; asking with it is refused and changes nothing."""
    for missing in ("purpose", "retention_days", "contact"):
        text = "\n".join(line for line in TEMPLATE.splitlines() if not line.startswith(missing))
        add_template(desk, f"no-{missing.replace('_', '-')}.toml", text)

    page = desk.browser.get("/ask").text

    for number, missing in enumerate(("contact", "purpose", "retention"), start=1):
        part = page.partition(f'id="faulty-{number}"')[2].partition("</li></ul>")[0]
        assert missing in part
        refused = post(desk.browser, f"/ask/no-{missing}", {}, page="/ask/course-results")
        assert refused.status_code in (400, 404)
    assert desk.verifier.requests.list_transactions(now=desk.time()) == []


def test_a_request_has_a_link_for_this_browser_and_a_code_for_another_device(desk: Desk) -> None:
    """Two transactions, one page; the QR code's text, the link and the typed code are the other device's."""
    made = desk.ask("employer-micro-credential")

    page = desk.browser.get(f"/requests/{made.id}").text

    both = desk.verifier.requests.pair(made.transaction.pair, now=desk.time())
    link = next(one for one in both if one.id != made.id)
    assert 'id="open-wallet-app"' in page
    assert link.transaction.handle in page
    assert made.transaction.handle in page
    assert "<svg" in page
    assert f"localhost:8300/{made.transaction.code[:5]}-{made.transaction.code[5:]}" in page
    assert f'data-live="/requests/{made.id}/events"' in page
    assert "<noscript>" in page


def test_the_link_of_this_browser_is_not_shown_in_another(desk: Desk) -> None:
    """A colleague sees the QR code; the link would not work there."""
    made = desk.ask("employer-micro-credential")
    fields = {"login": "anna", "password": "a long and quiet password"}
    colleague = desk.new_browser()
    assert post(colleague, "/sign-in", fields).status_code == 303

    page = colleague.get(f"/requests/{made.id}").text

    assert 'id="qr-code"' in page
    assert 'id="open-wallet-app"' not in page


def test_the_wallets_address_is_typed_once(desk: Desk) -> None:
    """It becomes a link to that wallet's page and is remembered in this browser."""
    made = desk.ask("employer-micro-credential")
    here = f"/requests/{made.id}"

    fields = {"wallet_address": "https://wallet.example/app/", "back": here}
    answered = post(desk.browser, "/wallet-address", fields, page=here)

    assert answered.headers["location"] == here
    page = desk.browser.get(here).text
    assert 'href="https://wallet.example/app/present?client_id=' in page
    assert "Open my wallet at wallet.example" in page


def test_what_was_typed_wrongly_stays_in_the_field(desk: Desk) -> None:
    """Nobody types it twice; it is escaped, and gone once the page is left."""
    made = desk.ask("employer-micro-credential")
    here = f"/requests/{made.id}"
    fields = {"wallet_address": 'http://wallet.example/"><b>å', "back": here}

    answered = post(desk.browser, "/wallet-address", fields, page=here)

    assert "wallet.example" not in answered.headers["location"]
    wrong = desk.browser.get(answered.headers["location"]).text
    assert 'value="http://wallet.example/&#34;&gt;&lt;b&gt;å"' in wrong
    assert "wallet.example/" not in desk.browser.get(here).text.partition("<form")[2]


def test_what_is_no_address_of_a_wallet_is_not_linked_to(desk: Desk) -> None:
    """Scripts, plain http, user names, queries: a sentence says what to write instead."""
    made = desk.ask("employer-micro-credential")
    here = f"/requests/{made.id}"
    for typed in (
        "javascript:alert(1)",
        "http://wallet.example",
        "https://user@wallet.example",
        "https://wallet.example/?x=1",
        "https://wallet.example/#x",
        "https://wallet.example:port",
        "//wallet.example\\@evil.example",
        "https://wallet.example/ x",
        "",
    ):
        answered = post(desk.browser, "/wallet-address", {"wallet_address": typed, "back": here}, page=here)
        assert answered.headers["location"] == f"{here}?wallet=wrong", typed
    page = desk.browser.get(f"{here}?wallet=wrong").text
    assert 'id="error-summary"' in page
    assert 'href="#wallet_address"' in page
    assert 'aria-invalid="true"' in page
    assert 'id="open-web-wallet"' not in page


def test_the_form_never_leads_elsewhere(desk: Desk) -> None:
    """An address in the form's own fields cannot become a redirect to another site."""
    for back in ("https://evil.example", "//evil.example", "/\\evil.example"):
        fields = {"wallet_address": "https://wallet.example", "back": back}
        answered = post(desk.browser, "/wallet-address", fields, page="/ask/course-results")
        assert answered.headers["location"] == "/"


def test_a_request_that_is_over_shows_neither_link_nor_code(desk: Desk, time: Time) -> None:
    """After half an hour the page says so, and offers to ask again."""
    made = desk.ask("employer-micro-credential")
    time.pass_by(minutes=31)
    assert post(desk.browser, "/sign-in", {"login": "anna", "password": "a long and quiet password"}).is_redirect

    page = desk.browser.get(f"/requests/{made.id}").text

    assert 'data-state="expired"' in page
    assert made.transaction.handle not in page
    assert 'id="ask-again"' in page


# --- the reference of whoever asks ------------------------------------------------------------------------------------


def test_requests_are_told_apart_by_ones_own_reference(desk: Desk) -> None:
    """On the board, on the request and on its result; never in what the other person's wallet reads."""
    answered = post(desk.browser, "/ask/course-results", {"reference": " Ansökan  17 "}, page="/ask/course-results")
    here = answered.headers["location"]
    record = desk.verifier.result(here.removeprefix("/requests/"))

    assert record.reference == "Ansökan 17"
    for page in ("/", here):
        assert "Ansökan 17" in desk.browser.get(page).text
    request = asyncio.run(desk.verifier.serve_request(record.transaction.handle, wallet_nonce=None))
    assert "Ansökan" not in base64url.decode(request.split(".")[1]).decode()
    assert "Ansökan".encode() not in b"".join(file.read_bytes() for file in desk.settings.data.glob("*.sqlite3*"))


def test_a_reference_that_is_too_long_is_told_and_kept_in_its_field(desk: Desk) -> None:
    """Nothing is made, and nobody types it twice."""
    page = post(desk.browser, "/ask/course-results", {"reference": "x" * 101}, page="/ask/course-results")

    assert page.status_code == 400
    assert "reference is too long" in page.text
    assert "x" * 101 in page.text
    assert desk.verifier.requests.list_transactions(now=desk.time()) == []


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("0123456789abcdef" * 4, "0123456789abcdef01234567…"),
        ("x" * 24, "x" * 24),
        ('"><b>' * 6, "&#34;&gt;&lt;b&gt;" * 4 + "&#34;&gt;&lt;b…"),
    ],
)
def test_of_a_long_reference_the_board_shows_the_beginning(desk: Desk, reference: str, shown: str) -> None:
    """A digest as one word would make the table wider than a screen; the whole is there to point at and to be read out,
    and on the page of the request."""
    made = post(desk.browser, "/ask/course-results", {"reference": reference}, page="/ask/course-results")
    assert made.status_code == 303

    board = desk.browser.get("/").text
    link = re.search(r'<a class="reference"([^>]*)>(.*?)</a>', board)
    assert link is not None
    assert link[2] == shown
    whole = html.escape(reference).replace("&quot;", "&#34;")
    assert (f'title="{whole}" aria-label="{whole}"' in link[1]) is (len(reference) > 24)
    assert whole in desk.browser.get(made.headers["location"]).text


def test_a_reference_goes_on_the_day_on_which_the_values_go(desk: Desk) -> None:
    """It may hold a name; a request that nobody answered loses it as well."""
    answered = post(desk.browser, "/ask/course-results", {"reference": "Alva Ångström"}, page="/ask/course-results")
    request_id = answered.headers["location"].removeprefix("/requests/")
    desk.time.pass_by(days=400)
    asyncio.run(desk.verifier.forget())

    assert desk.verifier.result(request_id).reference == ""
    with desk.verifier.database.reading() as connection:
        assert connection.execute(select(REQUESTS.c.reference)).scalars().all() == [None, None]
