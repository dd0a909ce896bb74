"""Attacks on and accidents of the status list (edge case T-08, durability D11, D12)."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from issuer.issuance import random_indexes
from issuer.status import NoSuchCertificate, RevocationIsFinal, Status
from issuer.store.high_water import HighWaterMark
from issuer.store.status import StatusStore
from proofs import strict_json
from proofs.certificates import verify_chain
from proofs.jose import check_jws, parse_jws
from proofs.keys import generate_signer
from proofs.status_list import decode_status_list, status_at
from tests.issuer.desk import Desk, assert_refused, running_desk, slot_of


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer under a path prefix, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened


def test_revoking_changes_all_copies_at_once_and_is_seen_at_once(desk: Desk) -> None:
    """All copies of a certificate are revoked together, in the very next list that is served, and nothing else is."""
    offer, other = desk.offer(), desk.offer()
    copies = desk.collect(offer, [generate_signer() for _ in range(5)])
    (untouched,) = desk.collect(other)
    before = desk.status_token().headers["etag"]

    desk.change(offer, Status.REVOKED)

    assert [desk.read_status(copy) for copy in copies] == [1] * 5
    assert desk.read_status(untouched) == 0
    assert desk.status_token().headers["etag"] != before


def test_suspending_can_be_undone_and_revoking_cannot(desk: Desk) -> None:
    """Suspended is 2 and ends by reinstating; revoked is for ever, and revoking twice is harmless."""
    offer = desk.offer()
    (copy,) = desk.collect(offer)
    for status, shown in ((Status.SUSPENDED, 2), (Status.SUSPENDED, 2), (Status.VALID, 0), (Status.REVOKED, 1)):
        desk.change(offer, status)
        assert desk.read_status(copy) == shown
    desk.change(offer, Status.REVOKED)
    for status in (Status.VALID, Status.SUSPENDED):
        with pytest.raises(RevocationIsFinal):
            desk.change(offer, status)
    assert desk.read_status(copy) == 1


def test_what_nobody_collected_cannot_be_revoked_but_voided(desk: Desk) -> None:
    """Staff who take an open offer for a certificate are told what to do."""
    offer = desk.offer()
    with pytest.raises(NoSuchCertificate, match="void"):
        desk.change(offer, Status.REVOKED)
    with pytest.raises(NoSuchCertificate):
        desk.change("unknown", Status.REVOKED)


def test_changing_many_is_all_or_nothing(desk: Desk) -> None:
    """When one of several certificates cannot be changed, none is."""
    first, second = desk.offer(), desk.offer()
    (copy,) = desk.collect(first)
    desk.collect(second)
    desk.change(second, Status.REVOKED)
    with pytest.raises(RevocationIsFinal):
        desk.context.store.status.change(
            [first.id, second.id], Status.SUSPENDED, publishing=desk.context.publishing, now=desk.clock()
        )
    assert desk.read_status(copy) == 0


def test_the_list_is_signed_by_the_issuers_certified_key(desk: Desk) -> None:
    """The token has its type, its address as sub, exp and ttl; x5c leads to the root, jwk and kid are the leaf's."""
    desk.collect(desk.offer())
    token = desk.status_token().text
    header = parse_jws(token).header
    root = desk.context.key.root_file
    assert root is not None
    leaf = verify_chain(header["x5c"], anchors=[_der(root)], now=desk.clock())
    checked = check_jws(token, key=leaf.public_jwk, typ="statuslist+jwt", algorithms=["ES256"])

    assert checked.claims["sub"] == desk.url("/status/1")
    assert checked.claims["ttl"] == 300
    assert checked.claims["exp"] == checked.claims["iat"] + 43_200
    assert checked.claims["status_list"]["bits"] == 2
    assert header["jwk"]["kid"] == header["kid"]
    assert {name: header["jwk"][name] for name in ("x", "y")} == {n: leaf.public_jwk[n] for n in ("x", "y")}


def test_an_unchanged_list_is_served_from_what_was_signed_until_half_its_life(desk: Desk) -> None:
    """The same bytes are served as long as nothing changes; a list is signed anew long before it expires."""
    desk.collect(desk.offer())
    first = desk.status_token()
    assert desk.status_token().content == first.content
    again = desk.client.get(desk.url("/status/1"), headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    for named in (f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}', "*"):
        assert desk.client.get(desk.url("/status/1"), headers={"If-None-Match": named}).status_code == 304
    assert desk.client.get(desk.url("/status/1"), headers={"If-None-Match": '"other"'}).status_code == 200
    desk.clock.advance(hours=6)
    renewed = desk.status_token()
    assert renewed.content != first.content
    assert strict_json.loads_object(parse_jws(renewed.text).payload)["iat"] == int(desk.clock().timestamp())


def test_only_what_exists_is_served_in_the_form_that_exists(desk: Desk) -> None:
    """Unknown lists, other media types and past moments are refused with their own codes."""
    desk.collect(desk.offer())
    for path in ("/status/2", "/status/0", "/status/-1", "/status/x", "/status/9999999999999999999999"):
        assert_refused(desk.client.get(desk.url(path)), "not_found", 404)
    cwt = desk.client.get(desk.url("/status/1"), headers={"Accept": "application/statuslist+cwt"})
    assert_refused(cwt, "not_acceptable", 406)
    assert_refused(desk.client.get(desk.url("/status/1?time=1700000000")), "not_implemented", 501)
    jwt = "application/statuslist+jwt"
    for accept in ("", "*/*", "application/*;q=0.1", f"text/html, {jwt}", f"*/*;q=0, {jwt.upper()}", f"{jwt};q=0.001"):
        assert desk.client.get(desk.url("/status/1"), headers={"Accept": accept}).status_code == 200, accept
    for accept in ("*/*;q=0", "text/html", f"{jwt};q=0, */*", f"{jwt};q=0.000", f"{jwt}x"):
        assert desk.client.get(desk.url("/status/1"), headers={"Accept": accept}).status_code == 406, accept


def test_lists_are_compressed_for_readers_that_take_it(desk: Desk) -> None:
    """The list travels compressed where the reader says so, and as it is where not (section 8.2)."""
    desk.collect(desk.offer())
    url = desk.url("/status/1")
    plain = desk.client.get(url, headers={"Accept-Encoding": "identity"})
    packed = desk.client.get(url, headers={"Accept-Encoding": "br;q=1, gzip;q=0.8"})
    refused = desk.client.get(url, headers={"Accept-Encoding": "gzip;q=0, *"})
    assert [answer.headers.get("content-encoding") for answer in (plain, packed, refused)] == [None, "gzip", None]
    assert plain.content == packed.content == refused.content, "the client unpacks it"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept, Accept-Encoding"
    assert plain.headers["etag"] != packed.headers["etag"]
    for answer, encoding in ((plain, "identity"), (packed, "gzip")):
        headers = {"Accept-Encoding": encoding, "If-None-Match": answer.headers["etag"]}
        assert desk.client.get(url, headers=headers).status_code == 304


def test_t08_indexes_are_unpredictable_and_never_taken_twice(tmp_path: Path) -> None:
    """In a small list that fills up, every copy has an index of its own, spread over the list.

    Then a new list begins.
    """
    with running_desk(tmp_path, status_list_size=1000, allowance_batches=100, batch_size=100) as desk:
        offer = desk.offer()
        token = desk.token(offer)
        slots = []
        for _ in range(6):
            slots += [slot_of(c) for c in desk.collect(offer, [generate_signer() for _ in range(100)], token=token)]
        assert len(set(slots)) == 600
        by_list = {uri: [index for u, index in slots if u == uri] for uri, _ in slots}
        assert [len(indexes) for indexes in by_list.values()] == [500, 100], "a list is filled by half"
        assert all(min(indexes) < 100 and max(indexes) > 900 for indexes in by_list.values())
        desk.change(offer, Status.REVOKED)
        assert [desk.status_token(number).status_code for number in (1, 2, 3)] == [200, 200, 404]


def test_t08_random_indexes_are_distinct_and_in_range() -> None:
    """However many are wanted, no two are the same, and the whole range is used."""
    assert sorted(random_indexes(50, 50)) == list(range(50))
    assert random_indexes(1_000_000, 10) != random_indexes(1_000_000, 10)


def test_d11_a_damaged_list_is_not_served_but_made_again(desk: Desk) -> None:
    """A flipped bit in what is stored is noticed, and the list is made again from the certificates."""
    offer = desk.offer()
    (copy,) = desk.collect(offer)
    desk.change(offer, Status.REVOKED)
    good = desk.status_token().text
    with desk.context.store.database.transaction() as connection:
        (token,) = connection.exec_driver_sql("select token from published_lists").one()
        flipped = token[:-10] + bytes([token[-10] ^ 1]) + token[-9:]
        connection.exec_driver_sql("update published_lists set token = ?, expires_at = expires_at + 1", (flipped,))

    again = desk.status_token().text

    assert desk.read_status(copy) == 1
    lists = [strict_json.loads_object(parse_jws(token).payload)["status_list"] for token in (good, again)]
    assert lists[0] == lists[1], "made again byte by byte"


def test_d12_an_older_database_does_not_make_revoked_certificates_valid_again(tmp_path: Path) -> None:
    """After a restore from yesterday's copy the list is not served, rather than served without the revocation."""
    with running_desk(tmp_path) as desk:
        offer = desk.offer()
        (copy,) = desk.collect(offer)
        with desk.context.store.database.transaction() as connection:
            connection.exec_driver_sql("create table offers_of_yesterday as select * from offers")
            connection.exec_driver_sql("create table lists_of_yesterday as select * from status_lists")
        desk.change(offer, Status.REVOKED)
        assert desk.read_status(copy) == 1
        with desk.context.store.database.transaction() as connection:
            for table, saved in (("offers", "offers_of_yesterday"), ("status_lists", "lists_of_yesterday")):
                connection.exec_driver_sql(f"delete from {table}")
                connection.exec_driver_sql(f"insert into {table} select * from {saved}")
                connection.exec_driver_sql(f"drop table {saved}")
        assert_refused(desk.status_token(), "temporarily_unavailable", 503)
    with running_desk(tmp_path) as restarted:
        assert_refused(restarted.status_token(), "temporarily_unavailable", 503)
        restarted.change(offer, Status.REVOKED)
        assert restarted.read_status(copy) == 1, "repeating what happened since brings the list back"


def test_d13_after_a_restore_no_index_is_given_to_a_second_copy(tmp_path: Path) -> None:
    """Yesterday's database does not know what was taken since: a fresh list is begun, and filled as any other."""
    with running_desk(tmp_path, status_list_size=1000) as desk:
        desk.collect(desk.offer())
        file = desk.settings.database
        with sqlite3.connect(file) as database, sqlite3.connect(tmp_path / "yesterday") as copy:
            database.backup(copy)
        lost = [slot_of(copy) for _ in range(3) for copy in desk.collect(desk.offer())]
    with sqlite3.connect(tmp_path / "yesterday") as copy, sqlite3.connect(file) as database:
        copy.backup(database)
    with running_desk(tmp_path, status_list_size=1000) as restored:
        after = [slot_of(copy) for _ in range(3) for copy in restored.collect(restored.offer())]
        assert set(after).isdisjoint(lost)
        assert {uri for uri, _ in after}.isdisjoint({uri for uri, _ in lost}), "not even by chance"
        assert len({uri for uri, _ in after}) == 1, "one fresh list, and no more"


def test_d13_an_undamaged_database_begins_no_list(tmp_path: Path) -> None:
    """Starting again is no restore."""
    with running_desk(tmp_path) as desk:
        first = slot_of(desk.collect(desk.offer())[0])
    with running_desk(tmp_path) as again:
        assert slot_of(again.collect(again.offer())[0])[0] == first[0]


@pytest.mark.parametrize("content", [b"", b"\0" * 26])
def test_d13_a_mark_that_was_never_written_is_none(desk: Desk, content: bytes) -> None:
    """Killed, or without power, between making the file and writing it: issuing goes on."""
    (desk.settings.data / "status-slots.mark").write_bytes(content)
    assert len(desk.collect(desk.offer())) == 1


def test_d13_a_damaged_mark_of_slots_stops_issuing(desk: Desk) -> None:
    """Nobody can say then what was taken; it is not begun from nothing."""
    desk.collect(desk.offer())
    (desk.settings.data / "status-slots.mark").write_text("nonsense")
    offer = desk.offer()
    token = desk.token(offer)
    request = desk.request(proofs=desk.proofs([generate_signer()]))
    assert_refused(desk.ask_credential(token, request), "temporarily_unavailable", 503)


def test_d12_a_damaged_mark_is_not_taken_for_none(desk: Desk) -> None:
    """A file of marks that cannot be read stops serving, instead of starting again from nothing."""
    desk.collect(desk.offer())
    (desk.settings.data / "status-high-water.json").write_text("{")
    assert_refused(desk.status_token(), "temporarily_unavailable", 503)


def test_the_mark_is_on_disk_before_the_list_leaves_the_house(desk: Desk) -> None:
    """What was served can always be compared with what the database says."""
    offer = desk.offer()
    desk.collect(offer)
    desk.status_token()
    mark = desk.settings.data / "status-high-water.json"
    assert json.loads(mark.read_text()) == {"1": 0}
    desk.change(offer, Status.SUSPENDED)
    desk.status_token()
    assert json.loads(mark.read_text()) == {"1": 1}


class _Overtaken(HighWaterMark):
    """A mark whose process is slow: before it is raised, another process changes the list and serves it."""

    def __init__(self, path: Path, meanwhile: Callable[[], object]) -> None:
        super().__init__(path)
        self._meanwhile = [meanwhile]

    def raise_to(self, list_id: int, version: int) -> None:
        while self._meanwhile:
            self._meanwhile.pop()()
        super().raise_to(list_id, version)


def test_a_process_that_was_overtaken_serves_the_newer_list(desk: Desk) -> None:
    """Between reading a list and serving it, another process may have served a newer one.

    That is no rolled-back database: the newer list is read and served.
    """
    offer = desk.offer()
    (copy,) = desk.collect(offer)
    store, now = desk.context.store, desk.clock()
    _, index = slot_of(copy)

    def change_and_serve() -> None:
        desk.change(offer, Status.REVOKED)
        store.status.published(1, publishing=desk.context.publishing, now=now)

    mark = _Overtaken(desk.settings.data / "status-high-water.json", change_and_serve)
    slow = StatusStore(store.database, mark=mark)

    served = slow.published(1, publishing=desk.context.publishing, now=now)

    assert served.version == 1
    lst = strict_json.loads_object(parse_jws(served.token.decode()).payload)["status_list"]["lst"]
    assert status_at(decode_status_list(lst, bits=2, max_bytes=10_000), index, bits=2) == 1


def test_d10_while_nothing_can_be_written_the_last_list_is_served_until_it_expires(desk: Desk) -> None:
    """When the list is due to be signed anew but the database takes no writes, readers get the one signed last.

    It says the same. Once it has expired, or when a change could not be published, they are told to come again.
    """
    desk.collect(desk.offer())
    first = desk.status_token().text
    lifetime = desk.context.publishing.lifetime.total_seconds()
    with sqlite3.connect(desk.settings.database) as other:
        other.execute("begin immediate")
        desk.clock.advance(seconds=lifetime / 2 + 1)
        assert desk.status_token().text == first
        desk.clock.advance(seconds=lifetime / 2)
        assert_refused(desk.status_token(), "temporarily_unavailable", 503)
        other.rollback()
    assert desk.status_token().text != first


def test_d10_a_mark_that_cannot_be_written_stops_serving_for_now(desk: Desk) -> None:
    """Where the mark cannot be kept (disk full, a directory in its place), the reader is told to come again."""
    desk.collect(desk.offer())
    (desk.settings.data / "status-high-water.new").mkdir()
    assert_refused(desk.status_token(), "temporarily_unavailable", 503)
    (desk.settings.data / "status-high-water.new").rmdir()
    assert desk.status_token().status_code == 200


def _der(pem: Path) -> bytes:
    import ssl

    return ssl.PEM_cert_to_DER_cert(pem.read_text())
