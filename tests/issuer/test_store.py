"""What the issuer keeps, for how long, and what staff can do with it."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from issuer.offers import CannotOfferAgain, NoSuchOffer, new_id
from issuer.recognition import features_of_learner
from issuer.status import NoSuchCertificate, Status
from issuer.store import results
from issuer.store.results import ImportAbandoned, ImportDraft, NoSuchResult
from proofs.keys import generate_signer
from service.database import StorageUnavailable
from tests.issuer.desk import Desk, achievement

T = TypeVar("T")


def _kept(desk: Desk) -> bytes:
    """Everything in the data directory's database, as bytes."""
    return b"".join(path.read_bytes() for path in sorted(desk.settings.data.glob("issuer.sqlite3*")))


def test_the_database_file_holds_no_code_token_signature_salt_or_holder_key(desk: Desk) -> None:
    """Whoever steals the database can collect nothing with it, and cannot recognise a wallet's keys."""
    offer = desk.offer(with_tx_code=True)
    links = desk.links(offer)
    token, key, nonce = desk.token(offer), generate_signer(), desk.nonce()
    request = desk.request(proofs=desk.proofs([key], nonce=nonce))
    (copy,) = desk.ask_credential(token, request).json()["credentials"]
    signature = copy["credential"].partition("~")[0].rpartition(".")[2]
    salted = copy["credential"].split("~")[1]
    code = (links.typed or "").rpartition("/")[2].replace("-", "")

    kept = _kept(desk)

    for secret in (
        desk.code_of(offer),
        links.uri.rpartition("/")[2],
        links.tx_code,
        code,
        token,
        nonce,
        signature,
        salted,
    ):
        assert secret is not None
        assert secret.encode() not in kept
    for value in (key.public_jwk["x"], key.public_jwk["y"], key.kid):
        assert value.encode() not in kept
    assert "Datasäkerhet".encode() in kept, "the search itself works"


def test_states_follow_from_what_happens_and_from_time(desk: Desk) -> None:
    """Offered, opened, redeemed, expired when not collected in time, offered again, collected, final."""
    offer = desk.offer()
    assert desk.state_of(offer) == "offered"
    desk.client.get(desk.links(offer).uri)
    assert desk.state_of(offer) == "opened"
    desk.token(offer)
    assert desk.state_of(offer) == "redeemed"
    desk.clock.advance(minutes=5)
    assert desk.state_of(offer) == "expired"
    desk.context.store.grants.sweep(now=desk.clock())
    assert desk.context.store.offers.claims(offer.id) is not None, "it can be offered again"
    again = desk.context.store.offers.offer_again(offer.id, now=desk.clock())
    desk.collect(again)
    assert desk.state_of(offer) == "collected"
    store = desk.context.store.offers
    for change in (store.void, store.offer_again):
        with pytest.raises(CannotOfferAgain):
            change(offer.id, now=desk.clock())
    desk.clock.advance(days=400)
    assert desk.state_of(offer) == "collected"


def test_claims_of_offers_that_nobody_collected_are_erased_after_thirty_days(desk: Desk) -> None:
    """Seven days to collect, thirty more to offer again, then the personal values are gone."""
    offer, voided = desk.offer(), desk.offer()
    store = desk.context.store
    store.offers.void(voided.id, now=desk.clock())
    desk.clock.advance(days=36)
    store.grants.sweep(now=desk.clock())
    assert store.offers.claims(offer.id) is not None
    desk.clock.advance(days=1)
    store.grants.sweep(now=desk.clock())
    assert store.offers.claims(offer.id) is None
    assert store.offers.claims(voided.id) is None
    with pytest.raises(CannotOfferAgain, match="erased"):
        store.offers.offer_again(offer.id, now=desk.clock())


def test_spent_nonces_are_forgotten_when_they_have_expired(desk: Desk) -> None:
    """The table of spent nonces does not grow for ever."""
    desk.collect(desk.offer())
    desk.clock.advance(minutes=5)
    desk.context.store.grants.sweep(now=desk.clock())
    with desk.context.store.database.reading() as connection:
        assert connection.exec_driver_sql("select count(*) from spent").scalar_one() == 0


def test_offers_and_certificates_are_listed_newest_first(desk: Desk) -> None:
    """The lists of staff, with titles in both languages and the person's name, but without claims."""
    first, second = desk.offer(), desk.offer("course-results", records=[achievement("A"), achievement("B")])
    desk.collect(first)
    store = desk.context.store
    assert [offer.id for offer in store.offers.list_offers(now=desk.clock())] == [second.id, first.id]
    assert len(store.offers.list_offers(now=desk.clock(), limit=1, offset=1)) == 1
    (certificate,) = store.status.list_issued()
    assert (certificate.id, certificate.recipient, certificate.copies) == (first.id, "Elin Sjöberg", 1)
    assert certificate.title["en"] == "Computer Security for Health Care"
    assert certificate.valid_until - certificate.valid_from == timedelta(days=3650)
    assert store.status.get(first.id) == certificate


def test_what_is_not_there_is_said_to_be_not_there(desk: Desk) -> None:
    """Unknown identifiers, and offers that are no certificates yet."""
    store = desk.context.store
    for call in (store.offers.get, store.offers.void, store.offers.offer_again, store.offers.new_typeable_code):
        with pytest.raises(NoSuchOffer):
            call("nobody", now=desk.clock())
    with pytest.raises(NoSuchCertificate):
        desk.change(desk.offer(), Status.REVOKED)
    with pytest.raises(NoSuchOffer):
        store.offers.claims("nobody")


def test_imports_are_kept_whole_and_can_be_erased(desk: Desk) -> None:
    """Results keep their order, are found again by the file's digest, and an offer remembers where it came from."""
    store = desk.context.store.results
    draft = ImportDraft("results.csv", "csv", "ab" * 32, ({"code": "latin_1"},), (achievement("A"), achievement("B")))
    kept = store.save_import(draft, now=desk.clock())
    assert (kept.result_count, kept.warnings) == (2, ({"code": "latin_1"},))
    assert store.find_file("ab" * 32) == kept
    found = store.list_results(kept.id)
    assert [result.record for result in found] == list(draft.records)
    assert store.get_results([found[1].id, found[0].id])[0] == found[1]
    assert store.list_results() == found
    store.delete_import(kept.id)
    assert store.list_imports() == []
    for missing in (lambda: store.get_results([found[0].id]), lambda: store.delete_import(kept.id)):
        with pytest.raises(NoSuchResult):
            missing()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of one record."""
    monkeypatch.setattr(results, "RESULTS_AT_ONCE", 1)


def rows_of(desk: Desk, table: str) -> int:
    """How many rows rest, seen or not."""
    with desk.context.store.database.reading() as connection:
        return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


def three(code: str = "A") -> ImportDraft:
    return ImportDraft("r.csv", "csv", code * 64, (), tuple(achievement(f"{code}{number}") for number in range(3)))


def test_nothing_of_a_file_is_seen_before_all_of_it_is_there(desk: Desk, one_by_one: None) -> None:
    """Between two batches the database is free, and neither the list nor a person who signs in finds a record."""
    store, seen = desk.context.store.results, list[tuple[int, int]]()
    features = features_of_learner(achievement().learner, on=desk.clock().date())

    def look(seconds: float) -> None:
        found = [*store.list_imports(), *store.list_results(), *store.of_learner(features, on=desk.clock().date())]
        seen.append((rows_of(desk, "results"), len(found)))
        with desk.context.store.database.transaction():
            pass  # `Busy` would be raised if the run held the lock.

    kept = store.save_import(three(), now=desk.clock(), rest=look)

    assert seen == [(1, 0), (2, 0), (3, 0)]
    assert len(store.list_results(kept.id)) == len(store.of_learner(features, on=desk.clock().date())) == 3


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_file_that_could_not_be_written_leaves_nothing(desk: Desk, one_by_one: None, batches: int) -> None:
    """The disk fails in the middle: what was written is erased, and the same file can be kept afterwards."""
    store, done = desk.context.store.results, list[int]()

    def failing(work: Callable[[], T]) -> T:
        if len(done) == batches:
            raise StorageUnavailable
        done.append(1)
        return work()

    with pytest.raises(StorageUnavailable):
        store.save_import(three(), now=desk.clock(), patiently=failing)

    assert (rows_of(desk, "results"), rows_of(desk, "learner_keys"), store.list_imports()) == (0, 0, [])
    assert store.save_import(three(), now=desk.clock()).result_count == 3


def test_what_a_kill_left_of_a_file_is_erased_after_an_hour_and_nothing_else(desk: Desk, one_by_one: None) -> None:
    """A run that may still go on is left alone; one that went on for longer than that keeps nothing."""
    store = desk.context.store.results
    whole = store.save_import(three("B"), now=desk.clock())

    def sweep_later(seconds: float) -> None:
        assert store.sweep(now=desk.clock(), rest=lambda _: None) == 0, "it is under way"
        swept.append(store.sweep(now=desk.clock() + timedelta(hours=2), rest=lambda _: None))

    swept = list[int]()
    with pytest.raises(ImportAbandoned):
        store.save_import(three(), now=desk.clock(), rest=sweep_later)

    assert swept == [1, 1, 1]
    assert store.list_imports() == [whole]
    assert rows_of(desk, "results") == 3


def test_an_identifier_is_never_taken_for_an_option_of_a_command() -> None:
    """`intyga-issuer revoke -zNZw7U_KTTmPSWR` would be no use to anybody."""
    assert not [made for made in (new_id() for _ in range(1_000)) if made.startswith("-") or len(made) != 16]
