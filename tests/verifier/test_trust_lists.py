"""Signed trust lists: pinned by key, never older than the one in use, and not counted when overdue."""

import asyncio
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proofs.jose import InvalidSignature
from proofs.keys import SoftwareSigner, generate_signer
from proofs.resolve import Unresolvable
from proofs.trust import StaleTrustList, sign_trust_list
from schemas.errors import Refused
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.scene import Scene
from verifier.trust_lists import add_list, refresh_lists

URL = "https://lists.example/universities.jwt"


class Publisher:
    """Somebody who publishes a signed list."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.signer = generate_signer()
        self.token = ""
        self.status = 200
        app = Starlette(routes=[Route("/universities.jwt", self._serve)])
        self.http = OutgoingHTTP(transport=HostRouter({"lists.example": app}))

    async def _serve(self, request: Request) -> Response:
        return Response(self.token, status_code=self.status, media_type="application/jwt")

    def publish(
        self, sequence: int, *, days: float = 30, empty: bool = False, by: SoftwareSigner | None = None
    ) -> None:
        """Publish an edition."""
        self.token = sign_trust_list(
            [] if empty else [self.scene.issuer.entry()],
            signer=by or self.signer,
            sequence=sequence,
            issued_at=self.scene.now,
            next_update=self.scene.now + timedelta(days=days),
        )

    def add(self) -> None:
        """Pin the list."""
        key = self.signer.public_jwk
        asyncio.run(add_list(self.scene.verifier.trust, self.http, URL, key, now=self.scene.now))

    def refresh(self) -> None:
        """Read it again."""
        asyncio.run(refresh_lists(self.scene.verifier.trust, self.http, clock=self.scene.clock))


@pytest.fixture
def publisher(scene: Scene) -> Publisher:
    """A publisher; the scene's verifier trusts nobody else."""
    scene.verifier.trust.remove(scene.issuer.entry().id)
    return Publisher(scene)


def is_accepted(scene: Scene) -> bool:
    """Whether an honest answer is accepted now."""
    made = scene.ask()
    scene.answer(made)
    return scene.result(made).is_accepted


def test_an_issuer_of_a_pinned_list_is_trusted(scene: Scene, publisher: Publisher) -> None:
    """Before the list: unknown. After it: accepted. After its removal: unknown again."""
    publisher.publish(1)
    assert not is_accepted(scene)
    publisher.add()
    assert is_accepted(scene)

    (pinned,) = scene.verifier.trust.lists()
    assert pinned.sequence == 1
    assert scene.verifier.trust.remove(pinned.id)
    assert not is_accepted(scene)


def test_an_issuer_taken_off_the_list_is_no_longer_trusted(scene: Scene, publisher: Publisher) -> None:
    """A newer edition counts as soon as it was read."""
    publisher.publish(1)
    publisher.add()
    publisher.publish(2, empty=True)
    publisher.refresh()

    assert not is_accepted(scene)


def test_an_older_edition_is_refused(scene: Scene, publisher: Publisher) -> None:
    """Nobody can bring back a university that was removed (R-01)."""
    publisher.publish(5, empty=True)
    publisher.add()
    publisher.publish(4)
    publisher.refresh()

    assert not is_accepted(scene)
    assert "older" in scene.verifier.trust.lists()[0].problem
    with pytest.raises(Refused):
        publisher.add()


def test_a_list_signed_with_another_key_is_refused(scene: Scene, publisher: Publisher) -> None:
    """The key was pinned when the list was added."""
    publisher.publish(1, empty=True)
    publisher.add()
    publisher.publish(2, by=generate_signer())
    publisher.refresh()

    assert not is_accepted(scene)
    publisher.signer = generate_signer()
    with pytest.raises(InvalidSignature):
        publisher.add()


def test_an_overdue_list_does_not_count(scene: Scene, publisher: Publisher) -> None:
    """Its next update has passed: its issuers are unknown until a newer edition was read."""
    publisher.publish(1, days=1)
    publisher.add()
    assert is_accepted(scene)
    scene.pass_time(days=1, seconds=1)
    publisher.status = 503
    publisher.refresh()

    assert not is_accepted(scene)
    assert scene.verifier.trust.lists()[0].is_overdue(now=scene.now)
    with pytest.raises(Unresolvable):
        publisher.add()
    publisher.status = 200
    with pytest.raises(StaleTrustList):
        publisher.add()
    publisher.publish(2)
    publisher.refresh()
    assert is_accepted(scene)
