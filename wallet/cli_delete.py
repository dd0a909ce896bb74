"""`intyga-wallet delete`: a certificate goes from the vault, with all its copies and keys; the history stays.

intyga-wallet delete ID --yes
"""

import sys
from typing import Annotated, Any

import typer

from service.commands import CommandFailed, JSONOption, show
from wallet.cards import read_card
from wallet.certificates import UnknownCertificate
from wallet.deleting import Deleting
from wallet.deployment import Deployment
from wallet.terminal import DEFAULT_DATA, DEFAULT_PERSON, PersonOption, WalletData, open_vault, tell, with_wallet


def register(app: typer.Typer) -> None:
    """Add the command to `intyga-wallet`."""
    app.command("delete")(delete)


def delete(
    certificate_id: Annotated[str, typer.Argument(metavar="ID", help="The certificate, as `list` names it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Delete a certificate with all its copies and keys. It can only be fetched again; nothing is taken back by it."""
    show(
        with_wallet(data, lambda wallet: _delete(wallet, person, certificate_id, yes=yes)),
        as_json=as_json,
        human=_text,
    )


async def _delete(wallet: Deployment, person: str, certificate_id: str, *, yes: bool) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such certificate.", error=UnknownCertificate.error)
    certificate = wallet.certificate(vault, certificate_id)
    card = read_card(certificate, "en")
    tell(f"{card.title}, {card.issuer}")
    tell("It goes with all its copies and their keys; you can only fetch it again. History and receipts stay.")
    tell("What you shared is not taken back by this: whoever received it still has it (`take-back`).")
    if not yes:
        if not sys.stdin.isatty():
            raise CommandFailed("There is nobody to ask: use --yes.", error="no_decision", exit_status=2)
        if not typer.confirm("Delete this certificate?", default=False, err=True):
            raise CommandFailed("Nothing was deleted.", error="no_decision")
    told = await Deleting(wallet).delete(vault, certificate_id).tell()
    return {"id": certificate_id, "deleted": True, "issuer_told": told}


def _text(result: dict[str, Any]) -> str:
    told = " Its issuer was told." if result["issuer_told"] else ""
    return f"The certificate is deleted.{told}"
