"""`intyga-wallet receipt`: what was decided, as the page of the receipt says it; also as a file to keep.

    intyga-wallet receipt ENTRY --language sv
    intyga-wallet receipt ENTRY --save receipt.pdf

`ENTRY` is the number of an entry in the history, or its first eight characters and more.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from proofs import strict_json
from service.commands import CommandFailed, JSONOption, show
from service.documents import Block, Document, Facts, Items, Quote, pdf_now
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry
from wallet.naming import without_controls
from wallet.pages.receipt_pdf import receipt_document
from wallet.receipts import has_receipt, receipt_file
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    LanguageOption,
    PersonOption,
    WalletData,
    open_vault,
    translator_for,
    with_wallet,
    write_private_file,
)

FILES = (".pdf", ".json")


def register(app: typer.Typer) -> None:
    """Add the command to `intyga-wallet`."""
    app.command("receipt")(receipt)


def receipt(
    entry: Annotated[str, typer.Argument(help="The number of the entry in the history, or its first 8 characters.")],
    save: Annotated[Path | None, typer.Option("--save", help="Write it to a new file: .pdf or .json.")] = None,
    language: LanguageOption = "en",
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Show the receipt of a decision: what was shared, with whom, why, until when, and how to take it back."""
    result = with_wallet(data, lambda wallet: _receipt(wallet, person, entry.strip().lower(), save, language))
    show(result["file"], as_json=as_json, human=lambda _: result["text"])


async def _receipt(wallet: Deployment, person: str, number: str, save: Path | None, language: str) -> dict[str, Any]:
    t = translator_for(wallet, language)
    if save is not None and save.suffix.lower() not in FILES:
        raise CommandFailed(f"The file must end in {' or '.join(FILES)}.", error="usage", exit_status=2)
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such vault.", error="unknown_person")
    found = _find(Histories(wallet).read(vault).entries, number)
    document = receipt_document(found, t, now=wallet.clock())
    if save is None:
        return {"file": receipt_file(found), "text": "\n".join(_lines(document))}
    content = pdf_now(document) if save.suffix.lower() == ".pdf" else strict_json.dumps(receipt_file(found))
    write_private_file(save, content)
    return {"file": {"file": str(save)}, "text": f"The receipt is in {save}."}


def _find(entries: tuple[Entry, ...], number: str) -> Entry:
    found = [one for one in entries if one.id.startswith(number)] if len(number) >= 8 else []
    if len(found) != 1:
        raise CommandFailed("There is no such entry in the history.", error="not_found")
    if not has_receipt(found[0]):
        raise CommandFailed("There is no receipt: nothing was decided.", error="not_found")
    return found[0]


def _lines(document: Document) -> Iterator[str]:
    """The document on a terminal. Words of others stand on one line each: none can pass as a line of ours."""
    yield _one_line(document.title)
    for block in document.blocks:
        yield from _block(block)
    for section in document.sections:
        yield f"\n{_one_line(section.title)}"
        for block in section.blocks:
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Facts(pairs):
            yield from (f"  {name}: {_one_line(said)}" for name, said in pairs)
        case Items(items):
            yield from (f"  - {_one_line(item)}" for item in items)
        case Quote(text, by):
            words = _one_line(text).replace('"', "'")
            yield f'  {_one_line(by)}: "{words}"'
        case _:
            yield f"  {_one_line(block.text)}"


def _one_line(text: str) -> str:
    return " ".join(without_controls(text).split())
