"""The whole wallet: saved to a file, and read in from one."""

from dataclasses import asdict, fields
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response

from schemas.errors import Refused, TooManyRequests
from service.i18n import N_, load_catalogues
from service.pages import LanguageSwitch
from wallet.archive import (
    SHORTEST_PASSPHRASE,
    ExportBroken,
    ExportLocked,
    ExportTooLarge,
    UnknownExportVersion,
    UnsuitableFilePassphrase,
)
from wallet.certificates import StoredCertificate
from wallet.collection import Collection, Stage
from wallet.histories import Book, Histories
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, counted_try
from wallet.pages.account import FAULTS
from wallet.pages.export_files import readable_files, try_out
from wallet.portability import Imported, Portability
from wallet.vault import WrongPassphrase

router = APIRouter()

# Narrower than mail allows: what is no plain address is shown as text instead.
PassphraseForm = Annotated[str, Form(max_length=5000)]
WRONG_PASSPHRASE = N_("The passphrase is another one.")
"""What is said of a passphrase that opens nothing here."""
_EXPORT_FAULTS = {
    **FAULTS,
    WrongPassphrase: WRONG_PASSPHRASE,
    UnsuitableFilePassphrase: N_("Choose a passphrase of at least 8 characters for the file."),
}
_NO_FILE = N_("Choose the file of a saved wallet.")
_IMPORT_FAULTS = {
    **FAULTS,
    ExportLocked: N_("The passphrase does not open this file, or the file is damaged. Nothing was changed."),
    ExportTooLarge: N_("The file is too large to be a saved wallet. Nothing was changed."),
    UnknownExportVersion: N_("The file was saved by a newer wallet than this one. Nothing was changed."),
    ExportBroken: N_(
        "This is not a whole saved wallet: something is missing, or was changed. Nothing was changed here."
    ),
}


@router.get("/settings/export")
async def export_form(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """How the wallet is saved: encrypted, unless the person wants it otherwise after a warning."""
    return await _export_page(request, vault, wallet, pages)


@router.post("/settings/export", dependencies=[FromOurForm])
async def export(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    passphrase: PassphraseForm = "",
    file_passphrase: PassphraseForm = "",
    plain: Annotated[str, Form(max_length=10)] = "",
    understood: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """The file of the whole wallet."""
    t, now = pages.translator(request), wallet.clock()
    field = "plain-passphrase" if plain else "passphrase"
    if plain and not understood:
        fault = t(N_("Tick that you know that anybody can read the file."))
        return await _export_page(request, vault, wallet, pages, 400, fault, "understood")
    try:
        async with counted_try(request, wallet, vault.name):
            await wallet.confirm(vault, passphrase)
        more = readable_files(vault.certificates(), Histories(wallet).read(vault), t, now=now)
        content = await Portability(wallet).export(vault, more=more, passphrase=None if plain else file_passphrase)
    except (Refused, TooManyRequests) as exc:
        field = "file_passphrase" if isinstance(exc, UnsuitableFilePassphrase) else field
        return await _export_page(
            request, vault, wallet, pages, exc.status, t(_EXPORT_FAULTS.get(type(exc), WRONG_PASSPHRASE)), field
        )
    name = f"intyga-{t(N_('wallet'))}-{now.date().isoformat()}.{'zip' if plain else 'intyga'}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type="application/zip" if plain else "application/octet-stream", headers=headers)


@router.get("/settings/import")
async def import_form(request: Request, vault: VaultDep, pages: PagesDep) -> Response:
    """Which file to read in."""
    return await _import_page(request, pages)


@router.post("/settings/import", dependencies=[FromOurForm])
async def import_wallet(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    file: UploadFile | None = None,
    file_passphrase: PassphraseForm = "",
    said: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Read in a file: all of it or nothing. `said` is what the page said before it was shown in the other language."""
    now = wallet.clock()
    if said:
        return await _import_page(request, pages, said=said)
    content = await file.read() if file is not None else b""
    if not content:
        return await _import_page(request, pages, 400, said="no_file")

    def look(certificates: list[StoredCertificate], book: Book, collections: list[Collection]) -> None:
        try_out(certificates, book, collections, catalogues=load_catalogues(), now=now)

    try:
        async with counted_try(request, wallet, vault.name):
            done = await Portability(wallet).import_file(vault, content, passphrase=file_passphrase, try_out=look)
    except (Refused, TooManyRequests, ExportBroken) as exc:
        known = type(exc) if type(exc) in _IMPORT_FAULTS else ExportBroken
        return await _import_page(request, pages, exc.status, said=known.__name__)
    return await _import_page(request, pages, said=_counts(done))


async def _import_page(request: Request, pages: PagesDep, status: int = 200, *, said: str = "") -> Response:
    """The form, with what is wrong, or what an import came to: both are carried into the other language."""
    fault = next((text for kind, text in _IMPORT_FAULTS.items() if kind.__name__ == said), "")
    fault = _NO_FILE if said == "no_file" else fault
    return await pages.render(
        request,
        "moving/import.html",
        status=status,
        switch=LanguageSwitch("/settings/import", {"said": said}) if said else None,
        fault=pages.translator(request)(fault) if fault else "",
        done=_counted(said),
    )


def _counts(done: Imported) -> str:
    return ",".join(str(number) for number in asdict(done).values())


def _counted(said: str) -> Imported | None:
    """The numbers of an import as `_counts` wrote them; None for anything else."""
    numbers = said.split(",")
    if len(numbers) != len(fields(Imported)) or not all(one.isascii() and one.isdigit() for one in numbers):
        return None
    return Imported(*(int(one) for one in numbers))


async def _export_page(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    status: int = 200,
    fault: str = "",
    field: str = "",
) -> Response:
    pending = [one for one in wallet.collections(vault).values() if one.stage is Stage.PENDING and not one.renews]
    waiting = sum(not part.is_final for one in pending for part in one.parts)
    coming = Portability(wallet).coming_along(vault)
    return await pages.render(
        request,
        "moving/export.html",
        status=status,
        fault=fault,
        field=field,
        shortest=SHORTEST_PASSPHRASE,
        on_their_way=coming,
        staying=waiting - coming,
    )
