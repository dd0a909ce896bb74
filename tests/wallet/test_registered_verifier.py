"""Verifier and wallet, both real: the verifier's registration certificate travels with its requests, and the wallet
compares it with what is asked."""

from pathlib import Path

import pytest

from proofs.trust import entry_from_anchor
from schemas.registration import RegistrationCertificate
from tests.attacks.test_registration_certificates import Registrar, registered
from tests.wallet.pages.test_share_pages import look, person, text_of
from tests.wallet.people import Sharer
from tests.world import World
from verifier.app import create_app
from verifier.exchange import Verifier
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.over_asking import WarningKind
from wallet.requests import RegistrationOutcome

pytestmark = pytest.mark.anyio

HOST = "firm.example"
TEMPLATE = "employer-micro-credential"
PURPOSE = [{"lang": "sv", "value": "Vi anställer."}, {"lang": "en", "value": "We employ people."}]


class Firm:
    """A verifier that the wallet knows, with a file for its registration."""

    def __init__(self, world: World) -> None:
        self.file: Path = world.directory / "registration.jwt"
        self.registrar = Registrar.named(world, "registrar.example").trusted()
        self.register("family_name")
        passphrase = world.directory / "firm-passphrase"
        passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
        settings = VerifierSettings(
            data=world.directory / HOST,
            public_url=f"https://{HOST}",
            key_passphrase_file=passphrase,
            name="Exempelbolaget AB",
            contact="dataskydd@firm.example",
            registration_file=self.file,
        )
        app = create_app(settings, http=world.http(), clock=world.clock)
        world.network.connect(HOST, app)
        self.verifier: Verifier = app.state.verifier
        self.verifier.trust.add_entry(world.university.trust_entry, now=world.clock())
        root = next(Path(settings.data).rglob("*.root.pem"))
        world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))

    def register(self, *names: str) -> None:
        """The registrar registers these claims of a micro-credential, and the operator saves what it gives."""
        self.file.write_text(
            self.registrar.certificate(sub=f"https://{HOST}", credentials=[registered(*names)], purpose=PURPOSE)
        )

    def asked(self) -> tuple[str, ...]:
        """The names of all that the template asks for."""
        template = self.verifier.templates()[TEMPLATE]
        return tuple(str(item.path[0]) for _, _, items in template.queries() for item in items)

    def link(self) -> str:
        """A new request."""
        made = self.verifier.make_request(self.verifier.templates()[TEMPLATE], kind=Kind.CROSS_DEVICE, maker="test")
        return made.link


@pytest.fixture
def firm(world: World) -> Firm:
    """Registered for the family name alone."""
    return Firm(world)


async def test_what_is_asked_is_covered_or_goes_beyond_what_is_registered(world: World, firm: Firm) -> None:
    """First the family name alone is registered, and the rest needs a tick; a new file, and the next request is
    covered, with the registrar's purpose and nothing to warn of."""
    sharer = await Sharer.with_certificate(world)

    decision = sharer.decision(await sharer.begin(firm.link()))
    assert decision.checked.registration.outcome is RegistrationOutcome.EXCEEDED
    (warned,) = decision.missing_overrides
    assert warned.kind is WarningKind.BEYOND_REGISTRATION
    beyond = {path[0] for _, path in decision.checked.registration.beyond}
    assert beyond == set(firm.asked()) - {"family_name"}

    firm.register(*firm.asked())
    share_id = await sharer.begin(firm.link())
    decision = sharer.decision(share_id)
    registration = decision.checked.registration
    assert registration.outcome is RegistrationOutcome.COVERED
    assert (registration.identifier, registration.purpose.en) == (f"https://{HOST}", "We employ people.")
    assert not decision.missing_overrides
    await sharer.approve(share_id)


async def test_the_person_reads_both_on_the_page(world: World, firm: Firm) -> None:
    """Beside who asks, or among what to think of."""
    browser = person(world)
    exceeded = look(browser, firm.link())
    assert "They have registered to ask for less than this." in text_of(exceeded)

    firm.register(*firm.asked())
    covered = text_of(look(browser, firm.link()))
    assert "They have registered to ask for this." in covered
    assert "We employ people." in covered


def test_what_is_written_in_these_tests_is_a_registration() -> None:
    """So that it cannot be "covered" because nothing was asked."""
    read = RegistrationCertificate.from_claims({"sub": "x", "credentials": [registered("family_name")]})
    assert read.credentials[0].paths == (("family_name",),)
