"""Letters that the person sends themselves: for a copy of what somebody has, and about a suspicious request.

Like those of `take_back_words`: names of items go into them, values never; a link only where an address is one.
"""

import re

from service.i18n import N_, Translator
from wallet.ledger import Entry
from wallet.naming import plain
from wallet.pages.share_words import CAME_BY
from wallet.pages.take_back_words import is_web, mail_link, names_of, number_line
from wallet.requests import CameBy

_CONTACTS = ("data_protection_contact", "contact", "withdraw_contact")


def copy_ways(entry: Entry, t: Translator) -> list[dict[str, str]]:
    """How the person can ask for a copy: an e-mail draft to whoever they named, or their page."""
    facts, ways = entry.facts, []
    subject, body = copy_letter(entry, t)
    if contact := next((str(facts[one]) for one in _CONTACTS if facts.get(one)), ""):
        href = mail_link(contact, subject, body)
        ways.append({"way": "mail", "text": plain(contact), "href": href, "subject": subject, "body": body})
    if url := str(facts.get("website") or ""):
        ways.append({"way": "page", "text": plain(url), "href": url if is_web(url) else ""})
    return ways


def copy_letter(entry: Entry, t: Translator) -> tuple[str, str]:
    """Subject and body: a copy and what must come with it (GDPR article 15). The person adds who they are."""
    names = names_of(entry, None, t)
    lines = [
        t(N_("On %(day)s I shared information about myself with you."), day=t.date(entry.decided_at or entry.at)),
        *(f"- {name}" for name in names),
        "",
        t(N_("I ask for a copy of all information about me that you have, under article 15 of the GDPR.")),
        t(N_("Please also tell me what you use it for, who has received it and how long you keep it.")),
        t(N_("Please say where you got what I did not share myself.")),
        t(N_("You must answer within one month (article 12.3).")),
        number_line(entry.facts, t),
        "",
        t(N_("[Your name]")),
    ]
    return t(N_("Request for a copy, GDPR Art. 15")), "\n".join(lines)


def report(entry: Entry, t: Translator) -> tuple[str, str]:
    """Subject and body of a report: who asked, from where, how it came, what for. The person says what is wrong."""
    facts = entry.facts
    said = plain(entry.who.text(t.language)) or entry.host or t(N_("It is not known who asked."))
    who = t(N_("It says it is %(name)s; that is not confirmed."), name=said) if _is_unproven(entry) else said
    purpose = plain((facts.get("purpose") or {}).get(t.language, ""))
    asked = [name.text(t.language) for name in entry.asked]
    lines = [
        t(N_("I report a request for information about me that I find suspicious or unlawful.")),
        "",
        t(N_("Who: %(who)s"), who=who),
        t(N_("Address: %(host)s"), host=entry.host) if entry.host else "",
        t(N_("Identifier: %(identifier)s"), identifier=plain(str(facts["client_id"]))) if facts.get("client_id") else "",
        t(N_("When: %(moment)s"), moment=t.moment(entry.at)),
        t(CAME_BY[CameBy(facts["came_by"])]) if facts.get("came_by") else "",
        t(N_("It asked for: %(items)s."), items=t.listed(asked)) if asked else t(N_("I did not fetch the request.")),
        t(N_("For this, in its own words: “%(purpose)s”"), purpose=purpose) if purpose else "",
        t(N_("I have shared information with them.")) if entry.shared else t(N_("I have shared nothing with them.")),
        "",
        t(N_("[What made you suspicious]")),
        t(N_("[Your name and how to reach you]")),
    ]
    subject = t(N_("Report of a suspicious request from %(host)s"), host=entry.host or "–")
    return subject, re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _is_unproven(entry: Entry) -> bool:
    """Whether nobody confirmed who asked: also when the request was never fetched."""
    return entry.facts.get("level") not in ("registered", "certificate")
