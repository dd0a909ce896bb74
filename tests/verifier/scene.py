"""A verifier in one process with an issuer and a holder of its own: real keys, certificates, lists and presentations.

    scene = Scene(tmp_path)
    made = scene.ask("employer-micro-credential")
    reply = scene.answer(made)                      # as an honest wallet would
    scene.result(made).is_accepted

Attacks take an honest answer apart: `scene.presentation(...)`, `scene.post(...)`.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from proofs import base64url, strict_json
from proofs.certified_keys import create_certified_key
from proofs.formats.sd_jwt import parse_sd_jwt, plan_disclosures, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation, issue_sd_jwt_vc
from proofs.jose import encrypt_jwe, parse_jws
from proofs.keys import SoftwareSigner, generate_signer
from proofs.resolve import DictResolver
from proofs.status_list import make_status_list_token, new_status_list, set_status
from proofs.trust import TrustEntry, entry_from_anchor
from schemas.dcql import select_claims
from schemas.types import CREDENTIAL_TYPES
from verifier.app import client_identity, open_database
from verifier.exchange import MadeRequest, Reply, Verifier
from verifier.request_templates import RequestTemplate
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from verifier.store import RequestRecord
from verifier.verification import Verdict

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ISSUER_URL = "https://university.example"
LIST_URL = f"{ISSUER_URL}/status/1"
PASSPHRASE = b"a passphrase only for tests"
FORM = "application/x-www-form-urlencoded"

MICRO = CREDENTIAL_TYPES["micro-credential"]
COURSES = CREDENTIAL_TYPES["course-results"]

MICRO_CLAIMS: dict[str, Any] = {
    "issuing_authority": {"sv": "Exempelhögskolan", "en": "Example University"},
    "issuing_country": "SE",
    "family_name": "Kanarek-Test",
    "given_name": "Astrid",
    "birthdate": "1999-10-02",
    "achievement_title": {"sv": "Distribuerade system", "en": "Distributed systems"},
    "date_of_issuance": "2026-06-12",
    "assessment_grade": "A",
    "credits": 7.5,
    "level_of_learning_experience": 6,
    "learning_outcomes": [{"en": "Explains consensus."}, {"en": "Builds a replicated log."}],
}

COURSES_CLAIMS: dict[str, Any] = {
    "issuing_authority": {"sv": "Exempelhögskolan", "en": "Example University"},
    "issuing_country": "SE",
    "family_name": "Kanarek-Test",
    "date_of_issuance": "2026-06-12",
    "courses": [
        {
            "achievement_title": {"en": "Algebra"},
            "date_of_issuance": "2025-01-10",
            "credits": 7.5,
            "assessment_grade": "B",
        },
        {
            "achievement_title": {"en": "Biology"},
            "date_of_issuance": "2025-06-10",
            "credits": 15,
            "assessment_grade": "C",
        },
    ],
}


@cache
def certified(directory: str, url: str, name: str) -> tuple[SoftwareSigner, bytes]:
    """A signer with its chain, and the PEM of its root; made once per test run (its files do not matter)."""
    with tempfile.TemporaryDirectory() as folder:
        key = create_certified_key(
            Path(folder), name=directory, common_name=name, public_url=url, passphrase=PASSPHRASE, now=START
        )
        assert key.root_file is not None
        return key.signer, key.root_file.read_bytes()


class Issuer:
    """A university that signs certificates and a status list."""

    def __init__(self, *, url: str = ISSUER_URL, name: str = "Example University") -> None:
        self.url = url
        self.signer, self.root_pem = certified("issuer", url, name)
        self.list_url = f"{url}/status/1"
        self.statuses = new_status_list(1000, bits=2)

    def issue(
        self,
        claims: Mapping[str, Any],
        *,
        holder: SoftwareSigner | None,
        credential_type: Any = MICRO,
        now: datetime = START,
        index: int | None = 7,
        **members: Any,
    ) -> str:
        """A certificate with all its disclosures. `index` None leaves out the status; `members` are further claims."""
        payload: dict[str, Any] = {
            "iss": self.url,
            "vct": credential_type.vct,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(days=365)).timestamp()),
            **claims,
            **members,
        }
        if index is not None:
            payload["status"] = {"status_list": {"idx": index, "uri": self.list_url}}
        return issue_sd_jwt_vc(
            {name: value for name, value in payload.items() if value is not None},
            disclosable=plan_disclosures(credential_type.disclosable_paths()),
            signer=self.signer,
            holder_jwk=holder.public_jwk if holder else None,
        )

    def status_token(self, *, now: datetime) -> str:
        """The signed status list of this moment."""
        return make_status_list_token(
            statuses=self.statuses,
            bits=2,
            uri=self.list_url,
            signer=self.signer,
            issued_at=now,
            expires_at=now + timedelta(hours=12),
            ttl_seconds=300,
        )

    def set_status(self, index: int, value: int) -> None:
        """Change the status of one certificate."""
        set_status(self.statuses, index, value, bits=2)

    def entry(self, *, types: Collection[str] = ()) -> TrustEntry:
        """The trust entry for this issuer's root."""
        return entry_from_anchor(self.root_pem, name="Example University", role="issuer", types=tuple(types))


def settings_for(data: Path, **changed: Any) -> VerifierSettings:
    """The settings of a scene's verifier."""
    defaults: dict[str, Any] = {
        "data": data,
        "public_url": "http://localhost:8003",
        "name": "Bolaget",
        "name_en": "The Company",
        "contact": "privacy@company.example",
    }
    return VerifierSettings(**defaults | changed)


class Scene:
    """A verifier, an issuer that it trusts, and a holder with one certificate of each type."""

    def __init__(self, data: Path, **settings: Any) -> None:
        self.now = START
        self.issuer = Issuer()
        self.holder = generate_signer()
        self.settings = settings_for(data, **settings)
        self.lists: dict[str, str] = {}
        self.refresh_list()
        self.verifier = self.second_process()
        self.verifier.trust.add_entry(self.issuer.entry(), now=self.now)
        self.certificate = self.issuer.issue(MICRO_CLAIMS, holder=self.holder)
        self.transcript = self.issuer.issue(COURSES_CLAIMS, holder=self.holder, credential_type=COURSES, index=8)

    def second_process(self) -> Verifier:
        """Another verifier object on the same data directory, as a second process would have."""
        return Verifier(
            self.settings,
            database=open_database(self.settings),
            identity=client_identity(self.settings, clock=self.clock),
            clock=self.clock,
            resolver=DictResolver(status_lists=self.lists),
        )

    def clock(self) -> datetime:
        """The scene's time."""
        return self.now

    def pass_time(self, **amount: float) -> None:
        """Let time pass, and the issuer publish its list again."""
        self.now += timedelta(**amount)
        self.refresh_list()

    def refresh_list(self) -> None:
        """Publish the status list as it is."""
        self.lists[self.issuer.list_url] = self.issuer.status_token(now=self.now)

    # --- asking ------------------------------------------------------------------------------------------------------

    def template(self, name: str = "employer-micro-credential") -> RequestTemplate:
        """A template at hand."""
        return self.verifier.templates()[name]

    def ask(
        self,
        template: RequestTemplate | str = "employer-micro-credential",
        *,
        kind: Kind = Kind.CROSS_DEVICE,
        **more: Any,
    ) -> MadeRequest:
        """Make a request."""
        chosen = self.template(template) if isinstance(template, str) else template
        return self.verifier.make_request(chosen, kind=kind, maker="test", **more)

    def fetch(self, made: MadeRequest, wallet_nonce: str | None = None) -> dict[str, Any]:
        """The parameters of the request object, unchecked."""
        handle = urlsplit(made.transaction.request_uri).path.rpartition("/")[2]
        token = asyncio.run(self.verifier.serve_request(handle, wallet_nonce=wallet_nonce))
        return request_parameters_of(token)

    # --- answering ---------------------------------------------------------------------------------------------------

    def presentation(
        self,
        request: Mapping[str, Any],
        query_id: str,
        *,
        token: str = "",
        signer: SoftwareSigner | None = None,
        **wrong: Any,
    ) -> str:
        """A presentation for one credential query. `wrong` replaces `audience`, `nonce`, `now`."""
        queries = {one["id"]: one for one in request["dcql_query"]["credentials"]}
        held = parse_sd_jwt(token or self.held_for(queries[query_id]))
        paths = [
            place
            for claim in queries[query_id].get("claims", ())
            for place in select_claims(held.claims, claim["path"])
        ]
        paths += wrong.pop("extra", [])
        if "paths" in wrong:
            paths = wrong.pop("paths")
        bound = {"audience": request.get("client_id", ""), "nonce": request["nonce"], "now": self.now} | wrong
        return build_presentation(
            token or self.held_for(queries[query_id]),
            disclosures=select_disclosures(held, paths, nested=True),
            signer=signer or self.holder,
            **bound,
        )

    def held_for(self, query: Mapping[str, Any]) -> str:
        """The certificate that the holder has for a query."""
        return self.transcript if COURSES.vct in query["meta"]["vct_values"] else self.certificate

    def vp_token(self, request: Mapping[str, Any], *, optional: bool = False) -> dict[str, list[str]]:
        """An honest VP token: everything required, and with `optional` everything else, too."""
        wanted = [one["id"] for one in request["dcql_query"]["credentials"]]
        if not optional:
            sets = request["dcql_query"].get("credential_sets", [])
            left_out = {one for entry in sets if not entry["required"] for one in entry["options"][0]}
            wanted = [query_id for query_id in wanted if query_id not in left_out]
        return {query_id: [self.presentation(request, query_id)] for query_id in wanted}

    def form(self, request: Mapping[str, Any], members: Mapping[str, Any], *, enc: str = "A256GCM") -> dict[str, str]:
        """The form fields of an answer, encrypted when the request asks for that."""
        members = {"state": request["state"]} | dict(members)
        members = {name: value for name, value in members.items() if value is not None}
        keys = request["client_metadata"].get("jwks", {}).get("keys")
        if keys:
            return {"response": encrypted(strict_json.dumps(members), keys[0], enc=enc)}
        return {
            name: value if isinstance(value, str) else strict_json.dumps(value).decode()
            for name, value in members.items()
        }

    def post(
        self,
        made: MadeRequest,
        form: Mapping[str, str] | bytes,
        *,
        verifier: Verifier | None = None,
        content_type: str = FORM,
    ) -> Reply:
        """Post a form to the response address. Raises what the verifier raises."""
        return self.post_to(made.transaction.handle, form, verifier=verifier, content_type=content_type)

    def post_to(
        self,
        handle: str,
        form: Mapping[str, str] | bytes,
        *,
        verifier: Verifier | None = None,
        content_type: str = FORM,
    ) -> Reply:
        """Post a form to the response address with this handle."""
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return asyncio.run((verifier or self.verifier).take_answer(handle, body=body, content_type=content_type))

    def answer(self, made: MadeRequest, *, optional: bool = False) -> Reply:
        """Fetch and answer as an honest wallet would."""
        request = self.fetch(made)
        return self.post(made, self.form(request, {"vp_token": self.vp_token(request, optional=optional)}))

    def answer_with(self, made: MadeRequest, presentation: str, *, query_id: str = "certificate") -> Reply:
        """Answer with this presentation for one query."""
        request = self.fetch(made)
        return self.post(made, self.form(request, {"vp_token": {query_id: [presentation]}}))

    def result(self, made: MadeRequest) -> RequestRecord:
        """What became of a request."""
        return self.verifier.result(made.id)


def encrypted(plaintext: bytes, key: Mapping[str, Any], *, enc: str = "A256GCM", **header: Any) -> str:
    """An answer encrypted to a key of the request."""
    return encrypt_jwe(plaintext, recipient_jwk=key, enc=enc, header={"kid": key["kid"]} | header)


def request_parameters_of(token: str) -> dict[str, Any]:
    """The parameters of a request object, signed or not, unchecked."""
    if token.endswith("."):
        return strict_json.loads_object(base64url.decode(token.split(".")[1]))
    return strict_json.loads_object(parse_jws(token).payload)


def response_code_of(reply: Reply) -> str:
    """The response code in a reply's redirect."""
    return parse_qs(urlsplit(str(reply.members["redirect_uri"])).query)["response_code"][0]


def failed(scene: Scene, made: MadeRequest) -> list[tuple[str, str]]:
    """The failed checks with their reasons."""
    result = scene.result(made).result
    return [(check.name, check.reason) for check in result.checks if check.name in result.failed]


def assert_refused_by(scene: Scene, made: MadeRequest, reply: Reply, check: str, reason: str) -> None:
    """Answered 400, not accepted, no values kept, and exactly this check is to blame."""
    assert reply.status == 400
    assert reply.members["error"] == "invalid_request"
    assert failed(scene, made) == [(check, reason)]
    assert scene.result(made).verdict is Verdict.REJECTED
    assert scene.verifier.contents(made.id, viewer="test") is None


def scene_of_before(directory: Path, *, schema: int) -> tuple[Scene, RequestRecord]:
    """A scene in a kept database of an earlier schema, upgraded, and the answered request in it, which has stayed."""
    old = Path(__file__).parents[1] / "vectors" / f"verifier-schema-{schema}"
    shutil.copy(old / "device-secret", directory / "device-secret")
    with closing(sqlite3.connect(directory / "verifier.sqlite3")) as connection:
        connection.executescript((old / "verifier.sql").read_text(encoding="utf-8"))

    open_database(settings_for(directory)).close()
    scene = Scene(directory)
    (record,) = scene.verifier.requests.list_transactions(now=scene.now)
    assert record.is_accepted
    assert record.reference == "of before"
    assert scene.verifier.contents(record.id, viewer="test") is not None
    return scene, record
