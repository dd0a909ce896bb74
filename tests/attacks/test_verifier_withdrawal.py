"""Taking back, by somebody who must not, or in a way that must not count (docs/withdrawal.md)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from proofs import base64url, strict_json
from proofs.after_share import InvalidHolderMessage, StaleHolderMessage, sign_holder_message
from proofs.jose import parse_jws, read_claims, sign_jws
from proofs.keys import generate_signer
from proofs.resolve import DictResolver
from schemas.errors import ProtocolError
from schemas.withdrawal import RECEIPT_SUBMISSION_TYPE, WITHDRAWAL_TYPE
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.scene import MICRO_CLAIMS, START, Scene
from tests.verifier.withdrawing import act, ago, claims_for, receipt_for, statement_of, submission, take, terms_of
from verifier.app import create_app
from verifier.deletion import UnknownItem
from verifier.deletion_desk import MAX_ACT_BYTES
from verifier.exchange import MadeRequest
from verifier.holder_messages import PER_KEY_AND_MINUTE
from verifier.store.shares import NoSuchShare, Replayed

JWT = {"Content-Type": "application/jwt"}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier that deletes at once."""
    return Scene(tmp_path)


@pytest.fixture
def made(scene: Scene) -> MadeRequest:
    """A request that was answered."""
    asked = scene.ask()
    scene.answer(asked, optional=True)
    assert scene.result(asked).has_contents
    return asked


def assert_untouched(scene: Scene, made: MadeRequest) -> None:
    """The values are there, and nothing was noted."""
    assert scene.verifier.contents(made.id, viewer="test") is not None
    assert scene.result(made).withdrawn_at is None
    assert scene.verifier.deletions.store.of_request(made.id) == []


NOBODY = {"signer": generate_signer()}
SAME_ANSWER: list[dict[str, Any]] = [
    NOBODY,
    {"nonce": "x" * 43},
    {"nonce": None, "request_id": "x" * 22},
    {"request_id": "x" * 22},
    {"aud": "x509_hash:somebody-else"},
    {"aud": "http://localhost:8003"},
    NOBODY | {"nonce": "x" * 43},
]


@pytest.mark.parametrize("wrong", SAME_ANSWER)
def test_a_foreign_key_and_an_unknown_share_are_one_and_the_same_answer(
    scene: Scene, made: MadeRequest, wrong: dict[str, Any]
) -> None:
    """Whoever tries keys or numbers learns nothing: the same error, word for word, and nothing has happened."""
    for action in ("withdraw", "erase", "status"):
        with pytest.raises(NoSuchShare) as refused:
            take(scene, act(scene, made, action, **wrong))
        assert (refused.value.error, refused.value.status) == ("not_found", 404)
        assert refused.value.description == NoSuchShare().description
    assert_untouched(scene, made)


def test_the_key_of_another_share_takes_back_nothing(scene: Scene, made: MadeRequest) -> None:
    """A key that bound something else here is no better than any other key."""
    mine = scene.holder
    scene.holder = generate_signer()
    scene.certificate = scene.issuer.issue(MICRO_CLAIMS, holder=scene.holder)
    other = scene.ask()
    scene.answer(other)

    for signer, share in ((scene.holder, made), (mine, other)):
        with pytest.raises(NoSuchShare):
            take(scene, act(scene, share, signer=signer))
    assert_untouched(scene, made)


@pytest.mark.parametrize("seconds", [301, 3600, -301, -86_400])
def test_a_message_that_is_not_of_now_is_refused(scene: Scene, made: MadeRequest, seconds: int) -> None:
    """Five minutes, before and after."""
    with pytest.raises(StaleHolderMessage):
        take(scene, act(scene, made, iat=ago(scene, seconds=seconds)))
    assert_untouched(scene, made)


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_clock_may_be_five_minutes_off(scene: Scene, made: MadeRequest, seconds: int) -> None:
    """The bound itself still counts."""
    take(scene, act(scene, made, iat=ago(scene, seconds=seconds)))
    assert scene.verifier.contents(made.id, viewer="test") is None


def test_a_message_counts_once(scene: Scene, made: MadeRequest) -> None:
    """The same message again is refused, as is another with its jti; a new one gets the same statement."""
    body = act(scene, made, "withdraw", jti="j" * 16)
    first = take(scene, body)

    for again in (body, act(scene, made, "status", jti="j" * 16)):
        with pytest.raises(Replayed):
            take(scene, again)
        with pytest.raises(Replayed):
            take(scene, again, verifier=scene.second_process())

    assert take(scene, act(scene, made, "withdraw")).token == first.token


def test_a_refused_message_does_not_use_up_its_jti(scene: Scene, made: MadeRequest) -> None:
    """Else a stranger could spend the numbers of others."""
    with pytest.raises(NoSuchShare):
        take(scene, act(scene, made, signer=generate_signer(), jti="j" * 16))

    assert take(scene, act(scene, made, jti="j" * 16)).token


@pytest.mark.parametrize(
    "wrong",
    [
        {"typ": "JWT"},
        {"typ": "kb+jwt"},
        {"typ": RECEIPT_SUBMISSION_TYPE},
        {"jti": None},
        {"jti": "short"},
        {"jti": "x" * 129},
        {"jti": 17},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"aud": None},
        {"aud": ["x509_hash:x"]},
        {"action": None},
        {"action": "destroy"},
        {"nonce": None},
        {"nonce": {}},
        {"items": []},
        {"action": "withdraw", "items": [{"credential": "certificate"}]},
        {"action": "erase", "items": [{"credential": ""}]},
        {"action": "erase", "items": [{"credential": "certificate", "path": [-1]}]},
        {"action": "erase", "items": [{"credential": "certificate"}] * 201},
        {"receipt_id": "a name with spaces"},
        {"language": "de"},
    ],
)
def test_a_message_of_another_form_is_refused(scene: Scene, made: MadeRequest, wrong: dict[str, Any]) -> None:
    """Every member is checked before the share is looked for."""
    typ, action = wrong.pop("typ", WITHDRAWAL_TYPE), wrong.pop("action", "erase")
    with pytest.raises(InvalidHolderMessage):
        take(scene, act(scene, made, action, typ=typ, **wrong))
    assert_untouched(scene, made)


def _unsigned(scene: Scene, made: MadeRequest, alg: str) -> bytes:
    claims = claims_for(scene, made, action="withdraw")
    header = {"alg": alg, "typ": WITHDRAWAL_TYPE, "jwk": scene.holder.public_jwk}
    return ".".join(base64url.encode(strict_json.dumps(part)) for part in (header, claims)).encode() + b"."


def _with_header(scene: Scene, made: MadeRequest, **header: Any) -> bytes:
    claims = claims_for(scene, made, action="withdraw")
    return sign_jws(claims, signer=scene.holder, typ=WITHDRAWAL_TYPE, header=header).encode()


def test_only_a_signature_by_the_key_in_the_message_counts(scene: Scene, made: MadeRequest) -> None:
    """No algorithm none, no HMAC, no foreign signature, no key by any other name, no two keys, no private key."""
    mine = scene.holder.public_jwk
    body = act(scene, made)
    head, payload, signature = body.split(b".")
    stranger = sign_holder_message(
        claims_for(scene, made, action="withdraw"), signer=generate_signer(), typ=WITHDRAWAL_TYPE
    ).encode()
    attempts = [
        _unsigned(scene, made, "none"),
        _unsigned(scene, made, "HS256") + b"AAAA",
        head + b"." + payload + b".",
        head + b"." + payload + b"." + stranger.split(b".")[2],
        head + b"." + stranger.split(b".")[1] + b"." + signature,
        _with_header(scene, made),
        _with_header(scene, made, kid=scene.holder.kid),
        _with_header(scene, made, jwk=mine, kid=scene.holder.kid),
        _with_header(scene, made, jwk=mine, x5c=[]),
        _with_header(scene, made, jwk=mine | {"d": "AAAA"}),
        _with_header(scene, made, jwk={"kty": "oct", "k": "AAAA"}),
        _with_header(scene, made, jwk=mine, crit=["b64"]),
        b"",
        b"x",
        "å".encode(),
        b"{}",
        b"a.b.c",
        b"." * 10_000,
    ]
    for attempt in attempts:
        with pytest.raises(InvalidHolderMessage):
            take(scene, attempt)
    assert_untouched(scene, made)


@pytest.mark.parametrize(
    "item",
    [
        {"credential": "certificate", "path": ["birthdate"]},
        {"credential": "nothing", "path": ["family_name"]},
        {"credential": "certificate", "path": [0]},
    ],
)
def test_an_item_that_was_not_shared_is_not_erased(scene: Scene, made: MadeRequest, item: dict[str, Any]) -> None:
    """And its name, which could be anything, is kept nowhere."""
    with pytest.raises(UnknownItem):
        take(scene, act(scene, made, "erase", items=[{"credential": "certificate", "path": ["family_name"]}, item]))
    assert_untouched(scene, made)


def test_what_a_wallet_writes_into_a_path_is_not_kept(scene: Scene) -> None:
    """Of a path only numbers are taken over: a name in it may be anything, also somebody's name."""
    asked = scene.ask()
    scene.answer(asked)
    item = {"credential": "certificate", "path": ["family_name", "Kanarek-Path"]}

    statement = statement_of(take(scene, act(scene, asked, "erase", items=[item])), scene, asked)

    assert [one.path for one in statement.items] == [("family_name",)]
    assert b"Kanarek-Path" not in b"".join(
        path.read_bytes() for path in scene.settings.data.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("wrong", ["audience", "nonce", "disclosures", "signer", "form"])
def test_what_was_shown_elsewhere_gives_its_holder_no_key_to_this_share(scene: Scene, wrong: str) -> None:
    """Of a refused answer the keys that signed for this very request are kept, and no others: what somebody else sent
    on, took apart or made up says nothing of whose it is."""
    made = scene.ask()
    request = scene.fetch(made)
    other: dict[str, Any] = {"audience": "x509_hash:other", "nonce": "another"}
    shown = scene.presentation(request, "certificate", **{name: is_ for name, is_ in other.items() if name == wrong})
    if wrong == "disclosures":
        first, _, rest = shown.partition("~")
        shown = f"{first}~{rest.partition('~')[2]}"
    if wrong == "signer":
        first, _, binding = shown.rpartition("~")
        shown = f"{first}~{sign_jws(read_claims(parse_jws(binding)), signer=generate_signer(), typ='kb+jwt')}"
    if wrong == "form":
        shown = "no.certificate~"
    assert scene.post(made, scene.form(request, {"vp_token": {"certificate": [shown]}})).status == 400

    with pytest.raises(NoSuchShare):
        take(scene, act(scene, made, "status"))


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("action", ["status", "withdraw", "erase"])
def test_whoever_was_refused_is_told_that_nothing_is_kept(tmp_path: Path, action: str, at_once: bool) -> None:
    """Signed, at once, also where staff decides: nothing is to be decided. Asking changes no result."""
    scene = Scene(tmp_path, withdraw_at_once=at_once)
    scene.issuer.set_status(7, 1)
    scene.refresh_list()
    made = scene.ask()
    answered_at = scene.now
    assert scene.answer(made).status == 400
    scene.pass_time(days=2)

    answer = take(scene, act(scene, made, action))

    statement = statement_of(answer, scene, made)
    assert statement.outcome == "deleted"
    assert statement.reason == {"status": "retention", "withdraw": "withdrawn", "erase": "erased"}[action]
    assert statement.deleted_at == answered_at.timestamp()
    assert ("certificate", "family_name") in {(one.credential, *one.path) for one in statement.items}
    assert scene.verifier.deletions.store.open() == []
    record = scene.result(made)
    assert record.state == {"status": "answered", "withdraw": "withdrawn", "erase": "deleted"}[action]
    assert (record.contents_deleted_at is None) == (action == "status")
    assert take(scene, act(scene, made, "status")).token == answer.token


# ---------------------------------------------------------------------------------------------------------------------
# Over HTTP


@pytest.fixture
def client(scene: Scene) -> TestClient:
    """The application of the scene."""
    app = create_app(
        scene.settings,
        http=OutgoingHTTP(transport=HostRouter({})),
        clock=scene.clock,
        resolver=DictResolver(status_lists=scene.lists),
    )
    return TestClient(app, base_url="http://localhost:8003")


def test_refusals_look_the_same_over_http(scene: Scene, made: MadeRequest, client: TestClient) -> None:
    """Status, headers and body of every refusal are equal, byte for byte."""
    answers = [client.post("/withdrawals", content=act(scene, made, **wrong), headers=JWT) for wrong in SAME_ANSWER]
    hand_in = [
        client.post("/receipts", content=submission(scene, made, receipt_for(scene, made), **wrong), headers=JWT)
        for wrong in SAME_ANSWER
    ]
    told = {(one.status_code, one.content, tuple(sorted(one.headers.items()))) for one in answers + hand_in}

    assert len(told) == 1
    assert answers[0].status_code == 404


def test_only_a_jwt_of_bounded_size_is_read(scene: Scene, made: MadeRequest, client: TestClient) -> None:
    """415 for another media type, 413 for a large body, and nothing by GET, where it would stand in logs."""
    body = act(scene, made)
    assert client.post("/withdrawals", content=body).status_code == 415
    assert client.post("/withdrawals", content=body, headers={"Content-Type": "application/json"}).status_code == 415
    assert client.post("/withdrawals", content=b"x" * (MAX_ACT_BYTES + 1), headers=JWT).status_code == 413
    assert client.get("/withdrawals").status_code == 404
    assert client.get(f"/withdrawals?{body.decode()}").status_code == 404
    assert_untouched(scene, made)


def test_there_is_a_bound_on_what_is_refused(scene: Scene, made: MadeRequest, client: TestClient) -> None:
    """An address that guesses without end is told to wait, at all three endpoints, and for a minute."""
    bound = scene.verifier.settings.failed_messages_per_minute
    ways = ["/withdrawals", "/receipts", "/permissions"]
    found = [client.post(ways[n % 3], content=b"x", headers=JWT).status_code for n in range(bound + 3)]

    assert found == [400] * bound + [429] * 3
    refused = client.post("/withdrawals", content=act(scene, made), headers=JWT)
    assert (refused.status_code, int(refused.headers["Retry-After"]) in range(1, 61)) == (429, True)
    assert_untouched(scene, made)
    scene.pass_time(minutes=1)
    assert client.post("/withdrawals", content=act(scene, made), headers=JWT).status_code == 200


def test_all_people_of_a_wallet_service_are_heard_and_one_is_not_heard_without_end(
    scene: Scene, made: MadeRequest, client: TestClient
) -> None:
    """They come from one address: what is accepted is not counted with what is refused. A key of somebody who shared is
    bounded for itself, so that nobody fills the log, and takes the address of nobody."""

    def say(share: MadeRequest) -> int:
        return client.post("/withdrawals", content=act(scene, share, "status"), headers=JWT).status_code

    assert [say(made) for _ in range(PER_KEY_AND_MINUTE + 5)] == [200] * PER_KEY_AND_MINUTE + [429] * 5
    scene.holder = generate_signer()
    scene.certificate = scene.issuer.issue(MICRO_CLAIMS, holder=scene.holder)
    others = scene.ask()
    scene.answer(others, optional=True)
    assert {say(others) for _ in range(PER_KEY_AND_MINUTE)} == {200}


# ---------------------------------------------------------------------------------------------------------------------
# Counter-signing


def test_a_receipt_of_something_else_is_not_countersigned(scene: Scene, made: MadeRequest) -> None:
    """Another recipient, other items, another day, a refusal, a changed or unsigned receipt."""
    acted = {"principal": "Somebody", "agent": "Somebody Else"}
    good, terms = receipt_for(scene, made), terms_of(made)
    both = {"sv": "x", "en": "x"}
    item = {
        "name": both,
        "certificate": both,
        "certificate_type": "urn:intyga:credential:micro-credential:1",
        "issuer": "x",
        "required": True,
        "approved_separately": False,
        "commitment": "c",
    }
    controller = {"name": both, "identifier": "x509_hash:other", "level": "certificate", "host": "x"}
    wrong = [
        receipt_for(scene, made, controller=controller | {"supervisory_authority": "IMY"}),
        receipt_for(scene, made, items=[item | {"path": ["birthdate"]}]),
        receipt_for(scene, made, items=[item | {"path": ["family_name"], "certificate_type": "urn:other"}]),
        receipt_for(scene, made, retention={"until": "2030-01-01"}),
        receipt_for(scene, made, retention=None),
        receipt_for(scene, made, events=[{"type": "refused", "at": START.isoformat(), "actor": "holder"}]),
        receipt_for(scene, made, further="member"),
        receipt_for(scene, made, asked_retention={"until": "2030-01-01"}),
        receipt_for(scene, made, record_id="r" * 201),
        receipt_for(scene, made, acting_for={**acted, "power_issuer": "Nobody", "power_ends_on": "2099-01-01"}),
        receipt_for(
            scene,
            made,
            events=[
                {"type": "approved", "at": START.isoformat(), "actor": "holder"},
                {"type": "deletion_stated", "at": START.isoformat(), "actor": "recipient"},
            ],
        ),
        receipt_for(scene, made, items=[]),
        receipt_for(scene, made, items=[item | {"path": ["family_name"]}]),  # and not when it was issued
        receipt_for(scene, made, events=[]),
        receipt_for(scene, made, purposes=[terms["purposes"][0] | {"text": both}]),
        receipt_for(scene, made, purposes=[terms["purposes"][0] | {"basis": "consent"}]),
        receipt_for(scene, made, purposes=[terms["purposes"][0] | {"basis_detail": both}]),
        receipt_for(scene, made, purposes=terms["purposes"] * 2),
        receipt_for(scene, made, recipients=[both]),
        receipt_for(scene, made, processors=[both]),
        receipt_for(scene, made, processors=[]),  # "nobody", where nothing was said
        receipt_for(scene, made, countries=["US"]),
        receipt_for(scene, made, automated_decisions=True),
        receipt_for(scene, made, rights={"withdraw_contact": "somebody@else.example"}),
        receipt_for(
            scene,
            made,
            standing_permission={"until": "2099-01-01", "every_days": 1, "purpose": both, "items": [0]},
        ),
        good.rpartition(".")[0] + ".AAAA",
        "not a receipt",
    ]
    for receipt in wrong:
        with pytest.raises(ProtocolError) as refused:
            asyncio.run(scene.verifier.deletions.countersign(submission(scene, made, receipt)))
        assert refused.value.error == "receipt_mismatch"
    assert asyncio.run(scene.verifier.deletions.countersign(submission(scene, made, good)))


def test_a_receipt_is_countersigned_for_the_one_who_shared_only(scene: Scene, made: MadeRequest) -> None:
    """Whoever found a receipt gets no signature for it, and learns nothing."""
    receipt = receipt_for(scene, made)
    with pytest.raises(NoSuchShare):
        asyncio.run(scene.verifier.deletions.countersign(submission(scene, made, receipt, signer=generate_signer())))
    body = submission(scene, made, receipt)
    asyncio.run(scene.verifier.deletions.countersign(body))
    with pytest.raises(Replayed):
        asyncio.run(scene.verifier.deletions.countersign(body))


def test_an_unsigned_verifier_names_no_endpoint(tmp_path: Path) -> None:
    """Without a signing key there can be no statement, so that none is promised."""
    scene = Scene(tmp_path, client_id_prefix="redirect_uri")
    notice = scene.fetch(scene.ask())["verifier_info"][0]["data"]

    assert "endpoint" not in notice["withdraw"]
    assert "receipt_endpoint" not in notice
