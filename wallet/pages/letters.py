"""Letters that the person sends themselves: for a copy, against what is done with it, about a suspicious request.

Like those of `take_back_words`: names of items go into them, values never; a link only where an address is one.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schemas.consent import Basis
from schemas.receipt import BothLanguages
from service.i18n import N_, Translator
from wallet.ledger import Entry
from wallet.naming import plain
from wallet.pages.take_back_words import names_of, number_line
from wallet.pages.ways_out import in_lines, is_web, mail_link
from wallet.requests import CameBy
from wallet.rights import Right, asked_of

_CONTACTS = ("data_protection_contact", "contact", "withdraw_contact")


def letter_ways(entry: Entry, right: Right, t: Translator) -> list[dict[str, str]]:
    """How the person can use a right: an e-mail draft to whoever they named, or their page."""
    facts, ways = entry.facts, []
    subject, body = LETTERS[right](entry, t)
    if contact := next((str(facts[one]) for one in _CONTACTS if facts.get(one)), ""):
        href = mail_link(contact, subject, body)
        ways.append({"way": "mail", "text": plain(contact), "href": href, "subject": subject, "body": body})
    if url := str(facts.get("website") or ""):
        ways.append({"way": "page", "text": plain(url), "href": url if is_web(url) else ""})
    return ways


def copy_letter(entry: Entry, t: Translator) -> tuple[str, str]:
    """Subject and body: a copy and what must come with it (GDPR article 15). The person adds who they are."""
    lines = [
        *_what_i_shared(entry, t),
        "",
        t(N_("I ask for a copy of all information about me that you have, under article 15 of the GDPR.")),
        t(N_("Please also tell me what you use it for, who has received it and how long you keep it.")),
        t(N_("Please say where you got what I did not share myself.")),
        *_how_it_ends(entry, t),
    ]
    return t(N_("Request for a copy, GDPR Art. 15")), in_lines(lines)


def objection_letter(entry: Entry, t: Translator) -> tuple[str, str]:
    """Subject and body: an objection on grounds of the person's own situation, which they add (GDPR article 21.1).

    While it is looked into the use is to be restricted (18.1 d); without compelling grounds it is to end (17.1 c).
    """
    lines = [
        *_what_i_shared(entry, t),
        "",
        t(N_("I object to your use of it, under article 21.1 of the GDPR.")),
        t(_STATED_GROUND[Basis(entry.facts["basis"])]),
        t(N_("My reasons, from my own situation:")),
        t(N_("[Your reasons]")),
        "",
        t(N_("Please stop using it and delete it (article 17.1 c), or show compelling grounds that weigh more.")),
        t(N_("Please do not use it until you have answered (article 18.1 d).")),
        *_how_it_ends(entry, t),
    ]
    return t(N_("Objection, GDPR Art. 21")), in_lines(lines)


LETTERS: Final = {Right.COPY: copy_letter, Right.OBJECTION: objection_letter}
_STATED_GROUND: Final = {
    Basis.LEGITIMATE_INTEREST: N_("The ground that you stated is an interest of your own (article 6.1 f)."),
    Basis.PUBLIC_TASK: N_("The ground that you stated is a task in the public interest (article 6.1 e)."),
}


def _what_i_shared(entry: Entry, t: Translator) -> Iterator[str]:
    yield t(N_("On %(day)s I shared information about myself with you."), day=t.date(entry.decided_at or entry.at))
    yield from (f"- {name}" for name in names_of(entry, None, t))


def _how_it_ends(entry: Entry, t: Translator) -> Iterator[str]:
    yield t(N_("You must answer within one month (article 12.3)."))
    yield number_line(entry.facts, t)
    yield ""
    yield t(N_("[Your name]"))


def report(entry: Entry, t: Translator, *, now: datetime) -> tuple[str, str]:
    """Subject and body of a report: who asked, from where, how it came, what for. The person says what is wrong.

    What they owe an answer to, or refused, stands in it as well.
    """
    host = plain(entry.host)
    lines = [
        t(N_("I report a request for information about me that I find suspicious or unlawful.")),
        "",
        *_who(entry, host, t),
        t(N_("When: %(moment)s"), moment=t.moment(entry.at)),
        *_what(entry, t),
        *_what_went(entry, t, now=now),
        "",
        t(N_("[What made you suspicious]")),
        t(N_("[Your name and how to reach you]")),
    ]
    return t(N_("Report of a suspicious request from %(host)s"), host=host or "–"), in_lines(lines)


def _who(entry: Entry, host: str, t: Translator) -> Iterator[str]:
    said = plain(entry.who.text(t.language)) or host or t(N_("It is not known who asked."))
    who = t(N_("It says it is %(name)s; that is not confirmed."), name=said) if _is_unproven(entry) else said
    yield t(N_("Who: %(who)s"), who=who)
    if host:
        yield t(N_("Address: %(host)s"), host=host)
    if identifier := plain(str(entry.facts.get("client_id") or "")):
        yield t(N_("Identifier: %(identifier)s"), identifier=identifier)


_CAME_BY: Final = {
    CameBy.LINK: N_("It came by a link that was opened in my browser."),
    CameBy.PASTED: N_("It came by a link that I pasted."),
    CameBy.PICTURE: N_("It came by a picture of a QR code that I showed to my wallet."),
    CameBy.CAMERA: N_("It came by a QR code that I scanned."),
    CameBy.CODE: N_("It came by a code that I typed."),
    CameBy.COMMAND: N_("It came by a link that I opened on the command line."),
}
"""The same as on the pages, in the person's own name."""


def _what(entry: Entry, t: Translator) -> Iterator[str]:
    facts = entry.facts
    if facts.get("came_by"):
        yield t(_CAME_BY[CameBy(facts["came_by"])])
    if asked := [plain(name.text(t.language)) for name in entry.asked]:
        yield t(N_("It asked for: %(items)s."), items=t.listed(asked))
    elif facts.get("error"):
        yield t(N_("The request had a fault: %(code)s"), code=plain(str(facts["error"])))
    else:
        yield t(N_("I did not fetch the request."))
    if purpose := plain(BothLanguages(**(facts.get("purpose") or {})).text(t.language)):
        yield t(N_("For this, in its own words: “%(purpose)s”"), purpose=purpose)


def _what_went(entry: Entry, t: Translator, *, now: datetime) -> Iterator[str]:
    yield t(N_("I have shared information with them.")) if entry.went else t(N_("I have shared nothing with them."))
    for right, sentence in _OWED.items():
        asked = asked_of(entry, right, now=now, time_zone=t.time_zone)
        if asked is not None and asked.is_overdue:
            yield t(sentence, asked=t.date(asked.asked_at), due=t.date(asked.due_on))
    objection = asked_of(entry, Right.OBJECTION, now=now, time_zone=t.time_zone)
    if objection is not None and objection.answer == "refused":
        yield t(
            N_("On %(asked)s I objected under article 21. They go on using it, as they answered."),
            asked=t.date(objection.asked_at),
        )


_OWED: Final = {
    Right.COPY: N_("On %(asked)s I asked them for a copy under article 15. They should have answered by %(due)s."),
    Right.OBJECTION: N_("On %(asked)s I objected under article 21. They should have answered by %(due)s."),
}


def _is_unproven(entry: Entry) -> bool:
    """Whether nobody confirmed who asked: also when the request was never fetched."""
    return entry.facts.get("level") not in ("registered", "certificate")
