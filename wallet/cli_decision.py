"""A decision on the terminal: everything that the decision screen says, since an approval covers all of it (CS-25).

    print_decision(decision, view)      # `view` is what the page is made of, `wallet.pages.share_view.decision_view`

Texts of the recipient stand on one line each and in quotes: none can pass as a line of ours (CS-10).
"""

from collections.abc import Iterator
from typing import Any

from wallet.decision import Decision
from wallet.naming import without_controls
from wallet.terminal import tell

NOT_STATED = "not stated"
_SURE = {
    "registered": "on a list that this wallet trusts",
    "certificate": "confirmed by somebody this wallet trusts",
}


def print_decision(decision: Decision, view: dict[str, Any]) -> None:
    """Print who asks, why, until when, what they would see, what comes along and what stays, and the warnings."""
    lines = [*_who(view), *_why(view), *_what(view), *_beside(decision, view)]
    for line in lines:
        tell(line)


def _who(view: dict[str, Any]) -> Iterator[str]:
    who, notice = view["who"], view["notice"]
    if view["acting_for"]:
        yield f"\nYou are acting for {one_line(view['acting_for'])}, as {one_line(view['acting']['agent'])}."
        yield f"  By a power from {one_line(view['acting']['issuer'])}, until {view['acting']['until']}."
        yield from (f"  It is of no use here: {fault}" for fault in view["acting"]["faults"])
    for one in view["powers"]:
        name = one_line(one["name"])
        if one["over"]:
            yield f"  You hold a power for {name}. {one['over']}"
        else:
            yield f"  You can answer for {name} instead: --act-for {one['id']}"
    yield f"\n{one_line(who['begins'])} asks ({_SURE.get(who['level'], 'we cannot confirm who is asking')})."
    yield f"  {one_line(view['headline'])}."
    yield f"  The answer goes to: {view['answer_host']}"
    shared = who["last_shared"]
    yield f"  You last shared with them on {shared}." if shared else "  You have not shared with them before."
    yield f"  Registered: {one_line(who['registration'])} {one_line(who['registration_advice'])}".rstrip()
    if who["through"]:
        yield f"  Through an intermediary: {_quoted(who['through']['intermediary'])}"
        yield f"  On behalf of: {_quoted(who['through']['on_behalf_of'])}"
    if who["registered_purpose"]:
        yield f"  Registered for: {_quoted(who['registered_purpose'])}"
    if who["registrar"]:
        yield f"  Registered with: {_quoted(who['registrar'])}"
    if notice["says_it_is"]:
        yield f"  Says it is: {_quoted(notice['says_it_is'])}"
    yield f"  Organisation number: {_quoted(notice['organisation_number'])}"
    yield f"  Country: {_quoted(notice['country'])}"
    yield f"  Contact: {_quoted(notice['contact'])}"
    yield f"  Data protection contact: {_quoted(notice['data_protection_contact'])}"
    yield f"  Website: {_quoted(notice['website'])}"
    yield f"  Web addresses in its proof of who it is: {one_line(who['dns_names']) or 'none'}"
    yield f"  Identifier: {one_line(who['client_id'])}"


def _why(view: dict[str, Any]) -> Iterator[str]:
    notice = view["notice"]
    yield f"  Why, in their words: {_quoted(notice['purpose'])}"
    yield f"  Kept until: {view['retention'] or NOT_STATED}"
    yield f"  Ground that they state: {notice['basis'] or NOT_STATED}"
    yield f"  The ground in their words: {_quoted(notice['basis_detail'])}"
    yield f"  Passed on to: {_declared(notice['recipients'], 'nobody, they say')}"
    yield f"  Handled for them by: {_declared(notice['processors'], 'nobody else, they say')}"
    yield f"  Other countries: {_declared(notice['countries'], 'none, they say')}"
    automated = {None: NOT_STATED, True: "yes, they say", False: "no, they say"}
    yield f"  Decisions by machine: {automated[notice['automated']]}"
    yield f"  To take back: {_quoted(notice['withdraw'])}"
    yield "  That you share does not make their use lawful. The ground is what they say it is."


def _what(view: dict[str, Any]) -> Iterator[str]:
    for group in view["required"]:
        yield from _group("Needed", group)
    for part in sorted([*view["optional"], *view["unanswered"]], key=lambda one: int(one["index"])):
        yield from _optional(part)
    if view["items"]:
        yield "\n  What you would share now:"
        yield from (f"    {one_line(name)}" for name in view["items"])
    yield from (f"  {one_line(sentence)}" for sentence in view["titles"])


def _optional(part: dict[str, Any]) -> Iterator[str]:
    """One optional part, under the number that it has in the request; also one that nothing here answers."""
    if "groups" not in part:
        asked = f" ({one_line(part['items'])})" if part["items"] else ""
        if asked or not part["not_accepted"]:
            yield f"\n  Optional part {part['index']}: nothing in this wallet answers it{asked}."
        if part["not_accepted"]:
            yield f"\n  Optional part {part['index']}: they do not accept the value that you have:"
            yield f"    {one_line(part['not_accepted'])}"
        return
    mark = "chosen" if part["ticked"] else "not chosen"
    for group in part["groups"]:
        yield from _group(f"Optional part {part['index']} ({mark})", group)


def _group(heading: str, group: dict[str, Any]) -> Iterator[str]:
    issuer = group["issuer"] if group["issuer_trusted"] else f"{group['issuer']} (in its own words)"
    date = f", {group['date']}" if group["date"] else ""
    yield f"\n  {heading}: {one_line(group['title'])}, issued by {one_line(issuer)}{date}"
    if group["is_bare"]:
        yield "    Only what always comes with it goes from this certificate."
    if group["title_goes"]:
        yield f"    {one_line(group['title_goes'])}"
    if group["known"]:
        yield f"    {group['known']}"
    for item in group["items"]:
        values = "; ".join(f"{name}: {value}" if name else value for name, value, *_ in item["lines"])
        kind = f" [{item['kind']}]" if item["kind"] else ""
        own_yes = (
            f"   [needs a yes of its own: --yes {item['id']}]" if item["needs_yes"] and not item["approved"] else ""
        )
        yield f"    {one_line(item['label'])}{kind}: {one_line(values)}{own_yes}"
        if item["accepted"]:
            yield f"      They accept only {one_line(item['accepted'])}."
        if item["comes_along"]:
            yield "      Comes along with what they ask for."
        if item["reason"]:
            yield f"      Their reason: {_quoted(item['reason'])}"


def _beside(decision: Decision, view: dict[str, Any]) -> Iterator[str]:
    for one in view["declarations"]:
        yield f"\n  If you share, you also sign this, in their words: {_quoted(one['text'])}"
    if view["always"]:
        yield f"\n  Always with it: {view['along']}"
    for one in view["always"]:
        yield f"  From {one_line(one['title'])}:"
        for line in one["pairs"]:
            yield f"    {one_line(line.name)}: {one_line(line.text)}"
        yield (
            "    They get a one-time copy with a key that is used for this share only."
            if one["bound"]
            else "    It is not tied to your wallet, so whoever has it can show it again."
        )
    for number, other in enumerate(view["alternatives"], start=1):
        least = ", which reveals least" if other["is_least"] else ""
        dates = f", {one_line(other['dates'])}" if other["dates"] else ""
        yield (
            f"  Another way to answer{least}: {one_line(other['title'])}, issued by {one_line(other['issuer'])}"
            f"{dates}; it shows {one_line(other['items'])}   [--another {number} takes it]"
        )
    for behind in view["behind"]:
        yield f"  Stays with you, from {one_line(behind['title'])}: {one_line(behind['items'])}"
    for warning in (*view["warnings"], *view["more_warnings"]):
        yield f"  Think of this: {one_line(warning.sentence)} {one_line(warning.advice)}"
    for lack in view["lacks"]:
        enough = "One of them is enough. " if lack.is_choice else ""
        title = one_line(lack.title) or "no certificate has what they ask for"
        yield f"  Missing: {title}. {enough}{' '.join(lack.whys)}".rstrip()
    if (later := view["recheck"]) is not None:
        mark = (
            "allowed"
            if later["ticked"]
            else "not allowed: --allow-checks allows it; leaving it out changes nothing else"
        )
        yield f"  They also want to check later whether it still holds, until {later['until']},"
        yield f"    at most once in {later['every_days']} days ({mark})."
        yield f"    Why, in their words: {_quoted(later['purpose'])}"
    if view["expires_day"]:
        yield f"  You can answer until {view['expires']} on {view['expires_day']}."
    else:
        yield f"  You can answer until {view['expires']}."
        yield "  After that it can be fetched again, as long as they keep it open."
    if decision.is_satisfiable:
        yield "  They cannot tell whether you lack the data or chose not to share."


def _declared(texts: list[str] | None, none: str) -> str:
    if texts is None:
        return NOT_STATED
    return "; ".join(_quoted(text) for text in texts) or none


def _quoted(text: str) -> str:
    """A text of somebody else, in quotes; "not stated" when there is none."""
    shown = one_line(text).replace('"', "'")
    return f'"{shown}"' if shown else NOT_STATED


def one_line(text: str) -> str:
    """A text of somebody else on one line, without control characters."""
    return " ".join(without_controls(text).split())
