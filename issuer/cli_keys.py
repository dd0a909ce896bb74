"""`intyga-issuer keys`: the signing key and its certificates."""

from pathlib import Path
from typing import Annotated, Any

import typer

from issuer.cli_settings import DEFAULT_DATA, IssuerData, settings_for
from issuer.settings import KEY_NAME
from issuer.store.keys import create_key, existing_key, import_key
from proofs.certificates import unverified_leaf
from proofs.certified_keys import CertifiedKey
from service.clock import utc_now
from service.commands import JSONOption, command_app, show

keys_app = command_app("keys", help="The signing key: made at first need, or before.")

_File = typer.Option(exists=True, dir_okay=False, readable=True)


@keys_app.command("list")
def list_keys(data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List the keys with their files. The root file is what wallets and verifiers add to their trust."""
    key = existing_key(settings_for(data))
    shown = [] if key is None else [_key(key)]
    show(shown, as_json=as_json, human=lambda keys: "\n\n".join(map(_human, keys)) or "There is no key yet.")


@keys_app.command("create")
def create(data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Make a root and a signing key whose certificate names the public URL."""
    key = create_key(settings_for(data, needs_institution=True), now=utc_now())
    show([_key(key)], as_json=as_json, human=lambda keys: _human(keys[0]))


@keys_app.command("import")
def import_(
    key: Annotated[Path, typer.Option("--key", help="Private key, PEM.", exists=True, dir_okay=False)],
    chain: Annotated[Path, typer.Option("--chain", help="Certificates, PEM, leaf first.", exists=True, dir_okay=False)],
    data: IssuerData = DEFAULT_DATA,
    key_passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the passphrase of the imported key.", exists=True, dir_okay=False)
    ] = None,
    as_json: JSONOption = False,
) -> None:
    """Take over a signing key and its certificates from elsewhere."""
    imported = import_key(
        settings_for(data),
        key_pem=key.read_bytes(),
        key_passphrase=key_passphrase_file.read_bytes().strip() if key_passphrase_file else None,
        chain_pem=chain.read_bytes(),
        now=utc_now(),
    )
    show([_key(imported)], as_json=as_json, human=lambda keys: _human(keys[0]))


def _key(key: CertifiedKey) -> dict[str, Any]:
    leaf = unverified_leaf(key.signer.x5c)
    return {
        "name": KEY_NAME,
        "kid": key.signer.kid,
        "alg": key.signer.alg,
        "names": [*leaf.uris, *leaf.dns_names, *leaf.ip_addresses],
        "not_after": leaf.not_after.isoformat(),
        "key_file": str(key.key_file.resolve()),
        "chain_file": str(key.chain_file.resolve()),
        "root_file": str(key.root_file.resolve()) if key.root_file else None,
    }


def _human(key: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in key.items())
