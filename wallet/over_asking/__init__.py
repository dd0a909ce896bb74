"""Over-asking (consent.md, rules OA-01 to OA-14): what a person should think of before deciding, found by fixed rules.

    facts = gather(checked, past=past, shown=shown)          # everything the rules look at, once
    found = evaluate(facts)                                  # the same facts give the same warnings, always
    replay(logged, content).is_same                          # also years later, from the kept bytes of the request

The rules know no clock, no network and no values: `AskedFacts` holds the names of what is asked, never what it says.
`rules.py` is the table, one row for each rule; `conditions.py` has one small function for each row.
"""

from wallet.over_asking.facts import AskedCertificate, AskedFacts, AskedItem, ShownCertificate, gather
from wallet.over_asking.past import AFTER_REFUSAL, Past, asked_paths, is_from, is_muted, past_of, same_question
from wallet.over_asking.policy import PolicyOutcome, policy_outcome
from wallet.over_asking.replay import ReadFrom, Replayed, judged_facts, replay, warned_again
from wallet.over_asking.rules import (
    RULES,
    RULES_VERSION,
    Level,
    Place,
    Rule,
    Says,
    about_rule,
    evaluate,
    fired,
    rule_of,
    says,
)
from wallet.over_asking.warned import Warned, WarningKind

__all__ = [
    "AFTER_REFUSAL",
    "RULES",
    "RULES_VERSION",
    "AskedCertificate",
    "AskedFacts",
    "AskedItem",
    "Level",
    "Past",
    "Place",
    "PolicyOutcome",
    "ReadFrom",
    "Replayed",
    "Rule",
    "Says",
    "ShownCertificate",
    "Warned",
    "WarningKind",
    "about_rule",
    "asked_paths",
    "evaluate",
    "fired",
    "gather",
    "is_from",
    "is_muted",
    "judged_facts",
    "past_of",
    "policy_outcome",
    "replay",
    "rule_of",
    "same_question",
    "says",
    "warned_again",
]
