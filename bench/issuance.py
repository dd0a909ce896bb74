"""What one whole pre-authorized issuance over HTTP costs the issuer: token, nonce and credential with one proof.

The issuer runs as its own process through the installed command: SQLite on disk with every commit synced, everything
on. The reference is an empty asynchronous endpoint in another process, asked in turn with it.
"""

import json
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

from bench.measure import Figure, figure_from_samples
from bench.served import Served
from issuer.cli_settings import settings_for
from issuer.offers import draft_offer
from issuer.store import open_store
from proofs.keys import Signer, generate_signer
from proofs.proof_of_possession import make_proof
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT
from schemas.learning.achievement import Achievement, AwardingBody, Grade, Learner, Source
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now

REACH = 20.0
ISSUANCES_PER_ROUND = 60
EMPTY_PER_ISSUANCE = 6  # in turn with the issuances, so that both servers find the machine in the same mood

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def figures(rounds: int) -> list[Figure]:
    """Measure in so many interleaved rounds."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "issuer"
        with (
            Served.command("intyga-issuer", "serve", "--port", "0", "--data", str(data)) as issuer,
            Served.empty() as empty,
        ):
            desk = _Desk(issuer, data)
            for code, key in zip(desk.offers(ISSUANCES_PER_ROUND), desk.keys, strict=True):
                desk.issue(code, key)
            samples = []
            for _ in range(rounds):
                codes = desk.offers(ISSUANCES_PER_ROUND)
                before = issuer.cpu_seconds(), empty.cpu_seconds()
                for code, key in zip(codes, desk.keys, strict=True):
                    desk.issue(code, key)
                    for _ in range(EMPTY_PER_ISSUANCE):
                        empty.request("GET", "/")
                used = (issuer.cpu_seconds() - before[0]) / ISSUANCES_PER_ROUND
                reference = (empty.cpu_seconds() - before[1]) / (ISSUANCES_PER_ROUND * EMPTY_PER_ISSUANCE)
                samples.append(used / reference)
    return [
        figure_from_samples(
            "one whole pre-authorized issuance over HTTP",
            unit="CPU time of an empty asynchronous endpoint",
            samples=samples,
            reach=REACH,
            lower_is_better=True,
        )
    ]


class _Desk:
    """Offers made beside the running issuer, and a wallet that collects them one after the other."""

    def __init__(self, issuer: Served, data: Path) -> None:
        settings = settings_for(data)
        self._issuer = issuer
        self._identifier = settings.base_url
        self._store = open_store(settings)
        self.keys = [generate_signer() for _ in range(ISSUANCES_PER_ROUND)]
        self._draft = draft_offer(CREDENTIAL_TYPES["micro-credential"], [achievement()], with_tx_code=False)

    def offers(self, count: int) -> list[str]:
        """The pre-authorized codes of fresh offers."""
        made = self._store.offers.create([self._draft] * count, now=utc_now())
        return [self._store.secret.pre_authorized_code(offer.id, offer.generation) for offer in made]

    def issue(self, code: str, key: Signer) -> None:
        """Collect one offer: three requests, one proof."""
        form = urlencode({"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": code}).encode()
        token = json.loads(self._issuer.request("POST", "/token", form, _FORM))["access_token"]
        nonce = json.loads(self._issuer.request("POST", "/nonce"))["c_nonce"]
        proof = make_proof(signer=key, audience=self._identifier, nonce=nonce, issuer=None, now=utc_now())
        asked = {"credential_configuration_id": "micro-credential", "proofs": {"jwt": [proof]}}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._issuer.request("POST", "/credential", json.dumps(asked).encode(), headers)


def achievement() -> Achievement:
    """A result whose certificate has twelve claims, as many as the signing figure has."""
    learner = Learner(family_name="Exempelsson", given_name="Majken", birth_date=date(1998, 4, 12))
    return Achievement(id="1", learner=learner, provenance={"learner": Source.JSON}).with_values(
        Source.JSON,
        title={"sv": "Introduktion till maskininlärning", "en": "Introduction to machine learning"},
        code="ML1000",
        awarding_body=AwardingBody(names={"sv": "Exempeluniversitetet", "en": "Example University"}, country="SE"),
        issued_on=date(2026, 6, 3),
        outcomes=({"en": "Explains, applies and compares methods of supervised learning."},),
        ects_credits=Decimal("7.5"),
        eqf_level=7,
        grade=Grade(label="VG"),
    )
