"""The decision and its binding: the CS requirements that hold below the pages (consent.md)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from proofs.formats.sd_jwt import parse_sd_jwt
from schemas.dcql import InvalidSelection
from schemas.errors import ProtocolError
from tests.wallet.fake_verifier import TRANSCRIPT, FakeVerifier, credential, notice, query, with_optional
from tests.wallet.people import Sharer
from tests.world import PASSPHRASE, World
from wallet.certificates import NoCopiesLeft, StoredCertificate
from wallet.consent import CannotSatisfy, Consent, ShownSomethingElse, YesMissing, decide
from wallet.decision import Chosen, Decision, build_decision
from wallet.delivery import DeliveryState
from wallet.ledger import EventKind, Outcome
from wallet.naming import Line
from wallet.over_asking import Past, WarningKind
from wallet.requests import AlreadyAnswered, RequestExpired
from wallet.sensitivity import Kind, kind_of, weight

pytestmark = pytest.mark.anyio


class Anybody:
    """Lets everybody pass."""

    method = "passphrase"

    async def __call__(self) -> None:
        """Raise nothing."""


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def disclosed(presentation: str) -> set[tuple[str | int, ...]]:
    """The paths of everything that a presentation discloses."""
    return set(parse_sd_jwt(presentation).disclosure_at)


# --- defaults and structure -------------------------------------------------------------------------------------------


async def test_cs01_cs02_nothing_is_chosen_on_a_fresh_screen(world: World, employer: FakeVerifier) -> None:
    """Optional parts are unticked, and leaving them out does not touch the required part."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(with_optional(credential(["family_name"]), credential(["credits"], query_id="extra")))

    decision = sharer.decision(await sharer.begin(asked.link()))

    assert decision.chosen == Chosen()
    assert [part.is_ticked for part in decision.optional] == [False]
    assert [item.path for item in decision.items] == [("family_name",)]
    assert not any(item.needs_yes for group in decision.required for item in group.items)


@pytest.mark.parametrize(
    ("vct", "paths", "expected"),
    [
        (None, [["family_name"]], {("family_name",)}),
        (None, [["family_name"], ["birthdate"]], {("family_name",), ("birthdate",)}),
        (None, [["issuing_authority"]], set()),
        (
            TRANSCRIPT,
            [["courses", 0, "achievement_title"]],
            {("courses",), ("courses", 0), ("courses", 0, "achievement_title")},
        ),
        (
            TRANSCRIPT,
            [["courses", None, "credits"]],
            {("courses",), *((("courses", n)) for n in range(3)), *((("courses", n, "credits")) for n in range(3))},
        ),
    ],
)
async def test_cs03_exactly_what_was_agreed_to_leaves(
    world: World, employer: FakeVerifier, vct: str | None, paths: list[list[Any]], expected: set[Any]
) -> None:
    """The presentation holds the disclosures of the items and of what contains them, and no other."""
    sharer = await Sharer.with_certificate(world, "micro-credential" if vct is None else "course-results")
    asked = employer.ask(query(*paths) if vct is None else query(*paths, vct=vct), notice=notice())

    await sharer.approve(await sharer.begin(asked.link()))

    (presentation,) = employer.answers[0]["vp_token"]["certificate"]
    shown = {tuple(0 if isinstance(part, int) else part for part in path) for path in disclosed(presentation)}
    assert shown == {tuple(0 if isinstance(part, int) else part for part in path) for path in expected}
    assert len(parse_sd_jwt(presentation).disclosures) == len(expected)


async def test_cs04_the_least_revealing_alternative_is_proposed(world: World, employer: FakeVerifier) -> None:
    """Though the verifier would rather have name and birth date, the wallet proposes the level alone."""
    sharer = await Sharer.with_certificate(world)
    claims = [
        {"id": "name", "path": ["family_name"]},
        {"id": "birth", "path": ["birthdate"]},
        {"id": "level", "path": ["level_of_learning_experience"]},
    ]
    asked = employer.ask(
        {"credentials": [{**credential(), "claims": claims, "claim_sets": [["name", "birth"], ["level"]]}]},
        notice=notice(),
    )

    share_id = await sharer.begin(asked.link())
    decision = sharer.decision(share_id)

    assert [item.path for item in decision.items] == [("level_of_learning_experience",)]
    (other,) = decision.alternatives
    chosen = sharer.choose(share_id, Chosen(picked={other.query_id: (other.key,)}))
    assert [item.path for item in chosen.items] == [("family_name",), ("birthdate",)]


async def test_cs04_of_two_certificates_the_person_may_take_the_other(world: World, employer: FakeVerifier) -> None:
    """When several certificates would do, one is proposed and the others can be used instead (S2b)."""
    sharer = await Sharer.named(world)
    for offer in world.university.offer()[:2]:
        await world.wallet.receive(sharer.vault, offer.offer)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    first = sharer.decision(share_id)
    (other,) = first.alternatives
    second = sharer.choose(share_id, Chosen(picked={other.query_id: (other.key,)}))

    assert first.groups[0].certificate.id != second.groups[0].certificate.id
    await sharer.approve(share_id)
    title = parse_sd_jwt(employer.answers[0]["vp_token"]["certificate"][0]).claims["achievement_title"]
    assert title == second.groups[0].certificate.claims["achievement_title"]


@pytest.mark.parametrize("turned", [False, True])
async def test_a_tick_never_changes_what_stands_beside_another(
    world: World, employer: FakeVerifier, turned: bool
) -> None:
    """Only another certificate can answer one optional part; ticking it moves no other part over to it."""
    sharer = await Sharer.named(world)
    for offer in world.university.offer()[:2]:
        await world.wallet.receive(sharer.vault, offer.offer)
    held = sharer.vault.certificates()[:: -1 if turned else 1]
    one, other = (
        credential(query_id=name, claims=[{"path": ["course_code"], "values": [held[at].claims["course_code"]]}])
        for name, at in (("certificate", 0), ("other", 1))
    )
    asked = with_optional(one, other, credential(["credits"], query_id="credits"))
    share_id = await sharer.begin(employer.ask(asked, notice=notice()).link())
    sharer.go_on(share_id, WarningKind.GUESSES_VALUES)

    def beside(decision: Decision) -> list[list[tuple[str, tuple[Line, ...]]]]:
        return [[(item.certificate_id, item.lines) for item in part.items] for part in decision.optional]

    fresh = sharer.decision(share_id)
    indexes = [part.index for part in fresh.optional]
    for ticked in (indexes[:1], indexes[1:], indexes):
        read = frozenset({WarningKind.GUESSES_VALUES.value})
        chosen = sharer.choose(share_id, Chosen(ticked=frozenset(ticked), overridden=read))
        assert beside(chosen) == beside(fresh)
        shown = {(item.certificate_id, item.lines) for item in chosen.items}
        assert shown >= {pair for at, part in enumerate(beside(fresh)) if indexes[at] in ticked for pair in part}
    assert {pair[0] for pair in beside(fresh)[1]} == {held[0].id}, "the certificate that is shown anyway"
    await sharer.approve(share_id)
    (answered,) = employer.answers[0]["vp_token"]["credits"]
    assert parse_sd_jwt(answered).claims["credits"] == held[0].claims["credits"]


async def test_several_certificates_are_shown_where_the_query_takes_several(
    world: World, employer: FakeVerifier
) -> None:
    """`multiple`: the person may add a second certificate; each uses a copy of its own."""
    sharer = await Sharer.named(world)
    for offer in world.university.offer()[:2]:
        await world.wallet.receive(sharer.vault, offer.offer)
    share_id = await sharer.begin(employer.ask(query(["family_name"], multiple=True), notice=notice()).link())

    (other,) = sharer.decision(share_id).alternatives
    first = sharer.decision(share_id).choices[0].key
    assert other.can_add
    sharer.choose(share_id, Chosen(picked={other.query_id: (first, other.key)}))
    await sharer.approve(share_id)

    assert len(employer.answers[0]["vp_token"]["certificate"]) == 2
    assert [one.copies_left for one in sharer.vault.certificates()] == [9, 9]


async def test_cs05_a_query_without_claims_gets_no_disclosure(world: World, employer: FakeVerifier) -> None:
    """Who asks for nothing in particular gets only what cannot be hidden."""
    sharer = await Sharer.with_certificate(world)

    await sharer.approve(await sharer.begin(employer.ask(query(), notice=notice()).link()))

    assert parse_sd_jwt(employer.answers[0]["vp_token"]["certificate"][0]).disclosures == ()


async def test_cs06_a_share_that_would_not_do_is_never_sent(world: World, employer: FakeVerifier) -> None:
    """The person is told before confirming, and nothing goes out."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["shoe_size"]), notice=notice()).link())

    decision = sharer.decision(share_id)

    assert not decision.is_satisfiable
    with pytest.raises(CannotSatisfy):
        await sharer.approve(share_id)
    assert employer.forms == []


# --- content ----------------------------------------------------------------------------------------------------------


async def test_cs08_cs11_retention_is_a_date(world: World, employer: FakeVerifier) -> None:
    """90 days become the day on which they end; none declared is a warning."""
    sharer = await Sharer.with_certificate(world)

    told = sharer.decision(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))
    untold = sharer.decision(
        await sharer.begin(employer.ask(query(["family_name"]), notice=notice(retention=None)).link())
    )

    assert told.retention_until is not None
    assert told.retention_until.isoformat() == "2027-02-18"
    assert WarningKind.NO_RETENTION not in [warned.kind for warned in told.warnings]
    assert untold.retention_until is None
    assert WarningKind.NO_RETENTION in [warned.kind for warned in untold.warnings]


@pytest.mark.parametrize(
    ("retention", "is_warned"), [({"days": 3653}, False), ({"days": 3654}, True), ({"until": "9999-12-31"}, True)]
)
async def test_cs08_a_very_late_end_is_a_warning(
    world: World, employer: FakeVerifier, retention: dict[str, Any], is_warned: bool
) -> None:
    """More than ten years is as good as until further notice."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]), notice=notice(retention=retention))

    decision = sharer.decision(await sharer.begin(asked.link()))

    assert (WarningKind.LONG_RETENTION in [warned.kind for warned in decision.warnings]) is is_warned


@pytest.mark.parametrize(("until", "is_warned"), [("2026-11-19", True), ("2020-01-01", True), ("2026-11-20", False)])
async def test_oa05_an_end_that_has_passed_already_is_a_warning(
    world: World, employer: FakeVerifier, until: str, is_warned: bool
) -> None:
    """Whoever says "kept until yesterday" has said no end; until the end of today is one."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]), notice=notice(retention={"until": until}))

    decision = sharer.decision(await sharer.begin(asked.link()))

    assert (WarningKind.RETENTION_PAST in [warned.kind for warned in decision.warnings]) is is_warned
    assert WarningKind.NO_RETENTION not in [warned.kind for warned in decision.warnings]


async def test_cs09_an_unproven_name_is_only_said(world: World) -> None:
    """The name of an unproven sender is its own word, and the first warning says so."""
    sharer, stranger = await Sharer.with_certificate(world), FakeVerifier(world, "shop.example")

    share_id = await sharer.begin(stranger.ask(query(["family_name"]), notice=notice()).link())

    decision = sharer.decision(share_id)
    assert not decision.checked.is_proven
    assert decision.warnings[0].kind is WarningKind.UNPROVEN
    assert sharer.entry(share_id).facts["level"] == "unproven"


async def test_cs12_values_are_shown_localised(world: World, employer: FakeVerifier) -> None:
    """The screen shows values, with dates and numbers in the person's language."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["birthdate"], ["family_name"]), notice=notice()).link())

    swedish, english = (sharer.decision(share_id, language=language) for language in ("sv", "en"))

    assert [item.lines for item in swedish.items] == [(("", "23 april 1998", ""),), (("", "Sjöberg", ""),)]
    assert english.items[0].lines == (("", "23 April 1998", ""),)
    assert (swedish.items[0].name.sv, swedish.items[0].name.en) == ("Födelsedatum", "Date of birth")


async def test_cs13_the_most_sensitive_items_that_stay_are_named(world: World, employer: FakeVerifier) -> None:
    """Birth date first, two or three at most, and none that is shared."""
    sharer = await Sharer.with_certificate(world)
    decision = sharer.decision(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))

    (behind,) = decision.left_behind

    assert [name.en for name in behind.names] == ["Date of birth", "Grade", "Given name"]


async def test_cs15_items_on_the_ground_of_consent_need_their_own_yes(world: World, employer: FakeVerifier) -> None:
    """Where the ground is consent, each item is agreed to by itself."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"], ["credits"]), notice=notice(basis="consent"))
    share_id = await sharer.begin(asked.link())

    first, second = sharer.decision(share_id).items
    with pytest.raises(YesMissing):
        await sharer.approve(share_id)
    sharer.choose(share_id, Chosen(approved=frozenset({first.id})))
    with pytest.raises(YesMissing):
        await sharer.approve(share_id)
    sharer.choose(share_id, Chosen(approved=frozenset({first.id, second.id})))
    await sharer.approve(share_id)

    assert len(employer.answers) == 1


async def test_cs17_a_certificate_tied_to_no_key_is_pointed_out(world: World, employer: FakeVerifier) -> None:
    """Whoever gets it can show it as their own: one line says so."""
    sharer = await Sharer.with_certificate(world)
    unbound = query(["family_name"], require_cryptographic_holder_binding=False)
    asked = employer.ask(unbound, notice=notice(), state="tBZ0HOh1Vn9VTq0bHkQx3w")
    share_id = await sharer.begin(asked.link())
    bound = sharer.certificate
    free = replace(bound, claims={name: value for name, value in bound.claims.items() if name != "cnf"})

    decision = build_decision(
        sharer.decision(share_id).checked, [free], Chosen(), past=Past(), share_id=share_id, salt=b"s", language="en",
        now=world.clock(),time_zone="Europe/Stockholm",)  # fmt: skip

    assert WarningKind.BEARER in [warned.kind for warned in decision.warnings]
    assert WarningKind.BEARER not in [warned.kind for warned in sharer.decision(share_id).warnings]


NUMBER = "199804232388"
"""A number with the right check digit, of nobody."""
IDENTIFIERS: list[tuple[str | int, ...]] = [
    ("student_identifier",),
    ("sub",),
    ("learner_identification",),
    ("given_name",),
    ("x", 0, "y"),
]


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        (("portrait",), "...", Kind.PORTRAIT),
        (("personal_administrative_number",), "19980423-0000", Kind.IDENTITY_NUMBER),
        (("address", "locality"), "Umeå", Kind.ADDRESS),
        (("resident_postal_code",), "90187", Kind.ADDRESS),
        (("person",), {"address": {"street": "Storgatan"}}, Kind.ADDRESS),
        (("fingerprints",), [], Kind.BIOMETRIC),
        (("healthInformation",), "x", Kind.HEALTH),
        (("trade-union",), "x", Kind.UNION),
        (("assessment_grade",), "U", Kind.FAILED_GRADE),
        (("courses", 0, "assessment_grade"), "Underkänd", Kind.FAILED_GRADE),
        (("courses",), [{"assessment_grade": "Fx"}], Kind.FAILED_GRADE),
        (("assessment_grade",), "VG", None),
        (("family_name",), "Ung", None),
        # By its value, whatever it is called, also inside other text
        *((path, NUMBER, Kind.IDENTITY_NUMBER) for path in IDENTIFIERS),
        (("student_identifier",), int(NUMBER), Kind.IDENTITY_NUMBER),
        (("sub",), f"urn:person:se:{NUMBER[:8]}-{NUMBER[8:]}", Kind.IDENTITY_NUMBER),
        (("learner",), {"identifiers": [{"type": "x", "value": NUMBER}]}, Kind.IDENTITY_NUMBER),
        (("student_identifier",), "202611-0042", None),
        (("course_code",), "2DV704", None),
        # As Swedish issuers write names
        *(
            ((name,), "x", Kind.IDENTITY_NUMBER)
            for name in ("personnr", "person_nr", "samordningsnummer", "passnummer")
        ),
        *(((name,), "x", Kind.HEALTH) for name in ("hälsa", "Hälsouppgifter", "funktionsnedsättning", "särskilt stöd")),
        *(
            ((name,), "x", Kind.ADDRESS)
            for name in ("adress", "Adress", "folkbokföringsadress", "postort", "hemkommun")
        ),
        *(((name,), "x", Kind.PORTRAIT) for name in ("porträtt", "foto")),
        (("fackförbund",), "x", Kind.UNION),
        (("fingeravtryck",), "x", Kind.BIOMETRIC),
        # Where one lives, when it stands by itself
        *(((name,), "Umeå", Kind.ADDRESS) for name in ("locality", "municipality", "kommun", "ort")),
        (("place_of_birth", "locality"), "Umeå", None),
        (("school", "municipality"), "Umeå", None),
        # A failed grade, in whatever way it is written
        (("grade",), 0, Kind.FAILED_GRADE),
        (("final_grade",), -3, Kind.FAILED_GRADE),
        (("passed",), False, Kind.FAILED_GRADE),
        (("godkänd",), "nej", Kind.FAILED_GRADE),
        (("result",), {"passed": False}, Kind.FAILED_GRADE),
        (("betyg",), "Underkänt (U)", Kind.FAILED_GRADE),
        (("slutbetyg",), "F", Kind.FAILED_GRADE),
        (("grade",), {"sv": "Icke godkänd"}, Kind.FAILED_GRADE),
        (("grade",), "Fx - Otillräckligt", Kind.FAILED_GRADE),
        (("grade",), 4, None),
        (("passed",), True, None),
        (("is_renewable",), False, None),
        (("grading_scale",), "F-A", None),
    ],
)
def test_cs18_sensitive_items_are_recognised(path: tuple[str | int, ...], value: Any, kind: Kind | None) -> None:
    """By name, a personal number by being one, and a grade by being a failed one, also deep inside an item."""
    assert kind_of(path, value) is kind
    assert weight(path) >= (100 if kind_of(path) else 10)


def of_an_unknown_type(sharer: Sharer, **more: Any) -> StoredCertificate:
    """A certificate of a kind that this wallet does not know, whose issuer hides nothing of `more`."""
    own = sharer.certificate
    return replace(own, vct=FOREIGN, type_chain=(FOREIGN,), display={}, claims={**own.claims, "vct": FOREIGN, **more})


FOREIGN = "https://elsewhere.example/student-card"
UNHIDDEN = {
    "student_number": NUMBER,
    "holder": {"portrait": "data:image/png;base64,AAAA"},
    "adress": "Storgatan 1",
    "programme": "Physics",
}


@pytest.mark.parametrize("paths", [[["family_name"]], []])
async def test_cs18_what_cannot_be_hidden_and_is_sensitive_needs_its_own_yes(
    world: World, employer: FakeVerifier, paths: list[list[Any]]
) -> None:
    """A number, a picture and an address that a foreign certificate always shows stand among the items with their
    values, also where nothing of it was asked for, and go along only with a yes to each."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(*paths, vct=FOREIGN), notice=notice()).link())
    checked = sharer.decision(share_id).checked
    held = of_an_unknown_type(sharer, **UNHIDDEN)

    def asked(*approved: str) -> Decision:
        return build_decision(
            checked, [held], Chosen(approved=frozenset(approved)), past=Past(), share_id=share_id, salt=b"s",
            language="en", now=world.clock(), time_zone="Europe/Stockholm",
        )  # fmt: skip

    along = [item for item in asked().items if item.comes_along]
    assert [(item.path, item.kind, item.needs_yes, item.disclosed) for item in along] == [
        (("student_number",), Kind.IDENTITY_NUMBER, True, False),
        (("holder",), Kind.PORTRAIT, True, False),
        (("adress",), Kind.ADDRESS, True, False),
    ]
    assert along[2].lines == (("", "Storgatan 1", ""),)
    assert asked().count == len(paths) + 3
    assert len(asked(along[0].id, along[1].id).missing_yes) == 1
    agreed = asked(*(item.id for item in along))
    assert agreed.missing_yes == ()
    await decide(agreed, approved_digest=agreed.digest, confirmation=Anybody(), permission=None, now=world.clock())


async def test_cs18_what_is_shown_anyway_needs_no_second_yes_for_an_optional_part(
    world: World, employer: FakeVerifier
) -> None:
    """The number that the certificate always shows stands in the required block; ticking more of it asks no more."""
    sharer = await Sharer.with_certificate(world)
    optional = credential(["credits"], query_id="extra", vct=FOREIGN)
    asked = with_optional(credential(["family_name"], vct=FOREIGN), optional)
    share_id = await sharer.begin(employer.ask(asked, notice=notice()).link())
    held = of_an_unknown_type(sharer, student_number=NUMBER)

    decision = build_decision(
        sharer.decision(share_id).checked, [held], Chosen(ticked=frozenset({1})), past=Past(), share_id=share_id,
        salt=b"s", language="en", now=world.clock(), time_zone="Europe/Stockholm",
    )  # fmt: skip

    assert [item.path for item in decision.missing_yes] == [("student_number",)]
    assert [item.path for part in decision.optional for item in part.items] == [("credits",)]


@pytest.mark.parametrize(("paths", "needed"), [([["credits"]], 0), ([["credits"], ["birthdate"]], 2)])
async def test_cs15_an_optional_part_of_several_items_needs_a_yes_for_each(
    world: World, employer: FakeVerifier, paths: list[list[Any]], needed: int
) -> None:
    """On the ground of consent one tick is not a yes to two things; for a single one it is."""
    sharer = await Sharer.with_certificate(world)
    asked = with_optional(credential(["family_name"]), credential(*paths, query_id="extra"))
    share_id = await sharer.begin(employer.ask(asked, notice=notice(basis="consent")).link())

    decision = sharer.choose(share_id, Chosen(ticked=frozenset({1})))

    (part,) = decision.optional
    assert [item.needs_yes for item in part.items] == [needed > 0] * len(paths)
    assert len(decision.missing_yes) == 1 + needed


async def test_cs18_a_sensitive_item_is_never_shared_without_its_own_yes(world: World, employer: FakeVerifier) -> None:
    """The grade of a failed course stays, required or not, until the person says yes to that very item."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["assessment_grade"]), notice=notice()).link())
    decision = sharer.decision(share_id)
    failed = replace(sharer.certificate, claims={**sharer.certificate.claims, "assessment_grade": "U"})
    asked = build_decision(
        decision.checked,
        [failed],
        Chosen(),
        past=Past(),
        share_id=share_id,
        salt=b"s",
        language="en",
        now=world.clock(),
        time_zone="Europe/Stockholm",
    )

    (item,) = asked.items
    assert (item.kind, item.needs_yes, item.approved) == (Kind.FAILED_GRADE, True, False)

    with pytest.raises(YesMissing):
        await decide(asked, approved_digest=asked.digest, confirmation=Anybody(), permission=None, now=world.clock())


# --- refusal ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encrypted", [False, True])
async def test_cs23_refusing_lacking_and_mismatching_look_the_same(
    world: World, employer: FakeVerifier, encrypted: bool
) -> None:
    """Five different reasons for a no give the same members of the same size."""
    sharer = await Sharer.with_certificate(world)
    mismatch = {**credential(), "claims": [{"path": ["family_name"], "values": ["Somebody"]}]}
    asks = [
        employer.ask(query(["family_name"]), notice=notice(), encrypted=encrypted),  # refused
        employer.ask(query(["family_name"], vct="urn:other"), notice=notice(), encrypted=encrypted),  # lacking
        employer.ask(query(["shoe_size"]), notice=notice(), encrypted=encrypted),  # claim lacking
        employer.ask({"credentials": [mismatch]}, notice=notice(), encrypted=encrypted),  # value mismatch
    ]
    for asked in asks:
        share_id = await sharer.begin(asked.link())
        if asked is asks[-1]:
            sharer.go_on(share_id, WarningKind.GUESSES_VALUES)
        await sharer.refuse(share_id)
    certificate = sharer.certificate
    assert certificate.valid_until is not None
    world.clock.now = certificate.valid_until
    later = FakeVerifier(world, "employez.example")  # with a certificate that is valid then
    late = later.ask(query(["family_name"]), notice=notice(), encrypted=encrypted)
    share_id = await sharer.begin(late.link())
    assert not sharer.decision(share_id).is_satisfiable  # expired only
    await sharer.refuse(share_id)

    members = [
        {k: v for k, v in answer.items() if k not in ("state", "jwe_header")}
        for answer in employer.answers + later.answers
    ]
    assert members == [{"error": "access_denied"}] * 5
    assert len({len(str(form)) for form in employer.forms + later.forms}) == 1
    assert employer.answers[0]["state"] == "state-r1"


async def test_cs23_nothing_is_answered_before_the_person_acts(world: World, employer: FakeVerifier) -> None:
    """Fetching and looking give the sender no sign of what is there."""
    sharer = await Sharer.with_certificate(world)
    sharer.decision(await sharer.begin(employer.ask(query(["shoe_size"]), notice=notice()).link()))

    assert employer.forms == []


async def test_cs24_going_away_is_no_answer(world: World, employer: FakeVerifier) -> None:
    """Closing, waiting too long and leaving count as no answer, and nothing is sent."""
    sharer = await Sharer.with_certificate(world)
    left = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    forgotten = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    sharer.sharing.close(sharer.vault, left)
    assert sharer.entry(forgotten).outcome is Outcome.OPEN
    world.clock.move(minutes=10)

    assert (sharer.entry(left).outcome, sharer.entry(forgotten).outcome) == (Outcome.NO_ANSWER, Outcome.NO_ANSWER)
    assert employer.forms == []


# --- integrity of the approval ----------------------------------------------------------------------------------------


def test_a_consent_is_made_by_decide_alone() -> None:
    """Nobody can make a consent by calling its class."""
    make: Any = Consent
    members = {name: None for name in Consent.__dataclass_fields__ if name != "made_by"}

    with pytest.raises(TypeError, match="decide"):
        make(**members, made_by=object())


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another-nonce-0123456789abcdef"},
        {"response_uri": "https://employer.example/elsewhere"},
        {"dcql_query": query(["birthdate"])},
        {"dcql_query": query(["family_name"], ["birthdate"])},
        {"purpose": {"sv": "Något annat.", "en": "Something else."}},
        {"retention": {"days": 91}},
        {"recipients": [{"en": "Everybody"}]},
    ],
)
async def test_cs25_any_change_of_what_was_shown_changes_the_digest(
    world: World, employer: FakeVerifier, changes: dict[str, Any]
) -> None:
    """Nonce, address, items, purpose, time and recipients are all bound."""
    sharer = await Sharer.with_certificate(world)
    in_request = {name: value for name, value in changes.items() if name in ("nonce", "response_uri", "dcql_query")}
    said = {name: value for name, value in changes.items() if name not in in_request}
    one = employer.ask(query(["family_name"]), notice=notice(), nonce="one-nonce-0123456789abcdef")
    other = employer.ask(
        **{"dcql_query": query(["family_name"]), "nonce": "one-nonce-0123456789abcdef", **in_request},
        notice=notice(**said),
    )
    for asked in (one, other):
        stated = {"client_id": asked.client_id, "nonce": asked.parameters["nonce"]}
        body = notice(**(said if asked is other else {}))
        asked.parameters["verifier_info"] = [employer._stated({**body, **stated}, **stated, signed=True)]
    decisions = [sharer.decision(await sharer.begin(asked.link())) for asked in (one, other)]

    same_share = [
        build_decision(
            decision.checked, sharer.vault.certificates(), Chosen(), past=Past(), share_id="s", salt=b"s",
            language="en", now=world.clock(),time_zone="Europe/Stockholm",)
        for decision in decisions
    ]  # fmt: skip

    assert same_share[0].digest != same_share[1].digest


async def test_cs25_ticks_and_language_are_bound(world: World, employer: FakeVerifier) -> None:
    """Another tick or another language is another approval."""
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(
        with_optional(credential(["family_name"]), credential(["credits"], query_id="extra")), notice=notice()
    )
    share_id = await sharer.begin(asked.link())
    before = sharer.decision(share_id)
    swedish = sharer.decision(share_id, language="sv")
    after = sharer.choose(share_id, Chosen(ticked=frozenset({1})))

    assert len({before.digest, swedish.digest, after.digest}) == 3
    with pytest.raises(ShownSomethingElse):
        await sharer.sharing.approve(
            sharer.vault, share_id, language="en", approved_digest=before.digest, passphrase=PASSPHRASE
        )
    assert employer.forms == []


async def test_cs26_the_passphrase_is_asked_for_every_request(world: World, employer: FakeVerifier) -> None:
    """An open vault and an earlier confirmation are not enough."""
    sharer = await Sharer.with_certificate(world)
    await sharer.approve(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))
    second = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    with pytest.raises(ProtocolError):
        await sharer.approve(second, passphrase="")

    assert len(employer.forms) == 1


async def test_cs27_everything_is_written_before_anything_is_sent(world: World, employer: FakeVerifier) -> None:
    """When the answer is on its way, the copy is used and the history has the decision."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    seen: list[Any] = []

    def look(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/response":
            kinds = [event.kind for event in sharer.entry(share_id).events]
            seen.append((kinds, sharer.certificate.copies_left))
        return None

    with world.network.answering(look):
        await sharer.approve(share_id)

    assert seen == [([EventKind.ASKED, EventKind.APPROVED], 9)]


async def test_d04_dying_while_sending_leaves_unknown(world: World, employer: FakeVerifier) -> None:
    """A wallet that dies before it knows the outcome says unknown afterwards, and uses no second copy by itself."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    def die(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/response":
            raise KeyboardInterrupt
        return None

    with world.network.answering(die), pytest.raises(KeyboardInterrupt):
        await sharer.approve(share_id)

    restarted = world.wallet_at("wallet.example", data=world.wallet.settings.data)
    again = Sharer(world, await restarted.person("Maja"), type(sharer.sharing)(restarted.deployment))
    assert again.entry(share_id).outcome is Outcome.UNKNOWN
    assert again.certificate.copies_left == 9
    with pytest.raises(AlreadyAnswered):
        await again.approve(share_id)
    assert employer.forms == []
    # The person may send the very same bytes while the request lives.
    assert (await again.sharing.send_again(again.vault, share_id)).state is DeliveryState.DELIVERED
    assert again.entry(share_id).outcome is Outcome.SHARED
    assert again.certificate.copies_left == 9


async def test_d05_a_lost_answer_is_unknown_and_sent_again_only_on_request(
    world: World, employer: FakeVerifier
) -> None:
    """It may have arrived: we do not know, and do nothing by ourselves."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    with world.network.lose_answer("/response"):
        delivery = await sharer.approve(share_id)

    assert delivery.state is DeliveryState.UNKNOWN
    assert sharer.entry(share_id).outcome is Outcome.UNKNOWN
    assert len(employer.forms) == 1
    await sharer.sharing.send_again(sharer.vault, share_id)
    assert employer.forms[0] == employer.forms[1]
    assert not sharer.sharing.can_send_again(sharer.vault, share_id)


async def test_what_never_left_is_not_delivered(world: World, employer: FakeVerifier) -> None:
    """A connection that never came about carried nothing; after the request has ended it cannot be sent again."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    with world.network.cut_before("/response"):
        delivery = await sharer.approve(share_id)

    assert (delivery.state, sharer.entry(share_id).outcome) == (DeliveryState.NOT_DELIVERED, Outcome.NOT_DELIVERED)
    world.clock.move(minutes=10)
    assert not sharer.sharing.can_send_again(sharer.vault, share_id)


async def test_an_answer_that_was_not_accepted_is_told_as_such(world: World, employer: FakeVerifier) -> None:
    """They received it and said no: that is neither delivered nor unknown."""
    sharer = await Sharer.with_certificate(world)
    employer.reply, employer.reply_status = {"error": "invalid_request"}, 400
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    delivery = await sharer.approve(share_id)

    assert (delivery.state, delivery.reason) == (DeliveryState.NOT_ACCEPTED, "invalid_request")
    assert sharer.entry(share_id).outcome is Outcome.NOT_ACCEPTED


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_an_answer_that_came_at_a_bad_time_was_not_refused(
    world: World, employer: FakeVerifier, status: int
) -> None:
    """They, or somebody before them, are too busy: the very same answer can be sent again, and then it counts."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    employer.reply, employer.reply_status = {"error": "too_many_requests"}, status

    delivery = await sharer.approve(share_id)

    assert (delivery.state, delivery.reason) == (DeliveryState.UNKNOWN, f"http_{status}")
    assert sharer.entry(share_id).outcome is Outcome.UNKNOWN
    # A second such reply settles nothing either.
    again = await sharer.sharing.send_again(sharer.vault, share_id)
    assert (again.state, again.reason) == (DeliveryState.UNKNOWN, f"http_{status}")
    employer.reply, employer.reply_status = {}, 200
    assert (await sharer.sharing.send_again(sharer.vault, share_id)).state is DeliveryState.DELIVERED
    assert sharer.entry(share_id).outcome is Outcome.SHARED
    assert len({str(form) for form in employer.forms}) == 1


async def test_cs28_a_request_that_ends_while_reading_shares_nothing(world: World, employer: FakeVerifier) -> None:
    """The person is told, and a new request can be fetched in its place. No decision is made of it either way: it may
    end between reading and deciding."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    read = sharer.decision(share_id)
    digest, end = read.digest, read.checked.expires_at
    with pytest.raises(RequestExpired):
        await decide(read, approved_digest=digest, confirmation=Anybody(), permission=None, now=end)
    before = end - timedelta(seconds=1)
    assert await decide(read, approved_digest=digest, confirmation=Anybody(), permission=None, now=before)
    world.clock.move(minutes=10)

    with pytest.raises(RequestExpired):
        await sharer.sharing.approve(
            sharer.vault, share_id, language="en", approved_digest=digest, passphrase=PASSPHRASE
        )
    assert employer.forms == []
    fresh, _ = await sharer.sharing.begin_again(sharer.vault, share_id)
    assert (await sharer.approve(fresh)).state is DeliveryState.DELIVERED


# --- copies and repetition --------------------------------------------------------------------------------------------


async def test_w22_when_copies_run_out_the_person_is_told(world: World, employer: FakeVerifier) -> None:
    """The last copy is announced, each is used once, and then the certificate cannot be shown."""
    sharer = await Sharer.with_certificate(world)
    tokens = set()
    for left in range(10, 0, -1):
        share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
        kinds = [warned.kind for warned in sharer.decision(share_id).warnings]
        assert (WarningKind.LAST_COPY in kinds) == (left == 1)
        await sharer.approve(share_id)
        tokens.add(employer.answers[-1]["vp_token"]["certificate"][0].partition("~")[0])

    assert len(tokens) == 10
    decision = sharer.decision(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))
    assert not decision.is_satisfiable
    (lack,) = decision.lacks
    assert (lack.obstacle, lack.certificate is not None) == ("no_copies", True)


async def test_a_copy_that_goes_elsewhere_meanwhile_stops_the_share(world: World, employer: FakeVerifier) -> None:
    """Two shares of the last copy: the second is refused as a whole, and nothing is sent or written for it."""
    sharer = await Sharer.with_certificate(world)
    for _ in range(9):
        await sharer.approve(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))
    first, second = [await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()) for _ in range(2)]
    stale = sharer.decision(second)
    await sharer.approve(first)
    sent = len(employer.forms)

    with pytest.raises((NoCopiesLeft, ShownSomethingElse, CannotSatisfy)):
        await sharer.sharing.approve(
            sharer.vault, second, language="en", approved_digest=stale.digest, passphrase=PASSPHRASE
        )

    assert len(employer.forms) == sent
    assert sharer.entry(second).outcome is Outcome.OPEN


async def test_w16_a_request_is_answered_once_by_anybody_here(world: World, employer: FakeVerifier) -> None:
    """The same request is refused in the same vault before it is shown, and in another vault before it is sent."""
    maja = await Sharer.with_certificate(world)
    asked = employer.ask(query(["family_name"]), notice=notice())
    await maja.approve(await maja.begin(asked.link()))
    ali = await Sharer.named(world, "Ali")
    await world.wallet.receive(ali.vault, world.university.offer()[1].offer)

    with pytest.raises(AlreadyAnswered):
        await maja.begin(asked.link())
    share_id = await ali.begin(asked.link())
    with pytest.raises(AlreadyAnswered):
        await ali.approve(share_id)

    assert len(employer.forms) == 1
    assert ali.certificate.copies_left == 10


async def test_a_decision_is_made_once(world: World, employer: FakeVerifier) -> None:
    """After a no there is no yes."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    digest = sharer.decision(share_id).digest
    await sharer.refuse(share_id)

    with pytest.raises(AlreadyAnswered):
        await sharer.sharing.approve(
            sharer.vault, share_id, language="en", approved_digest=digest, passphrase=PASSPHRASE
        )

    assert [answer.get("error") for answer in employer.answers] == ["access_denied"]


async def test_w20_a_no_is_posted(world: World, employer: FakeVerifier) -> None:
    """The verifier learns that the answer is no, with its state."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    delivery = await sharer.refuse(share_id)

    assert delivery.state is DeliveryState.DELIVERED
    assert employer.answers == [{"error": "access_denied", "state": "state-r1"}]
    assert sharer.entry(share_id).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("reply", "followed"),
    [
        ({"redirect_uri": "https://employer.example/done#response_code=x"}, True),
        ({"redirect_uri": "javascript:alert(1)"}, False),
        ({"redirect_uri": "http://employer.example/"}, False),
        ({"redirect_uri": "https://user@employer.example/"}, False),
        ({"redirect_uri": 7}, False),
        ({}, False),
    ],
)
async def test_w19_only_a_web_address_from_a_good_answer_is_followed(
    world: World, employer: FakeVerifier, reply: dict[str, Any], followed: bool
) -> None:
    """The fragment is kept as it is; anything that is no https address is not offered to the browser."""
    sharer = await Sharer.with_certificate(world)
    employer.reply = reply
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    delivery = await sharer.approve(share_id)

    assert delivery.state is DeliveryState.DELIVERED
    assert delivery.redirect_uri == (reply["redirect_uri"] if followed else None)


async def test_choosing_what_is_not_offered_is_refused(world: World, employer: FakeVerifier) -> None:
    """A form that names another alternative than those on the screen changes nothing."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    for chosen in (Chosen(option=7), Chosen(picked={"certificate": ("x",)}), Chosen(ticked=frozenset({3}))):
        with pytest.raises(InvalidSelection):
            sharer.choose(share_id, chosen)

    assert sharer.decision(share_id).chosen == Chosen()


async def test_what_is_over_is_forgotten_but_for_the_history(world: World, employer: FakeVerifier) -> None:
    """Some hours after a request has ended neither it nor an answer that never arrived rests in the wallet."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    with world.network.lose_answer("/response"):
        await sharer.approve(share_id)
    world.clock.move(hours=3)

    sharer.sharing.tidy()

    assert not sharer.sharing.is_kept(sharer.vault, share_id)
    assert sharer.entry(share_id).outcome is Outcome.UNKNOWN
