"""Rights that the person uses by a letter of their own, in words: their pages, and how each stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from service.i18n import N_, Translator
from wallet.ledger import Entry
from wallet.rights import Right, asked_of


@dataclass(frozen=True, slots=True)
class RightWords:
    """The page of a right, and its states: word and look of each. `answers` are the buttons, by what they note."""

    title: str
    what: str
    heading: str
    asked: str
    states: dict[str, tuple[str, str, str]]
    noted: dict[str, str]
    answers: dict[str, str]


WORDS: Final = {
    Right.COPY: RightWords(
        title=N_("Ask for a copy"),
        what=N_("You may know what they have about you, and get a copy of it (article 15 of the GDPR)."),
        heading=N_("A copy of what they have"),
        asked=N_("You asked for a copy on %(day)s."),
        states={
            "asked": (N_("You have asked for a copy"), "quiet", "clock"),
            "overdue": (N_("The copy is overdue"), "bad", "warning"),
            "came": (N_("The copy has come"), "good", ""),
        },
        noted={"came": N_("You noted on %(day)s that it came.")},
        answers={"came": N_("I have got the copy")},
    ),
    Right.OBJECTION: RightWords(
        title=N_("Object to what they do"),
        what=N_(
            "They say that an interest of theirs or a public task lets them use it. You may object, for reasons of "
            "your own (article 21 of the GDPR). They must then stop, or show reasons that weigh more."
        ),
        heading=N_("Your objection"),
        asked=N_("You objected on %(day)s."),
        states={
            "asked": (N_("You have objected"), "quiet", "clock"),
            "overdue": (N_("The answer to your objection is overdue"), "bad", "warning"),
            "stopped": (N_("They have stopped, you noted"), "good", ""),
            "refused": (N_("They go on in spite of your objection"), "bad", ""),
        },
        noted={
            "stopped": N_("You noted on %(day)s that they have stopped."),
            "refused": N_(
                "You noted on %(day)s that they go on. They must say why. You can complain to the authority."
            ),
        },
        answers={"stopped": N_("They have stopped"), "refused": N_("They go on")},
    ),
}


def right_views(entry: Entry, t: Translator, *, now: datetime) -> list[dict[str, Any]]:
    """How every right that was used on an entry stands."""
    return [view for right in Right if (view := right_view(entry, right, t, now=now)) is not None]


def right_view(entry: Entry, right: Right, t: Translator, *, now: datetime) -> dict[str, Any] | None:
    """How one right stands, in a word and in sentences; None when it was not used."""
    asked = asked_of(entry, right, now=now, time_zone=t.time_zone)
    if asked is None:
        return None
    words, state = WORDS[right], asked.answer or ("overdue" if asked.is_overdue else "asked")
    word, look, icon = words.states[state]

    def sentences() -> Iterator[str]:
        yield t(words.asked, day=t.date(asked.asked_at))
        if asked.answered_at is not None:
            yield t(words.noted[state], day=t.date(asked.answered_at))
        elif asked.is_overdue:
            yield t(N_("They should have answered by %(day)s."), day=t.date(asked.due_on))
            yield t(N_("You can complain to the authority."))
        else:
            yield t(N_("They must answer by %(day)s."), day=t.date(asked.due_on))

    return {
        "id": right.value,
        "heading": t(words.heading),
        "state": state,
        "word": t(word),
        "look": look,
        "icon": icon,
        "sentence": " ".join(sentences()),
        "answers": [] if asked.answered_at else [(value, t(label)) for value, label in words.answers.items()],
        "can_complain": asked.is_overdue or state == "refused",
    }
