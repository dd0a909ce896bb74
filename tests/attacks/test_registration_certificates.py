"""Registration certificates that are forged, borrowed, stale or misshapen: none of them is ever "covered"."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proofs import base64url, jose, strict_json
from proofs.certified_keys import create_certified_key
from proofs.keys import SoftwareSigner
from proofs.status_list import make_status_list_token, new_status_list, set_status
from proofs.trust import entry_from_anchor
from schemas.dcql import parse_query
from schemas.errors import Malformed
from schemas.registration import RegistrationCertificate, beyond, read_registered
from service.i18n import load_catalogues
from tests.wallet.fake_verifier import VCT, Asked, FakeVerifier, known_verifier, notice, query
from tests.wallet.pages.test_share_pages import look, person, text_of
from tests.wallet.people import Sharer
from tests.world import World
from wallet.cli_decision import print_decision
from wallet.decision import Chosen, build_decision
from wallet.over_asking import Level, Past, PolicyOutcome, WarningKind, fired, says
from wallet.pages.share_view import decision_view
from wallet.requests import RegistrationOutcome, Through

pytestmark = pytest.mark.anyio


@dataclass
class Registrar:
    """Somebody who signs registration certificates."""

    world: World
    signer: SoftwareSigner
    root_pem: bytes

    @classmethod
    def named(cls, world: World, host: str) -> "Registrar":
        key = create_certified_key(
            world.directory / host, name="registrar", common_name=host, public_url=f"https://{host}",
            passphrase=b"in tests", now=world.clock(),
        )  # fmt: skip
        assert key.root_file is not None
        return cls(world, key.signer, key.root_file.read_bytes())

    def trusted(self, role: Any = "registrar") -> "Registrar":
        self.world.wallet.trust(entry_from_anchor(self.root_pem, name=None, role=role))
        return self

    def certificate(self, *, typ: str = "rc-wrp+jwt", header: dict[str, Any] | None = None, **changes: Any) -> str:
        now = int(self.world.clock().timestamp())
        claims: dict[str, Any] = {
            "name": "Exempelbolaget AB",
            "sub": "https://employer.example",
            "iat": now - 3600,
            "exp": now + 86_400,
            "credentials": [registered("family_name", "credits")],
            "purpose": [{"lang": "sv-SE", "value": "Vi anställer."}, {"lang": "en", "value": "We employ people."}],
            **changes,
        }
        members = {name: value for name, value in claims.items() if value is not None}
        return jose.sign_jws(members, signer=self.signer, typ=typ, header=header or {"x5c": list(self.signer.x5c)})


def registered(*names: str, vct: str = VCT) -> dict[str, Any]:
    """A registered credential as the tables of TS 119 475 write it: `claim` in the singular."""
    return {"format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claim": [{"path": [name]} for name in names]}


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    return known_verifier(world)


@pytest.fixture
def registrar(world: World) -> Registrar:
    """A registrar whom the operator has pinned."""
    return Registrar.named(world, "registrar.example").trusted()


def ask(employer: FakeVerifier, *tokens: Any, paths: tuple[str, ...] = ("family_name",), **more: Any) -> Asked:
    """A request with registration certificates."""
    asked = employer.ask(query(*([path] for path in paths)), notice=notice())
    infos = [{"format": "registration_cert", "data": token, **more} for token in tokens]
    asked.parameters["verifier_info"] = [*asked.parameters["verifier_info"], *infos]
    return asked


async def outcome_of(world: World, asked: Asked) -> RegistrationOutcome:
    """What the wallet makes of it. The request is shown in every case: the decision is the person's."""
    sharer = await Sharer.with_certificate(world, name="Reg")
    decision = sharer.decision(await sharer.begin(asked.link()))
    assert decision.is_satisfiable
    return decision.checked.registration.outcome


async def test_all_that_is_asked_is_registered(world: World, employer: FakeVerifier, registrar: Registrar) -> None:
    """The one way of being covered; purpose and registrar are known then."""
    sharer = await Sharer.with_certificate(world)
    decision = sharer.decision(await sharer.begin(ask(employer, registrar.certificate()).link()))

    registration = decision.checked.registration
    assert registration.outcome is RegistrationOutcome.COVERED
    assert (registration.purpose.sv, registration.purpose.en) == ("Vi anställer.", "We employ people.")
    assert "REG-1" not in fired(decision.warned)


async def test_what_is_asked_beyond_is_named_and_needs_a_tick(
    world: World, employer: FakeVerifier, registrar: Registrar
) -> None:
    """OA-01: strong, and nothing is shared without going on in spite of it."""
    sharer = await Sharer.with_certificate(world)
    asked = ask(employer, registrar.certificate(), paths=("family_name", "birthdate"))
    decision = sharer.decision(await sharer.begin(asked.link()))

    (warned,) = decision.missing_overrides
    assert warned.kind is WarningKind.BEYOND_REGISTRATION
    assert [name.en for name in warned.items] == ["Date of birth"]


async def test_a_missing_certificate_is_warned_of_and_no_error(world: World, employer: FakeVerifier) -> None:
    """Beside who asks, on the screen of the decision (R-03, RPRC_17): every request of somebody who is not registered
    says it, so that it takes no place among the three things to think of, and needs no tick."""
    sharer = await Sharer.with_certificate(world)
    decision = sharer.decision(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))

    assert decision.checked.registration.outcome is RegistrationOutcome.MISSING
    assert WarningKind.UNREGISTERED in [warned.kind for warned in decision.warned]
    assert says(WarningKind.UNREGISTERED).level is Level.WARN
    assert WarningKind.UNREGISTERED not in [warned.kind for warned in decision.warnings]
    assert decision.missing_overrides == ()


@pytest.mark.parametrize("role", [None, "verifier", "issuer", "any"])
async def test_a_registrar_whom_nobody_pinned_as_one_is_unknown(
    world: World, employer: FakeVerifier, role: str | None
) -> None:
    """An anchor for something else makes no registrar, `any` included."""
    other = Registrar.named(world, "other-registrar.example")
    if role is not None:
        other.trusted(role)

    assert await outcome_of(world, ask(employer, other.certificate())) is RegistrationOutcome.UNKNOWN


async def test_a_registrars_root_vouches_for_no_verifier(world: World, registrar: Registrar) -> None:
    """Who says what others may ask for does not say who somebody is."""
    stranger = FakeVerifier(world, "shop.example")
    stranger.signer = registrar.signer
    sharer = await Sharer.with_certificate(world)

    decision = sharer.decision(await sharer.begin(stranger.ask(query(["family_name"]), notice=notice()).link()))

    assert not decision.checked.is_proven


Spoil = Callable[[Registrar], Any]


def _resigned(registrar: Registrar) -> str:
    header, payload, _ = registrar.certificate().split(".")
    other = registrar.certificate(sub="https://shop.example").split(".")
    return f"{header}.{payload}.{other[2]}"


def _ends(registrar: Registrar) -> int:
    return int((registrar.world.clock() - timedelta(minutes=2)).timestamp())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one.certificate(sub="https://shop.example"),  # somebody else's
        lambda one: one.certificate(sub="Exempelbolaget AB"),  # a name is no identifier
        _resigned,
        lambda one: one.certificate(exp=_ends(one)),
        lambda one: one.certificate(iat=_ends(one) + 7200),
        lambda one: one.certificate(iat=None),
        lambda one: one.certificate(typ="jwt"),
        lambda one: one.certificate(typ="intyga-notice+jwt"),
        lambda one: one.certificate(header={"kid": "k"}),
        lambda one: one.certificate(header={"x5c": []}),
        lambda one: one.certificate(header={"x5c": ["AAAA"]}),
        lambda one: one.certificate(credentials="all"),
        lambda one: one.certificate(credentials=[{"format": "dc+sd-jwt"}]),
        lambda one: one.certificate(credentials=[registered("family_name") | {"claims": [{"path": ["birthdate"]}]}]),
        lambda one: one.certificate(credentials=[registered("family_name")] * 101),
        lambda one: one.certificate(sub=None),
        lambda one: one.certificate(purpose={"sv": "x"}),
        lambda one: one.certificate(status={"other": 1}),
        lambda one: {"sub": "https://employer.example"},  # not signed at all
        lambda one: "not a token",
        lambda one: one.certificate().replace(".", ".A", 1),
        lambda one: "eyJhbGciOiJub25lIn0." + one.certificate().split(".")[1] + ".",
    ],
)
async def test_one_that_does_not_hold_has_failed(
    world: World, employer: FakeVerifier, registrar: Registrar, spoil: Spoil
) -> None:
    """Forged, borrowed, stale, of another kind, or misshapen: failed, shown as such, and never an error."""
    asked = ask(employer, spoil(registrar))

    assert await outcome_of(world, asked) is RegistrationOutcome.FAILED


async def test_several_certificates_have_failed(world: World, employer: FakeVerifier, registrar: Registrar) -> None:
    """One of them might be covered: a request has a single one (RPRC_19)."""
    both = (registrar.certificate(), registrar.certificate(credentials=[registered("birthdate")]))

    assert await outcome_of(world, ask(employer, *both)) is RegistrationOutcome.FAILED


async def test_an_unproven_sender_cannot_borrow_a_registration(world: World, registrar: Registrar) -> None:
    """Whoever certifies itself can write any identifier: could not check."""
    stranger = FakeVerifier(world, "employer.example")

    assert await outcome_of(world, ask(stranger, registrar.certificate())) is RegistrationOutcome.UNKNOWN


LIST = "https://registrar.example/status/1"
IN_LIST: dict[str, Any] = {"status": {"status_list": {"idx": 3, "uri": LIST}}}


@pytest.mark.parametrize(
    "changes",
    [
        IN_LIST,
        {"act": {"sub": "https://middle.example"}},
        {"intermediary": {"sub": "https://middle.example", "sname": "Middle"}},
    ],
)
async def test_what_was_not_found_out_is_not_covered(
    world: World, employer: FakeVerifier, registrar: Registrar, changes: dict[str, Any]
) -> None:
    """Its list cannot be reached, or it speaks for somebody through somebody: could not check, never covered."""
    asked = ask(employer, registrar.certificate(**changes))

    assert await outcome_of(world, asked) is RegistrationOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("value", "by_registrar", "outcome"),
    [
        (0, True, RegistrationOutcome.COVERED),
        (1, True, RegistrationOutcome.FAILED),
        (2, True, RegistrationOutcome.FAILED),
        (0, False, RegistrationOutcome.UNKNOWN),
    ],
)
async def test_a_registration_can_be_revoked(
    world: World,
    employer: FakeVerifier,
    registrar: Registrar,
    value: int,
    by_registrar: bool,
    outcome: RegistrationOutcome,
) -> None:
    """The registrar's list is asked once, when the request arrives; a list of somebody else says nothing."""
    signer = registrar.signer if by_registrar else Registrar.named(world, "other-registrar.example").signer
    served = _served(world, signer, [0, 0, 0, value])

    assert await outcome_of(world, ask(employer, registrar.certificate(**IN_LIST))) is outcome
    assert served == [LIST]


async def test_the_list_of_an_unknown_registrar_is_never_asked(world: World, employer: FakeVerifier) -> None:
    """A stranger must not choose what the wallet fetches."""
    stranger = Registrar.named(world, "registrar.example")
    served = _served(world, stranger.signer, [0, 0, 0, 0])

    assert await outcome_of(world, ask(employer, stranger.certificate(**IN_LIST))) is RegistrationOutcome.UNKNOWN
    assert served == []


def _served(world: World, signer: SoftwareSigner, statuses: list[int]) -> list[str]:
    """Serve a status list at the registrar's; the returned list tells when it was asked."""
    asked: list[str] = []
    data = new_status_list(8, bits=2)
    for index, value in enumerate(statuses):
        set_status(data, index, value, bits=2)

    async def serve(request: Request) -> Response:
        asked.append(LIST)
        now = world.clock()
        token = make_status_list_token(
            statuses=data, bits=2, uri=LIST, signer=signer, issued_at=now, expires_at=now + timedelta(hours=1),
            ttl_seconds=300,
        )  # fmt: skip
        return Response(token, media_type="application/statuslist+jwt")

    world.network.connect("registrar.example", Starlette(routes=[Route("/status/1", serve)]))
    return asked


async def test_an_algorithm_that_is_not_used_here_is_unknown(
    world: World, employer: FakeVerifier, registrar: Registrar
) -> None:
    """A registrar may sign with P-384; that says nothing against it, nor for it."""
    token = registrar.certificate()
    spoiled = jose.header_segment(registrar.signer, typ="rc-wrp+jwt", header={"x5c": list(registrar.signer.x5c)})
    header = strict_json.loads_object(base64url.decode(spoiled)) | {"alg": "ES384"}
    other = f"{base64url.encode(strict_json.dumps(header))}.{token.partition('.')[2]}"

    assert await outcome_of(world, ask(employer, other)) is RegistrationOutcome.UNKNOWN


async def test_a_registration_for_one_part_covers_no_other(
    world: World, employer: FakeVerifier, registrar: Registrar
) -> None:
    """`credential_ids` says which parts of the query it is about."""
    asked = ask(employer, registrar.certificate(), credential_ids=["another"])

    assert await outcome_of(world, asked) is RegistrationOutcome.EXCEEDED


async def test_cs16_the_policy_of_the_issuer_needs_a_checked_registration(
    world: World, employer: FakeVerifier, registrar: Registrar
) -> None:
    """Allowed, not allowed and unknown, by the identifier in the registration certificate; the person decides."""
    sharer = await Sharer.with_certificate(world)
    held = sharer.certificate
    found = []
    for values, token in (
        (["https://employer.example"], registrar.certificate()),
        (["https://someone-else.example"], registrar.certificate()),
        (["https://employer.example"], registrar.certificate(exp=_ends(registrar))),
    ):
        policy = {"policy": "allow_list", "values": values}
        share_id = await sharer.begin(ask(employer, token).link())
        checked = sharer.decision(share_id).checked
        found.append(_with_policy(checked, held, policy, world))
    assert [outcome for outcome, _ in found] == [
        PolicyOutcome.ALLOWED,
        PolicyOutcome.NOT_ALLOWED,
        PolicyOutcome.UNKNOWN,
    ]
    assert ["OA-11" in rules for _, rules in found] == [False, True, True]


def _with_policy(checked: Any, held: Any, policy: dict[str, Any], world: World) -> tuple[PolicyOutcome, list[str]]:
    meant = replace(held, display={**held.display, "disclosure_policy": policy})
    decision = build_decision(
        checked,
        [meant],
        Chosen(),
        past=Past(),
        share_id="s",
        salt=b"s",
        language="en",
        now=world.clock(),
        time_zone="Europe/Stockholm",
    )
    assert decision.missing_overrides == () or decision.checked.registration.outcome is RegistrationOutcome.FAILED
    return decision.facts.shown[0].policy, fired(decision.warned)


# --- the shape ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": {"legal_name": ["A"], "id": [{"type": "LEI", "identifier": "LEIXG-1"}]}, "credentials": []},
        {"sub": {"legal_name": "A", "id": "LEIXG-1"}, "credentials": []},
        {"sub": "LEIXG-1", "sub_ln": "A", "credentials": []},
        {"sub": "LEIXG-1", "name": "A"},
    ],
)
def test_the_subject_is_read_in_the_ways_of_the_field(claims: dict[str, Any]) -> None:
    """As an identifier, or as an object with identifiers and names."""
    read = RegistrationCertificate.from_claims(claims)

    assert (read.identifier, read.legal_name) == ("LEIXG-1", "A")


@pytest.mark.parametrize(
    ("claim", "asked", "is_covered"),
    [
        ([{"path": ["address"]}], ["address", "street"], True),
        ([{"path": "address"}], ["address", "street"], True),
        ([{"path": ["address", "street"]}], ["address"], False),
        ([{"path": ["courses", None, "grade"]}], ["courses", 0, "grade"], True),
        ([{"path": ["courses", 0, "grade"]}], ["courses", None, "grade"], False),
        ([{"path": ["courses", 0, "grade"]}], ["courses", 1, "grade"], False),
        ([{"path": ["name"]}], ["family_name"], False),
        (None, ["family_name"], False),
    ],
)
def test_what_is_registered_covers_itself_and_what_lies_in_it(
    claim: list[dict[str, Any]] | None, asked: list[Any], is_covered: bool
) -> None:
    """Never more than was written: one element is not all of them, a part is not the whole, nothing is nothing."""
    entry: dict[str, Any] = {"format": "dc+sd-jwt", "meta": VCT}
    if claim is not None:
        entry["claims"] = claim

    more = beyond(parse_query(query(asked)), read_registered([entry]))

    assert (more == ()) is is_covered


def test_a_query_for_any_type_or_another_is_beyond() -> None:
    """Without a type, or with one that was not registered beside one that was, nothing is covered."""
    entries = read_registered([registered("family_name")])
    any_type = {"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT, "urn:other"]},
                                 "claims": [{"path": ["family_name"]}]}]}  # fmt: skip

    assert beyond(parse_query(any_type), entries)
    assert beyond(parse_query(query(["family_name"], vct="urn:other")), entries)


@pytest.mark.parametrize("value", [None, 1, "", [], {}, [[]], [{"path": []}], [{"path": [1.5]}], [{"path": [-1]}]])
def test_claims_that_are_none_are_malformed(value: object) -> None:
    """A strange entry is refused, never passed over."""
    entry = {"format": "dc+sd-jwt", "meta": VCT, "claim": value}
    if value is None:
        assert read_registered([entry])[0].paths == ()
        return
    with pytest.raises(Malformed):
        read_registered([entry])


MIDDLE: dict[str, Any] = {"act": {"sub": "https://middle.example"}}


@pytest.mark.parametrize(
    ("asks", "outcome"),
    [
        ("middle.example", RegistrationOutcome.UNKNOWN),
        ("employer.example", RegistrationOutcome.UNKNOWN),
        ("somebody-else.example", RegistrationOutcome.FAILED),
    ],
)
async def test_an_intermediary_is_named_when_the_sender_is_one_of_the_two(
    world: World, registrar: Registrar, asks: str, outcome: RegistrationOutcome
) -> None:
    """Whoever else sends it has borrowed it: it is about somebody else, and nobody is named by it."""
    sharer = await Sharer.with_certificate(world, name="Reg")

    registration = sharer.decision(
        await sharer.begin(ask(known_verifier(world, asks), registrar.certificate(**MIDDLE)).link())
    ).checked.registration

    assert registration.outcome is outcome
    named = Through("https://middle.example", "https://employer.example", "Exempelbolaget AB")
    assert registration.through == (named if outcome is RegistrationOutcome.UNKNOWN else None)
    assert registration.identifier == ""


async def test_an_unproven_sender_is_nobodys_intermediary(world: World, registrar: Registrar) -> None:
    """It can send the registration of anybody, and certify itself by any name."""
    sharer = await Sharer.with_certificate(world, name="Reg")
    stranger = FakeVerifier(world, "middle.example")

    decision = sharer.decision(await sharer.begin(ask(stranger, registrar.certificate(**MIDDLE)).link()))

    assert decision.checked.registration.through is None


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_the_intermediary_stands_on_the_page_and_in_the_terminal(
    world: World, registrar: Registrar, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """For whom it asks, and by what identifier the registrar knows it; no trade name of it (ARF, RPI_07)."""
    middle = known_verifier(world, "middle.example")
    acting = {"sub": "https://middle.example", "sname": "BestProxy"}
    asked = ask(middle, registrar.certificate(intermediary=acting, name="Exempel\u202ebolaget AB"))
    browser = person(world, language=language)

    shown = text_of(look(browser, asked.link()))

    assert {
        "sv": "görs åt Exempelbolaget AB (https://employer.example). Den går genom en mellanhand: https://middle.example.",
        "en": "on behalf of Exempelbolaget AB (https://employer.example). "
        "It goes through an intermediary: https://middle.example.",
    }[language] in shown
    assert "BestProxy" not in shown
    sharer = await Sharer.with_certificate(world, name="Reg")
    decision = sharer.decision(await sharer.begin(asked.link()))
    print_decision(decision, decision_view(decision, load_catalogues().translator(language), history=[]))
    printed = capsys.readouterr().err
    assert 'Through an intermediary: "https://middle.example"' in printed
    assert 'On behalf of: "Exempelbolaget AB (https://employer.example)"' in printed


async def test_without_an_intermediary_none_is_spoken_of(
    world: World, employer: FakeVerifier, registrar: Registrar
) -> None:
    """The ordinary case says nothing about it."""
    page = look(person(world), ask(employer, registrar.certificate()).link())

    assert 'id="who-registration"' in page.text
    assert "intermediary" not in text_of(page)
