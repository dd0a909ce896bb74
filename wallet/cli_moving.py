"""`intyga-wallet export`, `import` and `leave`: the whole wallet into a file, out of one, and gone.

intyga-wallet export wallet.intyga --file-passphrase-file FILE
intyga-wallet export wallet.zip --plain
intyga-wallet import wallet.intyga --file-passphrase-file FILE
intyga-wallet leave --yes
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.errors import Malformed, Refused
from service.commands import CommandFailed, JSONOption, show
from service.i18n import load_catalogues
from wallet.archive import MAX_FILE_BYTES, ExportBroken, ExportLocked, ExportTooLarge, is_sealed
from wallet.certificates import StoredCertificate
from wallet.collection import Collection
from wallet.deployment import Deployment
from wallet.histories import Book, Histories
from wallet.leaving import Leaving
from wallet.pages.export_files import readable_files, try_out
from wallet.portability import Portability
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    PersonOption,
    WalletData,
    open_or_make_vault,
    open_vault,
    read_passphrase,
    tell,
    with_wallet,
    write_private_file,
)
from wallet.vault import UnlockedVault

FilePassphrase = Annotated[
    Path | None,
    typer.Option("--file-passphrase-file", help="File with the passphrase of the saved wallet; asked for without it."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `intyga-wallet`."""
    app.command("export")(export)
    app.command("import")(import_command)
    app.command("leave")(leave)


def export(
    file: Annotated[Path, typer.Argument(help="The new file.")],
    plain: Annotated[
        bool, typer.Option("--plain", help="Without encryption: anybody can read it and show your certificates.")
    ] = False,
    file_passphrase_file: FilePassphrase = None,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Save a whole vault to a new file: certificates, keys, history, receipts. Encrypted unless told otherwise."""

    async def work(wallet: Deployment) -> dict[str, Any]:
        vault = await _vault(wallet, person)
        passphrase = None if plain else _file_passphrase(file_passphrase_file, is_new=True)
        if plain:
            tell("Anybody who gets this file can read it and show your certificates. Delete it after use.")
        certificates, book = vault.certificates(), Histories(wallet).read(vault)
        more = readable_files(certificates, book, load_catalogues().translator("en"), now=wallet.clock())
        content = await Portability(wallet).export(vault, more=more, passphrase=passphrase)
        write_private_file(file, content)
        return {"file": str(file), "certificates": len(certificates), "encrypted": not plain}

    result = _told(lambda: with_wallet(data, work))
    show(result, as_json=as_json, human=lambda one: f"{one['certificates']} certificates are in {one['file']}.")


def import_command(
    file: Annotated[Path, typer.Argument(help="A file that `export` or the pages saved.")],
    file_passphrase_file: FilePassphrase = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Trust here what the saved wallet trusted. It counts for everybody here.")
    ] = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Read a saved wallet into a vault, made when there is none: all of it or nothing. Can be repeated."""
    content = _read(file)

    async def work(wallet: Deployment) -> dict[str, Any]:
        vault = await open_or_make_vault(wallet, person)
        passphrase = _file_passphrase(file_passphrase_file, is_new=False) if is_sealed(content) else ""

        def look(certificates: list[StoredCertificate], book: Book, collections: list[Collection]) -> None:
            try_out(certificates, book, collections, catalogues=load_catalogues(), now=wallet.clock())

        done = await Portability(wallet).import_file(
            vault, content, passphrase=passphrase, try_out=look, with_trust=trust
        )
        return asdict(done)

    show(_told(lambda: with_wallet(data, work)), as_json=as_json, human=_imported_text)


def leave(
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Delete a vault and everything in it. `export` first what is to be kept.

    With --json, `statement` is the wallet service's signed statement of what was destroyed and when.
    """

    async def work(wallet: Deployment) -> dict[str, Any]:
        leaving = Leaving(wallet)
        if not wallet.has_person(person):
            # An end that was interrupted is completed: the keys went first, and the name with them.
            return {"deleted": False, "complete": leaving.finish()}
        vault = await _vault(wallet, person)
        for entry in leaving.still_kept(vault):
            until = entry.retention_until.isoformat() if entry.retention_until else "not told"
            tell(f"Still has something, until {until}: {entry.who.text('en') or entry.host}")
        if not yes:
            if not sys.stdin.isatty():
                raise CommandFailed("There is nobody to ask: use --yes.", error="no_decision", exit_status=2)
            if not typer.confirm("Delete this vault and everything in it, for ever?", default=False, err=True):
                raise CommandFailed("Nothing was deleted.", error="no_decision")
        passphrase = read_passphrase(wallet.settings, person, is_new=False)
        held = leaving.held(vault)
        complete = await leaving.leave(vault, passphrase)
        certified = leaving.certified(leaving.notice(vault.person_id, held)) if complete else None
        return {"deleted": True, "complete": complete, "statement": certified.token if certified else None}

    show(with_wallet(data, work), as_json=as_json, human=_left_text)


def _left_text(result: dict[str, Any]) -> str:
    if not result["complete"]:
        return "No key is left. The rest is deleted when nobody reads the database: run it again."
    return "The vault is gone." if result["deleted"] else "There is no such vault, and nothing is left to delete."


def _imported_text(result: dict[str, Any]) -> str:
    text = (
        f"{result['certificates']} certificates are new, {result['known_certificates']} were there already; "
        f"{result['entries']} entries of the sharing history are new or have more steps."
    )
    if result["not_checked"]:
        text += f" {result['not_checked']} could not be checked now."
    if result["on_their_way"]:
        text += f" {result['on_their_way']} are still on their way: `intyga-wallet resume` asks for them."
    if result["briefly"]:
        text += f" {result['briefly']} of them can be fetched here for some minutes only."
    return text


def _told(work: Any) -> Any:
    """What the work gives, its refusals as one line for the terminal."""
    try:
        return work()
    except ExportLocked as exc:
        raise CommandFailed(
            "The passphrase does not open this file, or it is damaged. Nothing was changed.", error=exc.error
        ) from exc
    except ExportBroken as exc:
        raise CommandFailed(f"This is not a whole saved wallet ({exc}). Nothing was changed.", error=exc.error) from exc
    except (Refused, Malformed) as exc:
        raise CommandFailed(str(exc), error=exc.error) from exc


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise CommandFailed("The file cannot be read.", error="no_file", exit_status=2) from exc
    if len(content) > MAX_FILE_BYTES:
        raise CommandFailed("The file is too large to be a saved wallet.", error=ExportTooLarge.error)
    return content


def _file_passphrase(path: Path | None, *, is_new: bool) -> str:
    if path is not None:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise CommandFailed("The file with the passphrase cannot be read.", error="no_passphrase") from exc
    if not sys.stdin.isatty():
        raise CommandFailed(
            "There is nobody to ask for the file's passphrase: use --file-passphrase-file.",
            error="no_passphrase",
            exit_status=2,
        )
    return str(typer.prompt("Passphrase for the file", hide_input=True, confirmation_prompt=is_new, err=True))


async def _vault(wallet: Deployment, person: str) -> UnlockedVault:
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such vault.", error="unknown_person")
    return vault
