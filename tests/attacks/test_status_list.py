"""Attacks on status lists, numbered as the edge cases T-01 to T-10."""

import asyncio
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs import base64url, jose
from proofs.certificates import CertifiedKey
from proofs.keys import generate_signer
from proofs.resolve import DictResolver, Unresolvable
from proofs.status_list import (
    MAX_LIST_BYTES,
    OutOfRange,
    decode_status_list,
    encode_status_list,
    fresh_until,
    make_status_list_token,
    new_status_list,
    set_status,
    status_at,
)
from proofs.trust import TrustList
from proofs.verify import verify_presentation
from schemas.errors import Malformed
from tests.proofs.cast import (
    CLAIMS,
    EMPLOYER,
    NONCE,
    NOW,
    STATUS_URI,
    UNIVERSITY,
    Cast,
    certified,
    failed,
    reason_of,
    resolver_with,
    trusting,
)


@pytest.fixture
def other(tmp_path: Path) -> CertifiedKey:
    """Another trusted issuer."""
    return certified(tmp_path, "other", "https://other.example")


class CountingResolver(DictResolver):
    """A resolver that notes how often it was asked for a status list."""

    asked = 0

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """Count, then answer."""
        self.asked += 1
        return await super().status_list(uri, fresh_at=fresh_at)


def signed(cast: Cast, *, typ: str = "statuslist+jwt", leave_out: str = "", **changes: Any) -> str:
    """A soundly signed status list token with some of its claims changed."""
    claims = {
        "sub": STATUS_URI,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
        "status_list": {"bits": 2, "lst": encode_status_list(cast.statuses, bits=2)},
        **changes,
    }
    claims.pop(leave_out, None)
    return jose.sign_jws(claims, signer=cast.issuer, typ=typ, header={"x5c": list(cast.issuer.x5c)})


def open_reason(cast: Cast, token: str, **changes: Any) -> str:
    """The reason for which the status stays open with this status list token; nothing else may object."""
    refusal = cast.refusal(cast.show(cast.issue()), resolver=resolver_with(cast, token), **changes)
    assert refusal.report.failed == []
    assert refusal.report.unknown == ["status"]
    return reason_of(refusal.report, "status")


@pytest.mark.parametrize("fault", ["expired", "altered"])
def test_t01_the_list_is_not_asked_about_a_credential_that_failed_before(cast: Cast, fault: str) -> None:
    """An expired credential stays expired, and the issuer does not learn that somebody looked at it."""
    resolver = CountingResolver(status_lists={STATUS_URI: cast.status_token()})
    token = cast.issue(exp=int(NOW.timestamp()) - 3600) if fault == "expired" else cast.issue(signer=generate_signer())

    refusal = cast.refusal(cast.show(token), resolver=resolver)

    assert reason_of(refusal.report, "status") == "earlier_check_failed"
    assert resolver.asked == 0


def test_t01_a_verifier_asks_no_list_of_an_unknown_issuer(cast: Cast) -> None:
    """Anyone can make a credential with any address in it; a stranger does not choose what a verifier fetches."""
    resolver = CountingResolver(status_lists={STATUS_URI: cast.status_token()})

    refusal = cast.refusal(cast.show(cast.issue()), resolver=resolver, trust=TrustList())

    assert refusal.report.failed == []
    assert refusal.report.unknown == ["issuer_trusted", "status"]
    assert reason_of(refusal.report, "status") == "earlier_check_failed"
    assert resolver.asked == 0
    # On arrival the person has chosen this issuer, and may keep the credential with a warning.
    on_arrival = cast.refusal_on_arrival(cast.issue(), resolver=resolver, trust=TrustList())
    assert resolver.asked == 1
    assert on_arrival.report.unknown[0] == "issuer_trusted"


@pytest.mark.parametrize(
    "change",
    [
        {"sub": f"{STATUS_URI}0"},
        {"typ": "jwt"},
        {"leave_out": "sub"},
        {"leave_out": "iat"},
        {"leave_out": "status_list"},
        {"iat": NOW.timestamp() + 3600},
        {"exp": "tomorrow"},
        {"nbf": NOW.timestamp() + 61},
        {"nbf": None},
        {"ttl": 0},
        {"ttl": -5},
        {"ttl": True},
        {"status_list": {"bits": 2}},
        {"status_list": {"lst": "eNpjYAAAAAIAAQ"}},
        {"status_list": []},
    ],
)
def test_t02_a_list_token_that_breaks_a_rule_says_nothing(cast: Cast, change: dict[str, Any]) -> None:
    """A list for another address, of another type or without its claims never counts as valid."""
    assert open_reason(cast, signed(cast, **change)) == "list_invalid"


def test_t02_an_expired_list_is_stale(cast: Cast) -> None:
    """An old list could hide a revocation."""
    assert open_reason(cast, signed(cast, exp=int(NOW.timestamp()) - 61)) == "list_stale"


@pytest.mark.parametrize(
    "status",
    [
        {"status_list": {"uri": STATUS_URI}},
        {"status_list": {"idx": 7}},
        {"status_list": {"idx": -1, "uri": STATUS_URI}},
        {"status_list": {"idx": 7.0, "uri": STATUS_URI}},
        {"status_list": {"idx": True, "uri": STATUS_URI}},
        {"status_list": {"idx": "7", "uri": STATUS_URI}},
        {"status_list": []},
        "valid",
    ],
)
def test_t02_a_reference_without_address_or_index_is_refused(cast: Cast, status: Any) -> None:
    """A credential that says it has a status must say where."""
    assert failed(cast.refusal(cast.show(cast.issue(status=status)))) == (["status"], "malformed")


def test_t03_an_index_outside_the_list_is_refused(cast: Cast) -> None:
    """No statement about the credential can be made, so that it must be rejected."""
    token = cast.issue(status={"status_list": {"idx": 64, "uri": STATUS_URI}})

    assert failed(cast.refusal(cast.show(token))) == (["status"], "out_of_range")
    for index in (-1, 64, True):
        with pytest.raises(OutOfRange):
            status_at(cast.statuses, index, bits=2)


@pytest.mark.parametrize("bits", [0, 3, 16, -1, True, "2", None])
def test_t04_other_entry_widths_are_refused(cast: Cast, bits: Any) -> None:
    """One, two, four or eight bits, and nothing else."""
    lst = encode_status_list(cast.statuses, bits=2)

    assert open_reason(cast, signed(cast, status_list={"bits": bits, "lst": lst})) == "list_invalid"
    with pytest.raises(Malformed):
        decode_status_list(lst, bits=bits)


def test_t04_the_lowest_bits_come_first() -> None:
    """Reading from the other end would revoke somebody else."""
    statuses = new_status_list(8, bits=2)
    set_status(statuses, 1, 3, bits=2)

    assert statuses == bytearray([0b00001100, 0])


def test_t05_a_bomb_is_refused_within_bounded_memory(cast: Cast) -> None:
    """A few kilobytes cannot be made to fill the memory."""
    bomb = base64url.encode(zlib.compress(bytes(100_000_000), 9))
    assert len(bomb) < 200_000

    assert open_reason(cast, signed(cast, status_list={"bits": 2, "lst": bomb})) == "list_invalid"
    with pytest.raises(Malformed):
        decode_status_list(bomb, bits=2, max_bytes=MAX_LIST_BYTES)


@pytest.mark.parametrize(
    "lst",
    [
        "",
        "eNpjYAAAAAIAAQ==",
        "AAAA",
        base64url.encode(zlib.compress(bytes(16))[:-1]),
        base64url.encode(zlib.compress(bytes(16)) + b"more"),
    ],
)
def test_t05_a_broken_or_lengthened_stream_is_refused(cast: Cast, lst: str) -> None:
    """A list that ends early, or goes on, is not the list that was published."""
    assert open_reason(cast, signed(cast, status_list={"bits": 2, "lst": lst})) == "list_invalid"


def test_t06_ttl_is_kept_within_bounds() -> None:
    """A list can neither demand a flood of requests nor stay forever."""

    def kept_for(**claims: Any) -> float:
        token = jose.sign_jws({"iat": 1, **claims}, signer=generate_signer(), typ="statuslist+jwt")
        return (fresh_until(token, fetched_at=NOW) - NOW).total_seconds()

    soon = int(NOW.timestamp()) + 600
    assert kept_for(ttl=300) == 300
    assert kept_for(ttl=1) == 60
    assert kept_for(ttl=1e12) == 86_400
    assert kept_for(ttl=3600, exp=soon) == 600
    assert kept_for(exp=soon) == 600
    assert kept_for(exp=soon - 1000) == 60
    assert kept_for() == 86_400


def test_t07_an_address_that_cannot_be_fetched_is_undetermined(cast: Cast) -> None:
    """Not being able to ask is never an answer. (Redirects and addresses are the outgoing client's to refuse.)"""
    refusal = cast.refusal(cast.show(cast.issue()), resolver=DictResolver())

    assert refusal.report.failed == []
    assert reason_of(refusal.report, "status") == "list_unreachable"
    with pytest.raises(Unresolvable):
        asyncio.run(DictResolver().status_list(STATUS_URI, fresh_at=NOW))


def test_t08_a_fresh_list_says_valid_throughout() -> None:
    """Entries not given to anybody tell nothing about those that are."""
    statuses = new_status_list(1_001, bits=2)

    assert {status_at(statuses, index, bits=2) for index in range(1_001)} == {0}


def test_t09_a_list_signed_by_another_issuer_is_not_believed(cast: Cast, other: CertifiedKey) -> None:
    """One trusted issuer cannot make another one's revoked credential valid again."""
    cast.set_status(1)
    trust = TrustList((*cast.trust.entries, trusting(other)))
    forged = cast.status_token(signer=other.signer)
    valid = make_status_list_token(
        statuses=new_status_list(64, bits=2),
        bits=2,
        uri=STATUS_URI,
        signer=other.signer,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        ttl_seconds=300,
    )

    assert open_reason(cast, forged, trust=trust) == "list_invalid"
    assert open_reason(cast, valid, trust=trust) == "list_invalid"
    assert cast.verify(
        cast.show(cast.issue()), resolver=resolver_with(cast, valid), trust=trust, status_signers="any_trusted"
    )


def test_t09_a_list_signed_by_a_stranger_is_not_believed(cast: Cast, other: CertifiedKey) -> None:
    """A sound signature under an unknown root is no signature."""
    for policy in ("same_anchor", "any_trusted"):
        assert open_reason(cast, cast.status_token(signer=other.signer), status_signers=policy) == "list_invalid"
    key_only = generate_signer()
    assert open_reason(cast, cast.status_token(signer=key_only)) == "list_invalid"


def test_t09_the_key_in_the_list_itself_is_not_believed(cast: Cast) -> None:
    """`jwk` in the header is for readers who want it; anyone can put one there."""
    stranger = generate_signer()
    claims = {
        "sub": STATUS_URI,
        "iat": int(NOW.timestamp()),
        "status_list": {"bits": 2, "lst": encode_status_list(cast.statuses, bits=2)},
    }
    token = jose.sign_jws(claims, signer=stranger, typ="statuslist+jwt", header={"jwk": stranger.public_jwk})

    assert open_reason(cast, token) == "list_invalid"


def test_t10_each_state_has_its_own_reason(cast: Cast) -> None:
    """Revoked, suspended and unreachable are different news."""
    shown = cast.show(cast.issue())
    assert cast.verify(shown).status == 0

    for value, reason in ((1, "revoked"), (2, "suspended"), (3, "not_valid")):
        cast.set_status(value)
        assert failed(cast.refusal(shown)) == (["status"], reason)

    assert failed(cast.refusal(cast.show(cast.issue(leave_out=["status"])), status="required")) == (
        ["status"],
        "missing_status",
    )
    assert cast.verify(cast.show(cast.issue(leave_out=["status"]))).status is None
    unsupported = cast.refusal(cast.show(cast.issue(status={"other": {}})))
    assert reason_of(unsupported.report, "status") == "unsupported_status"


def test_a_broken_resolver_is_not_taken_for_an_answer(cast: Cast) -> None:
    """An error of our own is not hidden behind a verdict."""

    class Broken(DictResolver):
        async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
            raise RuntimeError

    async def verify() -> None:
        await verify_presentation(
            cast.show(cast.issue()),
            expected_audience=EMPLOYER,
            expected_nonce=NONCE,
            expected_types=None,
            trust=cast.trust,
            resolver=Broken(),
            now=NOW,
            status="required",
        )

    assert CLAIMS["iss"] == UNIVERSITY
    with pytest.raises(RuntimeError):
        asyncio.run(verify())
