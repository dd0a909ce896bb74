"""`intyga-wallet`: serve, receive, list, show, trust; present comes from `wallet/cli_share.py`, ledger from
`wallet/cli_ledger.py`, receipt from `wallet/cli_receipt.py`, take-back and ask-delete from `wallet/cli_take_back.py`,
recover and recovery-code from `wallet/cli_recovery.py`, export, import and leave from `wallet/cli_moving.py`,
delete from `wallet/cli_delete.py`."""

import asyncio
import sys
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer

from schemas.issuance import display_name
from schemas.verification import Outcome
from service.commands import CommandFailed, JSONOption, command_app, run, show
from service.i18n import Translator, load_catalogues
from service.serving import serve as serve_app
from wallet import (
    cli_acting,
    cli_delete,
    cli_ledger,
    cli_moving,
    cli_permissions,
    cli_receipt,
    cli_recovery,
    cli_share,
    cli_take_back,
)
from wallet.cards import read_card, standing
from wallet.certificates import StoredCertificate
from wallet.cli_trust import trust_app
from wallet.collection import Collection, MovedOn, PartState, Stage
from wallet.deployment import Deployment
from wallet.hosts import host_of
from wallet.links import read_arrival
from wallet.naming import plain
from wallet.offers import IsARequest, OfferUnusable
from wallet.pages.acting_words import whom_cards_are_about
from wallet.pages.words import CHECK_SENTENCES, problem_words, standing_line, standing_words, tx_code_words
from wallet.settings import WalletSettings
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    PersonOption,
    WalletData,
    open_or_make_vault,
    open_vault,
    tell,
    with_wallet,
)
from wallet.vault import UnlockedVault
from wallet.web import Unreachable
from wallet.withdrawals import Withdrawals

app = command_app("intyga-wallet", help="Keeps a person's certificates, and shows them when the person says yes.")
app.add_typer(trust_app, name="trust")
cli_share.register(app)
cli_ledger.register(app)
cli_receipt.register(app)
cli_take_back.register(app)
app.add_typer(cli_permissions.permissions_app, name="permissions")
cli_acting.register(app)
cli_recovery.register(app)
cli_moving.register(app)
cli_delete.register(app)

LANGUAGE = "en"  # The commands speak English, whatever language the pages of a vault are in.
_WAIT_SECONDS = 70
_OUTCOMES = {
    Outcome.PASSED.value: "Held",
    Outcome.FAILED.value: "Did not hold",
    Outcome.COULD_NOT_CHECK.value: "Could not be checked",
}


@app.command()
def serve(
    data: WalletData = DEFAULT_DATA,
    port: Annotated[int | None, typer.Option("--port", help="TCP port to listen on; 0: any free one.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Serve the wallet's pages until stopped. With --json its address and what it announces are one line of JSON."""
    # Here, so that the other commands do without the pages and the server of the web: a quarter of their start.
    from wallet.app import create_app

    settings = WalletSettings(data=data) if port is None else WalletSettings(data=data, port=port)
    serve_app(create_app, settings=settings, as_json=as_json)


@app.command()
def receive(
    link: Annotated[str, typer.Argument(help="The offer: a link, or a code such as university.example/4K7M2-9QX3T.")],
    tx_code: Annotated[str, typer.Option("--tx-code", help="The code that the issuer gave in another way.")] = "",
    accept_unknown: Annotated[
        bool, typer.Option("--accept-unknown", help="Keep the certificate also when nobody here knows its issuer.")
    ] = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Collect what an issuer offers. Ends with 0 only when the certificate is stored."""
    result = with_wallet(
        data, lambda wallet: _receive(wallet, person, link, tx_code=tx_code.strip(), accept_unknown=accept_unknown)
    )
    show(result, as_json=as_json, human=_received_text)


@app.command("client")
def client_command(data: WalletData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Tell how this deployment is known to issuers: what their operators enter to let its wallets fetch."""
    show(with_wallet(data, _client), as_json=as_json, human=_client_text)


@app.command()
def resume(person: PersonOption = DEFAULT_PERSON, data: WalletData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Go on with collections that stopped in the middle."""
    show(with_wallet(data, lambda wallet: _resume(wallet, person)), as_json=as_json, human=_waiting_text)


@app.command("list")
def list_command(
    person: PersonOption = DEFAULT_PERSON, data: WalletData = DEFAULT_DATA, as_json: JSONOption = False
) -> None:
    """List the certificates in a vault."""

    def text(result: list[dict[str, Any]]) -> str:
        return "\n".join(_line(one) for one in result) or f"There are no certificates in the vault of {person}."

    listed = with_wallet(data, lambda wallet: _list(wallet, person))
    if listed is not None or as_json:
        show(listed or [], as_json=as_json, human=text)


@app.command("show")
def show_command(
    certificate_id: Annotated[str, typer.Argument(metavar="ID", help="The certificate, as `list` names it.")],
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Read one certificate in full; its status is checked now, with the newest list."""
    show(with_wallet(data, lambda wallet: _show(wallet, person, certificate_id)), as_json=as_json, human=_show_text)


async def _client(wallet: Deployment) -> dict[str, Any]:
    provider = wallet.provider
    return {
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "attester": provider.client_id,
        "root_file": str(provider.root_file),
    }


def _client_text(client: dict[str, Any]) -> str:
    return (
        f"Client identifier: {client['client_id']}\n"
        f"Redirect address:  {client['redirect_uri']}\n"
        f"Attester:          {client['attester']}, with the root certificate {client['root_file']}"
    )


async def _receive(wallet: Deployment, person: str, link: str, *, tx_code: str, accept_unknown: bool) -> dict[str, Any]:
    arrival = read_arrival(link, allow_loopback=wallet.settings.allow_loopback)
    vault = await open_or_make_vault(wallet, person)
    collection_id = wallet.known_collection(vault, arrival.text)
    if collection_id is None:
        tell(f"Asking {arrival.host} what is offered.")
        try:
            collection_id = await wallet.look_at(vault, arrival)
        except IsARequest as exc:
            raise CommandFailed("This is a request, not an offer: use `present`.", error=exc.error) from exc
        except (OfferUnusable, Unreachable) as exc:
            _fail(exc.reason, "")
    collection = wallet.collection(vault, collection_id)
    _tell_offer(wallet, collection)
    if collection.stage in (Stage.OFFERED, Stage.AUTHORIZING) and collection.offered.wants_sign_in:
        raise CommandFailed(
            f"Open {wallet.settings.url(f'/receive/{collection_id}')} in a browser, unlock the vault of {person} "
            f"there, and sign in at {host_of(collection.offered.authorization_server.issuer)} to fetch this.",
            error="sign_in_required",
        )
    if collection.stage is Stage.OFFERED and collection.offered.wants_tx_code and not tx_code:
        if not sys.stdin.isatty():
            raise CommandFailed(
                "The issuer gave a code in another way: pass it with --tx-code.", error="tx_code_required"
            )
        tx_code = str(typer.prompt("The code from the issuer", err=True)).strip()
    if collection.stage is Stage.OFFERED and collection.offered.wants_tx_code:
        tx_code = _fitting_code(collection, tx_code)
    collection = await _collect(wallet, vault, collection_id, tx_code=tx_code or None)
    if collection.stage is Stage.QUESTION:
        collection = await _answer(wallet, vault, collection_id, accept_unknown=accept_unknown)
    if collection.stage is Stage.PENDING:
        raise CommandFailed(
            f"{host_of(collection.offered.issuer)} has to look at it first. It is asked for again while the wallet is "
            "used; `intyga-wallet resume` asks now.",
            error="pending",
        )
    if collection.stage is not Stage.DONE or any(part.state is not PartState.STORED for part in collection.parts):
        if collection.problem:
            _fail(collection.problem, collection.peer_error)
        refused = next((part for part in collection.parts if part.problem), collection.parts[0])
        _fail(refused.problem, refused.peer_error)
    stored = [wallet.certificate(vault, certificate_id) for certificate_id in collection.stored_ids]
    wallet.put_away(vault, collection_id)
    return {
        "id": stored[0].id,
        "issuer": collection.offered.issuer,
        "certificates": [_summary(certificate, wallet.clock()) for certificate in stored],
    }


def _fitting_code(collection: Collection, written: str) -> str:
    """The transaction code; one that cannot be it is not sent, since every try counts."""
    code = collection.offered.read_tx_code(written)
    if code is None:
        what = tx_code_words(collection.offered.tx_code, _english())
        raise CommandFailed(f"The code should be {what}. Nothing was sent.", error="tx_code_malformed")
    return code


async def _collect(wallet: Deployment, vault: UnlockedVault, collection_id: str, *, tx_code: str | None) -> Collection:
    """Collect, waiting while another process (which may have died) still holds the collection."""
    for _ in range(_WAIT_SECONDS):
        try:
            return await wallet.collect(vault, collection_id, tx_code=tx_code)
        except MovedOn:
            await asyncio.sleep(1)
    raise CommandFailed("This is being collected elsewhere.", error=MovedOn.error)


async def _answer(wallet: Deployment, vault: UnlockedVault, collection_id: str, *, accept_unknown: bool) -> Collection:
    if not accept_unknown:
        tell("Nobody here vouches for this issuer: the wallet cannot tell who made the certificate.")
        if not sys.stdin.isatty():
            raise CommandFailed(
                "The certificate waits for your decision: give the same link again with --accept-unknown to keep it.",
                error="unknown_issuer",
            )
        accept_unknown = typer.confirm("Keep it anyway?", default=False, err=True)
    return await wallet.answer(vault, collection_id, keep=accept_unknown)


def _tell_offer(wallet: Deployment, collection: Collection) -> None:
    offered = collection.offered
    name = plain(offered.metadata.display_name("en") or "") or host_of(offered.issuer)
    tell(f"{name} ({offered.issuer}) offers:")
    for configuration_id, configuration in offered.items:
        described = configuration.credential_metadata
        tell(f"  {plain(display_name(described.display if described else None, 'en') or configuration_id)}")
    if collection.stage is Stage.OFFERED and (said := standing_line(wallet.issuer_standing(collection), _english())):
        tell(said)


def _fail(reason: str, peer_error: str) -> NoReturn:
    words = problem_words(reason)
    code = reason or "failed"
    said = f"\nCode: {code}" + (f" (the issuer's: {peer_error})" if peer_error else "")
    raise CommandFailed(f"{words.title}. {words.text} {words.advice}".strip() + said, error=code)


async def _resume(wallet: Deployment, person: str) -> list[dict[str, Any]]:
    vault = await open_vault(wallet, person)
    if vault is None:
        return []
    await wallet.resume(vault)
    await Withdrawals(wallet).tend(vault)
    return [
        {"id": i, "issuer": c.offered.issuer, "stage": c.stage.value, "problem": c.problem, "stored": c.stored_ids}
        for i, c in wallet.collections(vault).items()
        if not c.renews
    ]


async def _list(wallet: Deployment, person: str) -> list[dict[str, Any]] | None:
    """The certificates; None when there is no such vault, which has been told then."""
    vault = await open_vault(wallet, person)
    if vault is None:
        return None
    certificates = await wallet.certificates(vault)
    about = whom_cards_are_about(certificates, _english())
    return [{**_summary(one, wallet.clock()), "about": about.get(one.id, "")} for one in certificates]


async def _show(wallet: Deployment, person: str, certificate_id: str) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such certificate.", error="unknown_certificate")
    certificate = await wallet.check_now(vault, wallet.certificate(vault, certificate_id))
    card = read_card(certificate, LANGUAGE)
    lines = [
        {"group": group.heading, "label": line.label, "value": line.value, "can_stay_hidden": line.can_stay_hidden}
        for group in card.groups
        for line in group.lines
    ]
    checks = [
        {"name": check.name, "outcome": check.outcome.value, "reason": check.reason}
        for check in certificate.report.checks
    ]
    return {
        **_summary(certificate, wallet.clock()),
        "language": LANGUAGE,
        "lines": lines,
        "checks": checks,
        "claims": certificate.claims,
    }


def _summary(certificate: StoredCertificate, now: datetime) -> dict[str, Any]:
    card = read_card(certificate, "en")
    return {
        "id": certificate.id,
        "title": card.title,
        "type": certificate.vct,
        "issuer": certificate.issuer_identifier,
        "issuer_name": card.issuer,
        "issuer_trusted": certificate.issuer_trusted,
        "status": certificate.status,
        "standing": standing(certificate, now=now).word,
        "received_at": certificate.received_at.isoformat(),
        "checked_at": certificate.checked_at.isoformat(),
        "valid_until": certificate.valid_until.isoformat() if certificate.valid_until else None,
        "copies_left": certificate.copies_left,
        "copies": certificate.copies_total,
    }


def _received_text(result: dict[str, Any]) -> str:
    return "\n".join(f"Stored: {_line(one)}" for one in result["certificates"])


def _line(one: dict[str, Any]) -> str:
    stands = _english()(standing_words(one["standing"]).title)
    copies = f"{one['copies_left']} of {one['copies']} copies left"
    about = f" ({one['about']})" if one.get("about") else ""
    return f"{one['id']}  {one['title']}{about}, {one['issuer_name']} [{stands}; {copies}]"


def _show_text(result: dict[str, Any]) -> str:
    texts = [_line(result), ""]
    group = ""
    for line in result["lines"]:
        if line["group"] != group:
            group = line["group"]
            texts.append(f"{group}:")
        mark = "" if line["can_stay_hidden"] else "  (goes along with every share)"
        value = line["value"].replace("\n", "\n      ")
        texts.append(f"  {line['label']}: {value}{mark}")
    texts += ["", "What was checked:", *(_check_text(check) for check in result["checks"])]
    return "\n".join(texts)


def _check_text(check: dict[str, str]) -> str:
    """One check in words; its codes are in the output for programs."""
    sentence = CHECK_SENTENCES.get(check["name"], check["name"])
    return f"  {_OUTCOMES[check['outcome']]}: {_english()(sentence)}"


def _waiting_text(result: list[dict[str, Any]]) -> str:
    return "\n".join(f"{one['issuer']}: {one['stage']} {one['problem']}".rstrip() for one in result) or "Nothing waits."


def _english() -> Translator:
    return load_catalogues().translator("en")


def main() -> None:
    """The entry point of `intyga-wallet`."""
    run(app)


if __name__ == "__main__":
    main()
