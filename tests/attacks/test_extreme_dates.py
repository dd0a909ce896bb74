"""Moments and days at the ends of the calendar, in whatever somebody else may write: read or refused, never a crash.

Whatever a reader refuses, it refuses as something of a wrong form; what it takes in can be shown afterwards.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

import issuer.issuance
from proofs import jose
from proofs.client_assertion import check_client_assertion
from proofs.dates import read_date
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.status_list import fresh_until
from proofs.trust import TRUST_LIST_TYP, check_trust_list
from proofs.trust_entry import TrustEntry
from schemas.consent import DemandedAge, Retention
from schemas.errors import ProtocolError
from schemas.issuance.messages import CredentialResponse, TokenResponse
from schemas.learning.dates import NotADate, event_date
from schemas.power import read_power
from schemas.types.card import display_value
from service.i18n import LANGUAGES, load_catalogues
from tests.proofs.cast import NOW
from tests.wallet.pages.test_share_pages import person
from tests.world import World
from verifier.eligibility import days_told
from verifier.policies import AgeRule
from wallet.examination import moment
from wallet.taking_back import forget_at

LAST = 253_402_300_799
SECONDS: tuple[Any, ...] = (
    LAST,
    LAST + 0.999,
    LAST + 1,
    LAST * 1000,
    -1,
    0,
    -0.0,
    -62_135_596_800,
    -62_135_596_801,
    1e300,
    -1e300,
    2**63 - 1,
    2**64 - 1,
    -(2**63),
    5e-324,
    True,
    "2026-01-01T00:00:00Z",
    None,
    [],
)
"""Of the claims that are seconds since 1970: everything that JSON can carry and that is no usual moment."""
DAYS: tuple[Any, ...] = (
    "0001-01-01",
    "9999-12-31",
    "9999-12-30",
    "9998-11-25",
    "0000-00-00",
    "10000-01-01",
    "2026-02-30",
    "2026-W53-7",
    "someday",
    "9999-12-31T23:00:00Z",
    "\u0661\u0669\u0669\u0669-01-01",
    "",
    9999,
    None,
)
KEY = generate_signer()
POWER = {"agents_needed": 1, "covers_types": ["all"], "covers_recipients": ["all"]}
T = [load_catalogues().translator(language) for language in LANGUAGES]


def _token(claims: dict[str, Any], *, typ: str) -> str:
    return jose.sign_jws(claims, signer=KEY, typ=typ)


def _client(name: str, value: Any) -> object:
    said = {"iss": "c", "sub": "c", "aud": "https://s.example", "jti": "1", "exp": int(NOW.timestamp()) + 60}
    return check_client_assertion(
        _token(said | {name: value}, typ="JWT"),
        expected_client_id="c",
        keys=[KEY.public_jwk],
        expected_audiences=["https://s.example"],
        as_string=True,
        algorithms=("ES256",),
        now=NOW,
    )


def _list(name: str, value: Any) -> object:
    now = int(NOW.timestamp())
    said = {"sequence": 1, "iat": now, "next_update": now + 60, "entries": []} | {name: value}
    read = check_trust_list(_token(said, typ=TRUST_LIST_TYP), key_jwk=KEY.public_jwk, minimum_sequence=0, now=NOW)
    assert read.sequence < 2**63  # What a database holds.
    return [t.moment(one) for t in T for one in (read.issued_at, read.next_update)]


def _entry(name: str, value: Any) -> object:
    anchor = {"id": "e", "name": "E", "role": "issuer", "mechanism": "jwks", "identifier": "https://e.example"}
    read = TrustEntry.from_json(anchor | {"jwks": [dict(KEY.public_jwk)], name: value})
    return read.is_in_force(at=NOW), read.to_json()


def _shown(value: Any) -> object:
    found = moment(value)
    return found and [(t.date(found), t.moment(found), t.time(found)) for t in T]


OF_SECONDS: dict[str, Callable[[Any], object]] = {
    "a claim": lambda value: [t.moment(read_date(value, name="iat")) for t in T],
    "a certificate's end": _shown,
    "a status list's exp": lambda value: fresh_until(_token({"exp": value}, typ="statuslist+jwt"), fetched_at=NOW),
    "a status list's ttl": lambda value: fresh_until(_token({"ttl": value}, typ="statuslist+jwt"), fetched_at=NOW),
    "both": lambda value: fresh_until(_token({"ttl": value, "exp": value}, typ="statuslist+jwt"), fetched_at=NOW),
    "an assertion's exp": lambda value: _client("exp", value),
    "an assertion's iat": lambda value: _client("iat", value),
    "an assertion's nbf": lambda value: _client("nbf", value),
    "a trust list's iat": lambda value: _list("iat", value),
    "a trust list's next_update": lambda value: _list("next_update", value),
    "a trust list's sequence": lambda value: _list("sequence", value),
    "a trust entry's begin": lambda value: _entry("not_before", value),
    "a trust entry's end": lambda value: _entry("not_after", value),
    "a shown value": lambda value: [
        display_value(value, kind, language) for kind in ("date", "time") for language in LANGUAGES
    ],
    "a token's life": lambda value: TokenResponse.read(
        {"access_token": "a", "token_type": "DPoP", "expires_in": value}
    ),
    "a wait": lambda value: CredentialResponse.read({"transaction_id": "t", "interval": value}),
    "a kept time": lambda value: Retention(days=value),
    "an age": lambda value: DemandedAge(credential="c", days=value).earliest_day(at=NOW, otherwise="UTC"),
}


def _kept(value: Any) -> object:
    until = Retention(until=value).until
    assert until is not None
    assert forget_at(until, now=NOW) > NOW
    return [t.date(until) for t in T]


def _power(value: Any) -> object:
    read = read_power(POWER | {"begins_on": value, "ends_on": value})
    return [t.date(read.ends_on) for t in T]


OF_DAYS: dict[str, Callable[[Any], object]] = {
    "a kept time": _kept,
    "a power": _power,
    "a shown value": lambda value: [display_value(value, "date", language) for language in LANGUAGES],
    "a statement": lambda value: AgeRule(1, "Europe/Stockholm", 60).check({"as_of": value}, now=NOW),
    "a statement that was told": lambda value: days_told(
        [SimpleNamespace(path=("as_of",), value=value, query_id="q")]  # type: ignore[list-item]
    ),
    "a row": lambda value: event_date(str(value)),
}
REFUSED = (ProtocolError, ValidationError, NotADate)


def _is_read(read: Callable[[Any], object], usual: Any) -> bool:
    """Whether what is usual is taken in: a reader that refused everything would show nothing."""
    with suppress(*REFUSED):
        read(usual)
        return True
    return False


@pytest.mark.parametrize("read", OF_SECONDS.values(), ids=OF_SECONDS)
def test_no_moment_that_somebody_writes_makes_a_reader_crash(read: Callable[[Any], object]) -> None:
    for value in SECONDS:
        with suppress(*REFUSED):
            read(value)

    assert any(_is_read(read, usual) for usual in (int(NOW.timestamp()), int(NOW.timestamp()) + 60, 30))


@pytest.mark.parametrize("read", OF_DAYS.values(), ids=OF_DAYS)
def test_no_day_that_somebody_writes_makes_a_reader_crash(read: Callable[[Any], object]) -> None:
    for value in DAYS:
        with suppress(*REFUSED):
            read(value)

    assert _is_read(read, "2026-11-20")


@pytest.mark.parametrize("until", [date.min, date(9998, 11, 25), date(9999, 12, 31), date.max - timedelta(days=400)])
def test_what_is_kept_for_a_share_is_forgotten_some_day(until: date) -> None:
    """Also where the recipient keeps the data until a day behind which the calendar ends."""
    assert NOW < forget_at(until, now=NOW) <= NOW + timedelta(days=3653 + 32)


def test_a_certificate_that_never_ends_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last second, in UTC, is one of the year 10000 in Stockholm."""
    monkeypatch.setattr(
        issuer.issuance, "issue_sd_jwt_vc", lambda payload, **how: issue_sd_jwt_vc({**payload, "exp": LAST}, **how)
    )
    browser = person(world)

    (address,) = set(re.findall(r'"(/certificates/[0-9a-f]+)"', browser.get("/").text))
    page = browser.get(address)

    assert page.status_code == 200
    assert "December 9999" in page.text or "december 9999" in page.text
