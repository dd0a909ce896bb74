"""The provider where people sign in, in the demo and the tests, is a real one: it refuses what a real one refuses."""

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest

from examples.browsing import Browser
from examples.sign_in import Provider, running_provider
from proofs import jose, pkce

pytestmark = pytest.mark.processes

ELIN = {"sub": "elin", "password": "korvar på tork i solen", "birthdate": "1998-04-23"}


def _back(provider: Provider) -> str:
    """Where the browser comes back to: nobody answers there, and the address says it all."""
    return f"{provider.address}/back"


def _asked(provider: Provider, verifier: str, **changes: str) -> str:
    query = {
        "response_type": "code", "client_id": "university", "redirect_uri": _back(provider), "scope": "openid profile",
        "state": "s", "nonce": "n", "code_challenge": pkce.challenge_of(verifier), "code_challenge_method": "S256",
    } | changes  # fmt: skip
    return f"{provider.address}/authorize/?{urlencode({name: value for name, value in query.items() if value})}"


def _token(provider: Provider, secret: str, **form: str) -> tuple[int, dict[str, str]]:
    usual = {"grant_type": "authorization_code", "redirect_uri": _back(provider), "client_id": "university"}
    data = urlencode(usual | {"client_secret": secret} | form).encode()
    try:
        with urlopen(f"{provider.address}/token/", data, timeout=20) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        return refused.code, json.load(refused)


def test_it_refuses_what_a_real_one_refuses(tmp_path: Path) -> None:
    """A wrong password, another return address, no PKCE, a wrong verifier, a wrong secret; what is right gets a signed
    ID token with the nonce. It ends with whoever started it."""
    with running_provider([ELIN], log=tmp_path / "provider.log") as provider:
        secret, verifier = provider.register("university", redirect_uri=_back(provider)), pkce.new_verifier()
        browser = Browser()
        browser.opens(_asked(provider, verifier))
        browser.presses("sign-in", username="elin", password="somebody else's")
        assert browser.reads("//*[@role='alert']")
        browser.presses("sign-in", username="elin", password=ELIN["password"])
        (code,) = parse_qs(urlsplit(browser.url).query)["code"]
        without = {"code_challenge": "", "code_challenge_method": ""}
        for refused in ({"redirect_uri": f"{_back(provider)}/elsewhere"}, {"client_id": "nobody"}, without):
            browser.opens(_asked(provider, verifier, **refused))
            assert "code" not in parse_qs(urlsplit(browser.url).query)

        assert _token(provider, secret, code=code, code_verifier=pkce.new_verifier())[0] == 400
        assert _token(provider, "guessed", code=code, code_verifier=verifier)[0] == 401
        status, tokens = _token(provider, secret, code=code, code_verifier=verifier)

        assert status == 200
        claims = jose.read_claims(jose.parse_jws(tokens["id_token"]))
        assert (claims["sub"], claims["nonce"], claims["birthdate"]) == ("elin", "n", "1998-04-23")
        assert jose.parse_jws(tokens["id_token"]).header["alg"] == "RS256"
        assert provider.process.stdin is not None
        provider.process.stdin.close()
        assert provider.process.wait(20) == 0


def test_it_speaks_as_it_is_asked_to(tmp_path: Path) -> None:
    """`ui_locales` is the language of the page, also of what it says of a wrong password; without it the browser's is.
    The link to the other language keeps the request."""
    with running_provider([ELIN], log=tmp_path / "provider.log") as provider:
        provider.register("university", redirect_uri=_back(provider))
        verifier, browser = pkce.new_verifier(), Browser(language="en")

        def heading() -> list[str]:
            return [*browser.reads("//h1"), *browser.reads("//label[1]"), *browser.reads("//button")]

        browser.opens(_asked(provider, verifier, ui_locales="fi sv-SE en"))
        assert browser.reads("/html[@lang='sv']")
        assert heading() == ["Logga in", "Namn", "Lösenord", "Logga in"]
        browser.presses("sign-in", username="elin", password="somebody else's")
        assert browser.reads("//*[@role='alert']") == ["Namnet och lösenordet hör inte ihop."]
        browser.presses("language")
        assert heading() == ["Sign in", "Name", "Password", "Sign in"]
        browser.opens(_asked(provider, verifier))
        assert browser.reads("/html[@lang='en']")
        browser.presses("language")
        browser.presses("sign-in", username="elin", password=ELIN["password"])
        assert parse_qs(urlsplit(browser.url).query)["state"] == ["s"], "the same request goes on"


def test_it_asks_whom_it_knows_again_when_it_is_asked_to(tmp_path: Path) -> None:
    """`prompt=login` (OpenID Connect Core, 3.1.2.1): another person can sign in from the same browser, once."""
    omar = {"sub": "omar", "password": "glass i regnet hela dagen"}
    with running_provider([ELIN, omar], log=tmp_path / "provider.log") as provider:
        secret, verifier = provider.register("university", redirect_uri=_back(provider)), pkce.new_verifier()
        browser = Browser()
        browser.opens(_asked(provider, verifier))
        browser.presses("sign-in", username="elin", password=ELIN["password"])
        browser.opens(_asked(provider, verifier))
        assert "code" in parse_qs(urlsplit(browser.url).query), "it knows her by now"
        browser.opens(_asked(provider, verifier, prompt="login"))
        browser.presses("sign-in", username="omar", password=omar["password"])
        (code,) = parse_qs(urlsplit(browser.url).query)["code"]
        status, tokens = _token(provider, secret, code=code, code_verifier=verifier)
        assert status == 200
        assert jose.read_claims(jose.parse_jws(tokens["id_token"]))["sub"] == "omar"
