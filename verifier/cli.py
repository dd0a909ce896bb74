"""`intyga-verifier`: serve, ask, read results, and say whom to trust.

Every command works on the data directory, also while `serve` runs in another process. The public URL comes from
`VERIFIER_PUBLIC_URL`, or is the one that `serve` recorded.
"""

import asyncio
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from proofs.certificates import unverified_leaf
from proofs.certified_keys import load_certified_key
from schemas.types import type_of
from service.account_commands import account_app
from service.accounts import Accounts
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, run, run_async, show
from service.serving import serve as serve_app
from service.web_wallet import normal_wallet
from verifier import cli_rechecks
from verifier.app import KEY_NAME, catalogues_of, create_app, load_signer, make_http, open_database
from verifier.cli_deletions import deletions_app, retention_app
from verifier.cli_settings import DEFAULT_DATA, VerifierData, open_verifier, settings_for, settings_to_serve
from verifier.cli_trust import trust_app
from verifier.cli_webhooks import webhooks_app
from verifier.exchange import LONGEST_LIFETIME_SECONDS, MadeRequest, Verifier
from verifier.live import wait_until
from verifier.request_templates import RequestTemplate, UnknownTemplate
from verifier.requests import REQUEST_OBJECT_SECONDS, Kind
from verifier.result_document import receipt_document, result_document
from verifier.settings import VerifierSettings
from verifier.store.log import COMMAND_LINE
from verifier.template_files import template_from_file


def open_accounts(data: Path) -> Accounts:
    """The accounts and API keys in a data directory."""
    settings = settings_for(data, needs_url=False)
    return Accounts(open_database(settings), service=settings.service, device_secret=settings.device_secret())


app = command_app("intyga-verifier", help="Ask people for certificates and check what they show (OpenID4VP).")
app.add_typer(trust_app, name="trust")
app.add_typer(deletions_app, name="deletions")
app.add_typer(retention_app, name="retention")
cli_rechecks.register(app)
app.add_typer(webhooks_app, name="webhooks")
api_key_app = command_app("api-key", help="Keys for programs that make requests.")
app.add_typer(api_key_app, name="api-key")
keys_app = command_app("keys", help="The key that requests are signed with: made at first need.")
app.add_typer(keys_app, name="keys")
app.add_typer(account_app("verifier", open_accounts), name="account")


@app.command()
def serve(
    data: VerifierData = DEFAULT_DATA,
    port: Annotated[int | None, typer.Option(help="TCP port; else VERIFIER_PORT, else 8300. 0: any free one.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Serve the verifier until it is stopped. With --json its address and what it announces are one line of JSON."""
    serve_app(
        lambda settings: create_app(settings, http=make_http(settings), clock=utc_now),
        settings=settings_to_serve(data, port),
        announce=announcements,
        as_json=as_json,
    )


def announcements(settings: VerifierSettings) -> list[str]:
    """What the operator is told at start: the code for the first account, while there is none; a contact that is not
    set."""
    database = open_database(settings)
    try:
        accounts = Accounts(database, service=settings.service, device_secret=settings.device_secret())
        code = asyncio.run(accounts.setup_code(now=utc_now()))
    finally:
        database.close()
    told = [] if code is None else [f"Code for the first account at {settings.url('/')}: {code}"]
    told += unnamed(settings)
    if not settings.contact.strip():
        told.append(f"VERIFIER_CONTACT is not set: people are told {settings.base_url} as where to reach you.")
    return told


def unnamed(settings: VerifierSettings) -> list[str]:
    """A sentence for the operator of a service whose organisation has no name; none when it has one."""
    if settings.is_named:
        return []
    return [
        f"VERIFIER_NAME is not set here: unless the service has it, people are told that {settings.host_name} asks."
    ]


@app.command()
def request(
    template: Annotated[str, typer.Option("--template", help="Name of a template, or path of its file.")] = "",
    template_file: Annotated[
        Path | None, typer.Option("--template-file", help="Template from a file (.toml, .json).", dir_okay=False)
    ] = None,
    same_device: Annotated[
        bool | None,
        typer.Option("--same-device/--cross-device", help="Whether the browser must come back with a code."),
    ] = None,
    return_url: Annotated[str, typer.Option(help="Where the browser comes back to (same device); else our page.")] = "",
    lifetime: Annotated[
        int | None, typer.Option(min=60, max=LONGEST_LIFETIME_SECONDS, help="Seconds in which it can be answered.")
    ] = None,
    wallet: Annotated[str, typer.Option(help="Address of a web wallet for the https link.")] = "",
    reference: Annotated[str, typer.Option(help="What you call it yourself; the person never sees it.")] = "",
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Make a request and print its links."""
    if bool(template) == (template_file is not None):
        raise CommandFailed("Give one of --template and --template-file.", error="usage", exit_status=2)
    verifier = open_verifier(data)
    web_wallet = normal_wallet(wallet, verifier.settings)
    if wallet and not web_wallet:
        raise CommandFailed("--wallet is no https address of a wallet.", error="usage", exit_status=2)
    if template_file is None and template.endswith((".toml", ".json")):
        template_file = Path(template)
    chosen = template_from_file(template_file) if template_file is not None else _named_template(verifier, template)
    kind = verifier.default_kind()
    if same_device is not None:
        kind = Kind.SAME_DEVICE if same_device else Kind.CROSS_DEVICE
    made = verifier.make_request(
        chosen, kind=kind, maker="", return_url=return_url, lifetime_seconds=lifetime, reference=reference
    )
    for sentence in [*unnamed(verifier.settings), *_without_contact(verifier.settings, chosen)]:
        typer.echo(sentence, err=True)
    if wallet:
        made = verifier.made(made.transaction, wallet_url=web_wallet)
    show(_request(made), as_json=as_json, human=lambda told: _human_request({**told, "data": str(data)}))


@app.command()
def result(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `request` printed.")],
    wait: Annotated[float, typer.Option(min=0, max=86_400, help="Seconds to wait for the answer.")] = 0,
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Print what became of a request: state, verdict, every check, and the values while they are kept."""
    verifier = open_verifier(data)
    record = run_async(wait_until(verifier, request_id, is_enough=lambda one: one.state.is_final, seconds=wait))
    contents = verifier.contents(request_id, viewer=COMMAND_LINE) if record.has_contents else None
    deletion = verifier.deletions.newest(request_id)
    document = result_document(
        record,
        contents=contents,
        deletion=deletion,
        catalogues=catalogues_of(verifier.settings),
        time_zone=verifier.settings.time_zone,
    )
    show(document, as_json=as_json, human=_human_result)


@app.command()
def receipt(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `request` printed.")],
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Print what the receipt that the person's wallet handed in names; with --json all of it and both signatures.

    It holds no value.
    """
    verifier = open_verifier(data)
    verifier.result(request_id)
    kept = verifier.deletions.store.receipt(request_id)
    if kept is None:
        raise CommandFailed(
            "No receipt is kept: the wallet handed none in, or it named people and went with the values.",
            error="not_found",
        )
    show(receipt_document(kept), as_json=as_json, human=_human_receipt)


@app.command()
def templates(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List the request templates at hand."""
    shelf = open_verifier(data).templates()
    shown = [
        {"name": name, "title": one.title.model_dump(), "types": sorted(one.types)}
        for name, one in sorted(shelf.templates.items())
    ]
    faulty = [{"name": name, "fault": fault} for name, fault in sorted(shelf.faulty.items())]
    show({"templates": shown, "faulty": faulty}, as_json=as_json, human=_human_templates)


@api_key_app.command("create")
def create_api_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Make an API key. It is shown once."""
    if not name.strip():
        raise CommandFailed("A key needs a name, by which you know it later.", error="usage", exit_status=2)
    accounts = open_accounts(data)
    key, text = run_async(accounts.new_api_key(name, now=utc_now()))
    show({"id": key.id, "name": key.label, "key": text}, as_json=as_json, human=lambda made: str(made["key"]))


@api_key_app.command("list")
def list_api_keys(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List the API keys, without the keys themselves."""
    shown = [
        {
            "id": key.id,
            "name": key.label,
            "made_at": key.made_at.isoformat(timespec="seconds"),
            "revoked_at": key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else None,
        }
        for key in run_async(open_accounts(data).api_keys())
    ]
    show(shown, as_json=as_json, human=lambda keys: "\n".join(f"{key['id']}  {key['name']}" for key in keys) or "None.")


@api_key_app.command("revoke")
def revoke_api_key(
    key_id: Annotated[str, typer.Argument(metavar="ID")], data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False
) -> None:
    """End an API key."""
    if not run_async(open_accounts(data).revoke_api_key(key_id, now=utc_now())):
        raise CommandFailed("There is no such key.", error="not_found")
    show({"revoked": key_id}, as_json=as_json, human=lambda told: f"Revoked {told['revoked']}.")


@keys_app.command("list")
def list_keys(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List the signing key with its files. The root file is what wallets add to their trust."""
    settings = settings_for(data)
    load_signer(settings, clock=utc_now)
    key = load_certified_key(settings.data / "keys", name=KEY_NAME, passphrase=settings.key_passphrase())
    leaf = unverified_leaf(key.signer.x5c)
    shown = {
        "name": KEY_NAME,
        "kid": key.signer.kid,
        "alg": key.signer.alg,
        "names": [*leaf.uris, *leaf.dns_names, *leaf.ip_addresses],
        "not_after": leaf.not_after.isoformat(),
        "key_file": str(key.key_file.resolve()),
        "chain_file": str(key.chain_file.resolve()),
        "root_file": str(key.root_file.resolve()) if key.root_file else None,
    }
    show([shown], as_json=as_json, human=_human_key)


def _named_template(verifier: Verifier, name: str) -> RequestTemplate:
    """The template of this name. What the service has in a directory of its own is not there without its setting."""
    try:
        return verifier.templates()[name]
    except UnknownTemplate as exc:
        if verifier.settings.templates is not None:
            raise
        raise CommandFailed(
            f"There is no template {name!r} here, but {', '.join(sorted(verifier.templates().templates))}. "
            "VERIFIER_TEMPLATES is not set here: if the service has it, set it as there.",
            error=exc.error,
        ) from exc


def _without_contact(settings: VerifierSettings, template: RequestTemplate) -> list[str]:
    """A sentence when people are told an address only because the contact of the service is not known here."""
    if settings.contact.strip() or template.contact != settings.base_url:
        return []
    return [
        f"VERIFIER_CONTACT is not set here: people are told {settings.base_url} as where to reach you. "
        "If the service has it, set it as there."
    ]


def _human_key(keys: list[dict[str, Any]]) -> str:
    (key,) = keys
    return "\n".join(f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in key.items())


def _request(made: MadeRequest) -> dict[str, Any]:
    return {
        "request": made.link,
        "request_https": made.https_link,
        "id": made.id,
        "code": made.code,
        "kind": made.transaction.kind.value,
        "expires_at": made.transaction.expires_at.isoformat(timespec="seconds"),
    }


def _human_request(told: dict[str, Any]) -> str:
    minutes = REQUEST_OBJECT_SECONDS // 60
    return "\n".join(
        [
            f"{told['request']}\n",
            f"To type: {told['code']}",
            f"Open until: {told['expires_at']}",
            f"Each time that a wallet fetches it, its person has {minutes} minutes to answer.",
            f"Result:  intyga-verifier result {told['id']} --data {shlex.quote(told['data'])}",
        ]
    )


def _human_result(told: dict[str, Any]) -> str:
    lines = [f"Reference: {told['reference']}"] if told["reference"] else []
    if told["withdrawn_at"]:
        # What holds now stands first: a verdict that was good does not hold any more.
        lines.append(f"Taken back by the person at {told['withdrawn_at']}: do not use it any more.")
    lines.append(f"State: {told['state']}")
    if told["withdrawn_at"] and told["sentence"]:
        lines.append("What was found before it was taken back:")
    if told["sentence"]:
        lines.append(f"Verdict: {told['verdict']}. {told['sentence']}")
    if told["eligibility"]:
        lines.append(told["eligibility"]["sentence"])
    if told["acting_for"]:
        lines.append(f"{told['acting_for']['agent']} acted for {told['acting_for']['principal']}.")
    if told["declaration"]:
        lines.append(f'Confirmed: "{told["declaration"]["en"]}"')
    marks = {"passed": "+", "failed": "x", "could_not_check": "?"}
    lines += [f"  {marks[check['outcome']]} {check['title']}: {check['sentence']}" for check in told["checks"]]
    several = len({value["certificate"] for value in told["values"] or ()}) > 1
    for value in told["values"] or ():
        known = type_of(value["type"])
        kind = known.title("en") if known else value["type"]
        number = f" {value['certificate'] + 1}" if several else ""
        lines.append(f"  {kind}{number}: {value['label']['en']}: {value['display']}")
    if told["values"] is not None:
        lines.append(f"Kept until {told['retention_until']}.")
    if told["values_deleted_at"]:
        lines.append(f"Values deleted at {told['values_deleted_at']}.")
    return "\n".join(lines)


def _human_receipt(document: dict[str, Any]) -> str:
    told = document["receipt"]
    kept = told["retention"]["until"] if told.get("retention") else "not said"
    lines = [f"Handed in {document['received_at']}, signed by both", f"Kept until {kept}"]
    return "\n".join([*lines, *(f"  {one['name']['en'] or one['name']['sv']}" for one in told["items"])])


def _human_templates(told: dict[str, Any]) -> str:
    lines = [f"{one['name']}  {one['title']['en'] or one['title']['sv']}" for one in told["templates"]]
    return "\n".join(lines + [f"{one['name']}  cannot be used: {one['fault']}" for one in told["faulty"]])


def main() -> None:
    """The command line."""
    run(app)
