"""Taking back in a person's words: states, ways, letters. Names of items go into letters, values never."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from schemas.consent import LocalizedText
from schemas.learning.personal_numbers import without_personal_numbers
from schemas.receipt import BothLanguages
from schemas.withdrawal import Action, DeletionStatement, Ground, Reason, StatedItem, StatementOutcome
from service.i18n import N_, Translator
from wallet.ledger import Entry
from wallet.naming import plain
from wallet.pages.history_words import outcome_of
from wallet.pages.phrases import kind_and_title, the_certificate, told_apart
from wallet.pages.reason_words import reason_words
from wallet.pages.ways_out import in_lines, is_web, mail_link
from wallet.taking_back import PENDING, Standing, State

_NO_TITLES: Final[Mapping[str, BothLanguages]] = {}
_NOT_ALL = frozenset({State.REFUSED, State.PARTLY})
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,24}")


@dataclass(frozen=True, slots=True)
class StateWords:
    """A word for a state, a sentence, and how it looks."""

    word: str
    sentence: str
    state: str
    icon: str = ""


STATES = {
    State.SENT: StateWords(
        N_("Sent, no answer yet"),
        N_("We do not know whether they have it. The wallet sends the same again when you open it."),
        "warning",
        "clock",
    ),
    State.NOT_SENT: StateWords(
        N_("Not sent"),
        N_("It could not be sent. The wallet tries again when you open it. You can write to them in another way."),
        "warning",
    ),
    State.NOT_ACCEPTED: StateWords(
        N_("They answered with an error"),
        N_("That is no answer to your wish. Write to them in another way, or try again."),
        "warning",
    ),
    State.MARKED: StateWords(N_("You have asked them"), N_("They must answer within one month."), "quiet", "clock"),
    State.ACKNOWLEDGED: StateWords(
        N_("They have received it"), N_("They must answer within one month."), "quiet", "clock"
    ),
    State.OVERDUE: StateWords(
        N_("The answer is overdue"), N_("They had one month. You can complain to the authority."), "bad", "warning"
    ),
    State.ESCALATED: StateWords(
        N_("You have complained"), N_("You noted that you complained. Their answer is still missing."), "warning"
    ),
    State.DONE: StateWords(N_("Deleted, they say"), N_("This is what they say. It is no proof."), "good"),
    State.PARTLY: StateWords(
        N_("Partly deleted, they say"), N_("Something is still there. It stands below."), "warning"
    ),
    State.REFUSED: StateWords(N_("They said no"), N_("They must say why. You can complain to the authority."), "bad"),
}
OTHER_WAYS_TOO = frozenset({State.NOT_SENT, State.NOT_ACCEPTED, State.OVERDUE, State.ESCALATED})
"""Where the way that the wallet went has led to nothing, the others stand beside it (CS-35)."""
NO_STATEMENT = N_("Its time is over, and they have stated nothing")
NOTED = {
    State.DONE: N_("You noted that they deleted it. There is no signed statement."),
    State.REFUSED: N_("You noted that they said no. You can complain to the authority."),
}
WHAT_IT_IS = {
    StatementOutcome.DELETED: N_("This is what they say, signed. It does not prove that no copy exists."),
    StatementOutcome.PARTLY: N_("This is what they say, signed. It does not prove that no copy of the deleted exists."),
    StatementOutcome.REFUSED: N_("This is what they say, signed."),
}
"""What a signed statement is worth (CS-37), by what it says."""
GROUNDS = {
    Ground.EXPRESSION: N_("freedom of expression and information (article 17.3 a)"),
    Ground.LEGAL_OBLIGATION: N_("a legal obligation or a public task (article 17.3 b)"),
    Ground.PUBLIC_HEALTH: N_("public health (article 17.3 c)"),
    Ground.ARCHIVING: N_("archiving or research (article 17.3 d)"),
    Ground.LEGAL_CLAIMS: N_("a legal dispute (article 17.3 e)"),
}
REASONS = {
    Reason.WITHDRAWN: N_("because you took it back"),
    Reason.ERASED: N_("because you asked for it"),
    Reason.RETENTION: N_("because there was no reason to keep it any longer"),
}


def ways_of(
    facts: Mapping[str, Any], t: Translator, *, names: Sequence[str], day: str, action: Action
) -> list[dict[str, str]]:
    """How the person can write or call: their page, an e-mail draft, a telephone number. Links only where safe."""
    ways: list[dict[str, str]] = []
    url, contact = str(facts.get("withdraw_url") or ""), str(facts.get("withdraw_contact") or "")
    for one in (contact, str(facts.get("data_protection_contact") or ""), str(facts.get("contact") or "")):
        contact = contact or one
    subject, body = letter(facts, t, names=names, day=day, action=action)
    if url:
        ways.append({"way": "page", "text": plain(url), "href": url if is_web(url) else ""})
    if contact:
        href = mail_link(contact, subject, body)
        ways.append({"way": "mail", "text": plain(contact), "href": href, "subject": subject, "body": body})
    if phone := str(facts.get("withdraw_phone") or ""):
        href = f"tel:{re.sub('[^0-9+]', '', phone)}" if _PHONE.fullmatch(phone) else ""
        ways.append({"way": "phone", "text": plain(phone), "href": href, "script": script(facts, t, day=day)})
    return ways


def letter(
    facts: Mapping[str, Any], t: Translator, *, names: Sequence[str], day: str, action: Action
) -> tuple[str, str]:
    """Subject and body of an e-mail: which law, what, from which day. The person adds who they are."""
    first = (
        t(N_("On %(day)s I shared information about myself with you. I take that back."), day=day)
        if action is Action.WITHDRAW
        else t(N_("On %(day)s I shared information about myself with you."), day=day)
    )
    lines = [
        first,
        t(N_("I ask you to delete the following under article 17 of the GDPR:")),
        *(f"- {name}" for name in names or [t(N_("everything that you received"))]),
        "",
        t(N_("Please confirm in writing what you have deleted, and when copies in backups are gone.")),
        t(N_("If you keep something, please say what, and on which ground in law.")),
        t(N_("You must answer within one month (article 12.3).")),
        number_line(facts, t),
        "",
        t(N_("[Your name]")),
    ]
    return t(N_("Request for deletion, GDPR Art. 17")), in_lines(lines)


def number_line(facts: Mapping[str, Any], t: Translator, *, is_theirs: bool = False) -> str:
    """The recipient's number for the request, as a line of a letter to them; "" when it gave none. `is_theirs`: of a
    letter about them."""
    number = plain(str(facts.get("request_id") or ""))
    if number and is_theirs:
        return t(N_("Their number for it: %(number)s"), number=number)
    return t(N_("Your number for it: %(number)s"), number=number) if number else ""


def script(facts: Mapping[str, Any], t: Translator, *, day: str) -> str:
    """What to say on the telephone."""
    said = t(
        N_("“I shared information with you on %(day)s. Please delete it, under article 17 of the GDPR. By when?”"),
        day=day,
    )
    return " ".join(part for part in (said, t(N_("Write down the day, and who you spoke with."))) if part)


def names_of(
    entry: Entry,
    chosen: Sequence[int] | None,
    t: Translator,
    *,
    unique: bool = True,
    titles: Mapping[str, BothLanguages] = _NO_TITLES,
) -> list[str]:
    """The names of what was chosen, or of all that went: items, then the certificates that went without any.

    Where certificates have something of the same name, theirs stands beside it. `titles` are those of the certificates
    still held, for pages; a letter and a file tell none, since a title is a value.
    """
    names = told_apart([(_name(one, t), _owner(one), called_here(one, titles, t)) for one in entry.shared])
    bare = [the_certificate(called_here(one, titles, t), t) for one in entry.bare]
    all_names = list(zip([*names, *bare], map(_owner, entry.went), strict=True))
    wanted = all_names if chosen is None else [all_names[number] for number in chosen]
    return [name for name, _ in (dict.fromkeys(wanted) if unique else wanted)]


def _name(facts: Mapping[str, Any], t: Translator) -> str:
    return BothLanguages(**facts["name"]).text(t.language)


def _owner(facts: Mapping[str, Any]) -> str:
    return str(facts["certificate_id"])


def called_here(facts: Mapping[str, Any], titles: Mapping[str, BothLanguages], t: Translator) -> str:
    """What the certificate of an item, or one that went without any, is called: with its title while it is held."""
    held = titles.get(facts.get("certificate_id", ""))
    kind = BothLanguages(**facts["certificate"]).text(t.language)
    return kind_and_title(kind, held.text(t.language) if held is not None else "", t)


def standing_view(
    entry: Entry, standing: Standing, t: Translator, *, titles: Mapping[str, BothLanguages] = _NO_TITLES
) -> dict[str, Any]:
    """How it stands, for the templates. `titles` as in `names_of`."""
    words = STATES.get(standing.state)
    sentence = ""
    if words is not None:
        noted = NOTED.get(standing.state) if standing.reason == "noted" else None
        sentence = t(noted or words.sentence)
    return {
        "state": standing.state.value,
        "offers": _offers(standing),
        "word": t(words.word) if words else "",
        "look": words.state if words else "quiet",
        "icon": words.icon if words else "",
        "sentence": sentence,
        "asked": t.date(standing.wish.at) if standing.wish else "",
        "what": t.listed(names_of(entry, standing.chosen, t, titles=titles))
        if standing.wish and standing.chosen is not None
        else "",
        "took_back": standing.action is Action.WITHDRAW,
        "again": t.listed(dict.fromkeys(t.date(one.at) for one in standing.again)) if standing.again else "",
        "due": t.date(standing.due_on) if standing.due_on else "",
        "reason": "" if standing.reason == "noted" else reason_words(standing.reason, t),
        "is_overdue": standing.is_overdue,
        "can_complain": standing.can_complain,
        "complained": t.date(standing.complained_at) if standing.complained_at else "",
        "has_letter": standing.wish is not None and (standing.is_overdue or standing.state in _NOT_ALL),
        "waits_for_note": standing.state in PENDING,
        "is_by_wallet": standing.is_by_wallet,
        "is_gone": standing.is_gone,
        "misses_statement": standing.misses_statement,
        "not_mentioned": t.listed(names_of(entry, standing.not_mentioned, t, titles=titles))
        if standing.not_mentioned
        else "",
        "statements": [_statement_view(entry, one, t, came=t.moment(event.at)) for event, one in standing.statements],
    }


def _offers(standing: Standing) -> str:
    """What the person can still wish: "all", "more" beside what they wished for, "again" where the wish came to
    nothing, or "" as long as an answer about everything is owed."""
    if standing.is_gone:
        return ""
    if standing.wish is None:
        return "all"
    if standing.state in PENDING - {State.NOT_ACCEPTED}:
        return "" if standing.chosen is None else "more"
    return "more" if standing.state is State.DONE else "again"


def _statement_view(entry: Entry, statement: DeletionStatement, t: Translator, *, came: str) -> dict[str, Any]:
    deleted = None if statement.deleted_at is None else datetime.fromtimestamp(statement.deleted_at, UTC)
    return {
        "came": came,
        "what_it_is": t(WHAT_IT_IS[outcome_of(statement)]),
        "is_refusal": outcome_of(statement) is StatementOutcome.REFUSED,
        "made": t.moment(datetime.fromtimestamp(statement.iat, UTC)),
        "deleted": t.moment(deleted) if deleted else "",
        "backups": t.date(statement.backups_until) if statement.backups_until else "",
        "why": t(REASONS[statement.reason]),
        "items": t.listed(stated_names(entry, statement.items, t)) if statement.items else "",
        "systems": [their_words(one, t) for one in statement.systems],
        "informed": [their_words(one, t) for one in statement.informed],
        "exceptions": [
            {
                "ground": t(GROUNDS[one.ground]),
                "words": their_words(one.words, t),
                "items": t.listed(stated_names(entry, one.items, t)) if one.items else "",
            }
            for one in statement.exceptions
        ],
    }


def stated_names(entry: Entry, items: Sequence[StatedItem], t: Translator) -> list[str]:
    """What a statement names, in its own words; with the certificate where several have something of that name."""
    decided = entry.decided or {}
    kinds = {
        reference["credential"]: BothLanguages(**facts["certificate"]).text(t.language)
        for facts in (*entry.shared, *decided.get("came_along", ()))
        for reference in facts.get("references", ())
    }
    named = [(their_words(one.label, t), one.credential, kinds.get(one.credential, one.credential)) for one in items]
    owners = [owner for _, owner, _ in named]
    return [name for name, _ in dict.fromkeys(zip(told_apart(named), owners, strict=True))]


def their_words(text: LocalizedText, t: Translator) -> str:
    """What somebody wrote into a statement, where it is shown apart from the document that they signed.

    Without any personal number: the history tells names and texts, never values. The document itself stays as it is.
    """
    return without_personal_numbers(plain(text.text(t.language)))
