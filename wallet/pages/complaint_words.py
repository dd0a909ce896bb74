"""A complaint to the supervisory authority, ready to send: the facts of the history, names of items and never a value.

It says what was shared, what was wished, how and when they were asked, what they answered, and what the authority is
asked to do. What is not known for certain is told as what somebody says (CS-09).
"""

import re
from collections.abc import Iterator

from schemas.withdrawal import Action, DeletionStatement
from service.i18n import N_, Translator
from wallet.ledger import Entry, EventKind
from wallet.naming import plain
from wallet.pages.take_back_words import GROUNDS, names_of, number_line, stated_names, their_words
from wallet.pages.ways_out import in_lines
from wallet.taking_back import Standing, State

_WISHED = {
    Action.WITHDRAW: N_("On %(day)s I took it back and asked them to delete it (article 17)."),
    Action.ERASE: N_("On %(day)s I asked them to delete it (article 17)."),
}
_OF_SOME = N_("On %(day)s I asked them to delete this of it (article 17): %(items)s.")
_BY_WAY = {
    "endpoint": N_("My wallet sent it to the address that they had named for it."),
    "page": N_("I asked them on the page that they had named for it."),
    "mail": N_("I asked them by e-mail."),
    "phone": N_("I asked them by telephone."),
}
_AGAIN = {
    "endpoint": N_("On %(day)s my wallet asked them again."),
    "page": N_("On %(day)s I asked them again on that page."),
    "mail": N_("On %(day)s I asked them again by e-mail."),
    "phone": N_("On %(day)s I asked them again by telephone."),
}


def complaint(entry: Entry, standing: Standing, t: Translator) -> tuple[str, str]:
    """Subject and body, in the reader's language. `standing` has a wish."""
    who = plain(entry.who.text(t.language)) or entry.host
    lines = [
        *_who(entry, who, t),
        "",
        *_what_was_shared(entry, t),
        *_what_was_wished(entry, standing, t),
        *_what_they_said(entry, standing, t),
        t(N_("I have a receipt of what I shared, which I can show. Its number: %(number)s"), number=entry.id),
        "",
        t(N_("I ask you to look into it, and to order them to delete what they must delete (article 58.2).")),
        "",
        t(N_("[Your name and how to reach you]")),
    ]
    return t(N_("Complaint about %(who)s: no deletion under article 17"), who=who), in_lines(lines)


def _who(entry: Entry, who: str, t: Translator) -> Iterator[str]:
    facts = entry.facts
    yield t(N_("I complain about %(who)s under article 77 of the GDPR."), who=who)
    if entry.acting_for is not None:
        name = plain(str(entry.acting_for["principal"]))
        yield t(N_("I do so for %(name)s, for whom I hold a power."), name=name)
    yield ""
    number = plain(str(facts.get("organisation_number") or ""))
    yield t(N_("Who: %(who)s"), who=f"{who} ({number})" if number else who)
    if facts.get("level") == "unproven":
        yield t(N_("That is who they say they are. My wallet could not confirm it."))
    yield t(N_("Address: %(host)s"), host=entry.host)
    if contact := plain(str(facts.get("data_protection_contact") or facts.get("contact") or "")):
        yield t(N_("Contact: %(contact)s"), contact=contact)


def _what_was_shared(entry: Entry, t: Translator) -> Iterator[str]:
    names = names_of(entry, None, t)
    yield t(
        N_("On %(day)s I shared: %(items)s."),
        day=t.date(entry.decided_at or entry.at),
        items=t.listed(names) if names else t(N_("a certificate")),
    )
    if number := number_line(entry.facts, t, is_theirs=True):
        yield number


def _what_was_wished(entry: Entry, standing: Standing, t: Translator) -> Iterator[str]:
    assert standing.wish is not None
    assert standing.action is not None
    asked = t.date(standing.wish.at)
    if standing.chosen is None:
        yield t(_WISHED[standing.action], day=asked)
    else:
        yield t(_OF_SOME, day=asked, items=t.listed(names_of(entry, standing.chosen, t)))
    if way := _BY_WAY.get(str(standing.wish.facts.get("way"))):
        yield t(way)
    for one in standing.again:
        if words := _AGAIN.get(str(one.facts.get("way"))):
            yield t(words, day=t.date(one.at))


def _what_they_said(entry: Entry, standing: Standing, t: Translator) -> Iterator[str]:
    assert standing.wish is not None
    since = entry.events[entry.events.index(standing.wish) :]
    acknowledged = next((one for one in since if one.kind is EventKind.DELETION_ACKNOWLEDGED), None)
    if acknowledged is not None:
        yield t(N_("They confirmed on %(day)s that they had received it."), day=t.date(acknowledged.at))
    if standing.is_overdue and standing.due_on is not None:
        due = t.date(standing.due_on)
        yield t(N_("They should have answered by %(day)s (article 12.3). I have had no answer."), day=due)
        return
    answered = next((one for one in reversed(since) if one.kind in _ANSWERS), standing.wish)
    if standing.state is State.REFUSED:
        yield t(N_("On %(day)s they said no."), day=t.date(answered.at))
    else:
        yield t(N_("On %(day)s they answered. They have not deleted everything."), day=t.date(answered.at))
    if standing.not_mentioned:
        names = t.listed(names_of(entry, standing.not_mentioned, t))
        yield t(N_("They say nothing of: %(items)s."), items=names)
    if standing.statements:
        yield from _their_grounds(entry, standing.statements[-1][1], t)


_ANSWERS = frozenset({EventKind.DELETION_STATED, EventKind.DELETION_ANSWERED})


def _their_grounds(entry: Entry, statement: DeletionStatement, t: Translator) -> Iterator[str]:
    """On which ground in law they keep what, in their own words and marked as theirs."""
    for one in statement.exceptions:
        items = t.listed(stated_names(entry, one.items, t))
        ground = t(GROUNDS[one.ground])
        yield t(N_("They keep %(items)s. The ground that they state: %(ground)s."), items=items, ground=ground)
        # Marks of quotation in their words would end the quotation where they like.
        if words := re.sub('[“”„"]', "'", their_words(one.words, t)):
            yield t(N_("In their words: “%(words)s”"), words=words)
