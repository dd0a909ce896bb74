"""`intyga-issuer reviews`: certificates that wait until somebody has looked at them."""

from datetime import datetime
from typing import Annotated, Any

import typer

from issuer.cli_output import text_of
from issuer.cli_settings import DEFAULT_DATA, IssuerData, settings_for
from issuer.deferral import Review, Waiting
from issuer.store import open_store
from service.clock import utc_now
from service.commands import JSONOption, command_app, patiently, show

reviews_app = command_app("reviews", help="Certificates that wait for a review: list, approve, deny.")

_OfferID = Annotated[str, typer.Argument(help="Identifier, as `reviews list` tells it.")]


@reviews_app.command("list")
def list_reviews(data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List what waits, the longest waiting first."""
    waiting = open_store(settings_for(data, needs_url=False)).deferrals.list_waiting()
    show([_shown(one) for one in waiting], as_json=as_json, human=_told)


@reviews_app.command()
def approve(offer_id: _OfferID, data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Approve a certificate: the wallet that waits gets it when it asks next."""
    _decide(offer_id, Review.APPROVED, data=data, as_json=as_json)


@reviews_app.command()
def deny(offer_id: _OfferID, data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Deny a certificate, for good."""
    _decide(offer_id, Review.DENIED, data=data, as_json=as_json)


def _decide(offer_id: str, decision: Review, *, data: IssuerData, as_json: bool) -> None:
    store = open_store(settings_for(data, needs_url=False))
    now: datetime = utc_now()
    patiently(lambda: store.deferrals.review(offer_id, decision, now=now))
    decided = {"id": offer_id, "review": decision.value}
    show(decided, as_json=as_json, human=lambda told: f"Certificate {told['id']} is {told['review']}.")


def _shown(waiting: Waiting) -> dict[str, Any]:
    return {
        "id": waiting.offer_id,
        "type": waiting.type_name,
        "title": text_of(waiting.title),
        "recipient": waiting.recipient,
        "since": waiting.since.isoformat(),
    }


def _told(waiting: list[dict[str, Any]]) -> str:
    lines = [f"{one['id']}  {one['since'][:16]}  {one['title']} ({one['recipient']})" for one in waiting]
    return "\n".join(lines) or "Nothing waits for a review."
