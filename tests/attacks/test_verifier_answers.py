"""Attacks on what the verifier accepts as an answer (edge cases V-01 to V-15), one test each.

In every attack all but one thing is as an honest wallet would do it, so that only the check under test can object.
"""

import asyncio
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import base64url, strict_json
from proofs.jose import generate_encryption_key, public_part
from schemas.errors import TemporarilyUnavailable
from schemas.presentation import AuthorizationErrorResponse, AuthorizationResponse, InvalidResponse
from tests.verifier.scene import (
    FORM,
    Scene,
    assert_refused_by,
    encrypted,
)
from verifier.exchange import RequestClosed
from verifier.request_templates import RequestTemplate
from verifier.requests import Transaction
from verifier.responses import open_response, read_form
from verifier.store import NoSuchRequest, State
from verifier.verification import Verdict


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier that asks for encrypted answers."""
    return Scene(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Scene:
    """A verifier that takes answers in clear."""
    return Scene(tmp_path, response_mode="direct_post")


# --- V-01, D06: one answer --------------------------------------------------------------------------------------------


def test_v01_of_32_different_answers_at_once_one_counts(scene: Scene) -> None:
    """Two verifiers on one database, 32 valid answers in parallel: one result, 31 refusals."""
    made = scene.ask()
    request = scene.fetch(made)
    forms = [scene.form(request, {"vp_token": scene.vp_token(request)}) for _ in range(32)]
    verifiers = [scene.second_process(), scene.second_process()]

    def post(number: int) -> str:
        for _ in range(200):
            try:
                return str(scene.post(made, forms[number], verifier=verifiers[number % 2]).status)
            except RequestClosed:
                return "closed"
            except TemporarilyUnavailable:
                continue  # The lock was held for longer than we wait: the wallet asks again.
        return "busy"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(post, range(32)))

    assert sorted(outcomes) == ["200"] + ["closed"] * 31
    assert scene.result(made).is_accepted


def test_d06_the_same_answer_again_within_a_minute_gets_the_same_reply(scene: Scene) -> None:
    """A wallet that lost the reply posts again: the same answer, and nothing changes."""
    made = scene.ask()
    request = scene.fetch(made)
    form = scene.form(request, {"vp_token": scene.vp_token(request)})

    first = scene.post(made, form)
    counter = scene.verifier.requests.change_counter()
    scene.pass_time(seconds=59)
    second = scene.post(made, form)

    assert first == second
    assert scene.verifier.requests.change_counter() == counter
    scene.pass_time(seconds=2)
    with pytest.raises(RequestClosed):
        scene.post(made, form)


def test_v01_a_failed_answer_cannot_be_followed_by_a_good_one(scene: Scene) -> None:
    """Whoever was first decides: trying until something fits is not possible."""
    made = scene.ask()
    request = scene.fetch(made)
    wrong = {"certificate": [scene.presentation(request, "certificate", nonce="another")]}
    scene.post(made, scene.form(request, {"vp_token": wrong}))

    with pytest.raises(RequestClosed):
        scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request)}))

    assert scene.result(made).verdict is Verdict.REJECTED


# --- V-02: nonces -----------------------------------------------------------------------------------------------------


def test_v02_every_request_has_its_own_nonce_state_key_and_handles(scene: Scene) -> None:
    """Nothing of one request helps with another one."""
    made = [scene.ask().transaction for _ in range(20)]

    for member in ("nonce", "state", "handle", "id", "code"):
        assert len({getattr(one, member) for one in made}) == 20
    assert len({str(one.encryption_key) for one in made}) == 20
    assert {len(base64url.decode(one.nonce)) for one in made} == {32}


# --- V-03: shape ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vp_token",
    [
        [],
        {},
        "token",
        7,
        None,
        {"certificate": "a string, not an array"},
        {"certificate": []},
        {"certificate": [None]},
        {"certificate": [""]},
        {"certificate": [["nested"]]},
    ],
)
def test_v03_a_vp_token_of_another_shape_changes_nothing(scene: Scene, vp_token: Any) -> None:
    """`vp_token` is an object of non-empty arrays; anything else is refused, and the request stays open."""
    made = scene.ask()
    request = scene.fetch(made)

    with pytest.raises(InvalidResponse):
        scene.post(made, scene.form(request, {"vp_token": vp_token, "keep": 1}))

    assert scene.result(made).state is State.OPENED
    assert scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request)})).status == 200


CONSENT = {
    "name": "consent-only",
    "title": {"sv": "Hälsning", "en": "Greeting"},
    "purpose": {"sv": "Vi hälsar dig med namn i brev.", "en": "We greet you by name in letters."},
    "retention_days": 30,
    "basis": "consent",
    "contact": "dataskydd@example.org",
    "credentials": [
        {
            "id": "certificate",
            "vct": ["urn:intyga:credential:micro-credential:1"],
            "items": [
                {"path": [name], "required": False, "reason": {"sv": "Ditt namn.", "en": "Your name."}}
                for name in ("family_name", "given_name")
            ],
        }
    ],
}


@pytest.mark.parametrize("mode", ["plain", "encrypted"])
def test_v03_an_empty_vp_token_is_no_answer_where_everything_is_optional(scene: Scene, plain: Scene, mode: str) -> None:
    """Every set is optional, so none has to be met (OpenID4VP 6.4.2). Still an object without an entry is no VP token:
    that is "an artifact containing one or more Presentations" (section 2, and 8.1), and 8.5 has a word for who shares
    nothing. It is refused, changes nothing, and `access_denied` then ends the request."""
    one = plain if mode == "plain" else scene
    made = one.ask(RequestTemplate.model_validate(CONSENT))
    request = one.fetch(made)
    sets = request["dcql_query"]["credential_sets"]
    assert sets
    assert not any(each.get("required", True) for each in sets)

    with pytest.raises(InvalidResponse):
        one.post(made, one.form(request, {"vp_token": {}}))

    assert one.result(made).state is State.OPENED
    assert one.post(made, {"error": "access_denied", "state": request["state"]}).status == 200
    assert one.result(made).state is State.DECLINED


def test_v03_an_entry_that_was_not_asked_for_is_refused(scene: Scene) -> None:
    """Unknown query ids reject the whole answer."""
    made = scene.ask()
    request = scene.fetch(made)
    token = scene.vp_token(request)

    reply = scene.post(made, scene.form(request, {"vp_token": token | {"other": token["certificate"]}}))

    assert_refused_by(scene, made, reply, "form", "unknown_query")


def test_v03_two_presentations_where_one_was_asked_for_are_refused(scene: Scene) -> None:
    """Without `multiple` there is exactly one (D-05)."""
    made = scene.ask()
    request = scene.fetch(made)
    token = scene.vp_token(request)

    reply = scene.post(made, scene.form(request, {"vp_token": {"certificate": token["certificate"] * 2}}))

    assert_refused_by(scene, made, reply, "form", "multiple")


def test_v03_an_answer_without_a_required_entry_is_refused(scene: Scene) -> None:
    """Only an optional item came: what was required is missing."""
    made = scene.ask()
    request = scene.fetch(made)
    only = {"certificate-optional-1": [scene.presentation(request, "certificate-optional-1")]}

    reply = scene.post(made, scene.form(request, {"vp_token": only}))

    assert_refused_by(scene, made, reply, "query", "set_missing")


# --- V-06: state ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["another", "", None, 7, "Ä"])
@pytest.mark.parametrize("mode", ["plain", "encrypted"])
def test_v06_a_wrong_or_missing_state_changes_nothing(scene: Scene, plain: Scene, mode: str, state: object) -> None:
    """Inside the encrypted answer or in the form: state must be ours, or nothing happens."""
    one = plain if mode == "plain" else scene
    made = one.ask()
    request = one.fetch(made)

    with pytest.raises(InvalidResponse):
        one.post(made, one.form(request, {"vp_token": one.vp_token(request), "state": state}))

    assert one.result(made).state is State.OPENED


def test_v06_another_state_outside_the_encrypted_answer_is_refused(scene: Scene) -> None:
    """Right inside, wrong outside: refused. Right or absent outside: accepted."""
    made = scene.ask()
    request = scene.fetch(made)
    form = scene.form(request, {"vp_token": scene.vp_token(request)})

    with pytest.raises(InvalidResponse):
        scene.post(made, form | {"state": "another"})

    assert scene.post(made, form | {"state": request["state"]}).status == 200


# --- V-09, V-10: encryption -------------------------------------------------------------------------------------------


def test_v09_an_answer_in_clear_is_refused_where_encryption_was_asked(scene: Scene) -> None:
    """Only errors may come in clear (8.3.1)."""
    made = scene.ask()
    request = scene.fetch(made)
    form = {"vp_token": strict_json.dumps(scene.vp_token(request)).decode(), "state": request["state"]}

    with pytest.raises(InvalidResponse):
        scene.post(made, form)

    assert scene.result(made).state is State.OPENED
    assert scene.post(made, {"error": "access_denied", "state": request["state"]}).status == 200
    assert scene.result(made).state is State.DECLINED


def test_v09_the_key_is_gone_once_it_was_used(scene: Scene) -> None:
    """An answer to an old key is refused, and the database no longer holds the key."""
    made = scene.ask()
    scene.answer(made)

    with scene.verifier.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT encryption_key, response_code_digest FROM requests").one()
    assert row[0] is None


def test_v09_an_answer_encrypted_to_another_requests_key_is_refused(scene: Scene) -> None:
    """Each request has its key, so an answer cannot be moved to another one."""
    other, made = scene.fetch(scene.ask()), scene.ask()
    request = scene.fetch(made)
    members = {"vp_token": scene.vp_token(request), "state": request["state"]}
    moved = encrypted(strict_json.dumps(members), other["client_metadata"]["jwks"]["keys"][0])

    with pytest.raises(InvalidResponse):
        scene.post(made, {"response": moved})

    assert scene.result(made).state is State.OPENED


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_both_content_encryptions_are_understood(scene: Scene, enc: str) -> None:
    """HAIP 5: verifiers support and list both."""
    made = scene.ask()
    request = scene.fetch(made)

    reply = scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request)}, enc=enc))

    assert reply.status == 200


def test_v10_whoever_encrypts_again_gains_nothing(scene: Scene) -> None:
    """Encryption says nothing about the sender: members beside the VP token are not believed."""
    made = scene.ask()
    request = scene.fetch(made)
    forged: Mapping[str, Any] = {
        "vp_token": scene.vp_token(request),
        "verified": True,
        "iss": "https://university.example",
        "client_id": "somebody else",
    }

    scene.post(made, scene.form(request, forged))

    assert scene.result(made).is_accepted
    assert {proof.issuer_name for proof in scene.result(made).proofs} == {"Example University"}


def test_v10_error_and_vp_token_together_are_refused(scene: Scene) -> None:
    """An answer is one or the other."""
    made = scene.ask()
    request = scene.fetch(made)

    with pytest.raises(InvalidResponse):
        scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request), "error": "access_denied"}))


# --- V-11: sizes ------------------------------------------------------------------------------------------------------


def test_v11_an_encrypted_answer_that_inflates_without_end_is_refused(scene: Scene) -> None:
    """`zip` of a few kilobytes that would become 100 megabytes."""
    made = scene.ask()
    request = scene.fetch(made)
    key = request["client_metadata"]["jwks"]["keys"][0]
    bomb = encrypted(b'{"state": "' + b" " * 100_000_000 + b'"}', key, zip="DEF")
    assert len(bomb) < 200_000

    with pytest.raises(InvalidResponse):
        scene.post(made, {"response": bomb})


def test_v11_more_presentations_than_anybody_asks_for_are_refused(scene: Scene) -> None:
    """Each costs a verification: there is a bound before the first."""
    made = scene.ask()
    request = scene.fetch(made)

    with pytest.raises(InvalidResponse):
        scene.post(made, scene.form(request, {"vp_token": {"certificate": ["x"] * 51}}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"response=",
        b"response=a.b.c.d.e",
        b"vp_token=%7B%7D",
        b"&".join(b"a%d=1" % number for number in range(50)),
        b"state=1&state=2",
        b"response=%FF%FE",
        b"\xff\xfe",
        zlib.compress(b"response=a"),
    ],
)
def test_v11_a_body_that_is_no_answer_changes_nothing(scene: Scene, body: bytes) -> None:
    """Refused with a clear error; the honest answer still gets through."""
    made = scene.ask()
    scene.fetch(made)

    with pytest.raises(InvalidResponse):
        scene.post(made, body)

    assert scene.result(made).state is State.OPENED


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"vp_token={text}&state=x".encode()))
def test_v11_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    """No body leads to anything but form fields or `InvalidResponse`."""
    try:
        form = read_form(body, content_type=FORM)
    except InvalidResponse:
        return
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in form.items())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=10), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(members=st.dictionaries(st.sampled_from(["vp_token", "error", "error_description", "iss"]), JSON))
def test_v03_any_decrypted_members_are_an_answer_or_refused(members: dict[str, Any]) -> None:
    """Whatever was encrypted to our key: an answer, an error, or `InvalidResponse`."""
    key = generate_encryption_key("k")
    transaction = cast("Transaction", SimpleNamespace(encryption_key=key, state="s"))
    response = encrypted(strict_json.dumps(members | {"state": "s"}), public_part(key))

    try:
        answer = open_response({"response": response}, transaction=transaction, max_bytes=100_000)
    except InvalidResponse:
        return
    assert isinstance(answer, AuthorizationResponse | AuthorizationErrorResponse)


def test_g01_duplicate_members_in_an_encrypted_answer_are_refused(scene: Scene) -> None:
    """Two `state` members: readers that take the first and readers that take the last would disagree."""
    made = scene.ask()
    request = scene.fetch(made)
    text = b'{"state":"x","vp_token":' + strict_json.dumps(scene.vp_token(request))
    text += b',"state":' + strict_json.dumps(request["state"]) + b"}"

    with pytest.raises(InvalidResponse):
        scene.post(made, {"response": encrypted(text, request["client_metadata"]["jwks"]["keys"][0])})


# --- V-14: errors of the wallet ---------------------------------------------------------------------------------------


def test_v14_an_error_after_an_answer_is_ignored(scene: Scene) -> None:
    """Nobody can turn an accepted answer into a refusal, nor a refusal into an answer."""
    made = scene.ask()
    request = scene.fetch(made)
    scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request)}))

    with pytest.raises(RequestClosed):
        scene.post(made, {"error": "access_denied", "state": request["state"]})

    assert scene.result(made).is_accepted
    other = scene.ask()
    asked = scene.fetch(other)
    scene.post(other, {"error": "access_denied", "state": asked["state"]})
    with pytest.raises(RequestClosed):
        scene.post(other, scene.form(asked, {"vp_token": scene.vp_token(asked)}))


def test_v14_the_description_of_an_error_is_not_kept(scene: Scene) -> None:
    """It is the wallet's own text and could say something about the person; so could a code that is none."""
    for error, kept in (("access_denied", "access_denied"), ("Kanarek-Test lacks it", "other_error")):
        made = scene.ask()
        request = scene.fetch(made)
        members = {"error": error, "error_description": "Kanarek-Test has no such certificate"}
        scene.post(made, scene.form(request, members))

        assert scene.result(made).wallet_error == kept
    assert "Kanarek" not in str(scene.verifier.requests.log())


# --- V-18: the response address ---------------------------------------------------------------------------------------


def test_v18_an_unknown_handle_is_refused_before_anything_is_read(scene: Scene) -> None:
    """No parsing, no decryption, no verification for an address that nobody gave out."""
    with pytest.raises(NoSuchRequest):
        asyncio.run(scene.verifier.take_answer("nobody", body=b"not even a form", content_type="text/plain"))


def test_an_answer_after_the_request_has_expired_is_refused(scene: Scene) -> None:
    """Half an hour, then it is over."""
    made = scene.ask()
    request = scene.fetch(made)
    scene.pass_time(minutes=30)

    with pytest.raises(RequestClosed):
        scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request)}))

    assert scene.result(made).state is State.EXPIRED
