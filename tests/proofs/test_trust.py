"""Trust lists: entries, their forms, and signed editions."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofs import jose
from proofs.certificates import CertifiedKey
from proofs.keys import generate_signer
from proofs.trust import (
    StaleTrustList,
    TrustEntry,
    TrustList,
    check_trust_list,
    entry_from_anchor,
    entry_from_jwk,
    sign_trust_list,
)
from schemas.errors import Malformed, ProtocolError, Refused
from tests.proofs.cast import NOW, VCT, Cast, trusting

KEY = generate_signer()


def edition(cast: Cast, *, sequence: int = 3, **changes: Any) -> str:
    """A signed list."""
    arguments = {"issued_at": NOW, "next_update": NOW + timedelta(days=7), **changes}
    return sign_trust_list(cast.trust.entries, signer=KEY, sequence=sequence, **arguments)


def test_a_signed_list_is_read_back(cast: Cast) -> None:
    """By the key that was pinned."""
    found = check_trust_list(edition(cast), key_jwk=KEY.public_jwk, minimum_sequence=3, now=NOW)

    assert found.entries == cast.trust.entries
    assert (found.sequence, found.next_update) == (3, NOW + timedelta(days=7))


def test_another_edition_is_refused(cast: Cast) -> None:
    """Older than the one in use, from the future, by another key, or overdue."""

    def check(token: str, **changes: Any) -> None:
        check_trust_list(token, **{"key_jwk": KEY.public_jwk, "minimum_sequence": 3, "now": NOW, **changes})

    with pytest.raises(Refused):
        check(edition(cast, sequence=2))
    with pytest.raises(Refused):
        check(edition(cast, issued_at=NOW + timedelta(hours=1)))
    with pytest.raises(jose.InvalidSignature):
        check(edition(cast), key_jwk=generate_signer().public_jwk)
    with pytest.raises(StaleTrustList):
        check(edition(cast), now=NOW + timedelta(days=8))
    for claims in (
        {},
        {"sequence": 3, "iat": 1, "next_update": 9e9},
        {"sequence": True, "iat": 1, "next_update": 9e9, "entries": []},
    ):
        with pytest.raises(Malformed):
            check(jose.sign_jws(claims, signer=KEY, typ="intyga-trust-list+jwt"))


def test_an_entry_survives_its_json(cast: Cast, stranger_key: CertifiedKey) -> None:
    """Every kind of entry, with all or few members."""
    entries = (
        *cast.trust.entries,
        trusting(stranger_key, role="verifier", identifier="x509_hash:a", types=(VCT,)),
        entry_from_jwk(KEY.public_jwk, identifier="https://k.example", name="K", role="issuer", types=[VCT]),
        TrustEntry("m", "M", "issuer", "https://m.example", "metadata", not_before=NOW, not_after=NOW),
    )

    for entry in entries:
        assert TrustEntry.from_json(entry.to_json()) == entry
        assert TrustEntry.from_json({**entry.to_json(), "unknown": 1}) == entry


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"id": "a", "name": "A", "role": "king", "identifier": "a", "mechanism": "metadata"},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "x5c"},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "x5c", "anchor_pem": "text"},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "metadata"},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "jwks", "identifier": "a"},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "jwks", "identifier": "a", "jwks": [{"kty": "oct"}]},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "jwks", "identifier": "a", "jwks": {}},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "metadata", "identifier": "a", "types": "all"},
        {"id": "a", "name": "A", "role": "issuer", "mechanism": "metadata", "identifier": "a", "not_after": "soon"},
        {"id": "a", "name": 7, "role": "issuer", "mechanism": "metadata", "identifier": "a"},
        {"id": "", "name": "A", "role": "issuer", "mechanism": "metadata", "identifier": "a"},
        {"id": "a", "name": "A", "role": ["issuer"], "mechanism": "metadata", "identifier": "a"},
    ],
)
def test_an_entry_that_trusts_nobody_in_particular_is_refused(value: Any) -> None:
    """A half-filled entry must not become trust in everybody."""
    with pytest.raises(ProtocolError):
        TrustEntry.from_json(value)


def test_an_entry_has_one_mechanism(cast: Cast) -> None:
    """A key beside an anchor would be a second door that nobody looks at."""
    anchor, key = cast.trust.entries[0].anchor_pem, KEY.public_jwk
    for members in (
        {"mechanism": "x5c", "anchor_pem": anchor, "jwks": [key]},
        {"mechanism": "jwks", "anchor_pem": anchor, "jwks": [key]},
        {"mechanism": "metadata", "anchor_pem": anchor},
        {"mechanism": "metadata", "jwks": [key]},
    ):
        with pytest.raises(Malformed):
            TrustEntry.from_json({"id": "a", "name": "A", "role": "issuer", "identifier": "https://a", **members})


def test_entries_of_later_kinds_do_not_spoil_a_list(cast: Cast) -> None:
    """What is not understood trusts nobody here; the rest of the list is as good as before."""
    (known,) = cast.trust.entries
    later = {**known.to_json(), "mechanism": "openid_federation"}
    claims = {"sequence": 3, "iat": int(NOW.timestamp()), "next_update": int(NOW.timestamp()) + 60}

    def read(*entries: Any) -> tuple[TrustEntry, ...]:
        token = jose.sign_jws({**claims, "entries": entries}, signer=KEY, typ="intyga-trust-list+jwt")
        return check_trust_list(token, key_jwk=KEY.public_jwk, minimum_sequence=3, now=NOW).entries

    assert read(later, known.to_json(), {**known.to_json(), "role": "auditor"}) == (known,)
    for broken in (None, {**known.to_json(), "mechanism": 7}, {**known.to_json(), "anchor_pem": ""}):
        with pytest.raises(Malformed):
            read(known.to_json(), broken)


def test_a_root_is_trusted_by_its_file(cast: Cast) -> None:
    """Called as its subject, ending when it ends; a leaf is no root."""
    assert cast.university.root_file is not None
    pem = cast.university.root_file.read_bytes()

    entry = entry_from_anchor(pem, name=None)

    assert (entry.name, entry.role, entry.identifier) == ("University", "any", "")
    assert entry.not_after == x509.load_pem_x509_certificate(pem).not_valid_after_utc
    assert entry_from_anchor(pem.decode(), name="Uni", role="issuer", types=[VCT]).types == (VCT,)
    with pytest.raises(Refused):
        entry_from_anchor(cast.university.chain_file.read_bytes(), name=None)
    for text in (b"", b"nothing", "åäö"):
        with pytest.raises(Malformed):
            entry_from_anchor(text, name=None)


def test_entries_are_found_by_role_anchor_name_type_and_time(cast: Cast, stranger_key: CertifiedKey) -> None:
    """Who is trusted for what, when."""
    everyone = replace(trusting(cast.university, role="any"), id="everyone")
    named = trusting(cast.university, identifier="https://university.example", types=(VCT,))
    ended = replace(trusting(stranger_key, role="verifier"), not_after=NOW - timedelta(days=1))
    trust = TrustList((everyone, named, ended))
    anchor = everyone.anchor
    assert anchor is not None

    assert trust.anchors("issuer") == (anchor,)
    assert len(trust.anchors("verifier")) == len(trust.anchors("any")) == 2
    assert trust.anchors("issuer") is trust.anchors("issuer")
    assert trust.under_anchor("issuer", anchor, ["https://university.example"]) == (named, everyone)
    assert trust.under_anchor("issuer", anchor, ["https://other.example"]) == (everyone,)
    assert trust.under_anchor("issuer", b"other", []) == ()
    assert trust.naming("issuer", "https://university.example") == (named,)
    assert trust.naming("verifier", "https://university.example") == ()
    assert trust.issuers_for("urn:other", at=NOW) == (everyone,)
    assert trust.issuers_for(VCT, at=NOW) == (everyone, named)
    assert not ended.is_in_force(at=NOW)
    assert x509.load_der_x509_certificate(anchor).public_bytes(Encoding.DER) == anchor
