"""The library that others embed, against the real application."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proofs import strict_json
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.scene import Scene
from tests.verifier.test_api import Web
from tests.verifier.withdrawing import act
from verifier import client
from verifier.client import NoResultYet, VerifierClient, VerifierRefused, VerifierUnreachable


def client_of(web: Web) -> VerifierClient:
    """A client that reaches the application without a network."""
    http = OutgoingHTTP(allow_loopback=True, transport=HostRouter({"localhost:8003": web.app}))
    key = web.authorized["Authorization"].removeprefix("Bearer ")
    return VerifierClient("http://localhost:8003/", api_key=key, http=http)


def test_make_a_request_and_get_its_result(scene: Scene) -> None:
    """Typed values, and one thing to decide by."""
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            made = await verifier.make_request("course-results")
            before = await verifier.get_result(made.id)
            await asyncio.to_thread(web.answer, made.request)
            result = await verifier.wait_for_result(made.id, seconds=10)
        assert (before.state, before.accepted, before.is_final) == ("waiting", False, False)
        assert result.accepted
        assert (result.failed, result.unknown) == ([], [])
        assert result.values_at("family_name") == ["Kanarek-Test"]
        assert result.values_at("courses", None, "achievement_title") == [{"en": "Algebra"}, {"en": "Biology"}]
        assert result.values_at("birthdate") == []

    asyncio.run(embed())


def test_same_device_needs_the_code_back(scene: Scene) -> None:
    """The embedder's own page takes the code."""
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            made = await verifier.make_request(
                "employer-micro-credential",
                kind="same_device",
                return_url="https://employer.example/back",
                reference="Application 17",
            )
            reply = await asyncio.to_thread(web.answer, made.request)
            code = reply.json()["redirect_uri"].partition("response_code=")[2]
            assert (await verifier.get_result(made.id)).state == "awaiting_return"
            assert await verifier.take_back(code) == made.id
            result = await verifier.get_result(made.id)
            assert result.accepted
            assert result.reference == "Application 17"

    asyncio.run(embed())


def test_refusals_carry_the_verifiers_code(scene: Scene) -> None:
    """An unknown template, an unknown id, a wrong key."""
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            with pytest.raises(VerifierRefused) as unknown:
                await verifier.make_request("nothing")
            assert (unknown.value.error, unknown.value.status) == ("unknown_template", 404)
            with pytest.raises(VerifierRefused) as missing:
                await verifier.get_result("nothing")
            assert missing.value.status == 404
        web.authorized = {"Authorization": "Bearer wrong"}
        async with client_of(web) as stranger:
            with pytest.raises(VerifierRefused) as refused:
                await stranger.make_request("course-results")
            assert refused.value.error == "invalid_token"

    asyncio.run(embed())


def test_waiting_ends(scene: Scene) -> None:
    """No answer in time is not a result."""
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            made = await verifier.make_request("course-results")
            with pytest.raises(NoResultYet):
                await verifier.wait_for_result(made.id, seconds=0.3)

    asyncio.run(embed())


class Odd:
    """A server that answers what it is told to, in turn, and remembers the addresses asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        app = Starlette(routes=[Route("/{rest:path}", self._answer, methods=["GET", "POST"])])
        self.http = OutgoingHTTP(allow_loopback=True, transport=HostRouter({"localhost:8003": app}))

    async def _answer(self, request: Request) -> Response:
        self.asked.append(request.scope["raw_path"].decode())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def client(self) -> VerifierClient:
        """A client for it."""
        return VerifierClient("http://localhost:8003", api_key="key", http=self.http)


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"id": 7}', '{"values": 7, "checks": 1}'])
def test_what_is_no_verifier_is_named_as_such(body: str) -> None:
    """A proxy's page, another service: one error with a sentence, whatever was asked."""

    async def embed() -> None:
        async with Odd(Response(body, status_code=201)).client() as verifier:
            with pytest.raises(VerifierRefused) as making:
                await verifier.make_request("course-results")
        async with Odd(Response(body)).client() as verifier:
            with pytest.raises(VerifierRefused) as reading:
                await verifier.get_result("1")
        assert (making.value.error, making.value.status) == ("invalid_answer", 201)
        assert (reading.value.error, reading.value.status) == ("invalid_answer", 200)

    asyncio.run(embed())


def test_waiting_goes_on_while_the_verifier_restarts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away, busy, and back: the person's answer is not lost to a restart."""
    monkeypatch.setattr(client, "ASK_AGAIN_SECONDS", 0.01)
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            made = await verifier.make_request("course-results")
            await asyncio.to_thread(web.answer, made.request)
            final = (await verifier.get_result(made.id)).document
        busy = Response(strict_json.dumps({"error": "temporarily_unavailable"}), status_code=503)
        odd = Odd(busy, Response("bad gateway", status_code=502), Response(strict_json.dumps(dict(final))))
        async with odd.client() as patient:
            assert (await patient.wait_for_result(made.id, seconds=10)).accepted
        assert len(odd.asked) == 3
        async with VerifierClient(
            "http://localhost:8003", api_key="key", http=OutgoingHTTP(allow_loopback=True, transport=HostRouter({}))
        ) as alone:
            with pytest.raises(VerifierUnreachable):
                await alone.wait_for_result(made.id, seconds=0.1)
        async with Odd(Response(b'{"error": "not_found"}', status_code=404)).client() as wrong:
            with pytest.raises(VerifierRefused):
                await wrong.wait_for_result(made.id, seconds=10)

    asyncio.run(embed())


def test_an_id_cannot_lead_to_another_address() -> None:
    """Ids come out of databases and forms; they stay one part of the path."""

    async def embed() -> None:
        odd = Odd(Response(b'{"error": "not_found"}', status_code=404))
        async with odd.client() as verifier:
            with pytest.raises(VerifierRefused):
                await verifier.get_result("../templates?x=")
        assert odd.asked == ["/api/requests/..%2Ftemplates%3Fx%3D"]

    asyncio.run(embed())


def test_a_verifier_that_keeps_to_haip_decides_the_kind(tmp_path: Path) -> None:
    """Nothing said: same device there, which needs a page to come back to."""
    web = Web(Scene(tmp_path, haip=True))

    async def embed() -> None:
        async with client_of(web) as verifier:
            with pytest.raises(VerifierRefused) as refused:
                await verifier.make_request("course-results")
            assert "return_url" in str(refused.value)
            made = await verifier.make_request("course-results", return_url="https://employer.example/back")
            assert (await verifier.get_result(made.id)).document["kind"] == "same_device"

    asyncio.run(embed())


def test_what_was_taken_back_reaches_the_program(scene: Scene) -> None:
    """Read, delete the own copy, acknowledge, and go on from there."""
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            made = await verifier.make_request("course-results")
            await asyncio.to_thread(web.answer, made.request)
            transaction = scene.verifier.result(made.id).transaction
            await scene.verifier.deletions.take_act(act(scene, scene.verifier.made(transaction)))
            (notice,), after = await verifier.deletions()
            assert (notice.request_id, notice.action, notice.state) == (made.id, "withdraw", "deleted")
            assert ("transcript", ("courses", None, "achievement_title")) in notice.items
            await verifier.acknowledge_deletion(notice)
            assert await verifier.deletions(after=after) == ([], after)
            (again,), _ = await verifier.deletions()
            assert again.is_acknowledged
            result = await verifier.get_result(made.id)
            assert (result.state, result.accepted, result.is_final) == ("withdrawn", False, True)
            with pytest.raises(VerifierRefused) as refused:
                await verifier.acknowledge_deletion(replace(notice, number=notice.number + 1))
            assert refused.value.status == 409

    asyncio.run(embed())
