"""What the issuer says about itself and how it refuses (edge cases I-57 to I-65)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proofs.jose import check_jws
from schemas.issuance import (
    AuthorizationServerMetadata,
    IssuerMetadata,
    JWTVCIssuerMetadata,
    authorization_server_metadata_url,
    credential_issuer_metadata_url,
    jwt_vc_issuer_metadata_url,
)
from schemas.types import CREDENTIAL_TYPES
from tests.issuer.desk import Desk, assert_refused, running_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer under a path prefix, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    "public_url", ["https://issuer.example", "https://issuer.example/a/b", "http://localhost:8123"]
)
def test_i57_metadata_is_where_the_identifier_says_and_names_exactly_it(tmp_path: Path, public_url: str) -> None:
    """The well-known name is inserted between host and path, and the documents name exactly the public URL."""
    with running_desk(tmp_path, public_url=public_url) as desk:
        issuer = IssuerMetadata.read(desk.client.get(credential_issuer_metadata_url(public_url)).json())
        server = AuthorizationServerMetadata.read(desk.client.get(authorization_server_metadata_url(public_url)).json())
        keys = JWTVCIssuerMetadata.read(desk.client.get(jwt_vc_issuer_metadata_url(public_url)).json())
        assert issuer.credential_issuer == server.issuer == keys.issuer == public_url
        assert issuer.credential_endpoint == f"{public_url}/credential"
        assert server.token_endpoint == f"{public_url}/token"
        assert len(desk.collect(desk.offer())) == 1


def test_i57_the_host_header_changes_nothing(desk: Desk) -> None:
    """Identifiers and links come from the settings, never from what a request says."""
    url = credential_issuer_metadata_url(desk.issuer)
    answer = desk.client.get(url, headers={"Host": "attacker.example", "X-Forwarded-Host": "attacker.example"})
    assert answer.json()["credential_issuer"] == desk.issuer
    assert "attacker" not in answer.text


@pytest.mark.parametrize("path", ["/help/", "/token/", "/status/1/", "/types/micro-credential/1/"])
def test_i57_no_redirect_is_made_from_the_host_header(desk: Desk, path: str) -> None:
    """An address with a slash too many is not there; nobody is sent to a host that the request named."""
    for method in ("GET", "POST"):
        answer = desk.client.request(
            method, desk.url(path), headers={"Host": "attacker.example"}, follow_redirects=False
        )
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_i57_another_path_is_another_issuer(desk: Desk) -> None:
    """Metadata of an issuer under another path is not here."""
    for path in ("/.well-known/openid-credential-issuer", "/.well-known/openid-credential-issuer/other"):
        assert desk.client.get("https://issuer.example" + path).status_code == 404


def test_i58_unsigned_metadata_is_always_available(desk: Desk) -> None:
    """Whoever does not ask for the signed form above it gets JSON, labelled as what it is."""
    url = credential_issuer_metadata_url(desk.issuer)
    for accept in ("", "*/*", "application/json", "text/html", "application/jwt;q=0.5, application/json", "a;q=b"):
        answer = desk.client.get(url, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["vary"] == "Accept"
        assert IssuerMetadata.read(answer.json()).display_name("en") == "Example University"


@pytest.mark.parametrize(
    "accept", ["application/jwt", "application/jwt, application/json;q=0.9", "application/jwt, */*"]
)
def test_i58_signed_metadata_says_the_same_under_the_issuers_key(desk: Desk, accept: str) -> None:
    """Typed, about this issuer, dated, with the chain without its root (12.2.3; HAIP 4.1)."""
    url = credential_issuer_metadata_url(desk.issuer)
    answer = desk.client.get(url, headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/jwt"
    signer = desk.context.key.signer
    checked = check_jws(answer.text, key=signer.public_jwk, typ="openidvci-issuer-metadata+jwt", algorithms={"ES256"})
    assert checked.header["x5c"] == list(signer.x5c)
    unsigned = desk.client.get(url).json()
    assert checked.claims.pop("sub") == checked.claims.pop("iss") == desk.issuer
    assert checked.claims.pop("iat") < checked.claims.pop("exp")
    assert checked.claims == unsigned


def test_i59_displays_are_in_swedish_and_english_each_once(desk: Desk) -> None:
    """Issuer, certificates and claims have one display object per language."""
    metadata = IssuerMetadata.read(desk.client.get(credential_issuer_metadata_url(desk.issuer)).json())
    configurations = metadata.credential_configurations_supported
    shown: list[list[Any]] = [list(metadata.display or [])]
    for configuration in configurations.values():
        assert configuration.credential_metadata is not None
        shown.append(list(configuration.credential_metadata.display or []))
        shown += [list(claim.display or []) for claim in configuration.credential_metadata.claims or []]
    for displays in shown:
        assert [display.locale for display in displays] == ["sv", "en"]
        assert all(display.name for display in displays)
    assert set(configurations) == set(CREDENTIAL_TYPES)


def test_the_metadata_names_what_exists_and_nothing_else(desk: Desk) -> None:
    """No endpoint, algorithm or grant is promised that is not there; no unexpected member."""
    document = desk.client.get(credential_issuer_metadata_url(desk.issuer)).json()
    server = desk.client.get(authorization_server_metadata_url(desk.issuer)).json()
    assert set(document) == {
        "credential_issuer",
        "credential_endpoint",
        "nonce_endpoint",
        "deferred_credential_endpoint",
        "notification_endpoint",
        "credential_request_encryption",
        "credential_response_encryption",
        "batch_credential_issuance",
        "display",
        "credential_configurations_supported",
    }
    assert document["batch_credential_issuance"] == {"batch_size": 10}
    encryption = document["credential_request_encryption"]
    assert encryption["encryption_required"] is False
    assert all({"kid", "alg"} <= set(key) and "d" not in key for key in encryption["jwks"]["keys"])
    for name, configuration in document["credential_configurations_supported"].items():
        assert configuration["format"] == "dc+sd-jwt"
        assert configuration["vct"] == CREDENTIAL_TYPES[name].vct
        assert configuration["scope"] == name
        assert configuration["cryptographic_binding_methods_supported"] == ["jwk"]
        assert configuration["credential_signing_alg_values_supported"] == ["ES256"]
        assert configuration["proof_types_supported"] == {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}
        paths = [tuple(claim["path"]) for claim in configuration["credential_metadata"]["claims"]]
        assert len(set(paths)) == len(paths)
    assert server["grant_types_supported"] == [
        "authorization_code",
        "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "refresh_token",
    ]
    assert server["pre-authorized_grant_anonymous_access_supported"] is True
    assert server["token_endpoint_auth_methods_supported"] == ["none"], "nobody is trusted to vouch for wallets"
    for name, path in {
        "authorization_endpoint": "/authorize",
        "token_endpoint": "/token",
        "pushed_authorization_request_endpoint": "/par",
        "challenge_endpoint": "/challenge",
    }.items():
        assert server[name] == desk.issuer + path
    assert server["require_pushed_authorization_requests"] is True
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["code_challenge_methods_supported"] == ["S256"]


def test_the_published_key_is_the_one_that_signs(desk: Desk) -> None:
    """The JWT VC issuer metadata holds the public key of the certificate chain, with its kid, and nothing private."""
    keys = desk.client.get(jwt_vc_issuer_metadata_url(desk.issuer)).json()["jwks"]["keys"]
    (copy,) = desk.collect(desk.offer())
    assert [key["kid"] for key in keys] == [copy.header["kid"]]
    assert not any("d" in key for key in keys)


def test_type_metadata_is_the_very_document_that_is_pinned(desk: Desk) -> None:
    """Every issuer serves the type metadata whose digest stands in the certificate."""
    import base64
    import hashlib

    for name, credential_type in CREDENTIAL_TYPES.items():
        answer = desk.client.get(desk.url(f"/types/{name}/1"))
        digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
        assert credential_type.integrity() == f"sha256-{digest}"
        assert answer.json()["vct"] == credential_type.vct
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer x y", "Basic eDp5", "abc", "Bearer " + "x" * 5000],
)
def test_i65_without_a_good_token_there_is_a_challenge(desk: Desk, authorization: str | None) -> None:
    """Missing, foreign and unknown tokens get 401 with a Bearer challenge."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = desk.client.post(desk.url("/credential"), json=desk.request(), headers=headers)
    assert_refused(answer, "invalid_token", 401)
    assert answer.headers["www-authenticate"].startswith("Bearer" if authorization is None else "Bearer error=")


def test_i65_two_authorization_headers_are_none(desk: Desk) -> None:
    """Nobody has to guess which of two tokens a proxy in front of us took for the right one."""
    token = desk.token(desk.offer())
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer other")]
    answer = desk.client.post(desk.url("/credential"), json=desk.request(), headers=headers)
    assert_refused(answer, "invalid_token", 401)
    assert "error=" in answer.headers["www-authenticate"]


def test_i65_a_token_in_the_address_or_the_body_counts_for_nothing(desk: Desk) -> None:
    """Tokens end up in logs when they stand in addresses, so they are not read there."""
    token = desk.token(desk.offer())
    answer = desk.client.post(
        desk.url(f"/credential?access_token={token}"), json=desk.request() | {"access_token": token}
    )
    assert_refused(answer, "invalid_token", 401)


def test_i65_the_scheme_is_compared_without_case(desk: Desk) -> None:
    """BEARER is Bearer."""
    headers = {"Authorization": f"BEARER {desk.token(desk.offer())}"}
    assert desk.client.post(desk.url("/credential"), json=desk.request(), headers=headers).status_code == 200


def test_i65_descriptions_keep_to_the_characters_of_the_standard(desk: Desk) -> None:
    """Whatever was sent, descriptions hold only the characters that the standards allow, and repeat no value."""
    secret = 'åäö"quote\\'
    answers = [
        desk.ask_token(desk.offer(), grant_type=secret),
        desk.ask_token(secret),
        desk.ask_credential(desk.token(desk.offer()), desk.request(secret)),
        desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [secret]})),
    ]
    for answer in answers:
        description = answer.json()["error_description"]
        assert all(0x20 <= ord(c) <= 0x7E and c not in '"\\' for c in description)
        assert "quote" not in answer.text


def test_wallets_that_run_in_a_browser_can_read_every_public_endpoint(desk: Desk) -> None:
    """Protocol endpoints answer preflights and allow every origin, also with an error; pages of staff do not."""
    offer = desk.offer()
    desk.collect(desk.offer())
    reads = [
        credential_issuer_metadata_url(desk.issuer),
        authorization_server_metadata_url(desk.issuer),
        jwt_vc_issuer_metadata_url(desk.issuer),
        desk.url("/types/micro-credential/1"),
        desk.links(offer).uri,
        desk.url("/status/1"),
    ]
    for url in reads:
        assert desk.client.get(url).headers["access-control-allow-origin"] == "*", url
    for path in ("/token", "/nonce", "/credential"):
        preflight = desk.client.options(desk.url(path), headers={"Origin": "https://wallet.example"})
        assert preflight.status_code == 204
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        assert desk.client.post(desk.url(path)).headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in preflight.headers
