"""`intyga-verifier trust`: whose certificates count; add, remove, list, and sign a list for others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from proofs import strict_json
from proofs.keys import check_public_jwk, generate_signer, load_signer, save_signer
from proofs.trust import Role, TrustEntry, entry_from_anchor, read_entry, sign_trust_list
from schemas.errors import CouldNotCheck, Malformed, ProtocolError
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, run_async, show
from verifier.app import make_http, open_database
from verifier.cli_settings import DEFAULT_DATA, VerifierData, settings_for
from verifier.settings import VerifierSettings
from verifier.store import PinnedList, TrustStore
from verifier.trust_lists import add_list

trust_app = command_app("trust", help="Whose certificates count here.")


@trust_app.command()
def add(
    list_url: Annotated[str, typer.Argument(help="Address of a signed trust list.", show_default=False)] = "",
    key: Annotated[Path | None, typer.Option("--key", help="JWK file with the key that signs the list.")] = None,
    entry: Annotated[Path | None, typer.Option("--entry", help="JSON file with one entry (docs/trust.md).")] = None,
    anchor: Annotated[Path | None, typer.Option("--anchor", help="PEM file with a root certificate.")] = None,
    name: Annotated[str, typer.Option("--name", help="Name to show; else the certificate's.")] = "",
    role: Annotated[str, typer.Option("--role", help="issuer, verifier or any.")] = "any",
    identifier: Annotated[str, typer.Option("--identifier", help="Only this issuer under the root.")] = "",
    types: Annotated[list[str] | None, typer.Option("--type", help="Type (vct) it may issue; else every type.")] = None,
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Add a signed list by its address and key, an entry, or a root certificate."""
    if sum((bool(list_url), entry is not None, anchor is not None)) != 1:
        raise CommandFailed("Give one of: LIST_URL with --key, --entry, --anchor.", error="usage", exit_status=2)
    if anchor is None and (name or identifier or types or role != "any"):
        raise CommandFailed(
            "--name, --role, --identifier and --type belong to --anchor: a list and an entry say these themselves.",
            error="usage",
            exit_status=2,
        )
    if role not in ("issuer", "verifier", "any"):
        raise CommandFailed("--role is issuer, verifier or any.", error="usage", exit_status=2)
    settings, store = _open(data)
    if list_url:
        if key is None:
            raise CommandFailed("A list needs the key that signs it: --key FILE.", error="usage", exit_status=2)
        with _refusal_names(key):
            key_jwk = check_public_jwk(strict_json.loads_object(_read(key)))
        pinned = run_async(_fetched(settings, store, list_url, key_jwk))
        show(_list(store, pinned), as_json=as_json, human=_text)
        return
    if anchor is not None:
        with _refusal_names(anchor):
            added = entry_from_anchor(
                _read(anchor), name=name or None, role=cast("Role", role), types=types or (), identifier=identifier
            )
    else:
        assert entry is not None
        with _refusal_names(entry):
            added = read_entry(strict_json.loads_object(_read(entry)))
    store.add_entry(added, now=utc_now())
    show(_entry(added), as_json=as_json, human=_text)


@trust_app.command(context_settings={"ignore_unknown_options": True})  # An id may begin with a hyphen.
def remove(
    entry_id: Annotated[str, typer.Argument(metavar="ID", help="What to remove, as `trust list` names it.")],
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Stop trusting an entry or a list."""
    _, store = _open(data)
    if not store.remove(entry_id):
        raise CommandFailed("There is no such entry or list.", error="not_found")
    show({"removed": entry_id}, as_json=as_json, human=lambda result: f"Removed {result['removed']}.")


@trust_app.command("list")
def list_command(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List everything that was added."""
    _, store = _open(data)
    own = [_entry(entry) for entry, source in store.entries() if not source]
    shown = own + [_list(store, pinned) for pinned in store.lists()]
    show(shown, as_json=as_json, human=lambda result: "\n".join(map(_text, result)) or "Nobody is trusted yet.")


@trust_app.command()
def sign(
    entries: Annotated[
        Path | None,
        typer.Argument(help="JSON file with an array of entries (docs/trust.md); else all that were added here."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Encrypted key file (PEM); else one in the data directory.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--out", "--output", help="File to write the list to.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="Days until the next update.")] = 30,
    sequence: Annotated[
        int | None, typer.Option("--sequence", min=1, help="Number of this edition; else from the time.")
    ] = None,
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Sign a trust list for others, who need its address and the key.

    The key is made at the first time; its public half is written beside it as a JWK file, for those who pin it.
    """
    settings, store = _open(data)
    private = key or settings.data / "keys" / "trust-list.key.pem"
    public = private.with_name(private.name.removesuffix(".pem").removesuffix(".key") + ".jwk.json")
    passphrase = settings.key_passphrase()
    if private.exists():
        with _refusal_names(private):
            signer = load_signer(private, None, passphrase=passphrase)
    elif key is not None:
        raise CommandFailed("The key file is not there.", error="no_such_file", exit_status=2)
    else:
        signer = generate_signer()
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        save_signer(signer, private, passphrase=passphrase)
    public.write_bytes(strict_json.dumps(signer.public_jwk) + b"\n")
    now = utc_now()
    token = sign_trust_list(
        _wanted(store, entries),
        signer=signer,
        sequence=sequence or int(now.timestamp()),
        issued_at=now,
        next_update=now + timedelta(days=days),
    )
    if output is not None:
        output.write_text(token + "\n", encoding="ascii")
    result = {"list": token, "key": signer.public_jwk, "key_file": str(public.resolve())}
    show(result, as_json=as_json, human=lambda made: str(made["list"]))


def _open(data: Path) -> tuple[VerifierSettings, TrustStore]:
    settings = settings_for(data, needs_url=False)
    return settings, TrustStore(open_database(settings))


async def _fetched(settings: VerifierSettings, store: TrustStore, url: str, key_jwk: dict[str, str]) -> PinnedList:
    http = make_http(settings)
    try:
        return await add_list(store, http, url, key_jwk, now=utc_now())
    except CouldNotCheck as exc:
        raise CommandFailed(f"The list was not taken: {exc}", error="list_unavailable") from exc
    except ProtocolError as exc:
        raise CommandFailed(f"The list was not taken: {exc}.", error="list_refused") from exc
    finally:
        await http.close()


def _wanted(store: TrustStore, file: Path | None) -> list[TrustEntry]:
    if file is None:
        return [entry for entry, source in store.entries() if not source]
    with _refusal_names(file):
        value = strict_json.loads(_read(file))
        if not isinstance(value, list):
            raise Malformed("not a JSON array of entries")
        return [read_entry(one) for one in value]


@contextmanager
def _refusal_names(file: Path) -> Iterator[None]:
    """Say which file it is that cannot be used."""
    try:
        yield
    except ProtocolError as exc:
        raise CommandFailed(f"The file {file.name} cannot be used: {exc}.", error="invalid_file") from exc


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        reason = (
            "is not there; a service makes its keys when it first starts" if not file.exists() else "cannot be read"
        )
        raise CommandFailed(f"The file {file} {reason}.", error="no_such_file", exit_status=2) from exc


def _entry(entry: TrustEntry) -> dict[str, Any]:
    members = {name: value for name, value in entry.to_json().items() if name != "anchor_pem"}
    return {"kind": "entry"} | members


def _list(store: TrustStore, pinned: PinnedList) -> dict[str, Any]:
    return {
        "kind": "list",
        "id": pinned.id,
        "url": pinned.url,
        "sequence": pinned.sequence,
        "next_update": pinned.next_update.isoformat() if pinned.next_update else None,
        "overdue": pinned.is_overdue(now=utc_now()),
        "problem": pinned.problem,
        "entries": [_entry(entry) for entry, source in store.entries() if source == pinned.url],
    }


def _text(shown: dict[str, Any]) -> str:
    if shown["kind"] == "list":
        state = "overdue" if shown["overdue"] else f"until {shown['next_update']}"
        return f"{shown['id']}  {shown['url']}  edition {shown['sequence']}, {state}, {len(shown['entries'])} entries"
    types = ", ".join(shown.get("types", ())) or "every type"
    return f"{shown['id']}  {shown['name']}  ({shown['role']}, {types})"
