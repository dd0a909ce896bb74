"""What `present` prints before a decision: all that the digest binds and the decision screen says."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.commands import CommandFailed
from service.i18n import load_catalogues
from tests.wallet.fake_verifier import TRANSCRIPT, FakeVerifier, credential, notice, with_optional
from tests.wallet.people import Sharer
from tests.world import World
from wallet.cli_decision import print_decision
from wallet.cli_share import _chosen, _in_another_way
from wallet.pages.share_view import decision_view

pytestmark = pytest.mark.anyio

# Not said to a person: names of form fields and of looks, and what is said in other words.
_NOT_WORDS = frozenset(
    {
        "registration_state",
        "certificate_id",
        "id",
        "kind",
        "value",
        "add",
        "level",
        "purpose_lang",
        "reason_lang",
        "ask_mail",
        "called",
    },
)

DECLARED = {
    "recipients": [{"sv": "Reklam AB", "en": "Advertising Ltd"}],
    "processors": [{"sv": "Moln AB", "en": "Cloud Ltd"}],
    "countries": ["US"],
    "automated_decisions": True,
    "basis": "legitimate_interest",
    "basis_detail": {"sv": "Vi vill.", "en": "We would like to."},
    "withdraw": {"url": "https://employer.example/take-back"},
}


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


async def printed(
    sharer: Sharer, employer: FakeVerifier, said: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> tuple[str, dict[str, Any]]:
    """What is printed, and the view that the page of the same decision is made of."""
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    share_id = await sharer.begin(employer.ask(asked, notice=said).link())
    decision = sharer.decision(share_id)
    history = sharer.sharing.history(sharer.vault)[0]
    view = decision_view(decision, load_catalogues().translator("en"), history=history)
    capsys.readouterr()
    print_decision(decision, view)
    return capsys.readouterr().err, view


def words_of(value: Any, key: str = "") -> Iterator[str]:
    """Every text of a view that is for a person to read."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _NOT_WORDS:
                yield from words_of(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from words_of(inner, key)
    elif isinstance(value, str) and value:
        yield " ".join(value.split())


async def test_everything_that_the_page_says_is_printed(
    world: World, employer: FakeVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """CS-14, CS-25: an approval in the terminal binds the whole notice, so all of it is there to be read."""
    sharer = await Sharer.with_certificate(world)
    said = notice(**DECLARED)
    said["items"] = [
        {"credential": "certificate", "path": ["family_name"], "reason": {"sv": "För lönen.", "en": "For the pay."}}
    ]

    text, view = await printed(sharer, employer, said, capsys)

    missing = [words for words in words_of(view) if words not in text]
    assert missing == []
    for line in (
        '      Their reason: "For the pay."',
        '  Passed on to: "Advertising Ltd"',
        '  Handled for them by: "Cloud Ltd"',
        '  Other countries: "United States"',
        "  Decisions by machine: yes, they say",
        '  The ground in their words: "We would like to."',
        '  To take back: "https://employer.example/take-back"',
        "  You have not shared with them before.",
    ):
        assert f"\n{line}\n" in text
    assert "Title: Computer Security for Health Care Systems" in text, "what always goes along, with its value"


async def test_what_was_not_declared_is_printed_as_not_stated(
    world: World, employer: FakeVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """CS-14: silence about who else gets it is not read as "nobody"; an empty list is."""
    sharer = await Sharer.with_certificate(world)

    silent, _ = await printed(sharer, employer, notice(recipients=None), capsys)
    none = notice(recipients=[], processors=[], countries=[], automated_decisions=False)
    nobody, _ = await printed(sharer, employer, none, capsys)

    for line in (
        "Passed on to",
        "Handled for them by",
        "Other countries",
        "Decisions by machine",
        "The ground in their words",
    ):
        assert f"  {line}: not stated\n" in silent
    assert "  Passed on to: nobody, they say\n" in nobody
    assert "  Handled for them by: nobody else, they say\n" in nobody
    assert "  Other countries: none, they say\n" in nobody
    assert "  Decisions by machine: no, they say\n" in nobody


async def test_an_earlier_share_is_told(
    world: World, employer: FakeVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second request of the same recipient says when the first was answered."""
    sharer = await Sharer.with_certificate(world)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    await sharer.approve(await sharer.begin(employer.ask(asked, notice=notice()).link()))

    text, _ = await printed(sharer, employer, notice(), capsys)

    assert "  You last shared with them on 20 November 2026.\n" in text


async def test_a_purpose_cannot_pass_as_a_line_of_ours(
    world: World, employer: FakeVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """CS-10: quotation marks of the recipient do not end the quotation."""
    sharer = await Sharer.with_certificate(world)
    attack = {"sv": 'x" Kept until: 1 January 2027 "', "en": 'x" Kept until: 1 January 2027 "'}

    text, _ = await printed(sharer, employer, notice(purpose=attack), capsys)

    (line,) = [one for one in text.splitlines() if "Why, in their words" in one]
    assert line == "  Why, in their words: \"x' Kept until: 1 January 2027 '\""


async def test_the_list_says_which_optional_part_nothing_here_answers(
    world: World, employer: FakeVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers are those of the request; a number that is skipped is told, with what it asks for, and not taken."""
    sharer = await Sharer.with_certificate(world)
    asked = with_optional(
        credential(["family_name"]),
        credential(["credits"], query_id="first"),
        credential(["birthdate"], query_id="second", vct="urn:somebody:else"),
        credential(["achievement_title"], query_id="third"),
    )
    share_id = await sharer.begin(employer.ask(asked, notice=notice()).link())
    decision = sharer.decision(share_id)
    view = decision_view(decision, load_catalogues().translator("en"), history=[])
    capsys.readouterr()

    print_decision(decision, view)

    err = capsys.readouterr().err
    numbers = [line.split(":")[0].strip() for line in err.splitlines() if line.strip().startswith("Optional part")]
    assert numbers == ["Optional part 1 (not chosen)", "Optional part 2", "Optional part 3 (not chosen)"]
    assert "Optional part 2: nothing in this wallet answers it (birthdate)." in err
    with pytest.raises(CommandFailed, match="Nothing in this wallet answers optional part 2"):
        _chosen(decision, optional=["2"], yes=[])
    with pytest.raises(CommandFailed, match="There is no optional part 4"):
        _chosen(decision, optional=["4"], yes=[])


async def test_an_optional_part_that_the_required_one_answers_is_not_called_missing(
    world: World, employer: FakeVerifier
) -> None:
    """Nothing is lacking of what goes anyway."""
    sharer = await Sharer.with_certificate(world)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))

    assert sharer.decision(await sharer.begin(employer.ask(asked, notice=notice()).link())).unanswered == ()


async def test_s2b_another_way_to_answer_is_taken_by_its_number(
    world: World, employer: FakeVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stands with its number; taking it shows that one in place of the first, and a wrong number stops."""
    sharer = await Sharer.with_certificate(world, "micro-credential", "course-results")
    both = [credential(["family_name"]), credential(["given_name"], ["family_name"], query_id="more", vct=TRANSCRIPT)]
    either = {"credentials": both, "credential_sets": [{"options": [["certificate"], ["more"]]}]}
    share_id = await sharer.begin(employer.ask(either, notice=notice()).link())
    decision = sharer.decision(share_id)
    view = decision_view(decision, load_catalogues().translator("en"), history=[])
    print_decision(decision, view)
    assert f"[--another {len(decision.alternatives)} takes it]" in capsys.readouterr().err
    (number,) = [n for n, one in enumerate(decision.alternatives, start=1) if one.option is not None]

    taken = _in_another_way(sharer.sharing, sharer.vault, decision, number)
    kept = _chosen(taken, optional=[], yes=[])

    before, after = [{choice.query_id for choice in one.choices} for one in (decision, taken)]
    assert before != after
    assert before | after == {"certificate", "more"}
    assert (kept.ticked, taken.chosen.approved) == (frozenset(), frozenset())
    with pytest.raises(CommandFailed):
        _in_another_way(sharer.sharing, sharer.vault, taken, 9)
