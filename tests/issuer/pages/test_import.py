"""Reading a file on the pages: first a look, then keeping it, and every fault told."""

import pytest

from tests.issuer.desk import Desk
from tests.issuer.pages.registrar import RECORD, Registrar
from tests.schemas.learning.samples import XML_SAMPLES, sample


def imports(desk: Desk) -> int:
    return len(desk.context.store.results.list_imports())


def test_a_look_at_a_file_keeps_nothing(registrar: Registrar, desk: Desk) -> None:
    """People, results, elements and their sources are shown; nothing is stored until somebody says so."""
    registrar.upload(RECORD)
    words = registrar.words()
    assert "Elin Maria Sjöberg" in words
    assert "16 of 16 elements" in words
    assert "the institution's profile" in words
    assert imports(desk) == 0

    registrar.press("keep")
    assert imports(desk) == 1
    assert registrar.at.startswith("/results/")


def test_a_file_can_be_thrown_away(registrar: Registrar, desk: Desk) -> None:
    """Then its page is gone."""
    registrar.upload(RECORD)
    here = registrar.at
    registrar.press("discard")
    assert registrar.visit(here).status == 404
    assert imports(desk) == 0


def test_a_waiting_file_is_gone_after_an_hour(registrar: Registrar, desk: Desk) -> None:
    """What nobody keeps does not stay."""
    registrar.upload(RECORD)
    here = registrar.at
    for _ in range(5):
        desk.clock.advance(minutes=13)
        registrar.visit("/")
    assert registrar.visit(here).status == 404


def test_a_waiting_file_is_unreadable_to_others_and_at_rest(registrar: Registrar, desk: Desk) -> None:
    """Another session cannot open it, and the database file holds no name."""
    registrar.upload(RECORD)
    here = registrar.at
    desk.context.store.database.close()
    for path in desk.settings.data.glob("issuer.sqlite3*"):
        assert "Sjöberg".encode() not in path.read_bytes()
    registrar.press("sign-out")
    registrar.press("sign-in", login="registrator", password="a long and quiet password")
    assert registrar.visit(here).status == 404


@pytest.mark.parametrize("path", XML_SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_sample_can_be_looked_at(registrar: Registrar, path: object, language: str) -> None:
    """In both languages, without a word left untranslated in Swedish."""
    registrar.language = language
    registrar.upload(sample(getattr(path, "name")))  # noqa: B009 - typed as an object by the parametrisation
    assert registrar.status == 200
    assert registrar.ids("row-")


def test_what_lacks_something_says_what(registrar: Registrar) -> None:
    """The example of the specification holds a course without credits."""
    registrar.upload(sample("elmo-schemas-example.xml"))
    assert "Cannot become “Micro-credential”: lacks Notional workload (M7)" in registrar.words()


def test_markup_in_a_file_is_shown_as_text(registrar: Registrar) -> None:
    """A title is data."""
    registrar.upload(sample("elmo-schemas-example.xml"))
    assert "The importance of <br> in HTML" in registrar.words()
    assert "The importance of &lt;br&gt; in HTML" in registrar.text


def test_every_fault_is_told_with_row_field_and_fix(registrar: Registrar, desk: Desk) -> None:
    """In the words of the file's own columns, and in the reader's language."""
    bad = "efternamn;kurskod;benämning_sv;hp;datum\nNyman;DT1;Kurs;sju;2026-13-01\n;DT2;Kurs;5;2026-01-01\n"
    registrar.language = "sv"
    registrar.upload(bad.encode(), "fel.csv")
    rows = [" ".join(row.text_content().split()) for row in registrar.page.xpath("//table[@id='problems']/tbody/tr")]
    assert rows == [
        "Rad 2 DT1 hp Det här är inget tal. Skriv siffror, till exempel 7,5 eller 7.5.",
        "Rad 2 DT1 datum Den dagen finns inte i kalendern. Rätta datumet.",
        "Rad 3 DT2 efternamn Värdet saknas. Fyll i det eller ta bort raden.",
    ]
    assert "keep" not in registrar.ids("")
    assert imports(desk) == 0


def test_a_refused_file_cannot_be_kept_by_hand(registrar: Registrar, desk: Desk) -> None:
    """The page with the button is not what protects the records."""
    registrar.upload(b"family_name;title\n;x\n", "bad.csv")
    registrar.send(f"{registrar.at}/keep")
    assert "problems" in registrar.ids("")
    assert imports(desk) == 0


def test_choosing_no_file_is_told(registrar: Registrar) -> None:
    """With a summary that leads to the field."""
    registrar.visit("/import")
    registrar.send("/import")
    assert registrar.status == 400
    assert registrar.page.xpath("//a[@href='#file']")


def test_a_file_beyond_the_limit_is_refused(registrar: Registrar) -> None:
    """Before it is read."""
    assert registrar.upload(b"<" + b" " * 21_000_000).status == 413


def test_reading_a_file_again_is_pointed_out(registrar: Registrar) -> None:
    """The same bytes, recognised."""
    registrar.keep_record()
    registrar.upload(RECORD)
    assert "read-before" in registrar.ids("")


def test_a_long_file_comes_in_pages(registrar: Registrar) -> None:
    """Twenty-five results at a time."""
    rows = "".join(f"Nyman;K{number};Kurs;5\n" for number in range(60))
    registrar.upload(f"family_name;course_code;title;hp\n{rows}".encode(), "many.csv")
    assert len(registrar.ids("row-")) == 25
    registrar.visit(f"{registrar.at}?page=2")
    assert len(registrar.ids("row-")) == 10
    registrar.visit(f"{registrar.at.split('?')[0]}?page=99")
    assert len(registrar.ids("row-")) == 10
