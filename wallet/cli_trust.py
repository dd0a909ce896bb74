"""`intyga-wallet trust`: whom this wallet recognises; add, remove, list, and sign a list for others."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from proofs import strict_json
from proofs.keys import SoftwareSigner, generate_signer, load_signer, save_signer
from proofs.trust import Role, TrustEntry, entry_from_anchor, entry_from_did, read_entry, sign_trust_list
from service.commands import CommandFailed, JSONOption, command_app, run_async, show
from wallet.deployment import Deployment
from wallet.terminal import DEFAULT_DATA, WalletData, open_wallet, tell
from wallet.trusted import TrustSource, entries_of, source_of_entry, source_of_list

trust_app = command_app("trust", help="Whom this wallet recognises as issuer or recipient.")


@trust_app.command()
def add(
    list_url: Annotated[str, typer.Argument(help="Address of a signed trust list.", show_default=False)] = "",
    key: Annotated[Path | None, typer.Option("--key", help="JWK file with the key that signs the list.")] = None,
    entry: Annotated[Path | None, typer.Option("--entry", help="JSON file with one entry (docs/trust.md).")] = None,
    anchor: Annotated[Path | None, typer.Option("--anchor", help="PEM file with a root certificate.")] = None,
    did: Annotated[str, typer.Option("--did", help="A recipient's decentralized identifier; with --name.")] = "",
    name: Annotated[str, typer.Option("--name", help="Name to show; else the certificate's.")] = "",
    role: Annotated[str, typer.Option("--role", help="issuer, verifier, any (of these two) or registrar.")] = "any",
    types: Annotated[list[str] | None, typer.Option("--type", help="Type (vct) it may issue; else every type.")] = None,
    identifier: Annotated[
        str, typer.Option("--identifier", help="Whom of those under the root: an issuer's address, to fetch from.")
    ] = "",
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Add a signed list by its address and key, an entry, a root certificate, or a recipient's DID.

    One that is there already is replaced, with all its types: what it said before is told then.
    """
    if sum((bool(list_url), entry is not None, anchor is not None, bool(did))) != 1:
        raise CommandFailed("Give one of: LIST_URL with --key, --entry, --anchor, --did.", error="usage", exit_status=2)
    if did and not name:
        raise CommandFailed("A DID says nothing about whose it is: give --name.", error="usage", exit_status=2)
    if role not in get_args(Role):
        raise CommandFailed("--role is issuer, verifier, any or registrar.", error="usage", exit_status=2)
    wallet = open_wallet(data)
    if anchor is not None:
        added = entry_from_anchor(
            _read(anchor), name=name or None, role=cast("Role", role), types=types or (), identifier=identifier
        )
        source = source_of_entry(added)
    elif did:
        source = source_of_entry(entry_from_did(did, name=name))
    elif entry is not None:
        source = source_of_entry(read_entry(strict_json.loads_object(_read(entry))))
    else:
        if key is None:
            raise CommandFailed("A list needs the key that signs it: --key FILE.", error="usage", exit_status=2)
        source = run_async(_fetched(wallet, list_url, strict_json.loads_object(_read(key))))
    with wallet.database.transaction() as connection:
        before = next((one for one in wallet.trust_store.sources(connection) if one.id == source.id), None)
        wallet.trust_store.put(connection, source)
    if before is not None and before != source:
        tell(f"This replaces what was there.\nBefore: {_text(_described(wallet, before))}")
        tell(f"Now: {_text(_described(wallet, source))}")
    show(_described(wallet, source), as_json=as_json, human=_text)


# Names of entries may begin with a hyphen: what is no option of ours is the name.
@trust_app.command(context_settings={"ignore_unknown_options": True})
def remove(
    source_id: Annotated[str, typer.Argument(metavar="ID", help="What to remove, as `trust list` names it.")],
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Stop trusting an entry or a list."""
    wallet = open_wallet(data)
    with wallet.database.transaction() as connection:
        removed = wallet.trust_store.remove(connection, source_id)
    if not removed:
        raise CommandFailed("There is no such entry or list.", error="not_found")
    show({"removed": source_id}, as_json=as_json, human=lambda result: f"Removed {result['removed']}.")


@trust_app.command("list")
def list_command(data: WalletData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List everything that was added."""
    wallet = open_wallet(data)
    with wallet.database.reading() as connection:
        sources = wallet.trust_store.sources(connection)
    show(
        [_described(wallet, source) for source in sources],
        as_json=as_json,
        human=lambda result: "\n".join(map(_text, result)) or "Nobody is trusted yet.",
    )


@trust_app.command()
def sign(
    entries: Annotated[
        Path | None,
        typer.Option(
            "--entries", help="JSON file with an array of entries (docs/trust.md); else all that are trusted here."
        ),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="Days until the next update.")] = 30,
    sequence: Annotated[int | None, typer.Option("--sequence", min=1, help="Number of this edition.")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="File to write the list to.")] = None,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Sign a trust list for others. Its key is made at the first time; readers need the list's address and that key."""
    wallet = open_wallet(data)
    signer, key_file = _list_key(wallet)
    now = wallet.clock()
    token = sign_trust_list(
        _entries(wallet, entries),
        signer=signer,
        sequence=sequence or int(now.timestamp()),
        issued_at=now,
        next_update=now + timedelta(days=days),
    )
    if output is not None:
        output.write_text(token + "\n", encoding="ascii")
    result = {"list": token, "key": signer.public_jwk, "key_file": str(key_file)}
    show(result, as_json=as_json, human=lambda made: made["list"])


def _entries(wallet: Deployment, file: Path | None) -> list[TrustEntry]:
    if file is None:
        return list(wallet.trust().entries)
    value = strict_json.loads(_read(file))
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise CommandFailed("The file with the entries holds no JSON array of objects.", error="malformed")
    return [read_entry(one) for one in value]


def _list_key(wallet: Deployment) -> tuple[SoftwareSigner, Path]:
    """The key that signs lists, in the data directory; its public half lies beside it for those who pin it."""
    directory = wallet.settings.data / "keys"
    private, public = directory / "trust-list.key.pem", directory / "trust-list.jwk.json"
    passphrase = wallet.settings.key_passphrase()
    if private.exists():
        return load_signer(private, None, passphrase=passphrase), public
    signer = generate_signer()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    save_signer(signer, private, passphrase=passphrase)
    public.write_text(json.dumps(signer.public_jwk) + "\n", encoding="utf-8")
    return signer, public


async def _fetched(wallet: Deployment, url: str, key_jwk: dict[str, Any]) -> TrustSource:
    answer = await wallet.http.get(url, max_bytes=5_000_000)
    await wallet.http.close()
    if answer.status != 200:
        raise CommandFailed(f"The list's address answers with status {answer.status}.", error="unreachable")
    token = answer.body.decode("ascii", "replace").strip()
    return source_of_list(url, token, key_jwk=key_jwk, now=wallet.clock())


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        missing = "is not there; a service makes its keys when it first starts"
        reason = "cannot be read" if file.exists() else missing
        raise CommandFailed(f"The file {file} {reason}.", error="no_such_file", exit_status=2) from exc


def _described(wallet: Deployment, source: TrustSource) -> dict[str, Any]:
    entries = entries_of(source, now=wallet.clock())
    return {
        "id": source.id,
        "kind": "entry" if source.entry is not None else "list",
        "url": source.url,
        "sequence": source.sequence,
        "entries": [
            {
                "name": e.name,
                "role": e.role,
                "identifier": e.identifier,
                "mechanism": e.mechanism,
                "types": list(e.types),
            }
            for e in entries
        ],
    }


def _text(described: dict[str, Any]) -> str:
    names = ", ".join(
        f"{entry['name']} ({entry['role']}; {', '.join(entry['types']) or 'every type'})"
        for entry in described["entries"]
    )
    where = f" {described['url']}" if described["url"] else ""
    return f"{described['id']}  {described['kind']}{where}: {names or 'nobody at present'}"
