"""The whole way from an offer to copies in a wallet's hands."""

from datetime import UTC, datetime, timedelta

from proofs.keys import generate_signer
from schemas.issuance import CredentialOffer, CredentialResponse, TokenResponse, parse_offer_link
from schemas.types import CREDENTIAL_TYPES
from tests.issuer.desk import NOON, Desk, achievement, slot_of


def test_an_offer_by_reference_is_collected_as_a_batch(desk: Desk) -> None:
    """A wallet reads the offer, gets a token, and receives a copy for each key, in the order of the proofs."""
    offer = desk.offer(with_tx_code=True)
    link = parse_offer_link(desk.links(offer).offer)
    assert link.credential_offer_uri is not None
    read = desk.client.get(link.credential_offer_uri)
    grant = CredentialOffer.read(read.json()).pre_authorized
    assert read.headers["content-type"] == "application/json"
    assert grant is not None
    assert grant.wants_tx_code
    token = TokenResponse.read(desk.ask_token(grant.pre_authorized_code, tx_code=desk.tx_code_of(offer)).json())
    keys = [generate_signer() for _ in range(10)]

    answer = desk.ask_credential(token.access_token, desk.request(proofs=desk.proofs(keys)))

    assert answer.status_code == 200
    assert len(CredentialResponse.read(answer.json()).credentials or []) == 10
    assert desk.state_of(offer) == "collected"
    copies = desk.collect(desk.offer(), keys)
    assert [copy.claims["cnf"]["jwk"]["x"] for copy in copies] == [key.public_jwk["x"] for key in keys]


def test_a_copy_says_who_issued_what_when(desk: Desk) -> None:
    """A copy holds issuer, type, whole hours, its place in the status list, and every claim of the record."""
    (copy,) = desk.collect(desk.offer())

    claims = copy.claims
    micro = CREDENTIAL_TYPES["micro-credential"]
    hour = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
    assert claims["iss"] == desk.issuer
    assert (claims["vct"], claims["vct#integrity"]) == (micro.vct, micro.integrity())
    assert (claims["iat"], claims["nbf"]) == (hour, hour)
    assert claims["exp"] == hour + int(timedelta(days=3650).total_seconds())
    assert claims["achievement_title"]["en"] == "Computer Security for Health Care"
    assert claims["family_name"] == "Sjöberg"
    assert copy.header["typ"] == "dc+sd-jwt"
    assert len(copy.header["x5c"]) == 1, "the leaf, without the root"
    uri, index = slot_of(copy)
    assert uri == desk.url("/status/1")
    assert 0 <= index < desk.settings.status_list_size


def test_a_transcript_hides_each_course_for_itself(desk: Desk) -> None:
    """In course results every course is a disclosure of its own, and so is each of its items."""
    courses = [achievement("AA1000"), achievement("BB2000", ects_credits=5)]
    (copy,) = desk.collect(desk.offer("course-results", records=courses))

    found = {path for path in copy.disclosure_at if len(path) == 2 and isinstance(path[1], int)}
    assert len(found) == 2
    assert any(len(path) > 2 for path in copy.disclosure_at)


def test_the_same_keys_with_a_fresh_nonce_get_the_same_slots(desk: Desk) -> None:
    """A wallet that lost the answer asks again with the same keys, and no second slot is taken (D01-D03)."""
    offer, keys = desk.offer(), [generate_signer() for _ in range(3)]
    token = desk.token(offer)

    first = desk.collect(offer, keys, token=token)
    desk.clock.advance(minutes=1)
    again = desk.collect(offer, keys[::-1], token=token)

    assert [slot_of(copy) for copy in again] == [slot_of(copy) for copy in first[::-1]]
    assert [copy.claims["iat"] for copy in again] == [copy.claims["iat"] for copy in first]
    assert desk.context.store.status.list_issued()[0].copies == 3


def test_sixty_requests_with_the_same_keys_are_all_answered(desk: Desk) -> None:
    """One token may ask sixty times within seconds with the same keys, without being slowed down."""
    offer, keys = desk.offer(), [generate_signer()]
    token = desk.token(offer)

    slots = {slot_of(desk.collect(offer, keys, token=token)[0]) for _ in range(60)}

    assert len(slots) == 1


def test_other_keys_take_new_slots_while_the_allowance_lasts(desk: Desk) -> None:
    """Three batches of new keys are issued, the fourth is denied for good; known keys are still served."""
    offer = desk.offer()
    token = desk.token(offer)
    batches = [[generate_signer(), generate_signer()] for _ in range(4)]

    copies = [copy for keys in batches[:3] for copy in desk.collect(offer, keys, token=token)]
    nonce = desk.nonce()
    denied = desk.ask_credential(token, desk.request(proofs=desk.proofs(batches[3], nonce=nonce)))

    assert len({slot_of(copy) for copy in copies}) == 6
    assert (denied.status_code, denied.json()["error"]) == (400, "credential_request_denied")
    spent = desk.ask_credential(token, desk.request(proofs=desk.proofs(batches[0], nonce=nonce)))
    assert spent.json()["error"] == "invalid_nonce", "a denied request has spent its nonce"
    assert slot_of(desk.collect(offer, batches[0], token=token)[0]) == slot_of(copies[0])
    assert len(desk.context.store.status.list_issued()) == 1, "all copies are one logical certificate"


def test_when_the_window_closes_claims_and_key_marks_are_erased(desk: Desk) -> None:
    """Five minutes after the token, the issuer keeps neither the claims nor anything that recognises a key."""
    offer = desk.offer()
    token = desk.token(offer)
    desk.collect(offer, token=token)
    desk.clock.advance(seconds=299)
    desk.context.store.grants.sweep(now=desk.clock())
    assert desk.context.store.offers.claims(offer.id) is not None

    desk.clock.advance(seconds=1)
    desk.context.store.grants.sweep(now=desk.clock())

    assert desk.context.store.offers.claims(offer.id) is None
    with desk.context.store.database.reading() as connection:
        marks = connection.exec_driver_sql("select count(*) from slots where key_mark is not null").scalar_one()
    assert marks == 0
    answer = desk.ask_credential(token, desk.request())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_the_status_list_begins_with_everything_valid(desk: Desk) -> None:
    """A fresh list is served, signed, and says valid of every entry, issued or not."""
    (copy,) = desk.collect(desk.offer())
    published = desk.context.store.status.published(1, publishing=desk.context.publishing, now=desk.clock())

    answer = desk.status_token()

    assert answer.headers["content-type"] == "application/statuslist+jwt"
    assert answer.content == published.token
    assert desk.read_status(copy) == 0


def test_offered_opened_collected_can_be_watched(desk: Desk) -> None:
    """The event counter moves with every step, so that a live page knows when to look again."""
    events = desk.context.store.events
    before = events.counter()
    offer = desk.offer()
    desk.client.get(desk.links(offer).uri)
    desk.client.get(desk.links(offer).uri)
    desk.collect(offer)

    assert [event.kind for event in events.since(before)] == ["offered", "opened", "collected"]
    assert events.counter() == before + 3
    assert desk.clock() == NOON
