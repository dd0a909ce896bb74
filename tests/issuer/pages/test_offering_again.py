"""Nobody is offered the same certificate twice unawares, and what cannot be offered says why and what to do."""

from threading import Barrier, Thread

import pytest

from issuer.offers import OfferState
from tests.issuer.desk import Desk
from tests.issuer.pages.registrar import RECORD, Registrar
from tests.schemas.learning.samples import sample


def offers(desk: Desk) -> int:
    return len(desk.context.store.offers.list_offers(now=desk.clock()))


def look_at(registrar: Registrar, *numbers: int, type_name: str = "micro-credential") -> Registrar:
    """Choose results by their position, and look at what would be offered."""
    chosen = [registrar.page.get_element_by_id(f"choose-{number}").get("value") for number in numbers]
    return registrar.press("show-preview", result=chosen, type=type_name, tx_code="no")


def test_offering_the_same_result_again_is_pointed_out(registrar: Registrar, desk: Desk) -> None:
    """With a link to the earlier offer and where it stands."""
    import_id = registrar.keep_record()
    registrar.offer(1)
    registrar.visit(f"/results/{import_id}")
    assert len(registrar.ids("earlier-")) == 1
    look_at(registrar, 1, 2)
    assert "1 of these certificates has been offered before." in registrar.words()
    (link,) = registrar.page.xpath("//*[@id='offered-before']//a/@href")
    assert link.endswith(desk.context.store.offers.list_offers(now=desk.clock())[0].id)
    registrar.press("make-offers")
    assert offers(desk) == 3


def test_the_same_result_from_a_second_reading_is_the_same_certificate(registrar: Registrar, desk: Desk) -> None:
    """Same person, same title, same kind: the file may be another one."""
    registrar.keep_record()
    registrar.offer(1)
    registrar.keep_record(RECORD + b"\n")
    assert len(registrar.ids("earlier-")) == 1
    look_at(registrar, 1)
    assert "offered-before" in registrar.ids("")
    registrar.visit(registrar.at.removesuffix("/preview"))
    look_at(registrar, 1, type_name="course-results")
    assert "offered-before" not in registrar.ids("")


def test_an_offer_made_void_does_not_count(registrar: Registrar) -> None:
    """It was taken back, so offering again is what is meant."""
    import_id = registrar.keep_record()
    registrar.offer(1)
    registrar.press("void")
    registrar.visit(f"/results/{import_id}")
    look_at(registrar, 1)
    assert "offered-before" not in registrar.ids("")


def test_two_registrars_do_not_offer_the_same_unawares(registrar: Registrar, desk: Desk) -> None:
    """Whoever comes second sees what was offered meanwhile, before anything is offered twice."""
    import_id = registrar.keep_record()
    look_at(registrar, 1, 2)
    other = Registrar(desk, language="sv").visit(f"/results/{import_id}")
    look_at(other, 1, 2)
    registrar.press("make-offers")
    assert offers(desk) == 2
    other.press("make-offers")
    assert other.status == 409
    assert "Något har erbjudits under tiden, så inget har erbjudits nu." in other.words()
    assert "2 av intygen har erbjudits förut." in other.words()
    assert offers(desk) == 2
    other.press("make-offers")
    assert offers(desk) == 4


def test_parallel_presses_of_one_button_make_the_offers_once(registrar: Registrar, desk: Desk) -> None:
    """A double click, or a browser that sends twice; nobody is told of a conflict with themselves."""
    registrar.keep_record()
    look_at(registrar, 1, 2)
    form = registrar.page.get_element_by_id("offer-form")
    fields = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
    path = form.get("action").removeprefix(desk.settings.path_prefix)
    together = Barrier(4)
    seen: list[int] = []

    def press() -> None:
        together.wait()
        seen.append(desk.client.post(desk.url(path), data=fields, follow_redirects=False).status_code)

    threads = [Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [303] * 4
    assert offers(desk) == 2


def test_what_is_missing_is_told_for_which_courses_and_how_to_supply_it(registrar: Registrar, desk: Desk) -> None:
    """By name, in the summary and at the field, in the reader's language."""
    registrar.upload(sample("fi-smp-answer.gz.b64.txt"), "fi.txt")
    registrar.press("keep")
    registrar.language = "sv"
    registrar.visit(f"{registrar.at}?choose=all")
    chosen = registrar.page.xpath("//input[@name='result']/@value")
    registrar.press("show-preview", result=chosen, type="micro-credential", tx_code="no")
    assert registrar.status == 400
    (sentence,) = [item.text_content() for item in registrar.page.xpath("//*[@id='error-summary']//li")]
    assert sentence.startswith(
        "Utfärdarens land (M3) saknas för ”Viestinnän ja Median tutkimus”, Kaisa Keränen; LTLY16 ”"
    )
    assert "28 till" in sentence
    assert "Ange landet i filen eller i lärosätets profil" in sentence
    assert len(registrar.page.xpath("//input[@name='result'][@checked]")) == len(chosen) == 38
    assert offers(desk) == 0


def many(count: int) -> bytes:
    rows = "".join(
        f"Nyman;Åsa{number:04};1999-10-02;K{number:04};Kurs {number};2026-06-05;7,5\n" for number in range(count)
    )
    return f"efternamn;förnamn;födelsedatum;kurskod;benämning_sv;datum;hp\n{rows}".encode()


def test_more_results_than_can_be_offered_at_once_come_in_pages(registrar: Registrar) -> None:
    """Every one of them can be reached, and the page says what it shows."""
    import_id = registrar.keep_record(many(1_200))
    assert len(registrar.ids("result-")) == 500
    assert "Results 1 to 500 of 1,200 are shown." in registrar.words()
    registrar.visit(f"/results/{import_id}?page=2&choose=all")
    assert len(registrar.page.xpath("//input[@name='result'][@checked]")) == 200
    assert "Results 1,001 to 1,200 of 1,200 are shown." in registrar.words()
    assert registrar.page.xpath("//*[@id='newer']")
    registrar.visit(f"/results/{import_id}?q=K0007")
    assert len(registrar.ids("result-")) == 1
    registrar.visit(f"/results/{import_id}?q=a\u030asa0008")
    assert len(registrar.ids("result-")) == 1


def test_a_mistake_on_a_later_page_or_in_a_search_keeps_the_place(registrar: Registrar) -> None:
    """The results that were chosen are still there, and still chosen."""
    import_id = registrar.keep_record(many(600))
    registrar.visit(f"/results/{import_id}?page=1&choose=all")
    chosen = registrar.page.xpath("//input[@name='result']/@value")
    registrar.press("show-preview", result=chosen)
    assert registrar.status == 400
    assert len(registrar.page.xpath("//input[@name='result'][@checked]")) == 100
    registrar.visit(f"/results/{import_id}?q=K0599")
    (only,) = registrar.page.xpath("//input[@name='result']/@value")
    registrar.press("show-preview", result=[only])
    assert registrar.page.xpath("//input[@name='result'][@checked]/@value") == [only]
    registrar.press("language-sv")
    assert registrar.page.xpath("//input[@name='result'][@checked]/@value") == [only]
    assert registrar.page.xpath("//input[@type='search']/@value") == ["K0599"]


def test_five_hundred_results_are_offered_at_once(registrar: Registrar, desk: Desk) -> None:
    """All or none, and the list counts them."""
    import_id = registrar.keep_record(many(500))
    registrar.visit(f"/results/{import_id}?choose=all")
    chosen = registrar.page.xpath("//input[@name='result']/@value")
    registrar.press("show-preview", result=chosen, type="micro-credential", tx_code="yes")
    assert "And 495 more, made in the same way." in registrar.words()
    registrar.press("make-offers")
    assert registrar.at.startswith("/offered")
    assert offers(desk) == 200  # what one page of the store holds
    assert registrar.page.get_element_by_id("tally-offered").text_content().split()[0] == "500"


def test_results_that_were_erased_meanwhile_cannot_be_offered(registrar: Registrar, desk: Desk) -> None:
    """The page of another window is out of date; what was offered before stays and can be collected."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    (kept,) = desk.context.store.results.list_imports()
    registrar.visit(f"/results/{kept.id}")
    look_at(registrar, 2)
    preview = registrar.page
    desk.context.store.results.delete_import(kept.id)
    registrar.page = preview
    registrar.press("make-offers")
    assert registrar.status == 404
    assert offers(desk) == 1
    assert registrar.visit(f"/offered/{offer.id}").status == 200
    desk.collect(offer)
    assert desk.state_of(offer) == OfferState.COLLECTED


@pytest.mark.parametrize("field", ["result", "results"])
def test_results_of_another_file_cannot_be_slipped_in(registrar: Registrar, desk: Desk, field: str) -> None:
    """The address names the file, and what is chosen belongs to it."""
    registrar.keep_record()
    (foreign, *_) = registrar.ids("result-")
    import_id = registrar.keep_record(many(1))
    registrar.send(f"/results/{import_id}/preview", **{field: foreign}, type="micro-credential", tx_code="no")
    assert registrar.status == 404
    assert offers(desk) == 0
    assert registrar.visit(f"/results/{import_id}/{foreign}").status == 404
