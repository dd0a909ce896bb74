"""`intyga-verifier webhooks`: which programs are told of changes, and what could not be delivered to them."""

from typing import Annotated, Any

import typer

from service.accounts import Accounts
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, run_async, show
from verifier.app import make_http
from verifier.cli_settings import DEFAULT_DATA, VerifierData, open_verifier, settings_for

webhooks_app = command_app("webhooks", help="Programs that are told when their requests change (docs/webhooks.md).")

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The id of the API key, as `api-key list` names it.")]


@webhooks_app.command("set")
def set_webhook(
    key_id: KeyId,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages go: an https address of the program.")],
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Tell the program with this key at this address. The secret for checking signatures is shown once."""
    verifier, http = open_verifier(data), make_http(settings_for(data))
    accounts = Accounts(verifier.database, service="verifier", device_secret=verifier.settings.device_secret())
    if key_id not in {key.id for key in run_async(accounts.api_keys()) if key.revoked_at is None}:
        raise CommandFailed("There is no such key.", error="not_found")
    secret = run_async(verifier.courier.set_address(key_id, url, http=http))
    show({"key": key_id, "url": url, "secret": secret}, as_json=as_json, human=lambda told: str(told["secret"]))


@webhooks_app.command("list")
def list_webhooks(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List the programs that are told, with how many messages wait and how many could not be delivered."""
    shown = [
        {"key": one.maker, "name": one.label, "url": one.url, "waiting": one.waiting, "undelivered": one.undelivered}
        for one in open_verifier(data).courier.store.all()
    ]
    show(shown, as_json=as_json, human=_human_webhooks)


@webhooks_app.command()
def remove(key_id: KeyId, data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Tell a program nothing any more. What waits is forgotten."""
    if not open_verifier(data).courier.store.remove(key_id):
        raise CommandFailed("This program is told nothing.", error="not_found")
    show({"removed": key_id}, as_json=as_json, human=lambda told: f"Removed {told['removed']}.")


@webhooks_app.command()
def undelivered(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List what could not be delivered and is not tried any more."""
    shown = [
        {
            "id": one.id,
            "name": one.label,
            "request_id": one.request_id,
            "event": one.event.value,
            "at": one.at.isoformat(timespec="seconds"),
            "attempts": one.attempts,
            "problem": one.problem,
        }
        for one in open_verifier(data).courier.store.undelivered()
    ]
    show(shown, as_json=as_json, human=_human_undelivered)


@webhooks_app.command("send-again")
def send_again(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="As `undelivered` names it.")],
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Try an undelivered message anew. The running service does it."""
    open_verifier(data).courier.store.send_again(message_id, now=utc_now())
    show({"waiting": message_id}, as_json=as_json, human=lambda told: f"Waiting: {told['waiting']}.")


def _human_webhooks(shown: Any) -> str:
    lines = [
        f"{one['key']}  {one['name']}: {one['waiting']} waiting, {one['undelivered']} undelivered" for one in shown
    ]
    return "\n".join(lines) or "None."


def _human_undelivered(shown: Any) -> str:
    lines = [f"{one['id']}  {one['name']}, {one['event']} at {one['at']}: {one['problem']}" for one in shown]
    return "\n".join(lines) or "None."
