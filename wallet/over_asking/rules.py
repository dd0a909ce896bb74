"""The table of the rules: id, level, condition, and for each thing that it says one sentence and one thing to do.

    for warned in evaluate(facts):                # the most serious first
        rule_of(warned.kind).id, says(warned.kind).sentence

The sentences stand here in English and in the catalogue in Swedish; at most 20 words each (CS-41). The first fourteen
rules are those of consent.md; the others tell of who asks and of what would be shown.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from service.i18n import N_
from wallet.over_asking import conditions
from wallet.over_asking.facts import AskedFacts
from wallet.over_asking.warned import Warned, WarningKind

RULES_VERSION: Final = "4"
"""Kept with every decision; changed when a rule or a table behind it changes, so that an older result is not judged by
newer rules."""


class Level(IntEnum):
    """How serious a warning is; the most serious stand first."""

    STRONG = 3
    WARN = 2
    INFO = 1


class Place(StrEnum):
    """Where a warning stands."""

    DECISION = "decision"  # among what to think of
    WHO = "who"  # beside who asks, on the same screen: it leaves room for three others
    ARRIVAL = "arrival"  # as the question before anything is fetched (S0)


@dataclass(frozen=True, slots=True)
class Says:
    """One sentence and one thing to do.

    `needs_override` is for a check of who asks that failed: nothing is shared without a tick of its own (CS-20).
    `needs_step` is for what must be read before any answer, yes or no (OA-09).
    """

    level: Level
    sentence: str
    advice: str
    needs_override: bool = False
    needs_step: bool = False
    place: Place = Place.DECISION


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, what it is about, its condition, and what it says.

    The id is for machines and for us; a person reads `about`, which stands in English as all that the terminal says.
    """

    id: str
    about: str
    condition: Callable[[AskedFacts], Iterable[Warned]]
    says: Mapping[WarningKind, Says]

    @property
    def level(self) -> Level:
        """The level of the most serious thing that it says."""
        return max(one.level for one in self.says.values())


_STRONG, _WARN, _INFO = Level.STRONG, Level.WARN, Level.INFO

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "WHO-1",
        "who asks",
        conditions.unproven,
        {
            WarningKind.UNPROVEN: Says(
                _STRONG,
                N_("We cannot confirm who is asking."),
                N_("Share only if you know that %(host)s is theirs."),
                needs_override=True,
            )
        },
    ),
    Rule(
        "OA-01",
        "more than they have registered",
        conditions.beyond_registration,
        {
            WarningKind.BEYOND_REGISTRATION: Says(
                _STRONG,
                N_("They ask for more than they have registered: %(items)s."),
                N_("Ask them why, or do not share."),
                needs_override=True,
            )
        },
    ),
    Rule(
        "OA-07",
        "whose name and address it is",
        conditions.other_party,
        {
            WarningKind.OTHER_ADDRESS: Says(
                _STRONG,
                N_("The answer goes to %(host)s, which their proof of who they are does not name."),
                N_("Ask them whether this address is theirs."),
                needs_override=True,
            ),
            WarningKind.LOOK_ALIKE: Says(
                _STRONG,
                N_("The address %(host)s looks like %(like)s, but is another one."),
                N_("Go to the address that you know, and start from there."),
                needs_override=True,
            ),
            WarningKind.MIXED_LETTERS: Says(
                _STRONG,
                N_("Their name or address mixes letters of several alphabets. That can deceive."),
                N_("Find out in another way who they are."),
                needs_override=True,
            ),
            WarningKind.YOUNG_CERTIFICATE: Says(
                _STRONG,
                N_("Their identity was confirmed less than 30 days ago, and you have not shared with them before."),
                N_("Find out in another way whether it is really them."),
            ),
        },
    ),
    Rule(
        "REG-1",
        "what they have registered to ask for",
        conditions.registration_unchecked,
        {
            WarningKind.REGISTRATION_FAILED: Says(
                _STRONG,
                N_("Their proof of what they may ask for does not hold."),
                N_("Share only if you know them in another way."),
                needs_override=True,
            ),
            WarningKind.REGISTRATION_UNKNOWN: Says(
                _WARN,
                N_("We could not check what they have registered to ask for."),
                N_("Look closely at what they ask for."),
                place=Place.WHO,
            ),
            WarningKind.UNREGISTERED: Says(
                _WARN,
                N_("They have not shown that they are registered to ask for this."),
                N_("Look closely at what they ask for."),
                place=Place.WHO,
            ),
        },
    ),
    Rule(
        "OA-02",
        "something sensitive that the purpose does not call for",
        conditions.not_called_for,
        {
            WarningKind.NOT_CALLED_FOR: Says(
                _STRONG,
                N_("They ask for something sensitive that their purpose does not call for: %(items)s."),
                N_("Ask them why they need it."),
            )
        },
    ),
    Rule(
        "OA-11",
        "whom the issuer meant the certificate for",
        conditions.policy_says_no,
        {
            WarningKind.POLICY_SAYS_NO: Says(
                _STRONG,
                N_("The issuer of %(certificate)s has not named them among those it is meant for."),
                N_("Share it only if you are sure that they may have it."),
            ),
            WarningKind.POLICY_UNKNOWN: Says(
                _WARN,
                N_("The issuer meant %(certificate)s for some only. We could not check whether they are among them."),
                N_("Share it only if you are sure that they may have it."),
            ),
        },
    ),
    Rule(
        "OA-13",
        "a free choice that they require",
        conditions.forced_consent,
        {
            WarningKind.FORCED_CONSENT: Says(
                _STRONG,
                N_("They say that it is your free choice, and also that they require it."),
                N_("Ask them what happens if you say no."),
            )
        },
    ),
    Rule(
        "OA-12",
        "where the request came from",
        conditions.not_started_here,
        {
            WarningKind.NOT_STARTED_HERE: Says(
                _STRONG,
                N_("It came from outside this browser, so somebody else may have started it."),
                N_("If you did not expect it, stop."),
                place=Place.ARRIVAL,
            )
        },
    ),
    Rule(
        "OA-09",
        "guessing at values",
        conditions.guesses_values,
        {
            WarningKind.GUESSES_VALUES: Says(
                _WARN,
                N_("They ask for a certain answer. If you share, they learn that you have it."),
                N_("If you do not share, they learn nothing."),
                needs_step=True,
            )
        },
    ),
    Rule(
        "OA-06",
        "what it is for",
        conditions.vague_purpose,
        {
            WarningKind.NO_PURPOSE: Says(
                _WARN, N_("They have not said what this is for."), N_("Ask them before you share.")
            ),
            WarningKind.VAGUE_PURPOSE: Says(
                _WARN,
                N_("What they say it is for is too short or too general to judge."),
                N_("Ask them what exactly they need it for."),
            ),
        },
    ),
    Rule(
        "WHO-2",
        "words that are not signed",
        conditions.unproven_notice,
        {
            WarningKind.UNPROVEN_NOTICE: Says(
                _WARN,
                N_("What they say about purpose and time is not signed."),
                N_("Ask them to confirm it in another way."),
            )
        },
    ),
    Rule(
        "OA-05",
        "how long they keep it",
        conditions.long_retention,
        {
            WarningKind.NO_RETENTION: Says(
                _WARN,
                N_("They have not said how long they keep this."),
                N_("Ask them for a date before you share."),
            ),
            WarningKind.RETENTION_PAST: Says(
                _WARN,
                N_("The day until which they say they keep this has already passed."),
                N_("Ask them for a date before you share."),
            ),
            WarningKind.LONG_RETENTION: Says(
                _WARN, N_("They keep this for more than 10 years."), N_("Ask them why so long.")
            ),
            WarningKind.LONGER_THAN_USUAL: Says(
                _WARN,
                N_("They keep this longer than is usual for what they say it is for."),
                N_("Ask them why so long."),
            ),
        },
    ),
    Rule(
        "OA-03",
        "nearly all of a certificate",
        conditions.whole_certificate,
        {
            WarningKind.WHOLE: Says(
                _WARN, N_("They ask for nearly all of a certificate."), N_("Ask them whether less would do.")
            ),
            WarningKind.ONLY_WHOLE: Says(
                _WARN,
                N_("They take a kind of certificate that can only be shown whole."),
                N_("Ask them whether another kind would do."),
            ),
        },
    ),
    Rule(
        "OA-04",
        "more exact than needed",
        conditions.less_would_do,
        {
            WarningKind.LESS_WOULD_DO: Says(
                _WARN,
                N_("They ask for the exact value, though less may do: %(items)s."),
                N_("Ask them whether this is enough: %(instead)s."),
            )
        },
    ),
    Rule(
        "OA-10",
        "anonymous, and yet pointing at you",
        conditions.not_anonymous,
        {
            WarningKind.NOT_ANONYMOUS: Says(
                _WARN,
                N_("They say that it is anonymous, but this points at you: %(items)s."),
                N_("Ask them to do without it, or do not share."),
            )
        },
    ),
    Rule(
        "OA-08",
        "asking again, or for more",
        conditions.repeated,
        {
            WarningKind.MORE_THAN_LAST_TIME: Says(
                _WARN, N_("They ask for more than last time: %(items)s."), N_("Ask them what has changed.")
            ),
            WarningKind.REPEATED: Says(
                _INFO,
                N_("You said no to the same question less than 24 hours ago."),
                N_("You can say no again, or mute it."),
            ),
        },
    ),
    Rule(
        "CER-1",
        "a certificate that anybody can show",
        conditions.bearer,
        {
            WarningKind.BEARER: Says(
                _WARN,
                N_("%(certificate)s is not tied to this wallet: whoever gets it can show it as their own."),
                N_("Share it only with somebody you trust with it."),
            )
        },
    ),
    Rule(
        "OA-14",
        "deletion that they have not answered",
        conditions.overdue_deletion,
        {
            WarningKind.OVERDUE_DELETION: Says(
                _INFO,
                N_("They have not answered in time when you asked them to delete."),
                N_("Look at it in your sharing history before you share more."),
            )
        },
    ),
    Rule(
        "CER-2",
        "whether they may accept it",
        conditions.may_not_be_accepted,
        {
            WarningKind.ISSUER_UNKNOWN: Says(
                _INFO,
                N_("This wallet does not know who issued %(certificate)s."),
                N_("They may not accept it."),
            ),
            WarningKind.STATUS_UNKNOWN: Says(
                _INFO,
                N_("We could not check whether %(certificate)s still holds."),
                N_("They may not accept it."),
            ),
        },
    ),
    Rule(
        "CER-3",
        "the last one-time copy",
        conditions.last_copy,
        {
            WarningKind.LAST_COPY: Says(
                _INFO,
                N_("This uses the last one-time copy of %(certificate)s."),
                N_("Ask the issuer for new ones afterwards."),
            )
        },
    ),
)
"""In the order in which warnings of one level stand."""

_RULE_OF: Final = {kind: rule for rule in RULES for kind in rule.says}
_ORDER: Final = {kind: position for position, kind in enumerate(_RULE_OF)}


def rule_of(kind: WarningKind) -> Rule:
    """The rule that says this."""
    return _RULE_OF[kind]


def says(kind: WarningKind) -> Says:
    """The sentence, the thing to do, and what the warning demands."""
    return _RULE_OF[kind].says[kind]


def evaluate(facts: AskedFacts) -> tuple[Warned, ...]:
    """Everything that fires, the most serious first. The same facts always give the same."""
    found = [warned for rule in RULES for warned in rule.condition(facts)]
    return tuple(sorted(found, key=lambda warned: (-says(warned.kind).level, _ORDER[warned.kind])))


def fired(warned: Iterable[Warned]) -> list[str]:
    """The ids of the rules that said something, each once, sorted: what histories keep and tests compare."""
    return sorted({rule_of(one.kind).id for one in warned})


def about_rule(rule_id: str) -> str:
    """What a rule is about, in words; "something else" for a rule that there no longer is."""
    return next((rule.about for rule in RULES if rule.id == rule_id), "something else")
