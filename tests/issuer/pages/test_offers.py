"""From kept results to collected certificates: choosing, previewing, offering, following, revoking."""

import asyncio
import json
import re
from collections.abc import Callable

import pytest

from issuer.offers import OfferState
from issuer.pages.live import CHANGE, DONE, HEARTBEAT, follow
from issuer.settings import IssuerSettings
from issuer.status import Status
from proofs.strict_json import loads_object
from schemas.issuance import parse_offer_link
from service.web_wallet import normal_wallet
from tests.issuer.desk import Desk
from tests.issuer.pages.registrar import Registrar


def test_the_preview_shows_people_and_machines_the_same(registrar: Registrar) -> None:
    """Cards in both languages, what is always visible, and the document with the pinned type."""
    import_id = registrar.keep_record()
    (first, *_) = registrar.ids("result-")
    registrar.visit(f"/results/{import_id}/{first}")
    words = registrar.words()
    assert "Datasäkerhet för vårdens system" in words
    assert "Computer Security for Health Care Systems" in words
    assert "15 juni 2026" in words
    assert "15 June 2026" in words
    document = json.loads(registrar.page.xpath("//div[@class='details-body']/pre")[0].text_content())
    assert document["vct"] == "urn:intyga:credential:micro-credential:1"
    assert document["vct#integrity"].startswith("sha256-")
    assert document["swedish_credits"] == 7.5
    visible = registrar.page.xpath("//*[@id='preview-micro-credential']//div[@lang='en']//div[not(@data-hidden)]/dt")
    assert len(visible) == 3


def test_the_courses_of_a_transcript_stand_apart_in_its_preview(registrar: Registrar) -> None:
    """Each under a heading of its own, its outcomes as a list, in the language of the card."""
    registrar.keep_record()
    chosen = [registrar.page.get_element_by_id(f"choose-{number}").get("value") for number in (1, 2, 3)]
    registrar.press("show-preview", result=chosen, type="course-results", tx_code="no")
    for language, headings in (("sv", ["Kurs 1", "Kurs 2", "Kurs 3"]), ("en", ["Course 1", "Course 2", "Course 3"])):
        panel = f"//*[@id='preview-1']/div[@lang='{language}']"
        assert [heading.text_content() for heading in registrar.page.xpath(f"{panel}/h4")] == headings
    assert len(registrar.page.xpath("//*[@id='preview-1']/div[@lang='sv']/dl[2]//dd/ul/li")) >= 3
    visible = registrar.page.xpath("//*[@id='preview-1']/div[@lang='sv']/dl[1]/div[not(@data-hidden)]/dt")
    assert [" ".join(one.text_content().split()) for one in visible] == [
        "Utfärdat av (syns alltid)",
        "Land (syns alltid)",
    ]


def test_nothing_is_preselected_and_every_choice_is_demanded(registrar: Registrar) -> None:
    """Which results, which kind, and whether with a code."""
    registrar.keep_record()
    assert not registrar.page.xpath("//input[@checked]")
    registrar.press("show-preview")
    assert registrar.status == 400
    assert [link.get("href") for link in registrar.page.xpath("//*[@id='error-summary']//a")] == [
        "#results",
        "#type-1",
        "#tx-code-1",
    ]


def test_a_preview_offers_nothing(registrar: Registrar, desk: Desk) -> None:
    """Looking is free, also in the other language."""
    registrar.keep_record()
    chosen = registrar.page.get_element_by_id("choose-1").get("value")
    registrar.press("show-preview", result=[chosen], type="micro-credential", tx_code="yes")
    assert "make-offers" in registrar.ids("")
    registrar.press("language-sv")
    assert "make-offers" in registrar.ids("")
    assert desk.context.store.offers.list_offers(now=desk.clock()) == []


def test_an_offer_can_be_handed_over_in_every_way_and_collected(registrar: Registrar, desk: Desk) -> None:
    """QR code, link for people, link for wallets, typed code, and the transaction code apart from them."""
    registrar.keep_record()
    registrar.offer(1, tx_code="yes")
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    assert registrar.at == f"/offered/{offer.id}"
    assert registrar.page.xpath("//*[@id='qr']//*[local-name()='svg']")
    link = registrar.page.get_element_by_id("offer-link").text_content()
    assert parse_offer_link(link).credential_offer_uri
    code = registrar.page.get_element_by_id("tx-code-value").text_content()
    assert code == desk.tx_code_of(offer)
    assert code not in link + registrar.page.get_element_by_id("offer-https").text_content()
    assert re.fullmatch(
        r"issuer\.example/uni/[0-9A-Z]{5}-[0-9A-Z]{5}", registrar.page.get_element_by_id("qr-code").text_content()
    )

    (credential,) = desk.collect(offer)
    assert credential.claims["achievement_title"]["sv"] == "Datasäkerhet för vårdens system"
    registrar.visit(f"/offered/{offer.id}")
    assert registrar.page.xpath("//*[@data-state='collected']")
    assert "tx-code" not in registrar.ids("")
    assert registrar.visit(registrar.link("to-certificate").removeprefix("/uni")).at.startswith("/issued/")


def test_the_same_form_sent_twice_offers_once(registrar: Registrar, desk: Desk) -> None:
    """A double click is one click."""
    import_id = registrar.keep_record()
    chosen = registrar.page.get_element_by_id("choose-1").get("value")
    registrar.press("show-preview", result=[chosen], type="micro-credential", tx_code="no")
    once = registrar.page.xpath("//input[@name='once']/@value")[0]
    fields = {"results": chosen, "type": "micro-credential", "tx_code": "no", "once": once}
    registrar.send(f"/results/{import_id}/offer", **fields)
    registrar.send(f"/results/{import_id}/offer", **fields)
    assert "already" in registrar.words()
    assert len(desk.context.store.offers.list_offers(now=desk.clock())) == 1


def test_a_transcript_takes_a_persons_courses_together(registrar: Registrar, desk: Desk) -> None:
    """One offer for three courses, and for single courses one each."""
    import_id = registrar.keep_record()
    registrar.visit(f"/results/{import_id}?choose=all")
    assert len(registrar.page.xpath("//input[@type='checkbox' and @checked]")) == 3
    registrar.offer(1, 2, 3, type_name="course-results")
    registrar.visit(f"/results/{import_id}")
    registrar.offer(1, 2, 3)
    offers = desk.context.store.offers.list_offers(now=desk.clock())
    assert sorted(offer.type_name for offer in offers) == ["course-results"] + ["micro-credential"] * 3
    assert "offered" in registrar.at
    registrar.visit(f"/results/{import_id}")
    registrar.press("show-preview", result=registrar.ids("result-")[:1], type="micro-credential", tx_code="no")
    assert "offered-before" in registrar.ids("")


def test_an_incomplete_result_is_not_offered(registrar: Registrar, desk: Desk) -> None:
    """The error says which one, and what was chosen stays chosen."""
    registrar.upload(b"family_name;course_code;title;date\nNyman;K1;Kurs;2026-01-01\n", "x.csv")
    registrar.press("keep")
    registrar.press("show-preview", result=registrar.ids("result-"), type="micro-credential", tx_code="no")
    assert registrar.status == 400
    assert "K1" in registrar.page.get_element_by_id("error-summary").text_content()
    assert registrar.page.xpath("//input[@type='checkbox' and @checked]")
    assert desk.context.store.offers.list_offers(now=desk.clock()) == []


def test_results_of_another_file_cannot_be_mixed_in(registrar: Registrar) -> None:
    """What a form names must belong to the page it came from."""
    first = registrar.keep_record()
    (result_id, *_) = registrar.ids("result-")
    second = registrar.keep_record()
    assert registrar.visit(f"/results/{second}/{result_id}").status == 404
    registrar.visit(f"/results/{second}")
    registrar.press("show-preview", result=[result_id], type="micro-credential", tx_code="no")
    assert registrar.status == 404
    assert first != second


def test_an_offer_can_be_voided_and_offered_again(registrar: Registrar, desk: Desk) -> None:
    """Void at once; offered again, the old codes stay void."""
    registrar.keep_record()
    registrar.offer(1, tx_code="yes")
    before = registrar.page.get_element_by_id("offer-link").text_content()
    registrar.press("void")
    assert registrar.page.xpath("//*[@data-state='voided']")
    assert "offer-link" not in registrar.ids("")
    registrar.press("offer-again")
    assert registrar.page.xpath("//*[@data-state='offered']")
    assert registrar.page.get_element_by_id("offer-link").text_content() != before
    old = parse_offer_link(before).credential_offer_uri
    assert old is not None
    assert desk.client.get(old).status_code == 404


def test_a_new_code_to_type_can_be_made(registrar: Registrar, desk: Desk) -> None:
    """The old one is over after a quarter of an hour."""
    registrar.keep_record()
    registrar.offer(1, tx_code="yes")
    before = registrar.page.get_element_by_id("qr-code").text_content()
    registrar.press("new-code")
    assert registrar.page.get_element_by_id("qr-code").text_content() != before


def test_an_offer_that_was_collected_meanwhile_is_not_voided(registrar: Registrar, desk: Desk) -> None:
    """The page is a moment old; the message says so and nothing breaks."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    desk.collect(offer)
    registrar.press("void")
    assert "moved on" in registrar.words()
    assert desk.state_of(offer) == "collected"


def test_offers_are_found_by_name_title_and_state(registrar: Registrar, desk: Desk) -> None:
    """The list and its counts."""
    import_id = registrar.keep_record()
    registrar.visit(f"/results/{import_id}?choose=all")
    registrar.offer(1, 2, 3)
    for query, count in (("", 3), ("statistik", 1), ("sjöberg", 3), ("nobody", 0), ("elin svenska", 1)):
        assert len(registrar.visit(f"/offered?q={query}").ids("offer-")) == count
    assert registrar.visit("/offered?state=collected").ids("offer-") == []
    assert registrar.page.get_element_by_id("tally-offered").text_content().split()[0] == "3"


def test_the_overview_follows_the_collection(registrar: Registrar, desk: Desk) -> None:
    """Counts of every state, also after a wallet has read the offer."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    desk.client.get(desk.links(offer).uri)
    registrar.visit("/")
    assert registrar.page.xpath("//tr[@data-state='opened']")
    assert registrar.page.get_element_by_id("overview").get("data-live") == "/uni/events"


def test_the_stream_tells_of_changes_and_of_the_end(registrar: Registrar, desk: Desk) -> None:
    """A look at once, a change when a wallet opens the offer, done when it is collected; no value in it."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())

    async def look() -> tuple[object, bool]:
        state = desk.context.store.offers.get(offer.id, now=desk.clock()).state
        return state, state is OfferState.COLLECTED

    async def watch(*steps: Callable[[], object]) -> list[bytes]:
        seen = []
        waiting = list(steps)
        async for event in follow(desk.context, look, ask_seconds=0.01, longest_seconds=5):
            seen.append(event)
            if waiting:
                await asyncio.to_thread(waiting.pop(0))
        return seen

    events = asyncio.run(watch(lambda: desk.client.get(desk.links(offer).uri), lambda: desk.collect(offer)))
    assert [event for event in events if event != HEARTBEAT] == [CHANGE, CHANGE, DONE]


def test_revoking_is_confirmed_has_a_reason_and_is_final(registrar: Registrar, desk: Desk) -> None:
    """Without a decision nothing happens, without a reason nothing happens, and afterwards nothing more happens."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    (credential,) = desk.collect(offer)
    certificate = desk.context.store.status.get(offer.id)
    page = f"/issued/{certificate.id}/revoke"

    registrar.visit(page)
    assert registrar.page.xpath("//form[@id='revoke-form']//button")[0].get("value") == ""  # Enter decides nothing
    registrar.send(page, decision="", reason="corrected")
    assert registrar.at.endswith("/revoke")
    registrar.visit(page)
    registrar.press("decide-revoke")
    assert registrar.status == 400
    registrar.press("decide-keep")
    assert desk.read_status(credential) == int(Status.VALID)

    registrar.visit(page)
    registrar.press("decide-revoke", reason="corrected", note="  wrong\n grade ")
    assert registrar.page.get_element_by_id("status").get("data-status") == "revoked"
    assert "It is replaced by a corrected one. wrong grade" in registrar.words()
    assert desk.read_status(credential) == int(Status.REVOKED)
    assert registrar.visit(page).at == f"/issued/{certificate.id}"
    assert "to-revoke" not in registrar.ids("")
    registrar.visit("/")
    registrar.send(f"/issued/{certificate.id}/reinstate")
    assert desk.read_status(credential) == int(Status.REVOKED)


def test_suspending_and_reinstating(registrar: Registrar, desk: Desk) -> None:
    """For a while, with a reason, visible to whoever checks."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    (credential,) = desk.collect(offer)
    registrar.visit(f"/issued/{desk.context.store.status.get(offer.id).id}")
    registrar.press("suspend")
    assert registrar.status == 400
    registrar.press("language-sv")
    assert "Välj ett skäl." in registrar.words()
    registrar.press("language-en")
    registrar.press("suspend", reason="under_review")
    assert desk.read_status(credential) == int(Status.SUSPENDED)
    registrar.press("reinstate")
    assert desk.read_status(credential) == int(Status.VALID)


def test_issued_certificates_are_found_by_name_and_status(registrar: Registrar, desk: Desk) -> None:
    """Empty at first, with what to do; then searchable."""
    assert "to-offers" in registrar.visit("/issued").ids("")
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    desk.collect(offer)
    assert len(registrar.visit("/issued?q=sjöberg").ids("certificate-")) == 1
    assert registrar.visit("/issued?q=nobody").ids("certificate-") == []
    assert registrar.visit("/issued?status=revoked").ids("certificate-") == []
    assert len(registrar.visit("/issued?status=valid").ids("certificate-")) == 1


def test_erased_results_are_gone_and_their_offers_stay(registrar: Registrar, desk: Desk) -> None:
    """The record of the file, not what was made of it."""
    import_id = registrar.keep_record()
    registrar.offer(1)
    registrar.visit(f"/results/{import_id}")
    registrar.press("delete-import")
    assert registrar.visit(f"/results/{import_id}").status == 404
    assert len(desk.context.store.offers.list_offers(now=desk.clock())) == 1


def test_the_page_of_a_link_says_who_offers_and_opens_nothing(registrar: Registrar, desk: Desk) -> None:
    """Nothing about the person, no navigation for staff, and the offer stays unopened."""
    registrar.keep_record()
    registrar.offer(1, tx_code="yes")
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    registrar.visit(desk.links(offer).offer_https)
    words = registrar.words()
    assert "Nordanvik University offers you a certificate" in words
    assert "Sjöberg" not in registrar.text
    assert desk.tx_code_of(offer) not in registrar.text
    assert registrar.link("open-wallet-app") == desk.links(offer).offer
    assert not registrar.page.xpath("//nav")
    assert desk.state_of(offer) == "offered"


@pytest.mark.parametrize(
    ("language", "whose", "not_said"),
    [("sv", "Nordanviks universitet", "Intyga för utfärdare"), ("en", "Nordanvik University", "Intyga for issuers")],
)
def test_who_collects_reads_the_name_of_the_university_first(
    registrar: Registrar, desk: Desk, language: str, whose: str, not_said: str
) -> None:
    """On pages for people the name in their language is the title and the head, and nothing leads to where staff work;
    staff read that the site is theirs. In a list of theirs days are written as everywhere."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    person = Registrar(desk, language=language)
    for path in (desk.links(offer).offer_https, "/powers"):
        person.visit(path)
        assert person.page.get_element_by_id("whose").text_content() == whose
        assert person.page.xpath("//title")[0].text_content().endswith(f"– {whose}")
        assert not_said not in person.text
        assert not person.page.xpath("//a[@id='home-link']")
    registrar.language = language
    registrar.visit("/offered")
    assert registrar.link("home-link")
    assert not_said in registrar.text
    day = {"sv": "20 november 2026", "en": "20 November 2026"}[language]
    assert {one.text_content()[: len(day)] for one in registrar.page.xpath("//table//time")} & {day}


def test_a_web_wallet_is_typed_once_and_then_linked_to(registrar: Registrar, desk: Desk) -> None:
    """By an ordinary link with the offer in it; the address is kept in this browser only."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    registrar.visit(desk.links(offer).offer_https)
    registrar.press("use-wallet", wallet_address="wallet.example/me/")
    link = registrar.link("open-web-wallet")
    assert link.startswith(
        "https://wallet.example/me/offer?credential_offer_uri=https%3A%2F%2Fissuer.example%2Funi%2Foffers"
    )
    registrar.press("use-wallet", wallet_address="javascript:alert(1)")
    assert "not an address of a wallet" in registrar.words()
    assert registrar.status == 400
    assert registrar.page.get_element_by_id("wallet_address").get("value") == "javascript:alert(1)"
    assert registrar.link("open-web-wallet") == link  # the one that works is still there
    registrar.press("language-sv")
    assert registrar.page.get_element_by_id("wallet_address").get("value") == "javascript:alert(1)"


@pytest.mark.parametrize(
    "query", ["", "?credential_offer_uri=https://evil.example/offers/x", "?credential_offer_uri=x"]
)
def test_links_to_offers_of_others_are_not_shown(registrar: Registrar, query: str) -> None:
    """The page cannot be used to send somebody elsewhere under our name."""
    assert registrar.visit(f"/offer{query}").status == 404


def test_a_closed_offer_says_so(registrar: Registrar, desk: Desk) -> None:
    """Voided, collected or unknown."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    link = desk.links(offer).offer_https
    desk.collect(offer)
    assert "collected already" in registrar.visit(link).words()
    unknown = f"/offer?credential_offer_uri={desk.url('/offers/unknown')}"
    assert registrar.visit(unknown).status == 404
    assert "no longer open" in registrar.words()


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("https://wallet.example", "https://wallet.example"),
        ("wallet.example/me/", "https://wallet.example/me"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("http://wallet.example", ""),
        ("http://localhost:8200", ""),
        ("https://user@wallet.example", ""),
        ("https://wallet.example/?q", ""),
        ("https://wallet.example/#f", ""),
        ("https://wall\u00e9t.example", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://x:99999", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_wallet_is_an_https_origin(desk: Desk, typed: str, normal: str) -> None:
    """With a path at most; plain http never from a public host."""
    assert normal_wallet(typed, desk.settings) == normal


def test_plain_http_reaches_only_this_machine_from_this_machine(desk: Desk) -> None:
    """For trying it out."""
    local = IssuerSettings.model_validate({"data": desk.settings.data, "public_url": "http://localhost:8100"})
    for typed in ("http://localhost:8200", "localhost:8200", "localhost:8200/"):
        assert normal_wallet(typed, local) == "http://localhost:8200"
    assert normal_wallet("[::1]:8200", local) == "http://[::1]:8200"
    assert normal_wallet("localhost", local) == "http://localhost"
    assert normal_wallet("wallet.example:8200", local) == "https://wallet.example:8200"
    assert normal_wallet("http://wallet.example", local) == ""


def test_the_offer_that_a_wallet_reads_holds_no_page(registrar: Registrar, desk: Desk) -> None:
    """The address of the offer answers with JSON, whatever the pages do beside it."""
    registrar.keep_record()
    registrar.offer(1)
    (offer,) = desk.context.store.offers.list_offers(now=desk.clock())
    answer = desk.client.get(desk.links(offer).uri, headers={"Accept": "text/html"})
    assert loads_object(answer.content)["credential_issuer"] == desk.issuer
