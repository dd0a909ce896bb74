"""The Digital Credentials API in a real browser, whose `navigator.credentials.get` is answered by the wallet's engine.

No browser lets a web application be the wallet behind that call, so that the call itself is scripted here: it gets what
a wallet would get, the request and the origin that the browser knows, and gives back what a wallet would give.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from proofs.formats.concealment import plan_disclosures
from proofs.formats.sd_jwt import parse_sd_jwt, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation, issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.request_object import check_request_object
from proofs.trust import TrustList
from schemas.dcql import Candidate, answer, parse_query
from schemas.presentation import AuthorizationRequest
from schemas.types import CREDENTIAL_TYPES
from tests.verifier.pages.desk import COURSE, ISSUER, LIST, Desk
from tests.verifier.pages.test_browser import Site, changes, site
from verifier.requests import Kind
from verifier.store import State
from wallet.presentation import answer_form
from wallet.requests.answer_key import choose_answer_key

_FIXTURES = (changes, site)  # Those of the other module, used by name.
pytestmark = pytest.mark.browser

# What a browser with the interface has. `window.theWallet` is the wallet behind it.
WITH_THE_API = """
window.DigitalCredential = class DigitalCredential {};
navigator.credentials.get = async (options) => {
  const [request] = options.digital.requests;
  const given = await window.theWallet({ request, origin: window.location.origin });
  if (given === null) throw new DOMException("The person chose none.", "NotAllowedError");
  return given;
};
"""
WITHOUT_THE_API = "delete window.DigitalCredential;"
MICRO = CREDENTIAL_TYPES["micro-credential"]


@dataclass
class Engine:
    """The wallet's engine behind the browser: one certificate, and what it was asked."""

    desk: Desk
    origin: str = ""
    refuses: bool = False
    seen: dict[str, Any] | None = None

    def __call__(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """Authenticate the request, hold it against the origin, and answer by the wallet's own functions."""
        self.seen = call
        if self.refuses:
            return None
        token = call["request"]["data"]["request"]
        link = self.desk.verifier.identity.client_id
        sender = check_request_object(token, expected_client_id=link, trust=TrustList(), now=self.desk.time())
        assert call["origin"] in sender.parameters["expected_origins"]
        members = self._answer(sender.parameters, origin=self.origin or call["origin"])
        # Keys and form of an encrypted answer are the same over both channels (A.2).
        like_direct = sender.parameters | {
            "response_mode": "direct_post.jwt",
            "response_uri": "https://nowhere.example/",
        }
        key = choose_answer_key(AuthorizationRequest.from_parameters(like_direct))
        assert key is not None
        return {"protocol": call["request"]["protocol"], "data": answer_form(members, key)}

    def _answer(self, request: dict[str, Any], *, origin: str) -> dict[str, Any]:
        holder, now = generate_signer(), self.desk.time()
        token = issue_sd_jwt_vc(
            {
                "vct": MICRO.vct,
                "iss": ISSUER,
                "iat": int(now.timestamp()),
                "exp": int((now + timedelta(days=100)).timestamp()),
                "status": {"status_list": {"idx": 7, "uri": LIST}},
                **COURSE,
            },
            disclosable=plan_disclosures(MICRO.disclosable_paths()),
            signer=self.desk.issuer.signer,
            holder_jwk=holder.public_jwk,
        )
        held = parse_sd_jwt(token)
        candidate = Candidate("held", "dc+sd-jwt", (MICRO.vct,), held.claims, disclosable=tuple(held.disclosure_at))
        found = answer(parse_query(request["dcql_query"]), [candidate], sensitivity=MICRO.sensitivity)
        return {
            "vp_token": {
                query_id: [
                    build_presentation(
                        token,
                        disclosures=select_disclosures(held, choice.paths, nested=True),
                        signer=holder,
                        audience=f"origin:{origin}",
                        nonce=request["nonce"],
                        now=now,
                    )
                    for choice in choices
                ]
                for query_id, choices in found.select().choices.items()
            }
        }


def begun(site: Site, script: str, *, engine: Engine | None = None, language: str = "en") -> Iterator[Page]:
    """The page of somebody who has begun to share, in a browser with this script."""
    context = site.context(language)
    context.add_init_script(script)
    page = context.new_page()
    page.expose_function("theWallet", engine or (lambda _: None))
    page.goto("/share/employer-micro-credential")
    page.click("#share-start")
    expect(page.locator("#share-phase")).to_have_attribute("data-phase", "open")
    yield page
    context.close()


def digital_states(desk: Desk) -> list[State]:
    """Where the requests of the browser's own channel stand."""
    some = desk.verifier.requests.list_transactions(now=desk.time())
    return [one.state for one in some if one.transaction.kind is Kind.DC_API]


def test_one_click_and_the_browser_does_the_rest(site: Site) -> None:
    """Asked, answered, verified, and the page says so; staff sees it as one row with the link and the QR code."""
    engine = Engine(site.desk)
    for page in begun(site, WITH_THE_API, engine=engine):
        page.click("#digital-share")
        expect(page.locator("#share-phase")).to_have_attribute("data-phase", "received")
    assert engine.seen is not None
    assert engine.seen["request"]["protocol"] == "openid4vp-v1-signed"
    (record,) = [
        one
        for one in site.desk.verifier.requests.list_transactions(now=site.desk.time())
        if one.transaction.kind is Kind.DC_API
    ]
    assert record.is_accepted
    assert (
        len({one.transaction.pair for one in site.desk.verifier.requests.list_transactions(now=site.desk.time())}) == 1
    )


def test_the_page_with_the_channel_is_accessible(site: Site) -> None:
    """In both languages, wide and narrow, also when nothing came of it; the other ways stay."""
    for language in ("sv", "en"):
        engine = Engine(site.desk, refuses=True)
        for page in begun(site, WITH_THE_API, engine=engine, language=language):
            site.look(page, "with the channel")
            page.focus("#digital-share")
            page.keyboard.press("Enter")
            expect(page.locator("#digital-said")).not_to_be_empty()
            expect(page.locator("#digital-share")).to_be_enabled()
            site.look(page, "no wallet answered")
            expect(page.locator("#open-wallet-app")).to_be_visible()
            expect(page.locator(".qr svg, figure svg").first).to_be_visible()
    assert site.troubles == []
    assert set(digital_states(site.desk)) == {State.WAITING}


def test_an_answer_for_another_origin_is_not_believed(site: Site) -> None:
    """What a wallet made for a page of somebody else, brought here: rejected, and nothing is kept."""
    for page in begun(site, WITH_THE_API, engine=Engine(site.desk, origin="https://evil.example")):
        page.click("#digital-share")
        expect(page.locator("#share-phase")).to_have_attribute("data-phase", "received")
    (record,) = [
        one
        for one in site.desk.verifier.requests.list_transactions(now=site.desk.time())
        if one.transaction.kind is Kind.DC_API
    ]
    assert record.result.failed == ["audience"]
    assert not record.has_contents


@pytest.mark.parametrize(
    "script", [WITHOUT_THE_API, WITH_THE_API + "DigitalCredential.userAgentAllowsProtocol = () => false;"]
)
def test_without_the_channel_nothing_of_it_is_seen(site: Site, script: str) -> None:
    """A browser without it, or without this protocol: links and QR code as ever, and no request is made for it."""
    for page in begun(site, script):
        expect(page.locator("#digital")).to_be_hidden()
        expect(page.locator("#open-wallet-app")).to_be_visible()
    assert digital_states(site.desk) == []


def test_without_scripts_nothing_of_it_is_seen(site: Site) -> None:
    """The links are all there is."""
    page = site.context("en", scripts=False).new_page()
    page.goto("/share/employer-micro-credential")
    page.click("#share-start")

    expect(page.locator("#digital")).to_be_hidden()
    expect(page.locator("#open-wallet-app")).to_be_visible()
