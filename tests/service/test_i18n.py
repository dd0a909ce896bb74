"""Swedish and English say the same, and nothing is forgotten."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.i18n import (
    LANGUAGES,
    Catalogues,
    broken_translations,
    choose_language,
    extract_messages,
    load_catalogues,
    missing_translations,
)
from tests.service.conftest import ROOM

ROOMS = ("service", "issuer", "wallet", "verifier")


@pytest.fixture(scope="module")
def catalogues() -> Catalogues:
    return load_catalogues(ROOM)


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_of_a_room_is_translated_into_swedish(room: str) -> None:
    missing = missing_translations(ROOM.parent / room, ROOM)

    assert not missing, "\n".join(f"{place}  {message!r}" for message, place in missing.items())


@pytest.mark.parametrize("room", ROOMS)
def test_translations_keep_the_values_of_their_texts(room: str) -> None:
    assert broken_translations(ROOM.parent / room) == []


def test_texts_are_found_in_templates_and_code() -> None:
    messages = extract_messages(ROOM)

    assert "Skip to the content" in messages
    assert "There is nothing at this address" in messages
    assert ("%(num)s thing needs to be mended", "%(num)s things need to be mended") in messages


def test_a_missing_a_broken_and_a_good_translation_are_told_apart(tmp_path: Path) -> None:
    room = tmp_path / "room"
    (room / "templates").mkdir(parents=True)
    (room / "locale").mkdir()
    (room / "code.py").write_text('_("Said")\nN_("Forgotten")\n')
    (room / "templates" / "a.html").write_text(
        "{% trans name=n %}Hello {{ name }}{% endtrans %}{{ _('Broken %(a)s') }}"
    )
    (room / "locale" / "sv-more.po").write_text(
        'msgid "Said"\nmsgstr "Sagt"\n\nmsgid "Hello %(name)s"\nmsgstr "Hej %(name)s"\n\n'
        'msgid "Broken %(a)s"\nmsgstr "Trasigt %(b)s"\n'
    )

    assert list(missing_translations(room)) == ["Forgotten"]
    assert broken_translations(room) == ["Broken %(a)s"]


def test_texts_numbers_and_dates_are_said_in_each_language(catalogues: Catalogues) -> None:
    sv, en = catalogues.translator("sv"), catalogues.translator("en")

    assert (sv("Help"), en("Help")) == ("Hjälp", "Help")
    assert (sv("Said by %(name)s", name="A"), en("Said by %(name)s", name="A")) == ("Sagt av A", "Said by A")
    assert sv("A text without translation") == "A text without translation"
    thing, things = "%(num)s thing needs to be mended", "%(num)s things need to be mended"
    assert [sv.plural(thing, things, n) for n in (1, 2)] == ["1 sak behöver rättas", "2 saker behöver rättas"]
    assert [en.plural(thing, things, n) for n in (0, 1)] == ["0 things need to be mended", "1 thing needs to be mended"]
    assert (sv.date(date(2027, 3, 31)), en.date(date(2027, 3, 31))) == ("31 mars 2027", "31 March 2027")
    assert (sv.number(Decimal("7.5")), en.number(7.5)) == ("7,5", "7.5")
    assert (sv.listed(["a", "b", "c"]), en.listed(["a", "b"])) == ("a, b och c", "a and b")


def test_moments_are_shown_in_the_time_zone_of_the_service(catalogues: Catalogues) -> None:
    late = datetime(2027, 3, 31, 22, 30, tzinfo=UTC)

    assert catalogues.translator("sv").moment(late) == "1 april 2027 00:30"
    assert catalogues.translator("en").date(late) == "1 April 2027"
    assert catalogues.translator("en").time(late) == "00:30"
    assert catalogues.translator("en").moment(late.replace(tzinfo=None)) == "1 April 2027 00:30"


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
EXTREMES = [
    (FIRST, "1 January 1", "00:00"),
    (FIRST.replace(tzinfo=timezone(timedelta(hours=14))), "1 January 1", "00:00"),
    (FIRST.replace(tzinfo=None), "1 January 1", "00:00"),
    (LAST, "31 December 9999", "23:59"),
    (LAST.replace(tzinfo=timezone(timedelta(hours=-14))), "31 December 9999", "23:59"),
    (LAST.replace(tzinfo=None), "31 December 9999", "23:59"),
    (LAST.replace(hour=22), "31 December 9999", "23:59"),
]


@pytest.mark.parametrize("zone", ["Europe/Stockholm", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("moment", [moment for moment, _, _ in EXTREMES])
@pytest.mark.parametrize("language", LANGUAGES)
def test_moments_at_the_ends_of_the_calendar_are_said(language: str, moment: datetime, zone: str) -> None:
    """In no zone, and in no language, does one of them raise: somebody else wrote it, and the page must be shown."""
    t = load_catalogues(time_zone=zone).translator(language)
    year = "1" if moment.year == 1 else "9999"
    near = ("1", "2") if moment.year == 1 else ("30", "31")

    assert t.date(moment).split(" ")[0] in near
    assert t.moment(moment).startswith(t.date(moment))
    assert t.date(moment).split(" ")[2] == t.moment(moment).split(" ")[2] == year
    assert t.moment(moment).endswith(t.time(moment))


@pytest.mark.parametrize(("moment", "day", "hour"), EXTREMES)
def test_what_the_calendar_of_the_zone_cannot_hold_is_shown_as_it_was_written(
    catalogues: Catalogues, moment: datetime, day: str, hour: str
) -> None:
    t = catalogues.translator("en")

    if moment.year == 1 and moment.utcoffset() in (None, timedelta()):
        # Stockholm kept its mean solar time then, 1 hour and 12 minutes before that of Greenwich.
        hour = "01:12"
    assert t.moment(moment) == f"{day} {hour}"


@pytest.mark.parametrize(
    ("texts", "picked"),
    [
        ({"sv": "S", "en": "E"}, "S"),
        ({"en": "E", "de": "D"}, "E"),
        ({"sv-SE": "S"}, "S"),
        ({"de": "D"}, "D"),
        ({}, ""),
    ],
)
def test_the_nearest_language_of_a_text_is_taken(catalogues: Catalogues, texts: dict[str, str], picked: str) -> None:
    assert catalogues.translator("sv").pick(texts) == picked


@pytest.mark.parametrize(
    ("query", "cookie", "header", "language"),
    [
        (None, None, None, "sv"),
        ("en", "sv", "sv", "en"),
        ("xx", "en", "sv", "en"),
        (None, None, "en-GB,en;q=0.9", "en"),
        (None, None, "fr, de", "sv"),
        (None, None, "sv;q=0.3, en;q=0.4", "en"),
        (None, None, "en, sv", "sv"),
        (None, None, "en;q=0", "sv"),
        (None, None, "en;q=2", "sv"),
        (None, None, "en;q=x", "sv"),
        (None, None, "EN-us", "en"),
    ],
)
def test_the_language_is_chosen(query: str | None, cookie: str | None, header: str | None, language: str) -> None:
    assert choose_language(query=query, cookie=cookie, accept_language=header) == language


@given(st.text(max_size=60) | st.from_regex(r"[a-z-]{0,5};q=[0-9.a-z]{0,6}(,[a-z]{2})?"))
def test_any_header_gives_a_language_that_we_speak(header: str) -> None:
    assert choose_language(query=header, cookie=header, accept_language=header) in LANGUAGES
