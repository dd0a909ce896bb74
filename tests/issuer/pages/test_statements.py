"""Statements on the pages: from a file to offers, with the kinds of certificates that can be made of it, no others."""

import json

from tests.issuer.pages.registrar import ROOT, Registrar

JOB_SEEKERS = (ROOT / "examples" / "data" / "job-seekers.csv").read_bytes()
GRADES = (ROOT / "examples" / "data" / "upper-secondary-grades.csv").read_bytes()


def kinds(registrar: Registrar) -> list[str]:
    """The kinds of certificates that can be chosen on the page."""
    return [str(value) for value in registrar.page.xpath("//input[@name='type']/@value")]


def facts(registrar: Registrar, preview_id: str, language: str) -> dict[str, str]:
    """What a preview says, by label."""
    lines = registrar.page.xpath(f"//*[@id='{preview_id}']/div[@lang='{language}']//dl/div")
    return {line[0].text_content(): " ".join(line[1].text_content().split()) for line in lines}


def test_a_file_of_statements_leads_to_offers(registrar: Registrar) -> None:
    """What each row holds, the one kind it can become, the very contents, and the offers."""
    registrar.upload(JOB_SEEKERS, "job-seekers.csv")
    assert "What the certificate holds: 7 of 8" in registrar.words()
    told = {
        line[0].text_content(): line[1].text_content() for line in registrar.page.xpath("//*[@id='file-facts']/div")
    }
    assert (told["Results"], told["People"]) == ("4", "4")
    assert "The personal identity number was read for one purpose" in registrar.words()
    registrar.press("keep")
    assert kinds(registrar) == ["registration-certificate"]
    for number in ("2388", "2391", "2389"):
        assert number not in registrar.text
    chosen = [registrar.page.get_element_by_id(f"choose-{number}").get("value") for number in (1, 4)]
    registrar.press("show-preview", result=chosen, type="registration-certificate", tx_code="no")
    assert facts(registrar, "preview-1", "sv")["Inskriven som arbetssökande"] == "Ja"
    assert facts(registrar, "preview-2", "en")["Registered as a job seeker"] == "No"
    assert facts(registrar, "preview-2", "en")["As of"] == "20 November 2026"
    document = json.loads(registrar.page.xpath("//div[@class='details-body']/pre")[0].text_content())
    assert document["vct"] == "urn:intyga:credential:registration-certificate:1"
    registrar.press("make-offers")
    offers = registrar.desk.context.store.offers.list_offers(now=registrar.desk.clock())
    assert {offer.type_name for offer in offers} == {"registration-certificate"}
    assert len(offers) == 2


def test_grades_of_one_person_are_offered_as_one_certificate(registrar: Registrar) -> None:
    """Each course in a group of its own."""
    registrar.keep_record(GRADES)
    assert kinds(registrar) == ["upper-secondary-grades"]
    chosen = [registrar.page.get_element_by_id(f"choose-{number}").get("value") for number in (1, 2, 4)]
    registrar.press("show-preview", result=chosen, type="upper-secondary-grades", tx_code="no")
    assert "Upper secondary grades, 3 courses" in registrar.words()
    headings = registrar.page.xpath("//*[@id='preview-1']/div[@lang='en']/h4")
    assert [heading.text_content() for heading in headings] == ["Course 1", "Course 2", "Course 3"]


def test_another_kind_is_refused_whatever_the_form_says(registrar: Registrar) -> None:
    """A form made by hand does not turn registrations into micro-credentials, nor results into registrations."""
    for file, forged in ((JOB_SEEKERS, "micro-credential"), (None, "registration-certificate")):
        import_id = registrar.keep_record(file) if file else registrar.keep_record()
        assert forged not in kinds(registrar)
        chosen = registrar.page.get_element_by_id("choose-1").get("value")
        registrar.press("show-preview", result=[chosen], type=forged, tx_code="no")
        assert registrar.status == 400
        assert "Such a certificate is not made of these results" in registrar.words()
        registrar.send(f"/results/{import_id}/offer", results=chosen, type=forged, tx_code="no", once="x", known="0")
        assert registrar.status == 400
    assert registrar.desk.context.store.offers.list_offers(now=registrar.desk.clock()) == []


def test_one_statement_shows_what_it_becomes(registrar: Registrar) -> None:
    """Its lines with their sources, and the certificate in both languages."""
    import_id = registrar.keep_record(JOB_SEEKERS)
    (first, *_) = registrar.ids("result-")
    registrar.visit(f"/results/{import_id}/{first}")
    words = registrar.words()
    assert "Registered as a job seeker registered_status" in words
    assert "the CSV file" in words
    assert "As “Job seeker registration”" in words
