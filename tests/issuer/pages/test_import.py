"""Reading a file on the pages: first a look, then keeping it, and every fault told."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from issuer.store.pending import PENDING
from tests.issuer.desk import Desk
from tests.issuer.pages.registrar import RECORD, ROOT, Registrar
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
    assert "Cannot become Short course certificate: lacks Notional workload (M7)" in registrar.words()
    assert "Notional workload (M7): missing in 1 result. State it in the file" in registrar.words()


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


def test_notes_are_kept_as_codes_and_told_in_the_readers_language(registrar: Registrar, desk: Desk) -> None:
    """Kept while reading English, read in Swedish afterwards."""
    registrar.upload(sample("elmo-schemas-example.xml"))
    assert "Part of a course, not a result of its own. Nothing needs to be done. Rows 4 (2829051) and 5" in (
        registrar.words()
    )
    registrar.press("keep")
    (kept,) = desk.context.store.results.list_imports()
    assert all(set(members) <= {"code", "row", "field", "item", "values"} for members in kept.warnings)
    registrar.language = "sv"
    registrar.visit(registrar.at)
    assert "Del av en kurs, inget eget resultat. Du behöver inte göra något. Rad 4 (2829051) och 5" in registrar.words()
    assert not registrar.page.xpath("//*[@id='import-warnings']//*[@lang='en']")


def test_notes_of_one_kind_are_one_line(registrar: Registrar) -> None:
    """A hundred results that were not passed are read at a glance, and all of them counted."""
    rows = "".join(f"Nyman;K{number};Kurs;U\n" for number in range(30))
    registrar.upload(f"family_name;course_code;title;grade\n{rows}Nyman;X;Kurs;G\n".encode(), "many.csv")
    lines = [" ".join(item.text_content().split()) for item in registrar.page.xpath("//*[@id='warnings']//li")]
    assert len(lines) == 2
    assert lines[0].startswith(
        "The result is not passed, so it was left out. Nothing needs to be done. Rows 2 (K0), 3 (K1)"
    )
    assert lines[0].endswith("and 22 more.")


@pytest.mark.parametrize(("language", "where"), [("en", "Rows 2 and 4."), ("sv", "Rad 2 och 4.")])
def test_personal_numbers_are_told_of_once_with_their_rows(registrar: Registrar, language: str, where: str) -> None:
    """Two of three rows of the example have one: one note, and which rows, but no number."""
    registrar.language = language
    registrar.upload((ROOT / "examples" / "data" / "target-group.csv").read_bytes(), "target-group.csv")

    noted = [" ".join(item.text_content().split()) for item in registrar.page.xpath("//*[@id='warnings']//li")]

    (line,) = [one for one in noted if "ersonnum" in one or "identity number" in one]
    assert line.endswith(where)
    assert "19980423" not in registrar.words()


def test_a_file_kept_twice_at_once_is_kept_once(registrar: Registrar, desk: Desk) -> None:
    """A double click, or two windows."""
    registrar.upload(RECORD)
    here, token = registrar.at, registrar.page.xpath("//input[@name='csrf']/@value")[0]
    together = Barrier(4)
    seen: list[int] = []

    def keep() -> None:
        together.wait()
        answer = desk.client.post(desk.url(f"{here}/keep"), data={"csrf": token}, follow_redirects=False)
        seen.append(answer.status_code)

    threads = [Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [303, 404, 404, 404]
    assert imports(desk) == 1


def test_going_back_to_a_file_that_was_kept_says_what_became_of_it(registrar: Registrar) -> None:
    """The back button leads to a page with a way on."""
    registrar.upload(RECORD)
    here = registrar.at
    registrar.press("keep")
    for language, words in (("en", "The file is not here any more"), ("sv", "Filen finns inte kvar")):
        registrar.language = language
        registrar.visit(here)
        assert registrar.status == 404
        assert words in registrar.words()
        assert registrar.link("to-imports").endswith("/#imports")
    registrar.visit("/")
    assert registrar.send(f"{here}/keep").status == 404


def test_nobody_throws_away_anothers_file(registrar: Registrar, desk: Desk) -> None:
    """Knowing its address is not enough."""
    registrar.upload(RECORD)
    here = registrar.at
    other = Registrar(desk)
    desk.client.cookies.clear()
    other.visit("/sign-in")
    other.send("/sign-in", login="registrator", password="a long and quiet password")
    other.send(f"{here}/discard")
    assert "thrown away" not in other.words()
    with desk.context.store.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(PENDING)).scalar_one() == 1


def test_all_faults_are_counted_when_not_all_are_shown(registrar: Registrar) -> None:
    """Five hundred lines, and the true number above them."""
    rows = "".join(f"Nyman;K{number};Kurs;sju\n" for number in range(600))
    registrar.upload(f"family_name;course_code;title;hp\n{rows}".encode(), "many.csv")
    assert "600 things need to be mended." in registrar.words()
    assert "Here are the first 500 of them." in registrar.words()


def test_a_file_read_before_leads_to_its_results(registrar: Registrar) -> None:
    """Instead of keeping them twice."""
    import_id = registrar.keep_record()
    registrar.upload(RECORD)
    assert registrar.link("to-earlier").endswith(f"/results/{import_id}")


def test_what_is_missing_says_how_to_supply_it(registrar: Registrar) -> None:
    """Beside the element, in both languages."""
    registrar.upload(sample("elmo-schemas-example.xml"))
    assert "courses.CODE.ects_credits, swedish_credits or workload_hours" in registrar.words()
    registrar.language = "sv"
    registrar.visit(registrar.at)
    assert "Ange det i filen eller i lärosätets profil" in registrar.words()


def test_a_title_in_a_third_language_is_marked_with_it(registrar: Registrar) -> None:
    """On every page where it stands (WCAG 3.1.2)."""
    registrar.upload(sample("fi-minimal-unsigned.xml").replace(b"<country>FI<", b"<country>SE<"))
    title = "//*[@lang='fi'][normalize-space()='Potilaslähtöisen hoitotyön toiminnot']"
    assert registrar.page.xpath(title)
    registrar.press("keep")
    assert registrar.page.xpath(title)
    (result,) = registrar.ids("result-")
    import_id = registrar.at.rsplit("/", 1)[1]
    registrar.visit(f"/results/{import_id}/{result}")
    assert registrar.page.xpath(f"//h1{title}")
    assert registrar.page.xpath(f"//*[@class='panel']//p[@class='card-title']{title}")
    assert registrar.page.xpath(f"//*[@class='panel']//dd{title}")
    registrar.visit(f"/results/{import_id}")
    registrar.offer(1)
    assert registrar.page.xpath(f"//h1{title}")
    registrar.visit("/offered")
    assert registrar.page.xpath(f"//table{title}")


@pytest.mark.parametrize("name", ["محمد الخوارزمي", "O'Brien <b>", "👩\u200d🎓", "Suharto"])
def test_names_of_all_kinds_stand_by_themselves(registrar: Registrar, name: str) -> None:
    """A name that is written from right to left does not turn what stands beside it."""
    registrar.upload(f"family_name;title;hp\n{name};Kurs;7,5\n".encode(), "x.csv")
    assert [one.text_content() for one in registrar.page.xpath("//li[@class='panel']//p/bdi")] == [name]
    registrar.press("keep")
    assert name in [one.text_content() for one in registrar.page.xpath("//label/bdi")]


def test_a_file_without_a_name_that_can_be_seen_is_called_something(registrar: Registrar) -> None:
    """Names of files are from outside as well."""
    registrar.upload(RECORD, "\u202egnp.lmx")
    assert "\u202e" not in registrar.text
    registrar.upload(RECORD, "<script>.xml")
    assert "<script>.xml" in registrar.words()
    assert "&lt;script&gt;.xml" in registrar.text
