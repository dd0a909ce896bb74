"""An issuer in one process, with a clock that stands until it is moved, and the hands of a wallet."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from issuer.app import create_app
from issuer.context import IssuerContext
from issuer.offers import Offer, OfferLinks, draft_offer
from issuer.settings import IssuerSettings
from issuer.status import Status
from issuer.store.status import Certificate
from proofs import strict_json
from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt
from proofs.jose import parse_jws
from proofs.keys import SoftwareSigner, generate_signer
from proofs.proof_of_possession import make_proof
from proofs.status_list import decode_status_list, status_at
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT
from schemas.learning.achievement import Achievement, AwardingBody, Grade, Learner, Record, Source
from schemas.types import CREDENTIAL_TYPES

NOON = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
PUBLIC_URL = "https://issuer.example/uni"


@dataclass
class StandingClock:
    """A clock that stands until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)


def achievement(code: str = "DT4011", **changes: Any) -> Achievement:
    """One complete result of one person."""
    values: dict[str, Any] = {
        "title": {"sv": "Datasäkerhet i vården", "en": "Computer Security for Health Care"},
        "code": code,
        "awarding_body": AwardingBody(names={"sv": "Exempeluniversitetet", "en": "Example University"}, country="SE"),
        "issued_on": date(2026, 6, 4),
        "outcomes": ({"en": "Can assess risks."}, {"en": "Can plan measures."}),
        "ects_credits": Decimal("7.5"),
        "eqf_level": 7,
        "grade": Grade(label="VG"),
    } | changes
    learner = Learner(family_name="Sjöberg", given_name="Elin", birth_date=date(1998, 2, 3))
    empty = Achievement(id=code, learner=learner, provenance={"learner": Source.JSON})
    return empty.with_values(Source.JSON, **values)


@dataclass
class Desk:
    """The issuer under test: its application, reached over HTTP, and its store, reached directly."""

    settings: IssuerSettings
    client: TestClient
    clock: StandingClock
    context: IssuerContext
    keys: list[SoftwareSigner] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return self.settings.base_url

    def url(self, path: str) -> str:
        return self.issuer + path

    # --- staff ---------------------------------------------------------------------------------------------------

    def offer(
        self,
        type_name: str = "micro-credential",
        *,
        with_tx_code: bool = False,
        records: Sequence[Record] | None = None,
    ) -> Offer:
        draft = draft_offer(CREDENTIAL_TYPES[type_name], list(records or [achievement()]), with_tx_code=with_tx_code)
        made, *_ = self.context.store.offers.create([draft], now=self.clock())
        return made

    def links(self, offer: Offer) -> OfferLinks:
        return self.context.links_of(offer)

    def code_of(self, offer: Offer) -> str:
        return self.context.store.secret.pre_authorized_code(offer.id, offer.generation)

    def tx_code_of(self, offer: Offer) -> str:
        return self.context.store.secret.transaction_code(offer.id, offer.generation, length=offer.tx_code_length)

    def state_of(self, offer: Offer) -> str:
        return self.context.store.offers.get(offer.id, now=self.clock()).state.value

    # --- a wallet ------------------------------------------------------------------------------------------------

    def ask_token(self, offer: Offer | str, **form: Any) -> Any:
        """A token request; further form members replace the usual ones, None leaves one out."""
        code = offer if isinstance(offer, str) else self.code_of(offer)
        usual: dict[str, Any] = {"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": code}
        fields = {name.replace("__", "-"): value for name, value in form.items()}
        return self.client.post(self.url("/token"), data={n: v for n, v in (usual | fields).items() if v is not None})

    def token(self, offer: Offer, **form: Any) -> str:
        if offer.has_tx_code:
            form.setdefault("tx_code", self.tx_code_of(offer))
        answer = self.ask_token(offer, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def nonce(self) -> str:
        return str(self.client.post(self.url("/nonce")).json()["c_nonce"])

    def proof(self, key: SoftwareSigner | None = None, **changes: Any) -> str:
        values: dict[str, Any] = {"audience": self.issuer, "nonce": None, "issuer": None, "now": self.clock()} | changes
        values["nonce"] = values["nonce"] or self.nonce()
        return make_proof(signer=key or generate_signer(), **values)

    def proofs(self, keys: Sequence[SoftwareSigner], *, nonce: str | None = None, **changes: Any) -> dict[str, Any]:
        nonce = nonce or self.nonce()
        return {"jwt": [self.proof(key, nonce=nonce, **changes) for key in keys]}

    def ask_credential(self, token: str | None, request: Mapping[str, Any] | bytes) -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if isinstance(request, bytes):
            headers["Content-Type"] = "application/json"
            return self.client.post(self.url("/credential"), content=request, headers=headers)
        return self.client.post(self.url("/credential"), json=dict(request), headers=headers)

    def request(self, type_name: str = "micro-credential", **members: Any) -> dict[str, Any]:
        """A credential request with one proof by a fresh key; None leaves a member out."""
        if "proofs" not in members:
            members["proofs"] = self.proofs([generate_signer()])
        whole = {"credential_configuration_id": type_name} | members
        return {name: value for name, value in whole.items() if value is not None}

    def collect(
        self, offer: Offer, keys: Sequence[SoftwareSigner] | None = None, *, token: str | None = None
    ) -> list[UnverifiedSDJWT]:
        """The whole collection by a wallet that does everything right."""
        keys = keys or [generate_signer()]
        token = token or self.token(offer)
        answer = self.ask_credential(token, self.request(offer.type_name, proofs=self.proofs(keys)))
        assert answer.status_code == 200, answer.text
        return [parse_sd_jwt(item["credential"]) for item in answer.json()["credentials"]]

    def change(self, target: Offer | str, status: Status) -> Certificate:
        """Revoke, suspend or reinstate, by the certificate's identifier or by its offer."""
        wanted = target if isinstance(target, str) else target.id
        store = self.context.store.status
        (changed,) = store.change([wanted], status, publishing=self.context.publishing, now=self.clock())
        return changed

    def read_status(self, credential: UnverifiedSDJWT) -> int:
        """What the list that is served now says of a copy."""
        uri, index = slot_of(credential)
        answer = self.client.get(uri, headers={"Accept": "application/statuslist+jwt"})
        assert answer.status_code == 200, answer.text
        lst = strict_json.loads_object(parse_jws(answer.text).payload)["status_list"]["lst"]
        return status_at(decode_status_list(lst, bits=2, max_bytes=10_000_000), index, bits=2)

    def status_token(self, list_id: int = 1) -> Any:
        return self.client.get(self.url(f"/status/{list_id}"), headers={"Accept": "application/statuslist+jwt"})


def open_desk(directory: Path, *, clock: StandingClock | None = None, **settings: Any) -> Desk:
    """A desk on a data directory. Use its client as a context manager to run and end the application."""
    passphrase = directory / "passphrase"
    passphrase.write_text("a long enough test passphrase")
    chosen: dict[str, Any] = {
        "data": directory / "data",
        "public_url": PUBLIC_URL,
        "key_passphrase_file": passphrase,
        "name": "Exempeluniversitetet",
        "name_en": "Example University",
        "status_list_size": 10_000,
    } | settings
    ready = IssuerSettings.model_validate(chosen)
    clock = clock or StandingClock()
    app = create_app(ready, clock=clock)
    origin = ready.origin
    return Desk(ready, TestClient(app, base_url=origin), clock, app.state.issuer)


@contextmanager
def running_desk(directory: Path, **settings: Any) -> Iterator[Desk]:
    """A desk whose application runs, and ends with the block."""
    desk = open_desk(directory, **settings)
    with desk.client:
        yield desk


def slot_of(credential: UnverifiedSDJWT) -> tuple[str, int]:
    """Address of the status list and index of a copy."""
    entry = credential.claims["status"]["status_list"]
    return entry["uri"], entry["idx"]


def assert_refused(answer: Any, error: str, status: int = 400) -> None:
    """The standard's error: this code and status, and nothing but code and description (conformance; I-65)."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
