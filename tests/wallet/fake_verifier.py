"""A verifier for the wallet's tests that can ask for anything, in any right or wrong way, and remembers what it got.

    verifier = FakeVerifier(world, "employer.example")
    link = verifier.ask(query(["family_name"]), notice=notice())
    ...
    verifier.answers[-1]["vp_token"]

It signs with a real key and certificate and reads answers with the real functions of the proofs room.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from proofs import jose, jwe
from proofs.certified_keys import create_certified_key
from proofs.keys import SoftwareSigner
from proofs.request_object import sign_request_object, x509_hash_client_id, x509_san_dns_client_id
from proofs.trust import TrustEntry, entry_from_anchor
from schemas.consent import NOTICE_TYPE, PLAIN_NOTICE_FORMAT
from tests.world import World

VCT = "urn:intyga:credential:micro-credential:1"
TRANSCRIPT = "urn:intyga:credential:course-results:1"


def query(*paths: list[Any], query_id: str = "certificate", vct: str = VCT, **more: Any) -> dict[str, Any]:
    """A DCQL query for some paths of one certificate."""
    return {"credentials": [credential(*paths, query_id=query_id, vct=vct, **more)]}


def credential(*paths: list[Any], query_id: str = "certificate", vct: str = VCT, **more: Any) -> dict[str, Any]:
    """One credential query."""
    claims = {"claims": [{"path": path} for path in paths]} if paths else {}
    return {"id": query_id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, **claims, **more}


def with_optional(required: dict[str, Any], *optional: dict[str, Any]) -> dict[str, Any]:
    """A query with one required credential query and optional ones, each its own set."""
    sets = [{"options": [[required["id"]]]}, *({"options": [[one["id"]]], "required": False} for one in optional)]
    return {"credentials": [required, *optional], "credential_sets": sets}


def notice(**changes: Any) -> dict[str, Any]:
    """What an honest recipient declares; a member set to None is left out."""
    members: dict[str, Any] = {
        "controller": {
            "name": {"sv": "Exempelbolaget AB", "en": "Example Company Ltd"},
            "contact": "dataskydd@employer.example",
            "organisation_number": "556000-0001",
            "country": "SE",
        },
        "purpose": {"sv": "Vi kontrollerar din ansökan.", "en": "We check your application."},
        "retention": {"days": 90},
        "basis": "legitimate_interest",
        "recipients": [],
        "withdraw": {"contact": "dataskydd@employer.example"},
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def known_verifier(world: World, host: str = "employer.example") -> "FakeVerifier":
    """A verifier whose certificates the world's wallet trusts."""
    made = FakeVerifier(world, host)
    world.wallet.trust(made.trust_entry)
    return made


@dataclass
class Asked:
    """One request as the fake keeps it: what it serves, and how to call it up."""

    id: str
    client_id: str
    parameters: dict[str, Any]
    signer: SoftwareSigner | None
    encryption_key: dict[str, Any] | None
    verifier: "FakeVerifier"

    @property
    def request_uri(self) -> str:
        """Where the request object is served."""
        return f"{self.verifier.url}/request/{self.id}"

    def link(self, *, method: str | None = None, scheme: str = "openid4vp://") -> str:
        """The link by reference."""
        members = {"client_id": self.client_id, "request_uri": self.request_uri}
        if method is not None:
            members["request_uri_method"] = method
        return f"{scheme}?{urlencode(members, quote_via=quote)}"

    def link_by_value(self) -> str:
        """The link that carries the request object."""
        members = {"client_id": self.client_id, "request": self.object()}
        return f"openid4vp://?{urlencode(members, quote_via=quote)}"

    def link_unsigned(self) -> str:
        """The link that carries the parameters themselves."""
        members = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in self.parameters.items()
        }
        return f"openid4vp://?{urlencode(members, quote_via=quote)}"

    def object(self, **more: Any) -> str:
        """The request object, signed now."""
        now = self.verifier.world.clock()
        dates = {"iat": int(now.timestamp()), "exp": int((now + timedelta(minutes=5)).timestamp())}
        members = {**dates, **self.parameters, **more}
        members = {name: value for name, value in members.items() if value is not None}
        if self.signer is None:
            raise AssertionError("an unsigned request has no request object")
        return sign_request_object(members, signer=self.signer)


class FakeVerifier:
    """A verifier at `https://HOST`. `answers` are the decoded answers, `forms` the forms as they came,
    `answer_headers` what came with them."""

    def __init__(self, world: World, host: str = "employer.example", *, name: str = "Exempelbolaget AB") -> None:
        self.world = world
        self.host = host
        self.url = f"https://{host}"
        directory = world.directory / f"fake-{host}"
        self.key = create_certified_key(
            directory, name="request", common_name=name, public_url=self.url, passphrase=b"in tests", now=world.clock()
        )
        self.signer = self.key.signer
        self.asked: dict[str, Asked] = {}
        self.forms: list[dict[str, str]] = []
        self.answers: list[dict[str, Any]] = []
        self.answer_headers: list[dict[str, str]] = []
        self.fetches: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.echo_nonce = True
        self.reply: Any = {}
        self.reply_status = 200
        app = Starlette(
            routes=[
                Route("/request/{id}", self._serve, methods=["GET", "POST"]),
                Route("/response", self._take, methods=["POST"]),
            ]
        )
        world.network.connect(host, app)

    @property
    def trust_entry(self) -> TrustEntry:
        """What a wallet adds to trust certificates of this verifier's root."""
        assert self.key.root_file is not None
        return entry_from_anchor(self.key.root_file.read_bytes(), name=None, role="verifier")

    def ask(
        self,
        dcql_query: dict[str, Any] | None,
        *,
        prefix: str = "x509_hash",
        notice: Mapping[str, Any] | None = None,
        encrypted: bool = False,
        **changes: Any,
    ) -> Asked:
        """Make a request. `changes` replace parameters; None removes one."""
        number = f"r{len(self.asked) + 1}"
        response_uri = f"{self.url}/response"
        client_id = {
            "x509_hash": lambda: x509_hash_client_id(self.signer),
            "x509_san_dns": lambda: x509_san_dns_client_id(self.signer, self.host),
            "redirect_uri": lambda: f"redirect_uri:{response_uri}",
        }[prefix]()
        nonce = f"nonce-of-request-{number}-0123456789abcdef"
        key = jwe.generate_encryption_key(f"key-{number}") if encrypted else None
        parameters: dict[str, Any] = {
            "client_id": client_id,
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt" if encrypted else "direct_post",
            "response_uri": response_uri,
            "nonce": nonce,
            "state": f"state-{number}",
            "dcql_query": dcql_query,
            "client_metadata": self._metadata(key),
        }
        if notice is not None:
            parameters["verifier_info"] = [self._stated(notice, client_id, nonce, signed=prefix != "redirect_uri")]
        parameters = {name: value for name, value in {**parameters, **changes}.items() if value is not None}
        signer = None if prefix == "redirect_uri" else self.signer
        made = Asked(number, str(parameters.get("client_id", client_id)), parameters, signer, key, self)
        made.client_id = client_id if "client_id" not in changes else str(changes["client_id"])
        self.asked[number] = made
        return made

    def _metadata(self, key: dict[str, Any] | None) -> dict[str, Any]:
        formats = {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}}
        metadata: dict[str, Any] = {"vp_formats_supported": formats}
        if key is not None:
            metadata["jwks"] = {"keys": [jwe.public_part(key)]}
            metadata["encrypted_response_enc_values_supported"] = ["A128GCM", "A256GCM"]
        return metadata

    def _stated(self, said: Mapping[str, Any], client_id: str, nonce: str, *, signed: bool) -> dict[str, Any]:
        if not signed:
            return {"format": PLAIN_NOTICE_FORMAT, "data": dict(said)}
        claims = {"client_id": client_id, "nonce": nonce, "iat": int(self.world.clock().timestamp()), **said}
        token = jose.sign_jws(claims, signer=self.signer, typ=NOTICE_TYPE, header={"x5c": list(self.signer.x5c)})
        return {"format": NOTICE_TYPE, "data": token}

    async def _serve(self, request: Request) -> Response:
        asked = self.asked[request.path_params["id"]]
        form = dict(parse_qsl((await request.body()).decode()))
        self.fetches.append((request.method, form, dict(request.headers)))
        echoed = {"wallet_nonce": form["wallet_nonce"]} if "wallet_nonce" in form and self.echo_nonce else {}
        return Response(asked.object(**echoed), media_type="application/oauth-authz-req+jwt")

    async def _take(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.forms.append(form)
        self.answer_headers.append(dict(request.headers))
        self.answers.append(self._decoded(form))
        return JSONResponse(self.reply, status_code=self.reply_status)

    def _decoded(self, form: dict[str, str]) -> dict[str, Any]:
        members: dict[str, Any]
        if "response" in form:
            kid = jwe.jwe_header(form["response"], max_bytes=1_000_000)["kid"]
            key = next(
                one.encryption_key for one in self.asked.values() if (one.encryption_key or {}).get("kid") == kid
            )
            assert key is not None
            header, plain = jwe.decrypt_jwe(
                form["response"], private_jwk=key, algorithms={"ECDH-ES"}, encryptions={"A128GCM", "A256GCM"},
                max_bytes=1_000_000,
            )  # fmt: skip
            members = {**json.loads(plain), "jwe_header": header}
        else:
            members = dict(form)
            if "vp_token" in members:
                members["vp_token"] = json.loads(members["vp_token"])
        return members
