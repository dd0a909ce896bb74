"""The library that others embed, against the real application."""

import asyncio

import pytest

from service.http import HostRouter, OutgoingHTTP
from tests.verifier.scene import Scene
from tests.verifier.test_api import Web
from verifier.client import NoResultYet, VerifierClient, VerifierRefused


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
                "employer-micro-credential", kind="same_device", return_url="https://employer.example/back"
            )
            reply = await asyncio.to_thread(web.answer, made.request)
            code = reply.json()["redirect_uri"].partition("response_code=")[2]
            assert (await verifier.get_result(made.id)).state == "awaiting_return"
            assert await verifier.take_back(code) == made.id
            assert (await verifier.get_result(made.id)).accepted

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
