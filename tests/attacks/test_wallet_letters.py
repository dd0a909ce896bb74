"""Whoever asks chooses names, addresses and words that later stand in letters the person sends in their own name.

They must not choose who else gets such a letter, nor what it says beside them: no further header of the e-mail, no
further line that looks like the person's own.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.withdrawal import Action
from service.i18n import Translator, load_catalogues
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.pages.complaint_words import complaint
from wallet.pages.letters import copy_letter, letter_ways, objection_letter, report
from wallet.pages.take_back_words import letter, names_of, ways_of
from wallet.pages.ways_out import is_web, mail_link
from wallet.rights import Right
from wallet.taking_back import standing_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=40)
ADDRESS = "post@shop.example"
EVIL = [
    "Shop\nBcc: all@evil.example",
    "Shop\r\n\r\nI withdraw my complaint.",
    "Shop\rWho: IMY",
    "Shop\u2028Who: IMY\u2029Address: imy.se",
    "Shop\x0b\x0c\x1c\x1d\x1e\x85Who: IMY",
    "Shop%0D%0ABcc:all@evil.example",
    "Shop&bcc=all@evil.example&body=No",
    "Shop?cc=all@evil.example#",
    "%(who)s %s %n",
]


def entry_of(said: str, contact: str = ADDRESS) -> Entry:
    """A share with somebody whose every word is `said`; deletion, copy and objection are not answered."""
    both = {"sv": said, "en": said}
    asked = {
        "who": both, "level": "unproven", "host": said, "client_id": said, "asked": [both, both], "purpose": both,
        "contact": contact, "data_protection_contact": contact, "withdraw_contact": contact, "website": said,
        "organisation_number": said, "request_id": said, "came_by": "link",
        "basis": "legitimate_interest",
    }  # fmt: skip
    item = {"name": both, "certificate": both, "certificate_id": "x", "issuer": said, "required": True}
    events = [
        Event("0" * 32, EventKind.ASKED, NOW, asked),
        Event("0" * 32, EventKind.APPROVED, NOW, {"language": "en", "items": [item]}),
        Event("0" * 32, EventKind.DELIVERED, NOW),
        Event("0" * 32, EventKind.DELETION_ASKED, NOW, {"way": "mail"}),
        Event("0" * 32, EventKind.COPY_ASKED, NOW, {"way": "mail"}),
        Event("0" * 32, EventKind.OBJECTED, NOW, {"way": "mail"}),
    ]
    (entry,) = entries_of(events, now=LATER)
    return entry


def deletion(entry: Entry, t: Translator) -> tuple[str, str]:
    """The letter that asks for deletion."""
    return letter(entry.facts, t, names=names_of(entry, None, t), day="20 November 2026", action=Action.ERASE)


LETTERS: dict[str, Callable[[Entry, Translator], tuple[str, str]]] = {
    "copy": copy_letter,
    "objection": objection_letter,
    "report": lambda entry, t: report(entry, t, now=LATER),
    "complaint": lambda entry, t: complaint(entry, standing_of(entry, now=LATER, time_zone=t.time_zone), t),
    "deletion": deletion,
}


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("kind", LETTERS)
def test_hostile_words_stay_in_their_line_of_a_letter(kind: str, evil: str) -> None:
    """As many lines as with a harmless name, each with the same beginning; of the link only subject and text."""
    t = load_catalogues().translator("en")
    _, harmless = LETTERS[kind](entry_of("Shop"), t)

    subject, body = LETTERS[kind](entry_of(evil), t)

    lines, expected = body.splitlines(), harmless.splitlines()
    assert len(lines) == len(expected)
    begins = [line.partition("Shop")[0] for line in expected]
    assert [line for line, begin in zip(lines, begins, strict=True) if not line.startswith(begin)] == []
    link = urlsplit(mail_link(ADDRESS, subject, body))
    assert (link.scheme, link.netloc, link.path, link.fragment) == ("mailto", "", ADDRESS, "")
    members = parse_qs(link.query, strict_parsing=True)
    assert {name: len(values) for name, values in members.items()} == {"subject": 1, "body": 1}
    assert len(members["subject"][0].splitlines()) == 1
    assert members["body"][0].split("\r\n") == lines


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example?bcc=c@d.example",
        "a@b.example&bcc=c@d.example",
        "a%0D%0ABcc%3Ac%40d.example%0D%0A@b.example",
        "c%40d.example%2Ca@b.example",
        "a@b.example,c@d.example",
        "a@b.example;c@d.example",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\n",
        "a b@b.example",
        "a@b.example#",
        "Shop <a@b.example>",
        "а@b.example",  # The first letter is Cyrillic.
    ],
)
def test_what_is_not_plainly_one_address_is_no_link(address: str) -> None:
    """It is shown as the text that it is."""
    entry, t = entry_of("Shop", contact=address), load_catalogues().translator("en")
    ways = letter_ways(entry, Right.COPY, t) + ways_of(entry.facts, t, names=["A"], day="today", action=Action.ERASE)

    assert mail_link(address, "subject", "body") == ""
    assert [one["href"] for one in ways if one["way"] == "mail"] == ["", ""]


@given(st.text(), st.text(), st.text())
def test_no_text_adds_a_header_or_a_recipient(address: str, subject: str, body: str) -> None:
    """Whatever the three are, the link has these recipients and these two members, or it is none."""
    link = mail_link(address, subject, body)
    assert link == "" or unquote(urlsplit(link).path) == address
    parts = urlsplit(mail_link(ADDRESS, subject, body))
    assert parts.path == ADDRESS
    assert set(parse_qs(parts.query, keep_blank_values=True)) == {"subject", "body"}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://shop.example/",
        "https://shop.example@evil.example/",
        "https://evil.example\\@shop.example/",
        "https://shop.example/\n",
        "//evil.example",
        "https://",
    ],
)
def test_what_leads_elsewhere_for_some_reader_is_no_link(url: str) -> None:
    """Only https, at one host for every reader."""
    assert is_web("https://shop.example/privacy?a=b#c")
    assert not is_web(url)
