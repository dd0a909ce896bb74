"""The issuer's own work: results, offers, statuses; and the first start of all three (durability D01, D11, D12)."""

import hashlib
from datetime import timedelta
from unittest.mock import patch

from issuer.bulk import make_offers
from issuer.offers import draft_offers
from issuer.results import Limits, read_results
from issuer.status import Status
from issuer.store.results import ImportDraft
from proofs import base64url, strict_json
from proofs.status_list import decode_status_list, status_at
from schemas.learning.achievement import Achievement
from schemas.types import CREDENTIAL_TYPES
from tests.crash.acting import Act, Given, Tell
from tests.crash.acts_of_receiving import issuer_database, open_source
from tests.crash.judging import issuer_holds, nothing_lies_about, wallet_holds
from tests.crash.stage import Stage
from tests.world import STUDY_RECORD
from wallet.store.archived import archived_certificates


async def nothing_to_do(stage: Stage, given: Given) -> None:
    """Nobody does anything."""


# --- statuses --------------------------------------------------------------------------------------------------------


async def two_issued(stage: Stage) -> Given:
    """Two certificates, one revoked, and the list has been read."""
    vault = await stage.maja()
    offers = stage.world.university.make_offers()[:2]
    context = stage.world.university.context
    for offer in offers:
        await stage.world.wallet.receive(vault, context.links_of(offer).offer)
    _change(stage, offers[0].id, Status.REVOKED)
    await served(stage)
    return {"first": offers[0].id, "second": offers[1].id}


def _change(stage: Stage, certificate_id: str, status: Status) -> None:
    context = stage.world.university.context
    context.store.status.change([certificate_id], status, publishing=context.publishing, now=stage.world.clock())


async def served(stage: Stage) -> bytes:
    """The entries of the list that is served now."""
    token = await stage.read(stage.world.university.context.settings.url("/status/1"))
    payload = strict_json.loads_object(base64url.decode(token.split(".")[1]))
    return decode_status_list(payload["status_list"]["lst"], bits=2, max_bytes=10_000_000)


async def revoke(stage: Stage, given: Given, tell: Tell) -> None:
    """The second is revoked, and somebody reads the list."""
    _change(stage, given["second"], Status.REVOKED)
    tell(revoked=True)
    await served(stage)
    tell(read=True)


async def revoked_for_good(stage: Stage, given: Given, told: Given) -> None:
    """The list that is served says what the certificates say; what was revoked stays revoked; all copies are alike."""
    store = stage.world.university.context.store.status
    entries = await served(stage)
    second = store.get(given["second"]).status
    assert second is Status.REVOKED or "revoked" not in told
    vault = await stage.maja()
    with stage.world.wallet.deployment.database.reading() as connection:
        certificates = list(archived_certificates(connection, vault))
    expected = {given["first"]: Status.REVOKED, given["second"]: second}
    by_offer = _offers_by_index(stage)
    for certificate in certificates:
        for copy in certificate.copies:
            index = _index(copy.token)
            assert status_at(entries, index, bits=2) == int(expected[by_offer[index]])
    issuer_holds(issuer_database(stage))
    nothing_lies_about(stage.directory)


def _index(token: str) -> int:
    claims = strict_json.loads_object(base64url.decode(token.split("~")[0].split(".")[1]))
    return int(claims["status"]["status_list"]["idx"])


def _offers_by_index(stage: Stage) -> dict[int, str]:
    import sqlite3

    with sqlite3.connect(issuer_database(stage)) as connection:
        return dict(connection.execute("select idx, offer_id from slots").fetchall())


# --- results and offers ----------------------------------------------------------------------------------------------


async def university_only(stage: Stage) -> Given:
    """An issuer."""
    return {"count": len(_achievements(stage))}


def _achievements(stage: Stage) -> list[Achievement]:
    results = read_results(
        STUDY_RECORD.read_bytes(),
        STUDY_RECORD.name,
        profile=stage.world.university.context.profile,
        limits=Limits(),
        today=stage.world.clock().date(),
    )
    return list(results.achievements)


async def read_and_offer(stage: Stage, given: Given, tell: Tell) -> None:
    """A file is read in, and everything in it is offered."""
    context = stage.world.university.context
    sha256 = hashlib.sha256(STUDY_RECORD.read_bytes()).hexdigest()
    draft = ImportDraft(STUDY_RECORD.name, "elmo", sha256, (), tuple(_achievements(stage)))
    with patch("issuer.store.results.RESULTS_AT_ONCE", 1):
        made = context.store.results.save_import(draft, now=stage.world.clock())
    tell(imported=made.id)
    kept = [result.record for result in context.store.results.list_results(made.id)]
    drafts = draft_offers(CREDENTIAL_TYPES["micro-credential"], kept, with_tx_code=False)
    offers = make_offers(
        context.store.offers,
        drafts,
        now=stage.world.clock(),
        patiently=lambda work: work(),
        rest=lambda seconds: None,
    )
    tell(offers=[offer.id for offer in offers])


async def sweep_later(stage: Stage, given: Given) -> None:
    """As the service does every now and then."""
    now = stage.world.clock() + timedelta(hours=2)
    stage.world.university.context.store.results.sweep(now=now, rest=lambda _: None)


async def whole_imports(stage: Stage, given: Given, told: Given) -> None:
    """The file is there whole or not at all, and so are the offers; what was told is there; each can be collected."""
    context = stage.world.university.context
    imports = context.store.results.list_imports()
    assert "imported" not in told or [one.id for one in imports] == [told["imported"]]
    for one in imports:
        assert len(context.store.results.list_results(one.id)) == given["count"]
    with context.store.database.reading() as connection:
        rows = connection.exec_driver_sql("select count(*) from results").scalar_one()
    assert rows == given["count"] * len(imports), "records that belong to no file"
    offers = context.store.offers.list_offers(now=stage.world.clock())
    assert len(offers) in (0, given["count"])
    if "offers" in told:
        assert {offer.id for offer in offers} == set(told["offers"])
    vault = await stage.maja()
    for offer in offers:
        await stage.world.wallet.receive(vault, context.links_of(offer).offer)
    issuer_holds(issuer_database(stage))
    wallet_holds(stage.world.wallet.deployment, vault)


# --- the first start -------------------------------------------------------------------------------------------------


async def empty(stage: Stage) -> Given:
    """Three empty directories."""
    return {}


async def start_all(stage: Stage, given: Given, tell: Tell) -> None:
    """Databases, secrets and keys are made."""
    _open_all(stage)
    tell(root=_roots(stage))


def _open_all(stage: Stage) -> None:
    assert stage.world.university
    assert stage.world.wallet.deployment.provider.root_file
    assert stage.firm


def _roots(stage: Stage) -> list[str]:
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in stage.directory.rglob("*.root.pem"))


async def start_again(stage: Stage, given: Given) -> None:
    """They start again, and come to trust each other."""
    _open_all(stage)


async def all_work(stage: Stage, given: Given, told: Given) -> None:
    """The keys that were told are the keys that sign; a certificate can be fetched with a sign-in."""
    if "root" in told:
        assert told["root"] == _roots(stage)
    stage.is_new = True
    vault, source, wallet = await stage.maja(), open_source(stage), stage.world.wallet.deployment
    collection_id = await wallet.look_for(vault, source.side.url, source.vct)
    collection = await wallet.begin_sign_in(vault, collection_id)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    assert len(vault.certificates()) == 1
    wallet_holds(stage.world.wallet.deployment, vault)


ISSUER_ACTS = (
    Act("revoke and publish", two_issued, revoke, nothing_to_do, revoked_for_good),
    Act("read results in and offer them", university_only, read_and_offer, sweep_later, whole_imports),
    Act("start for the first time", empty, start_all, start_again, all_work, opens=lambda stage: None, is_opened=False),
)
