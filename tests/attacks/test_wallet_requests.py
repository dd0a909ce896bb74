"""What a hostile sender, or somebody between, can try on a wallet that is asked to share. Each test is one attack.

Numbers refer to edge-cases.md: W-10, W-14, W-16, W-19, D-11, G-01, G-03, G-04, G-05.
"""

import json
import re
from collections import Counter
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import base64url, jose
from proofs.trust import TrustList
from schemas.errors import ProtocolError
from schemas.presentation import RequestLink, parse_link
from tests.two_processes import in_two_processes
from tests.wallet.fake_verifier import Asked, FakeVerifier, credential, notice, query
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.people import Sharer
from tests.wallet.processes import approve_shares
from tests.world import NOW, World
from wallet.delivery import DeliveryState
from wallet.over_asking import WarningKind
from wallet.requests import CouldNotFetch, FetchedRequest, RequestFault, check_request

pytestmark = pytest.mark.anyio


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def fault(world: World, asked: Asked, token: str) -> RequestFault:
    """The fault of a request object."""
    fetched = FetchedRequest(parse_link(asked.link()), token, None, world.clock())
    with pytest.raises(RequestFault) as caught:
        check_request(fetched, trust=TrustList((asked.verifier.trust_entry,)), now=world.clock())
    return caught.value


def unsigned(asked: Asked, **header: Any) -> str:
    """The request object with a header of our making and no signature."""
    parts = ({"alg": "none", "typ": "oauth-authz-req+jwt", **header}, asked.parameters)
    return ".".join(base64url.encode(json.dumps(part).encode()) for part in parts) + "."


# --- the request object -----------------------------------------------------------------------------------------------


def test_g03_an_unsigned_object_for_a_signed_identifier(world: World, employer: FakeVerifier) -> None:
    """`alg` `none` does not make anybody the owner of a certificate."""
    asked = employer.ask(query(["family_name"]))

    assert fault(world, asked, unsigned(asked)).tell is None
    assert fault(world, asked, unsigned(asked, x5c=list(employer.signer.x5c))).tell is None


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/c"},
    ],
)
def test_g03_headers_that_must_not_be_obeyed(world: World, employer: FakeVerifier, header: dict[str, Any]) -> None:
    """Critical extensions are refused; addresses of keys are never fetched."""
    asked = employer.ask(query(["family_name"]))
    signed = {"x5c": list(employer.signer.x5c), **header}
    claims = {"aud": "https://self-issued.me/v2", **asked.parameters}
    try:
        token = jose.sign_jws(claims, signer=employer.signer, typ="oauth-authz-req+jwt", header=signed)
        fetched = FetchedRequest(parse_link(asked.link()), token, None, world.clock())
        check_request(fetched, trust=TrustList(()), now=world.clock())
    except (ProtocolError, ValueError):
        assert "crit" in header

    assert world.network.asked("evil.example") == 0


def test_g01_a_member_twice(world: World, employer: FakeVerifier) -> None:
    """Two response URIs in one object: nobody may guess which one counts."""
    asked = employer.ask(query(["family_name"]))
    body = json.dumps(asked.parameters)
    twice = body.replace('"response_uri"', '"response_uri": "https://evil.example/", "response_uri"', 1)
    token = jose.sign_jws(
        twice.encode(), signer=employer.signer, typ="oauth-authz-req+jwt", header={"x5c": list(employer.signer.x5c)}
    )

    assert fault(world, asked, token).tell is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not a token",
        b"a.b.c",
        b"." * 1000,
        b"e30.e30.",
        b"[" * 10_000,
        b"x" * 600_000,
        "ö".encode() * 10,
    ],
)
async def test_g01_whatever_the_request_uri_answers(world: World, employer: FakeVerifier, body: bytes) -> None:
    """Garbage, a flood or deep nesting ends in a clear error, and nothing is answered."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]))

    def garbage(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            200, content=body, headers={"content-type": "application/oauth-authz-req+jwt"}, request=request
        )

    with world.network.answering(garbage), suppress(ProtocolError):
        share_id = await sharer.begin(asked.link())
        assert sharer.sharing.fault(sharer.vault, share_id) is not None

    assert employer.forms == []


async def test_a_page_instead_of_a_request(world: World, employer: FakeVerifier) -> None:
    """What is not of the media type of request objects is not read as one."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]))

    def page(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text=asked.object(), headers={"content-type": "text/html"}, request=request)

    with world.network.answering(page), pytest.raises(CouldNotFetch):
        await sharer.begin(asked.link())


def test_d11_a_query_that_is_a_program(world: World, employer: FakeVerifier) -> None:
    """A query larger than we evaluate is refused at once."""
    asked = employer.ask({"credentials": [credential(*[[f"claim{n}"] for n in range(3000)])]})

    assert fault(world, asked, asked.object()).error == "invalid_request"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    *("response_type", "response_mode", "response_uri", "nonce", "state", "dcql_query", "client_metadata", "exp"),
    *("verifier_info", "transaction_data", "redirect_uri", "scope", "iat", "nbf", "aud"),
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), JSON_VALUES, max_size=6))
def test_whatever_a_request_says_the_end_is_a_request_or_a_fault(changes: dict[str, Any]) -> None:
    """Any JSON in any parameter of an unsigned request: never another exception, never somebody to tell."""
    address = "https://h.example/r"
    parameters = {
        "client_id": f"redirect_uri:{address}",
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "nonce": "0123456789abcdef",
        "dcql_query": query(["family_name"]),
        **changes,
    }
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    link = RequestLink(f"redirect_uri:{address}", parameters=written)
    told: list[object] = []
    try:
        checked = check_request(FetchedRequest(link, "", None, NOW), trust=TrustList(()), now=NOW)
    except RequestFault as caught:
        told.append(caught.tell)
    else:
        assert checked.request.response_uri == address
        assert not checked.is_proven
    assert told in ([], [None])


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/r",
        "https://localhost/r",
        "https://10.0.0.1/r",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/r",
        "https://[::ffff:127.0.0.1]/r",
        "https://2130706433/r",
        "http://employer.example/request/r1",
        "https://user:secret@employer.example/request/r1",
    ],
)
async def test_g04_requests_from_inside(world: World, employer: FakeVerifier, address: str) -> None:
    """The wallet's server is not a way into the network behind it."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]))
    before = len(world.network.seen)
    link = f"openid4vp://?{urlencode({'client_id': asked.client_id, 'request_uri': address}, quote_via=quote)}"

    with pytest.raises(ProtocolError):
        await sharer.begin(link)

    assert world.network.seen[before:] == []


async def test_g04_answers_to_the_inside(world: World, employer: FakeVerifier) -> None:
    """A proven sender cannot make the wallet post to an address inside either; the outcome is "not delivered"."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]), notice=notice(), response_uri="https://10.0.0.1/response")
    share_id = await sharer.begin(asked.link())
    sharer.go_on(share_id, WarningKind.OTHER_ADDRESS)

    delivery = await sharer.approve(share_id)

    assert delivery.state is DeliveryState.NOT_DELIVERED
    assert world.network.asked("10.0.0.1") == 0


async def test_a_redirect_of_the_answer_is_not_followed(world: World, employer: FakeVerifier) -> None:
    """An answer is never carried on to another host (OpenID4VP 14.8)."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    def redirect(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != "/response":
            return None
        return httpx2.Response(307, headers={"location": "https://evil.example/"}, request=request)

    with world.network.answering(redirect):
        delivery = await sharer.approve(share_id)

    assert delivery.state is DeliveryState.UNKNOWN
    assert world.network.asked("evil.example") == 0


async def test_a_flood_in_reply_to_an_answer(world: World, employer: FakeVerifier) -> None:
    """An endless reply is cut off; we do not know what became of the answer."""
    sharer = await Sharer.with_certificate(world)
    employer.reply = {"redirect_uri": "https://employer.example/" + "x" * 200_000}

    delivery = await sharer.approve(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))

    assert (delivery.state, delivery.redirect_uri) == (DeliveryState.UNKNOWN, None)


def test_w19_a_return_address_that_is_markup(world: World, employer: FakeVerifier) -> None:
    """What the recipient wants the browser sent to cannot break out of the page."""
    employer.reply = {"redirect_uri": 'https://employer.example/"><script>alert(1)</script>'}
    browser = person(world)
    page = decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share")

    done = confirm(browser, page)

    assert "<script>alert" not in done.text


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["\u202eabc", "a\u0000b", "x" * 5000, "line\u2028break", "\ud800"])
def test_words_that_would_restyle_the_page(world: World, employer: FakeVerifier, text: str) -> None:
    """A notice with reordering or control characters, or of endless length, is dropped as a whole."""
    asked = employer.ask(query(["family_name"]))
    claims = {
        "client_id": asked.client_id,
        "nonce": asked.parameters["nonce"],
        **notice(purpose={"en": text}),
    }
    try:
        token = jose.sign_jws(claims, signer=employer.signer, typ="intyga-notice+jwt")
    except (TypeError, ValueError):  # A lone surrogate cannot even be written.
        return
    asked.parameters["verifier_info"] = [{"format": "intyga-notice+jwt", "data": token}]

    fetched = FetchedRequest(parse_link(asked.link()), asked.object(), None, world.clock())

    assert check_request(fetched, trust=TrustList(()), now=world.clock()).stated is None


def test_hidden_characters_and_piled_accents_are_taken_out(world: World, employer: FakeVerifier) -> None:
    """Zero-width characters and tags are not shown, and accents cannot reach over the wallet's own lines (CS-10)."""
    purpose = "We \u200bcheck\u00ad your\U000e0041 pass" + "\u0301" * 400 + "."
    page = look(person(world), employer.ask(query(["family_name"]), notice=notice(purpose={"en": purpose})).link())

    assert "We check your pass\u0301\u0301\u0301." in text_of(page)


def test_an_unproven_name_stands_nowhere_by_itself(world: World) -> None:
    """Headings, quotations and buttons speak of somebody who says it is that name (CS-09)."""
    imposter = FakeVerifier(world, "emp1oyer.example", name="Exempelbolaget AB")
    browser = person(world)

    page = look(browser, imposter.ask(query(["family_name"]), notice=notice()).link())
    shown = text_of(page)

    assert "Somebody who says it is Example Company Ltd wants to see 1 thing about you" in shown
    assert "Example Company Ltd wants" not in shown.replace("says it is Example Company Ltd wants", "")
    confirming = decide(browser, page, "share", override="unproven")
    assert "Share 1 item with somebody who says it is Example Company Ltd" in text_of(confirming)


@pytest.mark.parametrize("status", [200, 400])
def test_an_unproven_name_is_no_fact_afterwards_either(world: World, status: int) -> None:
    """Outcome, history, receipt and the page of a request that has ended say only that it says so (CS-09)."""
    imposter = FakeVerifier(world, "emp1oyer.example", name="Exempelbolaget AB")
    imposter.reply = {"redirect_uri": "https://emp1oyer.example/done"}
    imposter.reply_status = status
    browser = person(world)
    page = look(browser, imposter.ask(query(["family_name"]), notice=notice()).link())

    outcome = confirm(browser, decide(browser, page, "share", override="unproven"))
    entry = browser.get(page.url.path.replace("/share/", "/history/"))
    left = look(browser, imposter.ask(query(["family_name"]), notice=notice()).link())
    world.clock.move(minutes=8)

    pages = [outcome, entry, browser.get(f"{entry.url.path}/receipt"), browser.get(left.url.path)]
    for shown in pages:
        texts = (text_of(shown), *re.findall(r"<title>(.*?)</title>", shown.text))
        for text in texts:
            said = len(re.findall(r"[Ss]ays it is Example Company Ltd", text))
            assert text.count("Example Company Ltd") == said, text
        assert "says it is Example Company Ltd" in texts[0].replace("Says", "says")


def test_a_name_that_looks_like_another(world: World) -> None:
    """An unproven sender who calls itself by a known name is shown as saying so, with its real host."""
    imposter = FakeVerifier(world, "emp1oyer.example", name="Exempelbolaget AB")

    page = look(person(world), imposter.ask(query(["family_name"]), notice=notice()).link())

    assert "It says it is" in text_of(page)
    assert "The answer goes to emp1oyer.example." in text_of(page)


# --- at the same time -------------------------------------------------------------------------------------------------


@pytest.mark.processes
async def test_g05_two_processes_answer_one_request_once(world: World, employer: FakeVerifier) -> None:
    """The same screen confirmed in three windows of each of two processes at once: one answer, one copy."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    share = (share_id, sharer.decision(share_id).digest)

    found = in_two_processes(approve_shares, [(world.directory, "Maja", employer.host, [share] * 3)] * 2, 2)

    came = Counter(outcome for outcomes, _ in found for outcome in outcomes)
    assert came["AlreadyAnswered"] >= 5  # All six, where the database was busy just after the answer had left.
    assert came["AlreadyAnswered"] + came["delivered"] == 6
    assert sum(len(forms) for _, forms in found) == 1
    assert sharer.certificate.copies_left == 9


@pytest.mark.processes
async def test_w22_two_processes_never_use_one_copy_twice(world: World, employer: FakeVerifier) -> None:
    """Twelve requests answered at once in two processes with ten copies: ten answers, each with a copy of its own."""
    sharer = await Sharer.with_certificate(world)
    links = [employer.ask(query(["family_name"]), notice=notice()).link() for _ in range(12)]
    shares = [(share_id, sharer.decision(share_id).digest) for share_id in [await sharer.begin(one) for one in links]]
    common = (world.directory, "Maja", employer.host)

    found = in_two_processes(approve_shares, [(*common, shares[:6]), (*common, shares[6:])], 2)

    shown = [json.loads(form["vp_token"])["certificate"][0] for _, forms in found for form in forms]
    assert len(shown) == len({token.partition("~")[0] for token in shown}) == 10
    assert sum(outcome != "delivered" for outcomes, _ in found for outcome in outcomes) >= 2
    assert sharer.certificate.copies_left == 0
