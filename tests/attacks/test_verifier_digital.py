"""The Digital Credentials API as a channel, and attacks on it (OpenID4VP 1.0, Appendix A; HAIP 1.0, section 5.2).

An answer counts for the page of the origin that asked, in the browser that asked, once: another origin, another
browser, another channel or another request make it worthless.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from proofs import strict_json
from proofs.certificate_form import read_pem_anchors
from proofs.certificates import verify_chain
from proofs.jose import parse_jws
from proofs.request_object import check_request_object
from proofs.trust import TrustList
from schemas.errors import NotFound
from schemas.presentation import InvalidResponse
from tests.verifier.pages.desk import Desk, Time, post
from tests.verifier.scene import Scene, assert_refused_by, encrypted, settings_for
from verifier.exchange import MadeRequest, Reply, RequestClosed
from verifier.requests import Kind, web_origin
from verifier.store import State

ORIGIN = "http://localhost:8003"
SIGNED, UNSIGNED = "openid4vp-v1-signed", "openid4vp-v1-unsigned"


class Channel:
    """A browser with its own channel to a wallet, before a request of the scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.link = scene.ask(kind=Kind.SAME_DEVICE, binding="this browser", pair="a pair")
        _, self.asked = scene.verifier.begin_digital(self.link.transaction.handle, binding="this browser")
        (self.transaction,) = [
            one.transaction
            for one in scene.verifier.requests.pair("a pair", now=scene.now)
            if one.transaction.kind is Kind.DC_API
        ]
        self.made = MadeRequest(self.transaction, "", "", "")

    @property
    def request(self) -> dict[str, Any]:
        """The parameters that the wallet gets."""
        data = self.asked["data"]
        return strict_json.loads_object(parse_jws(data["request"]).payload) if "request" in data else dict(data)

    def presentation(self, **wrong: Any) -> str:
        """What an honest wallet shows, for the origin that the browser tells it."""
        return self.scene.presentation(self.request, "certificate", **{"audience": f"origin:{ORIGIN}"} | wrong)

    def body(self, members: Mapping[str, Any], *, protocol: str | None = None, clear: bool = False) -> bytes:
        """What the page posts: encrypted when the request has a key."""
        keys = self.request["client_metadata"].get("jwks", {}).get("keys")
        data = {"response": encrypted(strict_json.dumps(dict(members)), keys[0])} if keys and not clear else members
        return strict_json.dumps({"protocol": protocol or self.asked["protocol"], "data": dict(data)})

    def post(self, body: bytes, *, binding: str = "this browser") -> Reply:
        """Post it."""
        return asyncio.run(self.scene.verifier.take_digital_answer(self.transaction.handle, body=body, binding=binding))

    def answer(self, **wrong: Any) -> Reply:
        """Answer, honestly but for `wrong`."""
        return self.post(self.body({"vp_token": {"certificate": [self.presentation(**wrong)]}}))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier that signs and asks for encrypted answers."""
    return Scene(tmp_path)


# --- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("haip", [False, True])
def test_a_signed_request_names_its_origin(tmp_path: Path, haip: bool) -> None:
    """A.2 and A.3.2.1: one signed object with everything, answers encrypted to a fresh key, nothing to post to."""
    scene = Scene(tmp_path, haip=haip)
    channel = Channel(scene)
    token = channel.asked["data"]["request"]
    request = channel.request

    assert channel.asked["protocol"] == SIGNED
    assert list(channel.asked["data"]) == ["request"]
    assert request["expected_origins"] == [ORIGIN]
    assert request["response_mode"] == "dc_api.jwt"
    assert not {"response_uri", "redirect_uri", "state", "request_uri", "wallet_nonce"} & request.keys()
    root = read_pem_anchors(next((tmp_path / "keys").glob("*.root.pem")).read_bytes())
    assert verify_chain(parse_jws(token).header["x5c"], anchors=root, now=scene.now)
    checked = check_request_object(token, expected_client_id=request["client_id"], trust=TrustList(), now=scene.now)
    assert checked.signed
    other = Channel.__new__(Channel)
    other.scene, other.link = scene, scene.ask(kind=Kind.SAME_DEVICE, binding="this browser", pair="another")
    _, other.asked = scene.verifier.begin_digital(other.link.transaction.handle, binding="this browser")
    for name in ("nonce", "client_metadata"):
        assert other.request[name] != request[name]


def test_an_unsigned_request_carries_no_identifier(tmp_path: Path) -> None:
    """A.3.1: `client_id` and `expected_origins` are not for it; its notice only says."""
    channel = Channel(Scene(tmp_path, client_id_prefix="redirect_uri"))

    assert channel.asked["protocol"] == UNSIGNED
    assert not {"client_id", "expected_origins", "response_uri", "state", "aud"} & channel.request.keys()
    (info,) = channel.request["verifier_info"]
    assert info["format"] == "intyga-notice"
    assert channel.answer() == Reply(200, {})
    assert channel.scene.result(channel.made).is_accepted


def test_an_answer_in_clear_where_that_was_asked(tmp_path: Path) -> None:
    """`dc_api`: the parameters themselves."""
    channel = Channel(Scene(tmp_path, response_mode="direct_post"))

    assert channel.request["response_mode"] == "dc_api"
    assert channel.answer().status == 200
    assert channel.scene.result(channel.made).is_accepted


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Employer.Example/hr", "https://employer.example"),
        ("https://employer.example:443", "https://employer.example"),
        ("https://employer.example:8443/x/y", "https://employer.example:8443"),
        ("http://localhost:80", "http://localhost"),
        ("https://employer.example:80", "https://employer.example:80"),
    ],
)
def test_the_origin_is_written_as_browsers_write_it(tmp_path: Path, url: str, origin: str) -> None:
    """It is compared as a string, by wallets and by us."""
    assert web_origin(url) == origin
    assert settings_for(tmp_path, public_url=url).browser_origin == origin


# --- what counts as an answer -----------------------------------------------------------------------------------------


def test_an_answer_counts_at_once_and_once(scene: Scene) -> None:
    """It came in the browser that asked: nobody has to come back. Posted again it changes nothing."""
    channel = Channel(scene)
    body = channel.body({"vp_token": {"certificate": [channel.presentation()]}})

    assert channel.post(body) == Reply(200, {})
    assert channel.post(body) == Reply(200, {})
    record = scene.result(channel.made)
    assert (record.state, record.is_accepted) == (State.ANSWERED, True)
    with pytest.raises(RequestClosed):
        channel.answer()


@pytest.mark.parametrize(
    "audience",
    [
        "origin:https://evil.example",
        "origin:http://localhost:8003/",
        "origin:http://localhost",
        "origin:https://localhost:8003",
        "http://localhost:8003",
        "web-origin:http://localhost:8003",
        "the client identifier",
    ],
)
def test_a_presentation_for_another_origin_is_refused(scene: Scene, audience: str) -> None:
    """Also one for our client identifier: over this channel that is nobody's audience (A.4)."""
    channel = Channel(scene)
    if audience == "the client identifier":
        audience = channel.request["client_id"]

    reply = channel.answer(audience=audience)

    assert_refused_by(scene, channel.made, reply, "audience", "other_audience")


def test_a_presentation_for_our_origin_is_not_one_for_a_link(scene: Scene) -> None:
    """A page's script cannot pass on as the answer to a link what the browser's channel gave."""
    made = scene.ask()

    reply = scene.answer_with(made, scene.presentation(scene.fetch(made), "certificate", audience=f"origin:{ORIGIN}"))

    assert_refused_by(scene, made, reply, "audience", "other_audience")


def test_an_answer_to_another_request_is_refused(scene: Scene) -> None:
    """The nonce of the link's half of the very same question."""
    channel = Channel(scene)

    reply = channel.answer(nonce=channel.link.transaction.nonce)

    assert_refused_by(scene, channel.made, reply, "nonce", "other_nonce")


def test_nobody_answers_for_another_browser(scene: Scene) -> None:
    """Neither begins nor posts: the handle alone opens nothing, and nothing is spent."""
    channel = Channel(scene)
    body = channel.body({"vp_token": {"certificate": [channel.presentation()]}})

    for binding in ("another browser", ""):
        with pytest.raises(NotFound):
            channel.post(body, binding=binding)
        with pytest.raises(NotFound):
            scene.verifier.begin_digital(channel.link.transaction.handle, binding=binding)
    assert scene.result(channel.made).state is State.WAITING
    unbound = scene.ask(kind=Kind.CROSS_DEVICE)
    with pytest.raises(NotFound):
        scene.verifier.begin_digital(unbound.transaction.handle, binding="")


def test_the_channels_do_not_mix(scene: Scene) -> None:
    """It is neither fetched nor answered at the addresses of wallets, and a link's request not over this channel."""
    channel = Channel(scene)
    handle, other = channel.transaction.handle, channel.link.transaction.handle
    body = channel.body({"vp_token": {"certificate": [channel.presentation()]}})

    with pytest.raises(NotFound):
        asyncio.run(scene.verifier.serve_request(handle, wallet_nonce=None))
    with pytest.raises(NotFound):
        scene.post_to(handle, {"response": "x"})
    with pytest.raises(NotFound):
        asyncio.run(scene.verifier.take_digital_answer(other, body=body, binding="this browser"))
    assert channel.post(body).status == 200


@pytest.mark.parametrize(
    "case", ["clear", "other protocol", "no protocol", "no data", "data is a text", "not encrypted to us",
             "response is a number", "no JSON", "members twice", "nothing", "both", "empty token", "unsigned protocol"]
)  # fmt: skip
def test_what_is_no_answer_changes_nothing(scene: Scene, case: str) -> None:
    """Refused, and the honest answer still counts."""
    channel = Channel(scene)
    token = {"vp_token": {"certificate": [channel.presentation()]}}
    foreign = scene.fetch(scene.ask())["client_metadata"]["jwks"]["keys"][0]
    body = {
        "clear": channel.body(token, clear=True),
        "other protocol": channel.body(token, protocol="openid4vp-v2-signed"),
        "unsigned protocol": channel.body(token, protocol=UNSIGNED),
        "no protocol": strict_json.dumps({"data": {"response": "x"}}),
        "no data": strict_json.dumps({"protocol": SIGNED}),
        "data is a text": strict_json.dumps({"protocol": SIGNED, "data": "{}"}),
        "not encrypted to us": strict_json.dumps(
            {"protocol": SIGNED, "data": {"response": encrypted(strict_json.dumps(token), foreign)}}
        ),
        "response is a number": strict_json.dumps({"protocol": SIGNED, "data": {"response": 7}}),
        "no JSON": b"response=x",
        "members twice": b'{"protocol":"openid4vp-v1-signed","protocol":"openid4vp-v1-signed","data":{}}',
        "nothing": channel.body({}),
        "both": channel.body(token | {"error": "access_denied"}),
        "empty token": channel.body({"vp_token": {}}),
    }[case]

    with pytest.raises(InvalidResponse):
        channel.post(body)
    assert scene.result(channel.made).state is State.WAITING
    assert channel.answer().status == 200


def test_a_no_is_a_no(scene: Scene) -> None:
    """In clear or encrypted; a `state` is not defined here and counts for nothing."""
    for clear in (False, True):
        made = scene.ask(kind=Kind.SAME_DEVICE, binding="this browser", pair=f"pair {clear}")
        scene.verifier.begin_digital(made.transaction.handle, binding="this browser")
        (record,) = [
            one
            for one in scene.verifier.requests.pair(f"pair {clear}", now=scene.now)
            if one.transaction.kind is Kind.DC_API
        ]
        members = {"error": "access_denied", "state": "anything"}
        key = record.transaction.encryption_key
        assert key is not None
        public = {name: value for name, value in key.items() if name != "d"}
        data = members if clear else {"response": encrypted(strict_json.dumps(members), public)}
        body = strict_json.dumps({"protocol": SIGNED, "data": data})
        handle = record.transaction.handle

        asyncio.run(scene.verifier.take_digital_answer(handle, body=body, binding="this browser"))

        assert scene.verifier.result(record.id).state is State.DECLINED


# --- the addresses of the page ----------------------------------------------------------------------------------------


def started(desk: Desk, browser: TestClient) -> str:
    """Begin to share; the path of the page."""
    return str(post(browser, "/share/employer-micro-credential", {}).headers["location"])


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://localhost:8301", "http://localhost"])
def test_only_our_own_page_begins_and_answers(tmp_path: Path, origin: str | None) -> None:
    """A script of another origin has its own name in `Origin`; whatever sends none is no script of a page."""
    desk = Desk(tmp_path, Time())
    person = desk.new_browser()
    path = started(desk, person)
    good, bad = {"Origin": desk.settings.base_url}, {"Origin": origin} if origin else {}

    assert person.post(f"{path}/digital", headers=bad).status_code == 400
    begun = person.post(f"{path}/digital", headers=good)
    assert begun.status_code == 200
    assert person.post(begun.json()["answer"], content=b"{}", headers=bad).status_code == 400
    assert desk.new_browser().post(f"{path}/digital", headers=good).status_code == 404
    assert desk.new_browser().post(begun.json()["answer"], content=b"{}", headers=good).status_code == 404


def test_nobody_begins_without_end(tmp_path: Path) -> None:
    """Each beginning makes a request: one address makes twenty in ten minutes."""
    desk = Desk(tmp_path, Time())
    person = desk.new_browser()
    path = started(desk, person)
    headers = {"Origin": desk.settings.base_url, "Accept": "application/json"}

    codes = [person.post(f"{path}/digital", headers=headers).status_code for _ in range(25)]

    assert codes.count(200) == 19
    assert codes.count(429) == 6


def test_an_answer_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """The bound is that of every answer."""
    desk = Desk(tmp_path, Time(), changes={"response_limit_bytes": 20_000})
    person = desk.new_browser()
    headers = {"Origin": desk.settings.base_url}
    begun = person.post(f"{started(desk, person)}/digital", headers=headers).json()

    answer = person.post(begun["answer"], content=b" " * 30_000, headers=headers)

    assert answer.status_code == 413
