"""What the wallet's commands share: the data directory, the person, and an open vault.

    async def work(wallet: Deployment) -> str:
        vault = await open_or_make_vault(wallet, person)
        ...

    result = with_wallet(data, work)

The passphrase is read from `WALLET_PASSPHRASE_FILE`, else asked for. It is never an argument: others can see those.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

import service
from proofs.keys import write_new_file
from schemas.errors import Refused
from service.clock import utc_now
from service.commands import CommandFailed, data_option, run_async
from service.http import OutgoingHTTP
from service.i18n import LANGUAGES, Translator, load_catalogues
from service.settings import recorded_public_url, refuse_unsafe
from wallet.deployment import Deployment
from wallet.settings import WalletSettings
from wallet.vault import UnlockedVault, UnsuitablePassphrase, WrongPassphrase

T = TypeVar("T")

DEFAULT_DATA = Path("wallet-data")
DEFAULT_PERSON = "me"

WalletData = Annotated[Path, data_option("wallet")]
PersonOption = Annotated[
    str,
    typer.Option(
        "--person", envvar="WALLET_PERSON", help="Whose vault; `receive` and `present` make one when there is none."
    ),
]

LanguageOption = Annotated[str, typer.Option("--language", help="The language of what is written: sv or en.")]


def translator_for(wallet: Deployment, language: str) -> Translator:
    """The texts of the pages in a language, for what a command writes into files."""
    if language not in LANGUAGES:
        raise CommandFailed(f"The language is one of {', '.join(LANGUAGES)}.", error="usage", exit_status=2)
    rooms = (Path(service.__file__).parent, Path(__file__).parent)
    return load_catalogues(*rooms, time_zone=wallet.settings.time_zone).translator(language)


def settings_for(data: Path) -> WalletSettings:
    """The settings for a command on a data directory; the public URL is the one that the service recorded there."""
    settings = WalletSettings(data=data)
    recorded = recorded_public_url(data)
    if not settings.public_url and recorded is not None:
        settings = settings.model_copy(update={"public_url": recorded})
    return settings


def open_wallet(data: Path) -> Deployment:
    """The wallet of a data directory, also while it is being served by another process."""
    settings = settings_for(data)
    refuse_unsafe(settings)
    http = OutgoingHTTP(
        allow_loopback=settings.allow_loopback, allow_hosts=settings.allow_hosts, ca_file=settings.ca_file
    )
    return Deployment(settings, http=http, clock=utc_now)


def with_wallet(data: Path, work: Callable[[Deployment], Awaitable[T]]) -> T:
    """Do something with the wallet of a data directory; its connections are closed at the end, whatever the end is."""

    async def whole() -> T:
        wallet = open_wallet(data)
        try:
            return await work(wallet)
        finally:
            await wallet.http.close()
            wallet.database.close()

    return run_async(whole())


async def open_or_make_vault(wallet: Deployment, person: str) -> UnlockedVault:
    """Open a person's vault, or make it when there is none, and say so: a name may be mistyped."""
    if wallet.has_person(person):
        return await _unlocked(wallet, person)
    passphrase = read_passphrase(wallet.settings, person, is_new=True)
    try:
        vault = await wallet.create(person, passphrase, language="sv")
    except UnsuitablePassphrase as exc:
        raise CommandFailed(str(exc), error=exc.error) from exc
    tell(f"There was no vault of {person} here: a new one was made.")
    return vault


async def open_vault(wallet: Deployment, person: str) -> UnlockedVault | None:
    """Open a person's vault; None, with a word about it, when there is none. What stopped before is taken up."""
    if not wallet.has_person(person):
        tell(f"There is no vault of {person} here; `intyga-wallet receive LINK --person {person}` makes one.")
        return None
    return await _unlocked(wallet, person)


async def _unlocked(wallet: Deployment, person: str) -> UnlockedVault:
    try:
        return await wallet.unlock(person, read_passphrase(wallet.settings, person, is_new=False))
    except WrongPassphrase as exc:
        raise CommandFailed("The passphrase does not open this vault.", error=exc.error) from exc


def read_passphrase(settings: WalletSettings, person: str, *, is_new: bool) -> str:
    """The passphrase from its file, else asked for; a new one is asked for twice."""
    if settings.passphrase_file is not None:
        try:
            return settings.passphrase_file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as exc:
            raise CommandFailed(
                "WALLET_PASSPHRASE_FILE names a file that cannot be read.", error="no_passphrase", exit_status=2
            ) from exc
    if not sys.stdin.isatty():
        raise CommandFailed(
            "There is nobody to ask for the passphrase: set WALLET_PASSPHRASE_FILE.",
            error="no_passphrase",
            exit_status=2,
        )
    prompt = f"New passphrase for {person}" if is_new else f"Passphrase for {person}"
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=is_new, err=True))


def write_private_file(path: Path, content: bytes) -> None:
    """A new file that only its owner reads, there whole or not at all. Never over another one."""
    try:
        write_new_file(path, content, secret=True)
    except Refused as exc:
        raise CommandFailed(f"{path} is there already.", error="file_exists", exit_status=2) from exc
    except OSError as exc:
        raise CommandFailed(f"{path} cannot be written.", error="cannot_write", exit_status=2) from exc


def tell(text: str) -> None:
    """A line for the person at the terminal, beside the result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - The terminal is where the person reads.
