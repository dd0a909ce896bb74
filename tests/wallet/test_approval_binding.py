"""CS-25: whatever of a decision changes after the person looked at it, the share is refused. W-19: where to go on."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

import wallet
from schemas.consent import RequestNotice
from tests.wallet.fake_verifier import credential, known_verifier, notice, query, with_optional
from tests.wallet.people import Sharer
from tests.world import World
from wallet.consent import ShownSomethingElse, decide
from wallet.decision import Chosen, Decision, build_decision, building
from wallet.decision.model import SCREEN_VERSION
from wallet.delivery import DeliveryState
from wallet.over_asking import Past
from wallet.requests import CheckedRequest

pytestmark = pytest.mark.anyio


SCREEN = (
    "templates/share/decide.html",
    "templates/share/parts.html",
    "templates/share/confirm.html",
    "templates/acting.html",
    "over_asking/rules.py",
)
"""What the decision screen and its confirmation say stands in these files."""
SCREEN_DIGESTS = {"share-11": "3f426d83b4d902ca", "share-12": "829236d49b15d489"}
"""The version of the screen, and what its files were then. A changed file needs a new version, and a new line here."""


def test_cs25_a_screen_that_says_something_else_has_a_new_version() -> None:
    """An approval names the version of the screen: the same name never stands for two different screens."""
    assert wallet.__file__ is not None
    room, digest = Path(wallet.__file__).parent, hashlib.sha256()
    for name in SCREEN:
        digest.update((room / name).read_bytes().replace(b"\r\n", b"\n"))

    assert SCREEN_DIGESTS.get(SCREEN_VERSION) == digest.hexdigest()[:16], (
        "the screen has changed: give SCREEN_VERSION (wallet/decision/model.py) a new number"
    )


class Yes:
    """A confirmation that holds, and counts how often it was asked for."""

    method = "passphrase"

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> None:
        """It is the person."""
        self.asked += 1


def _request(**changes: Any) -> Callable[[CheckedRequest], CheckedRequest]:
    return lambda checked: replace(checked, request=_changed(checked.request, changes))


def _notice(**changes: Any) -> Callable[[CheckedRequest], CheckedRequest]:
    def change(checked: CheckedRequest) -> CheckedRequest:
        assert checked.stated is not None
        said = RequestNotice.model_validate({**checked.stated.notice.claims(), **changes})
        return replace(checked, stated=replace(checked.stated, notice=said))

    return change


def _changed(value: Any, changes: Mapping[str, Any]) -> Any:
    return value.model_copy(update=changes) if hasattr(value, "model_copy") else replace(value, **changes)


async def test_cs25_every_part_of_what_was_shown_is_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is changed by itself while everything else, and the salt, stay: the approval of the first counts for none,
    and nobody is even asked for a passphrase."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    optional = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    checked = sharer.decision(await sharer.begin(employer.ask(optional, notice=notice()).link())).checked

    def shown(checked: CheckedRequest = checked, chosen: Chosen = Chosen(), language: str = "en") -> Decision:
        return build_decision(
            checked, sharer.vault.certificates(), chosen, past=Past(), share_id="s", salt=b"s", language=language,
            now=world.clock(), time_zone="Europe/Stockholm",
        )  # fmt: skip

    digest = shown().digest
    changed = {
        "client_id": shown(_request(client_id="x509_hash:another")(checked)),
        "nonce": shown(_request(nonce="another-nonce-0123456789abcdef")(checked)),
        "response address": shown(_request(response_uri="https://employer.example/elsewhere")(checked)),
        "disclosures": shown(chosen=Chosen(ticked=frozenset({1}))),
        "purpose": shown(_notice(purpose={"sv": "Annat.", "en": "Something else."})(checked)),
        "retention": shown(_notice(retention={"days": 91})(checked)),
        "language": shown(language="sv"),
    }
    monkeypatch.setattr(building, "SCREEN_VERSION", "share-0")
    changed["screen version"] = shown()
    monkeypatch.undo()

    confirmation = Yes()
    refused = []
    for what, decision in changed.items():
        with suppress(ShownSomethingElse):
            await decide(
                decision, approved_digest=digest, confirmation=confirmation, permission=None, now=world.clock()
            )
            continue
        refused.append(what)
    assert refused == list(changed)
    assert confirmation.asked == 0
    assert len({digest, *(decision.digest for decision in changed.values())}) == 1 + len(changed)
    consent = await decide(
        shown(), approved_digest=digest, confirmation=confirmation, permission=None, now=world.clock()
    )
    assert (consent.shown_digest, confirmation.asked) == (digest, 1)


async def test_w19_nothing_but_a_good_answer_in_json_sends_the_person_on(world: World) -> None:
    """Not an error, not another type, not a redirect of HTTP, whatever stands in it; the plain answer does."""
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    there = {"redirect_uri": "https://employer.example/done"}
    body = b'{"redirect_uri": "https://employer.example/done"}'
    answers: dict[str, httpx2.Response] = {
        "no JSON": httpx2.Response(200, content=body, headers={"content-type": "text/html"}),
        "no type": httpx2.Response(200, content=body),
        "created": httpx2.Response(201, json=there),
        "HTTP": httpx2.Response(303, json=there, headers={"location": there["redirect_uri"]}),
        "an error": httpx2.Response(400, json={"error": "invalid_request", **there}),
        "a failure": httpx2.Response(500, json=there),
        "a list": httpx2.Response(200, json=[there]),
        "twice": httpx2.Response(200, content=body[:-1] + b', "redirect_uri": "https://evil.example/"}',
                                 headers={"content-type": "application/json"}),
    }  # fmt: skip
    followed = {}
    for name, answer in answers.items():
        share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
        with world.network.answering(_instead(answer)):
            delivery = await sharer.approve(share_id)
        followed[name] = (delivery.redirect_uri, sharer.sharing.return_link(sharer.vault, share_id)[0])

    assert followed == dict.fromkeys(answers, (None, None))
    employer.reply = there
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    delivery = await sharer.approve(share_id)
    assert (delivery.state, delivery.redirect_uri) == (DeliveryState.DELIVERED, there["redirect_uri"])


def _instead(answer: httpx2.Response) -> Callable[[httpx2.Request], httpx2.Response | None]:
    return lambda request: answer if request.url.path == "/response" else None
