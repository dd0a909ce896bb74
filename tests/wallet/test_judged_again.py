"""CS-19: a request is judged again from its stored bytes, with the same result; what was changed since is noticed."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs import jose, strict_json
from proofs.trust import TrustList
from schemas.errors import NotFound, ProtocolError
from service.i18n import load_catalogues
from tests.over_asking.signed import Senders
from tests.over_asking.vectors import ASKED_AT, load, past_of_case, shown_of_case
from tests.wallet.fake_verifier import FakeVerifier, credential, known_verifier, notice, query, with_optional
from tests.wallet.people import Sharer
from tests.wallet.test_passkeys import tamper, the_ring
from tests.wallet.test_portability import export, import_into
from tests.world import PASSPHRASE, World
from wallet.archive import ExportBroken, read_archive, write_archive
from wallet.histories import Histories
from wallet.my_data import holdings
from wallet.over_asking import (
    Past,
    PolicyOutcome,
    ReadFrom,
    ShownCertificate,
    WarningKind,
    gather,
    judged_facts,
    replay,
)
from wallet.pages.export_files import readable_files
from wallet.pages.history_export import history_csv, history_json
from wallet.pages.history_pdf import history_document
from wallet.pages.history_view import entry_view
from wallet.receipts import receipt_file
from wallet.requests import (
    MAX_KEPT_BYTES,
    MAX_KEPT_BYTES_TOGETHER,
    FetchedRequest,
    KeptRequestChanged,
    check_request,
    checked_again,
    content_digest,
    kept_content,
)
from wallet.store.kept_requests import keep_request, kept_request, list_kept_requests
from wallet.store.opening import UPGRADES, open_database

pytestmark = pytest.mark.anyio

TOMORROW = ASKED_AT + timedelta(days=1)


@pytest.fixture(scope="module")
def senders(tmp_path_factory: pytest.TempPathFactory) -> Senders:
    """Some who ask."""
    return Senders(tmp_path_factory.mktemp("senders"))


def judged(
    fetched: FetchedRequest, trust: TrustList, *, past: Past, shown: list[ShownCertificate]
) -> tuple[dict[str, Any], bytes]:
    """What is logged of a request when it arrives, as it rests, and the bytes that are kept of it."""
    checked = check_request(fetched, trust=trust, now=ASKED_AT)
    logged = judged_facts(checked, gather(checked, past=past, shown=shown))
    rested: dict[str, Any] = strict_json.loads_object(strict_json.dumps(logged))
    return rested, kept_content(checked.fetched)


# --- the same result ------------------------------------------------------------------------------------------------


def test_every_request_of_the_labelled_set_is_judged_again_from_its_bytes(senders: Senders) -> None:
    """Read, checked and judged once more, without the trust list of then: the same facts and the same rules."""
    fired: set[str] = set()
    for case in load():
        fetched, trust = senders.request(case)
        logged, content = judged(fetched, trust, past=past_of_case(case), shown=[shown_of_case(case)])

        again = replay(logged, content)

        assert again is not None, case["id"]
        assert (again.is_same, again.read_from) == (True, ReadFrom.REQUEST), case["id"]
        fired |= set(again.now)
    assert {f"OA-{number:02}" for number in range(1, 15)} <= fired
    assert {"WHO-1", "REG-1"} <= fired


_PURPOSES = st.sampled_from(["Vi kontrollerar din ansökan.", "Service", "Anonymous statistics of courses", "x" * 200])
_NAMES = st.sampled_from(["family_name", "birthdate", "personal_administrative_number", "credits", "åäö \u202e", "a.b"])
_CLAIMS = st.lists(
    st.fixed_dictionaries(
        {"path": st.lists(_NAMES, min_size=1, max_size=3)},
        optional={"values": st.lists(st.text(max_size=8), min_size=1, max_size=2, unique=True)},
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: tuple(one["path"]),
)
_NOTICES = st.none() | st.fixed_dictionaries(
    {
        "purpose": st.builds(lambda text: {"sv": text}, _PURPOSES),
        "basis": st.sampled_from(["consent", "legitimate_interest", "legal_obligation"]),
        "retention": st.builds(lambda days: {"days": days}, st.integers(1, 9000)),
    }
)
_PASTS = st.builds(Past, is_first_contact=st.booleans(), was_refused=st.booleans(), overdue_deletions=st.integers(0, 2))
_SHOWN = st.lists(
    st.builds(
        ShownCertificate,
        id=st.just("held"),
        bound=st.booleans(),
        issuer_trusted=st.booleans(),
        status=st.sampled_from(["valid", "unknown"]),
        policy=st.sampled_from(list(PolicyOutcome)),
    ),
    max_size=2,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    claims=_CLAIMS,
    said=_NOTICES,
    past=_PASTS,
    shown=_SHOWN,
    who=st.sampled_from(["old", "young", "named", "stranger"]),
    status=st.sampled_from(["", "valid", "revoked", "unknown"]),
    is_registered=st.booleans(),
)
def test_any_request_is_judged_again_with_the_same_result(
    senders: Senders,
    claims: list[dict[str, Any]],
    said: dict[str, Any] | None,
    past: Past,
    shown: list[ShownCertificate],
    who: str,
    status: str,
    is_registered: bool,
) -> None:
    """Whatever is asked by whomever; a request that is refused is not judged at all, then or again."""
    senders.asked += 1
    fetched, trust = senders.signed(
        getattr(senders, who),
        dcql_query={"credentials": [{**credential(), "claims": claims}]},
        response_uri="https://old.example/response",
        notice=None if said is None else notice(**said),
        registered=[{"format": "dc+sd-jwt", "meta": {}, "claim": [{"path": ["credits"]}]}] if is_registered else None,
        registration_status=status,
    )
    try:
        logged, content = judged(fetched, trust, past=past, shown=shown)
    except ProtocolError:
        content = kept_content(fetched)
        with pytest.raises(KeptRequestChanged):
            checked_again(content, expected_digest=content_digest(content), checked_at=ASKED_AT, vouched_by=())
        return

    again = replay(logged, content)

    assert again is not None
    assert (again.is_same, again.read_from) == (True, ReadFrom.REQUEST)


# --- what was changed -----------------------------------------------------------------------------------------------


def test_any_changed_byte_of_a_kept_request_is_noticed(senders: Senders) -> None:
    """Each byte of what is kept is one of what was judged; then the facts alone are judged, and it is told."""
    case = load()[0]
    fetched, trust = senders.request(case)
    logged, content = judged(fetched, trust, past=Past(), shown=[])

    for place in range(0, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 1
        again = replay(logged, bytes(changed))
        assert again is not None
        assert (again.is_same, again.read_from) == (False, ReadFrom.CHANGED), place
        assert again.then == again.now


def test_another_log_does_not_go_with_the_bytes(senders: Senders) -> None:
    """What stands in the history follows from the request: other facts, another time or other trust come to another."""
    fetched, trust = senders.signed(
        senders.old, dcql_query=query(["family_name"]), response_uri="https://old.example/r", notice=notice(),
        registered=None,
    )  # fmt: skip
    logged, content = judged(fetched, trust, past=Past(), shown=[])
    about = logged["rules_request"]

    for change, read_from in (
        ({"rules_facts": {**logged["rules_facts"], "retention_days": 9000}}, ReadFrom.REQUEST),
        ({"rules_facts": {**logged["rules_facts"], "level": "unproven"}}, ReadFrom.REQUEST),
        ({"rules_fired": ["OA-05"]}, ReadFrom.REQUEST),
        ({"rules_request": {**about, "vouched_by": []}}, ReadFrom.REQUEST),
        ({"rules_request": {**about, "checked_at": TOMORROW.timestamp()}}, ReadFrom.CHANGED),
        ({"rules_request": {**about, "checked_at": "now"}}, ReadFrom.CHANGED),
        ({"rules_request": {**about, "vouched_by": [5]}}, ReadFrom.CHANGED),
        ({"rules_request": {}}, ReadFrom.CHANGED),
        ({"rules_request": "something else"}, ReadFrom.CHANGED),
        ({"rules_request": {**about, "vouched_by": None}}, ReadFrom.CHANGED),
        ({"rules_fired": 5}, ReadFrom.REQUEST),
        ({"rules_facts": None}, ReadFrom.CHANGED),
    ):
        again = replay({**logged, **change}, content)
        assert again is not None
        assert (again.is_same, again.read_from) == (False, read_from), change


# --- in a vault -----------------------------------------------------------------------------------------------------


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    return known_verifier(world)


async def test_a_decision_is_judged_again_although_trust_was_withdrawn_and_the_request_has_ended(
    world: World, employer: FakeVerifier
) -> None:
    """What the wallet knew then stands beside what was logged; today's trust and today's time do not matter."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(share_id)
    with world.wallet.deployment.database.transaction() as connection:
        for source in world.wallet.deployment.trust_store.sources(connection):
            world.wallet.deployment.trust_store.remove(connection, source.id)
    world.clock.move(days=400)

    asked, approved = Histories(world.wallet.deployment).judged_again(sharer.vault, share_id)

    assert (asked.event.kind.value, approved.event.kind.value) == ("asked", "approved")
    assert [one.again.is_same for one in (asked, approved)] == [True, True]
    assert [one.again.read_from for one in (asked, approved)] == [ReadFrom.REQUEST, ReadFrom.REQUEST]
    with pytest.raises(NotFound):
        Histories(world.wallet.deployment).judged_again(sharer.vault, "0" * 32)


async def test_a_kept_request_that_was_changed_or_exchanged_at_rest_is_noticed(
    world: World, employer: FakeVerifier
) -> None:
    """A flipped byte, and the row of another request of the same vault."""
    sharer = await Sharer.with_certificate(world)
    first, second = [
        await sharer.begin(employer.ask(query([name]), notice=notice()).link()) for name in ("family_name", "credits")
    ]
    database = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")
    database.execute(
        "UPDATE kept_request SET sealed_request = (SELECT sealed_request FROM kept_request WHERE entry_id = ?)"
        " WHERE entry_id = ?",
        (second, first),
    )
    database.execute("UPDATE kept_request SET sealed_request = zeroblob(900) WHERE entry_id = ?", (second,))
    database.commit()
    database.close()

    told = {one.entry.id: one.again for one in Histories(world.wallet.deployment).judged_again(sharer.vault)}

    assert {entry: again.read_from for entry, again in told.items()} == {
        first: ReadFrom.CHANGED,
        second: ReadFrom.CHANGED,
    }
    assert not any(again.is_same for again in told.values())


async def test_deleting_an_entry_deletes_its_request(world: World, employer: FakeVerifier) -> None:
    """Nothing is left of it, sealed or not; the requests of others stay."""
    sharer = await Sharer.with_certificate(world)
    kept = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    gone = await sharer.begin(employer.ask(query(["credits"]), notice=notice()).link())
    await sharer.refuse(gone)

    Histories(world.wallet.deployment).delete(sharer.vault, gone)

    with world.wallet.deployment.database.reading() as connection:
        assert set(list_kept_requests(connection, sharer.vault)) == {kept}


async def test_the_wallet_in_a_file_brings_requests_along_and_an_earlier_file_has_none(
    world: World, employer: FakeVerifier
) -> None:
    """Judged again from the bytes in the other wallet; without them from the facts, as for entries of before."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(share_id)
    file = await export(world, sharer.vault, passphrase=None)
    files = read_archive(file)
    otto, maria, eva = [await Sharer.named(world, name) for name in ("Otto", "Maria", "Eva")]

    await import_into(world, otto.vault, file)
    await import_into(world, otto.vault, file)
    earlier = {name: content for name, content in files.items() if name != "requests.json"}
    await import_into(world, maria.vault, write_archive(earlier, made_at=world.clock()))
    changed = {**files, "requests.json": files["requests.json"].replace(b"eyJ", b"eyK", 1)}
    with pytest.raises(ExportBroken):
        await import_into(world, eva.vault, write_archive(changed, made_at=world.clock()))

    histories = Histories(world.wallet.deployment)
    for person, read_from in ((otto, ReadFrom.REQUEST), (maria, ReadFrom.FACTS)):
        told = histories.judged_again(person.vault, share_id)
        assert [(one.again.is_same, one.again.read_from) for one in told] == [(True, read_from)] * 2
    assert histories.read(eva.vault).entries == ()


async def test_under_another_key_requests_are_judged_as_before(world: World, employer: FakeVerifier) -> None:
    """The change of the vault's key seals them anew; one that was damaged does not stop it, and stays noticed."""
    sharer = await Sharer.with_certificate(world)
    first, second = [
        await sharer.begin(employer.ask(query([name]), notice=notice()).link()) for name in ("family_name", "credits")
    ]
    tamper(world, f"UPDATE kept_request SET sealed_request = zeroblob(90) WHERE entry_id = '{second}'")

    rekeyed = await the_ring(world).change_key(await world.wallet.person("Maja"), PASSPHRASE)

    told = {one.entry.id: one.again for one in Histories(world.wallet.deployment).judged_again(rekeyed.vault)}
    assert (told[first].is_same, told[first].read_from) == (True, ReadFrom.REQUEST)
    assert (told[second].is_same, told[second].read_from) == (False, ReadFrom.CHANGED)


async def test_a_vault_of_schema_4_keeps_requests_from_now_on(world: World, employer: FakeVerifier) -> None:
    """An earlier database gets the table when it is opened; its entries are judged from their facts."""
    sharer = await Sharer.with_certificate(world)
    before = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    tamper(world, "DROP TABLE kept_request")
    (step,) = [one for one in UPGRADES if one.version == 4]
    tamper(world, f"UPDATE intyga_schema SET version = 4, identity = '{step.identity}'")

    open_database(world.wallet.settings.data)
    after = await sharer.begin(employer.ask(query(["credits"]), notice=notice()).link())

    told = {one.entry.id: one.again for one in Histories(world.wallet.deployment).judged_again(sharer.vault)}
    assert {entry: (again.is_same, again.read_from) for entry, again in told.items()} == {
        before: (True, ReadFrom.FACTS),
        after: (True, ReadFrom.REQUEST),
    }


# --- attacks --------------------------------------------------------------------------------------------------------


async def test_huge_requests_push_out_one_another_and_never_the_usual_ones(
    world: World, employer: FakeVerifier
) -> None:
    """What a vault keeps of requests is bounded, whoever sends how much; the largest go first, and one beyond all
    bounds is not kept."""
    sharer = await Sharer.with_certificate(world)
    usual = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    each = MAX_KEPT_BYTES - 100
    database = world.wallet.deployment.database

    with database.transaction() as connection:
        for number in range(MAX_KEPT_BYTES_TOGETHER // each + 5):
            keep_request(connection, sharer.vault, f"{number:032}", b"x" * each)
        keep_request(connection, sharer.vault, "f" * 32, b"x" * (MAX_KEPT_BYTES + 1))

    with database.reading() as connection:
        kept = list_kept_requests(connection, sharer.vault)
        assert kept_request(connection, sharer.vault, "f" * 32) is None
    assert usual in kept
    assert sum(len(one) for one in kept.values()) <= MAX_KEPT_BYTES_TOGETHER
    (judged_again,) = Histories(world.wallet.deployment).judged_again(sharer.vault, usual)
    assert judged_again.again.read_from is ReadFrom.REQUEST


def test_whatever_can_be_put_before_a_person_can_be_kept(senders: Senders) -> None:
    """The bound of one kept request lies above that of what is read, so that nobody evades it by padding."""
    fetched, _ = senders.request(load()[0])
    padded = replace(fetched, request_object="e" * 500_000, did_document='"' * 100_000)

    assert len(kept_content(padded)) <= MAX_KEPT_BYTES


@pytest.mark.parametrize("answer", ["approve", "refuse"])
async def test_a_value_that_a_request_guesses_goes_nowhere_but_into_its_sealed_bytes(
    world: World, employer: FakeVerifier, answer: str
) -> None:
    """OA-09: a sender's guess is its word. No receipt, page, export or event says it, as if it were of the person."""
    guess = "Gissningsson-4711"
    sharer = await Sharer.with_certificate(world)
    guessed = {"path": ["given_name"], "values": [guess]}
    required, optional = credential(["family_name"]), {**credential(query_id="guess"), "claims": [guessed]}
    asked = employer.ask(with_optional(required, optional), notice=notice())
    share_id = await sharer.begin(asked.link())
    sharer.go_on(share_id, WarningKind.GUESSES_VALUES)
    await getattr(sharer, answer)(share_id)
    wallet, t = world.wallet.deployment, load_catalogues().translator("en")
    book = Histories(wallet).read(sharer.vault)

    with wallet.database.reading() as connection:
        assert guess.encode() in strict_json.dumps(kept_of(kept_request(connection, sharer.vault, share_id)))
    entry = book.entry(share_id)
    told = [
        *(strict_json.dumps(event.as_json()) for event in entry.events),
        strict_json.dumps(receipt_file(entry)),
        history_json(book, t, zone="Europe/Stockholm", now=world.clock()),
        history_csv(book, t, zone="Europe/Stockholm", now=world.clock()),
        repr(history_document(book, t, part=1, now=world.clock())).encode(),
        repr(entry_view(entry, t, now=world.clock(), titles={})).encode(),
        repr(holdings(sharer.vault.certificates(), book.entries, language="en")).encode(),
        *readable_files(sharer.vault.certificates(), book, t, now=world.clock()).values(),
    ]
    assert "OA-09" in entry.facts["rules_fired"]
    assert not [text for text in told if guess.encode() in text]
    at_rest = world.wallet.settings.data.glob("wallet.sqlite3*")
    assert guess.encode() not in b"".join(path.read_bytes() for path in at_rest)


def kept_of(content: bytes | None) -> dict[str, Any]:
    """The parameters of a kept request object."""
    fetched = FetchedRequest.from_json(strict_json.loads_object(content or b""))
    return strict_json.loads_object(jose.parse_jws(fetched.request_object).payload)
