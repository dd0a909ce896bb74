"""What one whole pre-authorized issuance over HTTP costs the issuer: token, nonce and credential with one proof.

The issuer runs as its own process through the installed command: SQLite on disk with every commit synced, everything
on. The references are an empty asynchronous endpoint in another process, asked in turn with it, and the raw signatures
that one issuance contains, timed in turn with it as well; the reach of the latter is our own.
"""

import json
import tempfile
import time
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from bench.flows import Beside, RawSignatures
from bench.measure import Figure
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
CHECKED, SIGNED = 1, 1
"""Signatures in one issuance: the key proof, and the one copy."""
RAW_REACH = 26.0
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
            beside = Beside([issuer], empty, RawSignatures(checked=CHECKED, signed=SIGNED))
            measured = beside.measure(
                lambda count: [
                    partial(desk.issue, code, key) for code, key in zip(desk.offers(count), desk.keys, strict=False)
                ],
                rounds=rounds,
                flows=ISSUANCES_PER_ROUND,
                empty_per_flow=EMPTY_PER_ISSUANCE,
            )
    return measured.figures("one whole pre-authorized issuance over HTTP", reach=REACH, raw_reach=RAW_REACH)


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

    def issue(self, code: str, key: Signer) -> float:
        """Collect one offer: three requests, one proof. The seconds that the requests took."""
        form = urlencode({"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": code}).encode()
        token, seconds = self._timed("/token", form, _FORM)
        nonce, more = self._timed("/nonce", None, {})
        seconds += more
        proof = make_proof(signer=key, audience=self._identifier, nonce=nonce["c_nonce"], issuer=None, now=utc_now())
        asked = {"credential_configuration_id": "micro-credential", "proofs": {"jwt": [proof]}}
        headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "application/json"}
        return seconds + self._timed("/credential", json.dumps(asked).encode(), headers)[1]

    def _timed(self, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[dict[str, str], float]:
        start = time.perf_counter()
        answer = self._issuer.request("POST", path, body, headers)
        return json.loads(answer), time.perf_counter() - start


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
