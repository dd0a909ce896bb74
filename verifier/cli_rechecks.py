"""`intyga-verifier recheck`: checking again whether what was shown still holds, where the person lets it happen."""

from typing import Annotated, Any

import typer

from service.commands import CommandFailed, JSONOption, run_async, show
from verifier.app import make_http
from verifier.cli_settings import DEFAULT_DATA, VerifierData, open_verifier, settings_for
from verifier.exchange import Verifier
from verifier.result_document import permission_document

ACTOR = "command line"


def register(app: typer.Typer) -> None:
    """Add the command to `intyga-verifier`."""
    app.command("recheck")(recheck)


def recheck(
    request_id: Annotated[str, typer.Argument(metavar="[ID]", help="The request, as `request` named it.")] = "",
    due: Annotated[bool, typer.Option("--due", help="Everything that is due and that its template checks.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Only say how the permission stands; check nothing.")] = False,
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Check again under a standing permission; the person is told of it. Exit status 1 unless it still holds."""
    if bool(request_id) == due or (due and look):
        raise CommandFailed("Name one request, or say --due.", error="usage", exit_status=2)
    told = run_async(_run(data, request_id, look=look))
    show(told, as_json=as_json, human=_human)
    if not due and not look and told["outcome"] != "valid":
        raise typer.Exit(1)


async def _run(data: VerifierData, request_id: str, *, look: bool) -> dict[str, Any]:
    http = make_http(settings_for(data))
    verifier = open_verifier(data, http=http)
    try:
        if not request_id:
            return {"checked": await verifier.rechecks.check_what_is_due()}
        outcome = None if look else await verifier.rechecks.check_again(request_id, actor=ACTOR)
        return {"outcome": outcome.value if outcome else None, "permission": await _permission(verifier, request_id)}
    finally:
        await verifier.judge.close()
        await http.close()


async def _permission(verifier: Verifier, request_id: str) -> dict[str, Any]:
    return permission_document(request_id, await verifier.rechecks.permission(request_id))


def _human(told: dict[str, Any]) -> str:
    if "checked" in told:
        return f"{told['checked']} checked."
    permission = told["permission"]
    lines = [f"Now: {told['outcome']}"] if told["outcome"] else []
    lines.append(
        f"Permission: {permission['state']}" + (f", until {permission['until']}" if permission["until"] else "")
    )
    lines += [f"  {one['at']}  {one['outcome'] or 'under way'}" for one in permission["checks"]]
    return "\n".join(lines)
