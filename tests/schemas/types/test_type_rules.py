"""What a type demands of its certificates (SD-JWT VC, "Claim Metadata"; edge case S-17)."""

from typing import Any

import pytest

from schemas.types.type_rules import BrokenTypeRules, check_rules, combined_rules

CLAIMS = {"name": "Astrid", "degrees": [{"type": "BSc"}, {"type": "MSc"}], "address": {"city": "Umeå"}}
HIDDEN = {("name",), ("degrees", 0), ("degrees", 1), ("address", "city")}


def check(*documents: list[dict[str, Any]], claims: dict[str, Any] = CLAIMS) -> None:
    """Check the claims against the documents, the basic one first."""
    rules = combined_rules([{"claims": one} for one in documents])
    check_rules(rules, claims, disclosed=HIDDEN, positions={})


@pytest.mark.parametrize(
    "rule",
    [
        {"path": ["name"], "mandatory": True, "sd": "always"},
        {"path": ["degrees"], "mandatory": True, "sd": "never"},
        {"path": ["degrees", None], "sd": "always"},
        {"path": ["degrees", 1], "mandatory": True, "sd": "always"},
        {"path": ["degrees", None, "type"], "mandatory": True, "sd": "never"},
        {"path": ["address", "city"], "sd": "allowed"},
        {"path": ["absent"], "mandatory": False, "sd": "always"},
        {"path": ["absent", "part"], "mandatory": True},
        {"path": ["name"], "unknown": 7, "display": [{"locale": "en", "label": "Name"}]},
    ],
)
def test_a_certificate_that_keeps_to_its_type_passes(rule: dict[str, Any]) -> None:
    """A claim is hidden where its own disclosure stands, not where that of something around it does."""
    check([rule])


@pytest.mark.parametrize(
    "rule",
    [
        {"path": ["absent"], "mandatory": True},
        {"path": ["address", "street"], "mandatory": True},
        {"path": ["degrees", None, "grade"], "mandatory": True},
        {"path": ["degrees"], "sd": "always"},
        {"path": ["degrees", None, "type"], "sd": "always"},
        {"path": ["degrees", None], "sd": "never"},
        {"path": ["name"], "sd": "never"},
        {"path": ["name", "part"]},
        {"path": ["name", None]},
        {"path": ["address", 0]},
    ],
)
def test_a_certificate_that_breaks_a_rule_of_its_type_is_refused(rule: dict[str, Any]) -> None:
    """Something demanded is missing, can be hidden or not against the rules, or is of another shape."""
    with pytest.raises(BrokenTypeRules):
        check([{"path": ["name"]}, rule])


@pytest.mark.parametrize(
    "claims",
    [
        {},
        "x",
        ["name"],
        [{}],
        [{"path": []}],
        [{"path": "name"}],
        [{"path": [True]}],
        [{"path": [-1]}],
        [{"path": [1.0]}],
        [{"path": ["name"], "mandatory": "yes"}],
        [{"path": ["name"], "sd": "perhaps"}],
        [{"path": ["name"], "sd": []}],
        [{"path": ["name"], "display": {}}],
        [{"path": ["name"], "display": [{"label": "Name"}]}],
        [{"path": ["name"]}] * 501,
    ],
)
def test_rules_of_another_form_are_refused(claims: Any) -> None:
    """What is not of its form is not read as if it said nothing."""
    with pytest.raises(BrokenTypeRules):
        combined_rules([{"claims": claims}])


def test_the_rules_of_the_extended_type_hold_as_well() -> None:
    """Members are combined per path; what the type says itself takes precedence."""
    base = [{"path": ["name"], "sd": "always", "display": [{"locale": "en", "label": "Full name"}]}]
    own: list[dict[str, Any]] = [
        {"path": ["name"], "mandatory": True, "display": [{"locale": "sv", "label": "Namn"}]},
        {"path": ["degrees"]},
    ]

    name, degrees = combined_rules([{"claims": base}, {"claims": own}])

    assert (name.sd, name.mandatory, name.members["display"]) == ("always", True, own[0]["display"])
    assert (degrees.sd, degrees.mandatory) == ("allowed", False)
    with pytest.raises(BrokenTypeRules):
        check(base, own, claims={"degrees": []})


@pytest.mark.parametrize(
    ("base", "own", "loosens"),
    [
        ({"sd": "always"}, {"sd": "never"}, True),
        ({"sd": "never"}, {"sd": "allowed"}, True),
        ({"sd": "always"}, {"sd": "always"}, False),
        ({"sd": "allowed"}, {"sd": "always"}, False),
        ({}, {"sd": "always"}, False),
        ({"mandatory": True}, {"mandatory": False}, True),
        ({"mandatory": True}, {}, False),
        ({"mandatory": False}, {"mandatory": True}, False),
    ],
)
def test_a_type_cannot_loosen_what_it_extends(base: dict[str, Any], own: dict[str, Any], loosens: bool) -> None:
    """Whoever knows the extended type may rely on its rules."""
    documents = [{"claims": [{"path": ["name"], **one}]} for one in (base, own)]
    if not loosens:
        assert combined_rules(documents)
        return
    with pytest.raises(BrokenTypeRules):
        combined_rules(documents)


def test_rules_that_select_without_end_are_refused() -> None:
    """Many rules over a large certificate are work that somebody else chose for us."""
    claims: dict[str, Any] = {"list": [{}] * 9_000}
    rules = [{"path": ["list", None, f"absent{n}"]} for n in range(23)]

    check(rules[:22], claims=claims)
    with pytest.raises(BrokenTypeRules):
        check(rules, claims=claims)
