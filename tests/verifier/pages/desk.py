"""A verifier with its pages in one process, an issuer whom it trusts, and a person who answers.

desk = Desk(tmp_path, Time())
desk.sign_in()
made = desk.ask("employer-micro-credential")
desk.answer(made, optional=["certificate-optional-1"])
"""

import asyncio
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from proofs import strict_json
from proofs.after_share import sign_holder_message
from proofs.certified_keys import create_certified_key
from proofs.formats.concealment import plan_disclosures
from proofs.formats.sd_jwt import parse_sd_jwt, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation, issue_sd_jwt_vc
from proofs.jwe import encrypt_jwe, public_part
from proofs.keys import generate_signer
from proofs.resolve import DictResolver
from proofs.status_list import make_status_list_token, new_status_list, set_status
from proofs.transaction_data import hashes_claims
from proofs.trust import entry_from_anchor
from schemas.dcql import Candidate, answer
from schemas.types import CREDENTIAL_TYPES
from schemas.withdrawal import WITHDRAWAL_TYPE
from service.http import OutgoingHTTP
from verifier.app import create_app
from verifier.exchange import Verifier
from verifier.requests import Transaction
from verifier.settings import VerifierSettings
from verifier.store import RequestRecord

ISSUER = "https://university.example"
LIST = f"{ISSUER}/statuslists/1"
PASSWORD = "a long and quiet password"
PAGE = {"Accept": "text/html", "Accept-Language": "en"}

COURSE = {
    "issuing_authority": {"sv": "Exempeluniversitetet", "en": "Example University"},
    "issuing_country": "SE",
    "achievement_title": {"sv": "Hållbar stadsplanering", "en": "Sustainable Urban Planning"},
    "family_name": "Ångström",
    "given_name": "Alva",
    "birthdate": "1998-04-12",
    "date_of_issuance": "2026-06-03",
    "credits": 7.5,
    "level_of_learning_experience": 7,
    "assessment_grade": "VG",
    "learning_outcomes": [
        {"sv": "Kan bedöma en detaljplan", "en": "Can judge a local plan"},
        {"sv": "Kan leda ett samråd", "en": "Can lead a consultation"},
    ],
}
RESULTS = {
    "issuing_authority": {"sv": "Exempeluniversitetet", "en": "Example University"},
    "issuing_country": "SE",
    "family_name": "Ångström",
    "given_name": "Alva",
    "courses": [
        {
            "achievement_title": {"sv": title, "en": title},
            "date_of_issuance": day,
            "credits": points,
            "assessment_grade": grade,
        }
        for title, day, points, grade in (
            ("Algebra", "2025-01-17", 7.5, "VG"),
            ("Statistik", "2025-03-28", 7.5, "G"),
            ("Databaser", "2025-06-05", 15, "G"),
        )
    ],
}

TEMPLATE = """
name = "internship"
title = { sv = "Praktik", en = "Internship" }
purpose = { sv = "Vi bedömer om du uppfyller kraven.", en = "We check that you meet the requirements." }
retention_days = 30
basis = "contract"
contact = "praktik@exempelbolaget.example"

[[credentials]]
id = "course"
vct = ["https://other.example/course"]

  [[credentials.items]]
  path = ["title"]
  values = ["Algebra", "Analys"]
  reason = { sv = "Vi behöver veta vad du har läst.", en = "We need to know what you have studied." }
"""
"""A template file for something of another kind than ours."""


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self.now

    def pass_by(self, **amount: float) -> None:
        """Move it on."""
        self.now += timedelta(**amount)


@dataclass
class Desk:
    """The verifier, the browser of its staff, the issuer and the person."""

    directory: Path
    time: Time
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_trusted: bool = True

    def __post_init__(self) -> None:
        self.settings = VerifierSettings(
            data=self.directory / "data",
            **{
                "port": 8300,
                "name": "Exempelbolaget AB",
                "name_en": "Example Ltd",
                "contact": "dataskydd@exempelbolaget.example",
                **self.changes,
            },
        )
        self.issuer = create_certified_key(
            self.directory / "issuer",
            name="issuer",
            common_name="Exempeluniversitetet",
            public_url=ISSUER,
            passphrase=b"a passphrase for the tests",
            now=self.time(),
        )
        self.lists: dict[str, str] = {}
        self.publish_status(0)
        self.app: FastAPI = create_app(
            self.settings,
            http=OutgoingHTTP(allow_loopback=False, allow_hosts=[], ca_file=None),
            clock=self.time,
            resolver=DictResolver(status_lists=self.lists),
        )
        self.verifier: Verifier = self.app.state.verifier
        if self.is_trusted:
            assert self.issuer.root_file is not None
            entry = entry_from_anchor(self.issuer.root_file.read_bytes(), name="Exempeluniversitetet", role="issuer")
            self.verifier.trust.add_entry(entry, now=self.time())
        self.browser = self.new_browser()

    def new_browser(self) -> TestClient:
        """Another browser, with cookies of its own."""
        return TestClient(self.app, base_url=self.settings.base_url, headers=PAGE)

    # --- staff ---------------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        """Make the first account through the pages, which also signs in."""
        code = asyncio.run(self.app.state.accounts.setup_code(now=self.time()))
        fields = {"setup_code": code, "login": "anna", "password": PASSWORD}
        assert post(self.browser, "/setup", fields).status_code == 303

    def ask(self, template: str) -> RequestRecord:
        """Make a request through the pages; the QR code's half of the pair."""
        answered = post(self.browser, f"/ask/{template}", {})
        assert answered.status_code == 303, answered.text
        return self.record(answered.headers["location"].rpartition("/")[2])

    def record(self, request_id: str) -> RequestRecord:
        """A request as it stands."""
        return self.verifier.result(request_id)

    # --- the issuer ----------------------------------------------------------------------------------------------

    def publish_status(self, status: int) -> None:
        """Publish the list in which the one certificate has this status."""
        statuses = new_status_list(1_000, bits=2)
        set_status(statuses, 7, status, bits=2)
        self.lists[LIST] = make_status_list_token(
            statuses=statuses,
            bits=2,
            uri=LIST,
            signer=self.issuer.signer,
            issued_at=self.time(),
            expires_at=self.time() + timedelta(hours=12),
            ttl_seconds=3600,
        )

    # --- the person ----------------------------------------------------------------------------------------------

    def answer(
        self,
        transaction: Transaction,
        *,
        optional: Iterable[int] = (),
        audience: str | None = None,
        from_several: bool = False,
        confirms: bool = False,
    ) -> httpx2.Response:
        """Answer as a wallet does: the required part, and the optional sets of these indexes.

        With `from_several` the optional parts come from another certificate than the required one. With
        `confirms` the required part confirms what the request asks to be confirmed.
        """
        wallet = self.new_browser()
        wallet.get(transaction.request_uri)
        kind = transaction.question.template.credentials[0].vct[0]
        credential_type = next(one for one in CREDENTIAL_TYPES.values() if one.vct == kind)
        self.holder = holder = generate_signer()
        day = self.time().replace(hour=0, minute=0)
        claims = {
            "vct": kind,
            "iss": ISSUER,
            "iat": int(day.timestamp()),
            "exp": int((day + timedelta(days=1825)).timestamp()),
            "status": {"status_list": {"idx": 7, "uri": LIST}},
            **(COURSE if credential_type.name == "micro-credential" else RESULTS),
        }
        first, second = (
            issue_sd_jwt_vc(
                claims,
                disclosable=plan_disclosures(credential_type.disclosable_paths()),
                signer=self.issuer.signer,
                holder_jwk=holder.public_jwk,
            )
            for _ in range(2)
        )
        held = parse_sd_jwt(first)
        required = {one.id for one in transaction.question.template.credentials}
        candidate = Candidate("held", "dc+sd-jwt", (kind,), held.claims, disclosable=tuple(held.disclosure_at))
        found = answer(transaction.question.query, [candidate], sensitivity=credential_type.sensitivity)
        share = found.select(ticked=dict.fromkeys(optional, 0))
        sentence = hashes_claims(transaction.question.transaction_data, algorithm="sha-256", is_named=False)
        vp_token = {
            query_id: [
                build_presentation(
                    (token := second if from_several and query_id not in required else first),
                    disclosures=select_disclosures(parse_sd_jwt(token), choice.paths, nested=True),
                    signer=holder,
                    audience=audience or transaction.client_id,
                    nonce=transaction.nonce,
                    now=self.time(),
                    further_claims=sentence if confirms and query_id in required else {},
                )
                for choice in choices
            ]
            for query_id, choices in share.choices.items()
        }
        return self.post_answer(transaction, {"vp_token": vp_token, "state": transaction.state})

    def withdraw(self, transaction: Transaction, action: str = "withdraw", **claims: Any) -> httpx2.Response:
        """Take the last answer back, as the wallet that gave it."""
        whole = {
            "aud": transaction.client_id,
            "nonce": transaction.nonce,
            "iat": int(self.time().timestamp()),
            "jti": secrets.token_urlsafe(16),
            "action": action,
            **claims,
        }
        body = sign_holder_message(whole, signer=self.holder, typ=WITHDRAWAL_TYPE)
        wallet = TestClient(self.app, base_url=self.settings.base_url)
        return wallet.post("/withdrawals", content=body, headers={"Content-Type": "application/jwt"})

    def decline(self, transaction: Transaction) -> httpx2.Response:
        """Say no, as a wallet does."""
        self.new_browser().get(transaction.request_uri)
        return self.post_answer(transaction, {"error": "access_denied", "state": transaction.state})

    def post_answer(self, transaction: Transaction, members: Mapping[str, Any]) -> httpx2.Response:
        """Post response parameters, encrypted to the request's key."""
        assert transaction.encryption_key is not None
        key = public_part(transaction.encryption_key)
        token = encrypt_jwe(strict_json.dumps(members), recipient_jwk=key, enc="A128GCM", header={"kid": key["kid"]})
        wallet = TestClient(self.app, base_url=self.settings.base_url)
        return wallet.post(transaction.response_uri, data={"response": token})


def post(browser: TestClient, path: str, fields: Mapping[str, Any], *, page: str | None = None) -> httpx2.Response:
    """Send a form as the page with it would: with the token that stands in it. `page` is where the form stands."""
    shown = browser.get(page or path)
    token = re.search(r'name="csrf" value="([^"]+)"', shown.text)
    assert token is not None, shown.text
    return browser.post(path, data={"csrf": token[1], **fields}, follow_redirects=False)


def add_template(desk: Desk, name: str, text: str) -> None:
    """Put a file into the folder of templates."""
    folder: Path = desk.settings.data / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
