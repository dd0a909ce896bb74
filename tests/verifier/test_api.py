"""The verifier over HTTP: what wallets and embedding programs see."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from starlette.testclient import TestClient

from proofs import strict_json
from proofs.jwe import decrypt_jwe, generate_encryption_key, public_part
from proofs.resolve import DictResolver
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.scene import Scene, request_parameters_of
from tests.verifier.withdrawing import act, statement_in
from verifier.app import create_app
from verifier.settings import VerifierSettings
from verifier.store import Event

GOOD = public_part(generate_encryption_key("good"))


class Web:
    """The application of a scene, and a client with an API key."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.app = create_app(
            scene.settings,
            http=OutgoingHTTP(transport=HostRouter({})),
            clock=scene.clock,
            resolver=DictResolver(status_lists=scene.lists),
        )
        self.client = TestClient(self.app, base_url="http://localhost:8003")
        accounts = self.app.state.accounts
        _, key = asyncio.run(accounts.new_api_key("test", now=scene.now))
        self.authorized = {"Authorization": f"Bearer {key}"}

    def make(self, **body: Any) -> dict[str, Any]:
        """Make a request through the interface."""
        answer = self.client.post(
            "/api/requests", json={"template": "employer-micro-credential"} | body, headers=self.authorized
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def result(self, request_id: str, **query: Any) -> dict[str, Any]:
        """Read the result through the interface."""
        answer = self.client.get(f"/api/requests/{request_id}", params=query, headers=self.authorized)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def fetch(self, link: str) -> dict[str, Any]:
        """Fetch the request object of a link as a wallet."""
        uri = dict(_pairs(link))["request_uri"]
        return request_parameters_of(self.client.get(urlsplit(uri).path).text)

    def answer(self, link: str) -> Any:
        """Answer a link as an honest wallet; the HTTP response."""
        request = self.fetch(link)
        form = self.scene.form(request, {"vp_token": self.scene.vp_token(request)})
        return self.client.post(urlsplit(request["response_uri"]).path, data=form)


def _pairs(link: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(link.partition("?")[2])


@pytest.fixture
def web(scene: Scene) -> Iterator[Web]:
    """The application, running."""
    web = Web(scene)
    with web.client:
        yield web


def test_the_whole_way_through_the_interface(web: Web) -> None:
    """Make, fetch, answer, read: accepted, with sentences in both languages and the values."""
    made = web.make()

    reply = web.answer(made["request"])

    told = web.result(made["id"])
    assert (reply.status_code, reply.json()) == (200, {})
    assert reply.headers["cache-control"] == "no-store"
    assert (told["state"], told["verdict"], told["accepted"]) == ("answered", "accepted", True)
    assert all(check["sentence"] and check["sentence_sv"] for check in told["checks"])
    assert told["checks"][1]["sentence_sv"] == "Innehållet är oförändrat sedan det utfärdades."
    values = {value["path"][0]: value for value in told["values"]}
    assert values["family_name"]["value"] == "Kanarek-Test"
    assert values["family_name"]["label"] == {"sv": "Efternamn", "en": "Family name"}
    assert values["date_of_issuance"]["display_sv"] == "12 juni 2026"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "application/oauth-authz-req+jwt"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_request_object_has_its_media_type_whatever_is_accepted(web: Web, accept: str, method: str) -> None:
    """Wallets send all sorts of Accept headers."""
    made = web.make()
    path = urlsplit(dict(_pairs(made["request"]))["request_uri"]).path

    answer = web.client.request(
        method,
        path,
        headers={"Accept": accept},
        data={"wallet_nonce": "n1", "wallet_metadata": "{}"} if method == "POST" else None,
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/oauth-authz-req+jwt")
    assert answer.headers["cache-control"] == "no-store"
    assert request_parameters_of(answer.text).get("wallet_nonce") == ("n1" if method == "POST" else None)


def wanting(*keys: Any, **changes: Any) -> str:
    """The metadata of a wallet that takes encrypted requests only, as a widely used one of the EU posts them."""
    return orjson.dumps(
        {
            "vp_formats_supported": {"mso_mdoc": {"deviceauth_alg_values": [-7]}, "dc+sd-jwt": None},
            "client_id_prefixes_supported": ["x509_hash"],
            "request_object_signing_alg_values_supported": ["ES256"],
            "request_object_encryption_alg_values_supported": ["ECDH-ES"],
            "request_object_encryption_enc_values_supported": ["A128GCM"],
            "jwks": {"keys": list(keys)},
        }
        | changes
    ).decode()


def posted(web: Web, wallet_metadata: str) -> str:
    """What a wallet with these metadata gets."""
    path = urlsplit(dict(_pairs(web.make()["request"]))["request_uri"]).path
    answer = web.client.post(path, data={"wallet_nonce": "n1", "wallet_metadata": wallet_metadata})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/oauth-authz-req+jwt")
    return answer.text


def test_a_wallet_that_asks_for_it_gets_its_request_encrypted(web: Web) -> None:
    """To the first key that can be used, with the signed request inside (5.10; RFC 9101, 6.1)."""
    key = generate_encryption_key("mine")
    wanted = wanting({"kty": "AKP", "alg": "ML-KEM-768"}, {"kty": "EC", "crv": "P-256"}, public_part(key))

    header, inside = decrypt_jwe(
        posted(web, wanted), private_jwk=key, algorithms={"ECDH-ES"}, encryptions={"A128GCM"}, max_bytes=100_000
    )

    assert (header["kid"], header["cty"], header["enc"]) == ("mine", "JWT", "A128GCM")
    assert request_parameters_of(inside.decode())["wallet_nonce"] == "n1"


@pytest.mark.parametrize(
    "asked",
    [
        "{",
        "[]",
        '{"jwks": 1, "jwks": 2}',
        "[" * 10_000,
        wanting(),
        wanting(1, "x", None, {}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        wanting(GOOD | {"use": "sig"}),
        wanting(GOOD | {"alg": "ECDH-ES+A256KW"}),
        wanting(GOOD, request_object_encryption_alg_values_supported=["RSA-OAEP"]),
        wanting(GOOD, request_object_encryption_enc_values_supported=["A128CBC-HS256", {"A128GCM": 1}]),
        wanting(GOOD, request_object_encryption_enc_values_supported="A128GCM"),
        wanting(GOOD, jwks=[GOOD]),
        wanting(*[GOOD | {"x": "AA"}] * 20, GOOD),
        wanting(GOOD, padding="x" * 25_000),
    ],
)
def test_metadata_that_cannot_be_followed_leave_the_request_signed_and_in_clear(web: Web, asked: str) -> None:
    """They are a stranger's: unreadable, contradictory, endless; the wallet judges what it gets."""
    assert request_parameters_of(posted(web, asked))["wallet_nonce"] == "n1"


def test_post_of_the_request_uri_needs_no_body(web: Web) -> None:
    """Both parameters are optional (5.10)."""
    path = urlsplit(dict(_pairs(web.make()["request"]))["request_uri"]).path

    assert web.client.post(path).status_code == 200


def test_looking_at_a_link_without_reading_it_uses_nothing_up(web: Web) -> None:
    """HEAD, as link checkers send it, is refused: neither a fetch nor "opened" is counted."""
    made = web.make()
    path = urlsplit(dict(_pairs(made["request"]))["request_uri"]).path

    answers = [web.client.head(path) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {405}
    assert answers[0].headers["allow"] == "GET, POST"
    assert web.result(made["id"])["state"] == "waiting"
    assert web.client.get(path).status_code == 200


@pytest.mark.parametrize("nonce", ["", "n" * 1001, "a\x00b", "åäö"])
def test_a_wallet_nonce_that_is_none_is_refused(web: Web, nonce: str) -> None:
    """It is echoed inside a signed object, so that not everything goes; the request stays as it was."""
    made = web.make()
    path = urlsplit(dict(_pairs(made["request"]))["request_uri"]).path

    answer = web.client.post(path, data={"wallet_nonce": nonce})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "wallet_nonce" in answer.json()["error_description"]
    assert web.result(made["id"])["state"] == "waiting"


def test_a_failed_check_is_answered_with_a_json_error(web: Web) -> None:
    """400, error and description alone, no detail of the person."""
    web.scene.issuer.set_status(7, 1)
    web.scene.refresh_list()
    made = web.make()

    reply = web.answer(made["request"])

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "error_description"}
    told = web.result(made["id"])
    assert (told["verdict"], told["accepted"], told["values"]) == ("rejected", False, None)
    status = next(check for check in told["checks"] if check["name"] == "status")
    assert (status["outcome"], status["reason"]) == ("failed", "revoked")
    assert status["sentence"] == "It has been revoked by its issuer."


def test_unknown_addresses_are_answered_404(web: Web) -> None:
    """V-18: request, response, code and result."""
    for method, path in (
        ("GET", "/request/unknown"),
        ("POST", "/response/unknown"),
        ("GET", "/ABCDEFGHJK"),
        ("GET", "/api/requests/unknown"),
    ):
        answer = web.client.request(method, path, headers=web.authorized)
        assert answer.status_code == 404, path
        assert answer.json()["error"] == "not_found"


def test_a_large_answer_is_refused(web: Web) -> None:
    """V-11: one byte over the bound."""
    request = web.fetch(web.make()["request"])
    path = urlsplit(request["response_uri"]).path
    limit = web.scene.settings.response_limit_bytes

    answer = web.client.post(
        path, content=b"response=" + b"a" * (limit - 8), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code == 413


def test_a_typed_code_gives_the_link_and_guessing_is_slowed_down(web: Web) -> None:
    """`host/CODE` answers JSON to wallets, leads a browser to our page, and allows 20 tries a minute."""
    made = web.make()
    code = made["code"].partition("/")[2]

    assert web.client.get(f"/{code}").json() == {"request": made["request"]}
    page = web.client.get(f"/{code.lower()}", headers={"Accept": "text/html"}, follow_redirects=False)
    assert page.status_code == 303
    assert page.headers["location"].startswith("/present?client_id=")
    answers = [web.client.get("/0123456789").status_code for _ in range(25)]
    assert answers[0] == 404
    assert answers[-1] == 429


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic abc"])
def test_the_interface_needs_a_key(web: Web, header: str) -> None:
    """No key, a wrong one, another scheme."""
    headers = {"Authorization": header} if header else {}
    for method, path in (("POST", "/api/requests"), ("GET", "/api/requests/x"), ("GET", "/api/templates")):
        answer = web.client.request(method, path, headers=headers, json={"template": "course-results"})
        assert answer.status_code == 401, path
        assert answer.json()["error"] == "invalid_token"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_template_can_be_sent_whole(web: Web) -> None:
    """Any `vct` and paths; one without a purpose is refused and named."""
    template = web.scene.template().model_dump(mode="json", exclude_defaults=True)
    assert web.make(template=template | {"name": "own"})["id"]

    for member in ("purpose", "contact", "retention_days"):
        answer = web.client.post(
            "/api/requests",
            json={"template": {name: value for name, value in template.items() if name != member}},
            headers=web.authorized,
        )
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_template"
        assert member.partition("_")[0] in answer.json()["detail"]


def test_events_tell_every_state(web: Web) -> None:
    """Server-sent events until the end."""
    made = web.make()
    web.answer(made["request"])

    with web.client.stream("GET", f"/api/requests/{made['id']}/events", headers=web.authorized) as stream:
        text = b"".join(stream.iter_bytes()).decode()

    assert stream.headers["content-type"].startswith("text/event-stream")
    data = orjson.loads(text.partition("data: ")[2].partition("\n")[0])
    assert data == {"id": made["id"], "state": "answered", "verdict": "accepted"}


def test_waiting_ends_when_there_is_nothing_to_wait_for(web: Web) -> None:
    """`wait` answers as soon as the state is final."""
    made = web.make()
    web.answer(made["request"])

    assert web.result(made["id"], wait=30)["state"] == "answered"


def test_same_device_through_the_interface(web: Web) -> None:
    """The embedder names its own address to return to, and hands the code back."""
    made = web.make(kind="same_device", return_url="https://employer.example/back?job=7")

    reply = web.answer(made["request"])
    target = reply.json()["redirect_uri"]
    code = dict(_pairs(target))["response_code"]

    assert target.startswith("https://employer.example/back?job=7&response_code=")
    assert web.result(made["id"])["state"] == "awaiting_return"
    returned = web.client.post("/api/returns", json={"response_code": code}, headers=web.authorized)
    assert returned.json() == {"id": made["id"]}
    assert web.result(made["id"])["accepted"] is True


def test_a_key_sees_only_the_requests_that_it_made(web: Web) -> None:
    """Another organisation's key, or what staff asked on the pages: as if it were not there, and nothing is spent."""
    made = web.make(kind="same_device", return_url="https://employer.example/back")
    code = dict(_pairs(web.answer(made["request"]).json()["redirect_uri"]))["response_code"]
    _, other = asyncio.run(web.app.state.accounts.new_api_key("other", now=web.scene.now))
    stranger = {"Authorization": f"Bearer {other}"}

    for path in (
        f"/api/requests/{made['id']}",
        f"/api/requests/{made['id']}?wait=5",
        f"/api/requests/{made['id']}/events",
    ):
        answer = web.client.get(path, headers=stranger)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), path
        nowhere = web.client.get(path.replace(made["id"], "A" * len(made["id"])), headers=stranger)
        assert nowhere.json() == answer.json(), "a key does not learn which requests of others there are"
        assert "a key sees only its own requests" in answer.json()["detail"]
    taken = web.client.post("/api/returns", json={"response_code": code}, headers=stranger)
    assert (taken.status_code, taken.json()["error"]) == (404, "not_found")

    assert web.client.post("/api/returns", json={"response_code": code}, headers=web.authorized).status_code == 200
    assert web.result(made["id"])["accepted"] is True


def test_same_device_without_a_page_of_ones_own_is_refused(web: Web) -> None:
    """Nobody could tell whether the right browser came back (V-07)."""
    answer = web.client.post(
        "/api/requests",
        json={"template": "employer-micro-credential", "kind": "same_device"},
        headers=web.authorized,
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "return_url" in answer.json()["detail"]


def test_an_address_that_is_none_and_a_day_that_no_calendar_has_are_told(web: Web) -> None:
    """Both are faults of whoever asks, never of the service."""
    template = web.scene.template().model_dump(mode="json", exclude_defaults=True)
    del template["retention_days"]
    for asked in (
        {"template": "employer-micro-credential", "kind": "same_device", "return_url": "http://[::1"},
        {"template": "employer-micro-credential", "kind": "same_device", "return_url": "https://a@evil.example/"},
        {"template": "employer-micro-credential", "kind": "same_device", "return_url": "https://b\\evil.example/"},
        {"template": "employer-micro-credential", "kind": "same_device", "return_url": "https://b.example/#c"},
        {"template": template | {"retention_until": "9999-12-31"}},
    ):
        answer = web.client.post("/api/requests", json=asked, headers=web.authorized)
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost.evil.example", "http://127.0.0.1.evil.example/x", "http://localhost@evil.example",
        "https://wallet.example@evil.example", "http://wallet.example", "https://", "https://[x", "ftp://localhost",
    ],
)  # fmt: skip
def test_a_wallet_address_is_https_or_this_machine(tmp_path: Path, url: str) -> None:
    """The host decides, not how the text begins."""
    made = VerifierSettings(data=tmp_path, port=8003, wallet_url=url)
    assert [one for one in made.problems() if "VERIFIER_WALLET_URL" in one]
    for good in ("https://wallet.example", "http://localhost:8002", "http://127.0.0.1:8002/wallet"):
        assert not [one for one in made.model_copy(update={"wallet_url": good}).problems() if "WALLET_URL" in one]


def test_an_answer_in_clear_as_form_fields(tmp_path: Path) -> None:
    """`direct_post`: `vp_token` is JSON text in a field."""
    scene = Scene(tmp_path, response_mode="direct_post")
    web = Web(scene)
    with web.client:
        made = web.make()
        request = web.fetch(made["request"])
        form = {"vp_token": strict_json.dumps(scene.vp_token(request)).decode(), "state": request["state"]}

        assert web.client.post(urlsplit(request["response_uri"]).path, data=form).status_code == 200
        assert web.result(made["id"])["accepted"] is True


def test_the_service_is_ready(web: Web) -> None:
    """`/health` and `/ready` answer."""
    assert web.client.get("/health").status_code == 200
    assert web.client.get("/ready").status_code == 200


def test_addresses_come_from_the_public_url_with_its_path(tmp_path: Path) -> None:
    """Behind a proxy under a path prefix, whatever the Host header says."""
    scene = Scene(tmp_path, public_url="http://localhost:9999/verifier")
    made = scene.ask()

    assert made.transaction.response_uri.startswith("http://localhost:9999/verifier/response/")
    assert made.code.startswith("localhost:9999/verifier/")
    with Web(scene).client as client:
        path = urlsplit(made.transaction.request_uri).path
        assert client.get(path, headers={"Host": "attacker.example"}).status_code == 200


# ---------------------------------------------------------------------------------------------------------------------
# Taken back and deleted


def withdraw(web: Web, request_id: str, action: str = "withdraw", **claims: Any) -> Any:
    """Take the share back, as the wallet that made it."""
    transaction = web.scene.verifier.result(request_id).transaction
    made = web.scene.verifier.made(transaction)
    body = act(web.scene, made, action, **claims)
    return web.client.post("/withdrawals", content=body, headers={"Content-Type": "application/jwt"})


def deletions(web: Web, **query: Any) -> dict[str, Any]:
    """What the program is told."""
    answer = web.client.get("/api/deletions", params=query, headers=web.authorized)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_program_learns_that_a_share_was_taken_back(web: Web) -> None:
    """The state says so, nothing is accepted any more, and the list tells what to delete."""
    made = web.make(reference="Application 17")
    web.answer(made["request"])
    assert deletions(web) == {"deletions": [], "next_after": 0, "has_more": False}

    taken = withdraw(web, made["id"])

    assert taken.status_code == 200
    assert taken.headers["content-type"] == "application/jwt"
    assert taken.headers["cache-control"] == "no-store"
    told = web.result(made["id"])
    assert (told["state"], told["accepted"], told["values"]) == ("withdrawn", False, None)
    assert told["withdrawn_at"]
    assert (told["deletion"]["state"], told["deletion"]["statement"]) == ("deleted", taken.text)
    page = deletions(web)
    (one,) = page["deletions"]
    assert (one["request_id"], one["action"], one["state"]) == (made["id"], "withdraw", "deleted")
    assert {item["path"][0] for item in one["items"]} == {"family_name", "date_of_issuance"}
    assert one["acknowledged_at"] is None
    assert deletions(web, after=page["next_after"])["deletions"] == []


def test_a_program_acknowledges_what_it_deleted(web: Web) -> None:
    """With the number that it read; twice is harmless, an older number is not taken, other keys are told nothing."""
    made = web.make()
    web.answer(made["request"])
    withdraw(web, made["id"])
    (one,) = deletions(web)["deletions"]
    path = f"/api/deletions/{one['id']}/acknowledgement"

    stale = web.client.post(path, json={"number": one["number"] - 1}, headers=web.authorized)
    first = web.client.post(path, json={"number": one["number"]}, headers=web.authorized)
    again = web.client.post(path, json={"number": one["number"]}, headers=web.authorized)
    _, other = asyncio.run(web.app.state.accounts.new_api_key("other", now=web.scene.now))
    foreign = {"Authorization": f"Bearer {other}"}
    strange = web.client.post(path, json={"number": one["number"]}, headers=foreign)

    assert (stale.status_code, stale.json()["error"]) == (409, "conflict")
    assert (first.status_code, again.status_code, strange.status_code) == (200, 200, 404)
    assert first.json() == again.json() == deletions(web)["deletions"][0]
    assert first.json()["acknowledged_at"]
    assert web.client.get("/api/deletions", headers=foreign).json()["deletions"] == []
    assert web.client.get("/api/deletions").status_code == 401
    log = [entry.event for entry in web.scene.verifier.requests.log(request_id=made["id"])]
    assert log.count(Event.COPY_DELETED) == 1


def test_the_statement_says_that_the_program_was_told(web: Web) -> None:
    """Only where a program asked, which may have a copy of its own."""
    made = web.make()
    web.answer(made["request"])
    client_id = web.scene.verifier.identity.client_id

    told = statement_in(withdraw(web, made["id"]).text, client_id=client_id, scene=web.scene)
    by_staff = web.scene.ask()
    web.scene.answer(by_staff)
    untold = statement_in(withdraw(web, by_staff.id).text, client_id=client_id, scene=web.scene)

    assert len(told.informed) == 1
    assert untold.informed == ()


def test_the_list_goes_in_pages_and_tells_the_retention_date_too(web: Web) -> None:
    """Ask on with `next_after`; nothing is told twice, nothing is left out."""
    made = [web.make() for _ in range(3)]
    for one in made:
        web.answer(one["request"])
    web.scene.pass_time(days=91)

    seen, after, pages = [], 0, 0
    while True:
        page = deletions(web, after=after, limit=2)
        seen += page["deletions"]
        after, pages = page["next_after"], pages + 1
        if not page["has_more"]:
            break

    assert pages == 2
    assert {one["request_id"] for one in seen} == {one["id"] for one in made}
    assert {(one["action"], one["state"]) for one in seen} == {("retention", "deleted")}
    assert web.result(made[0]["id"])["state"] == "deleted"


def test_a_wish_that_waits_is_told_and_told_again_when_decided(tmp_path: Path) -> None:
    """First: do not use it. Then, with a higher number: delete it. An acknowledgement of the first does not count."""
    web = Web(Scene(tmp_path, withdraw_at_once=False))
    with web.client:
        made = web.make()
        web.answer(made["request"])
        assert withdraw(web, made["id"]).status_code == 202
        (first,) = deletions(web)["deletions"]
        told = web.result(made["id"])
        path = f"/api/deletions/{first['id']}/acknowledgement"
        web.client.post(path, json={"number": first["number"]}, headers=web.authorized)
        asyncio.run(web.app.state.verifier.deletions.delete(first["id"], actor="anna"))
        (second,) = deletions(web, after=first["number"])["deletions"]

    assert (first["state"], told["state"], told["values"]) == ("received", "withdrawn", None)
    assert (second["id"], second["state"], second["acknowledged_at"]) == (first["id"], "deleted", None)
    assert second["number"] > first["number"]


def test_the_description_of_the_interface_names_what_is_there(tmp_path: Path) -> None:
    """OpenAPI: the new addresses, and exactly the members that come."""
    web = Web(Scene(tmp_path, api_docs=True))
    described = web.client.get("/openapi.json").json()
    made = web.make()
    web.answer(made["request"])
    withdraw(web, made["id"])
    (one,) = deletions(web)["deletions"]

    assert {"/api/deletions", "/api/deletions/{deletion_id}/acknowledgement"} <= set(described["paths"])
    answer = described["paths"]["/api/deletions"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/DeletionPage"}
    assert set(described["components"]["schemas"]["DeletionOut"]["properties"]) == set(one)
