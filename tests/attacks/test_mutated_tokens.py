"""Sound tokens with members changed, dropped, doubled or moved, and signed again: read, or refused by our own errors.

The signature holds, so that every change reaches the code behind it. Whatever is raised must be a `ProtocolError`:
anything else would be a crash that a stranger can cause. The changes are drawn from fixed seeds.
"""

import base64
import copy
import json
import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from proofs import base64url, jose
from proofs.certificates import CertifiedKey, unverified_leaf, verify_chain
from proofs.formats.sd_jwt import always_visible, claim_at, parse_sd_jwt, select_disclosures
from proofs.formats.sd_jwt_vc import check_rules
from proofs.keys import Signer, check_public_jwk, thumbprint
from proofs.proof_of_possession import check_proof, make_proof
from proofs.request_object import (
    check_request_object,
    check_unsigned_request,
    sign_request_object,
    x509_hash_client_id,
    x509_san_dns_client_id,
)
from proofs.resolve import usable_keys
from proofs.status_list import check_status_list_token, fresh_until
from proofs.trust import (
    TrustEntry,
    TrustList,
    check_trust_list,
    entry_from_anchor,
    entry_from_jwk,
    sign_trust_list,
)
from schemas.errors import ProtocolError
from tests.proofs.cast import NOW, STATUS_URI, UNIVERSITY, Cast, digest, trusting

SEEDS = range(6)
ROUNDS = 120

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7.5, 1e300, -1e18, 2**63, 2**64 - 1, -(2**63), 253402300799, 253402300800, "", "a",
    "ES256", "none", ".", "A" * 43, "A" * 42, UNIVERSITY, "https://[", "https://a\\@b", "é", "\0", "x" * 5_000, [],
    [[]], {}, {"a": 1}, [None], [1], [{}], ["AAAA"], ["A" * 43], {"_sd": []}, {"_sd": [1]}, {"_sd": [[]]},
    {"...": "A" * 43}, [{"...": "A" * 43}], [{"...": []}], {"jwk": None}, {"jwk": {}},
    {"keys": None}, {"status_list": {"idx": 2**63}},
)  # fmt: skip
NAMES = (
    "alg", "typ", "kid", "x5c", "jwk", "crit", "b64", "iss", "vct", "exp", "nbf", "iat", "cnf", "status", "_sd",
    "...", "_sd_alg", "aud", "nonce", "sd_hash", "aka_vcts", "sub", "client_id", "response_uri", "redirect_uri",
    "response_mode", "request", "ttl", "status_list", "bits", "lst", "idx", "uri", "sequence", "next_update",
    "entries", "mechanism", "role", "anchor_pem", "jwks", "jwks_uri", "types", "epk", "enc", "zip", "apu", "apv", "x",
    "y", "crv", "kty", "d", "trust_chain", "use",
)  # fmt: skip


class Mutator:
    """Changes values at random places, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def maybe(self, value: Any) -> Any:
        """The value, or a changed copy."""
        return self.changed(value) if self.random.random() < 0.6 else value

    def changed(self, value: Any) -> Any:
        """A copy with one to three changes."""
        whole = [copy.deepcopy(value)]
        for _ in range(self.random.choice((1, 1, 2, 3))):
            self._change(whole)
        return whole[0]

    def _change(self, whole: list[Any]) -> None:
        place: Any = whole
        step: Any = 0
        while isinstance(place[step], dict | list) and place[step] and self.random.random() < 0.8:
            place = place[step]
            step = self.random.choice(list(place)) if isinstance(place, dict) else self.random.randrange(len(place))
        value, other = place[step], copy.deepcopy(self.random.choice(VALUES))
        kind = self.random.randrange(5)
        if kind == 0 and isinstance(value, dict):
            value[self.random.choice(NAMES)] = other
        elif kind == 1 and place is not whole:
            del place[step]
        elif kind == 2 and isinstance(place, dict):
            place[self.random.choice(NAMES)] = copy.deepcopy(value)
        elif kind == 3:
            place[step] = [value] if self.random.random() < 0.5 else {"a": value}
        else:
            place[step] = other

    def bytes(self, data: bytes) -> bytes:
        """A copy with some bytes changed, removed or added."""
        result = bytearray(data)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            at = self.random.randrange(len(result))
            kind = self.random.randrange(4)
            if kind == 0:
                result[at] = self.random.choice(
                    (0, 1, 2, 5, 6, 7, 0x0C, 0x13, 0x17, 0x1E, 0x30, 0x80, 0x82, 0xA3, 0xFF)
                )
            elif kind == 1:
                result[at] ^= 1 << self.random.randrange(8)
            elif kind == 2:
                del result[at : at + self.random.randrange(1, 4)]
            else:
                result[at:at] = self.random.randbytes(self.random.randrange(1, 4))
        return bytes(result) or b"\0"


def _encoded(value: Any) -> str:
    return base64url.encode(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _signed(header: Any, payload: Any, signer: Signer) -> str:
    signing_input = f"{_encoded(header)}.{_encoded(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


def _taken_apart(token: str) -> tuple[Any, Any]:
    header, payload, _ = token.split(".")
    return json.loads(base64url.decode(header)), json.loads(base64url.decode(payload))


def _read_or_refused(*attempts: Callable[[], object]) -> None:
    for attempt in attempts:
        try:
            attempt()
        except ProtocolError:
            continue


@pytest.mark.parametrize("seed", SEEDS)
def test_any_signed_credential_is_accepted_or_refused_by_a_report(cast: Cast, seed: int) -> None:
    """Issuer's token, disclosures, key binding, status list and issuer metadata, each changed or not."""
    change = Mutator(seed)
    issuer_jwt, *texts, binding = cast.show(cast.issue()).split("~")
    header, payload = _taken_apart(issuer_jwt)
    contents = [json.loads(base64url.decode(text)) for text in texts]
    binding_header, binding_claims = _taken_apart(binding)
    list_header, list_claims = _taken_apart(cast.status_token())
    metadata = {"issuer": UNIVERSITY, "jwks": {"keys": [{**cast.issuer.public_jwk, "kid": "1"}]}}
    known_by_key = entry_from_jwk(cast.issuer.public_jwk, identifier=UNIVERSITY, name="University", role="any")
    trusted = (
        cast.trust,
        TrustList(),
        TrustList((TrustEntry("u", "University", "issuer", UNIVERSITY, "metadata"),)),
        TrustList((known_by_key,)),
    )
    for _ in range(ROUNDS):
        disclosures = [_encoded(change.maybe(each)) for each in contents]
        text = json.dumps(change.maybe(payload))
        for old, new in zip(texts, disclosures, strict=False):
            text = text.replace(digest(old), digest(new))
        token = "~".join((_signed(change.maybe(header), json.loads(text), cast.issuer), *disclosures, ""))
        bound = {**binding_claims, "sd_hash": digest(token)}
        shown = token + _signed(change.maybe(binding_header), change.maybe(bound), cast.holder)
        settings: dict[str, Any] = {
            "trust": change.random.choice(trusted),
            "resolver": cast.resolver(
                status_lists={STATUS_URI: _signed(change.maybe(list_header), change.maybe(list_claims), cast.issuer)},
                issuer_metadata={UNIVERSITY: json.dumps(change.maybe(metadata)).encode()},
            ),
            "status_signers": change.random.choice(("same_anchor", "any_trusted")),
        }

        _read_or_refused(
            partial(cast.verify, shown, **settings),
            partial(cast.receive, token, **settings),
            partial(_read_by_holder, token),
        )


def _read_by_holder(token: str) -> None:
    sd_jwt = parse_sd_jwt(token)
    for path, value in always_visible(sd_jwt):
        assert claim_at(sd_jwt.claims, path) == value or value in ({}, [])
    select_disclosures(sd_jwt, sd_jwt.disclosure_at, nested=True)
    check_rules(sd_jwt)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_signed_message_is_read_or_refused(cast: Cast, employer: CertifiedKey, seed: int) -> None:
    """Key proofs, request objects, trust lists and status lists."""
    change = Mutator(seed)
    proof = _taken_apart(make_proof(signer=cast.holder, audience=UNIVERSITY, nonce="n", issuer="c", now=NOW))
    hashed, named = x509_hash_client_id(employer.signer), x509_san_dns_client_id(employer.signer, "employer.example")
    parameters = {"client_id": hashed, "response_uri": "https://employer.example/a", "response_mode": "direct_post"}
    request = _taken_apart(sign_request_object(parameters, signer=employer.signer))
    entries = (*cast.trust.entries, entry_from_jwk(cast.holder.public_jwk, identifier="x", name="X", role="any"))
    dates = {"issued_at": NOW, "next_update": NOW + timedelta(days=1)}
    trust_list = _taken_apart(sign_trust_list(entries, signer=cast.issuer, sequence=1, **dates))
    status_list = _taken_apart(cast.status_token())
    trust = TrustList((trusting(employer, role="any"),))
    for _ in range(ROUNDS):
        key_proof = _signed(change.maybe(proof[0]), change.maybe(proof[1]), cast.holder)
        client_id = change.random.choice((hashed, named, "redirect_uri:https://employer.example/a", "registered"))
        asked = change.maybe({**request[1], "client_id": client_id})
        signed = _signed(change.maybe(request[0]), asked, employer.signer)
        unsigned = f"{_encoded(change.maybe({'alg': 'none'}))}.{_encoded(asked)}."
        listed = _signed(change.maybe(trust_list[0]), change.maybe(trust_list[1]), cast.issuer)
        statuses = _signed(change.maybe(status_list[0]), change.maybe(status_list[1]), cast.issuer)
        jwk = change.changed({**cast.holder.public_jwk, "kid": "1"})

        _read_or_refused(
            partial(
                check_proof,
                key_proof,
                expected_audience=UNIVERSITY,
                expected_client_id="c",
                algorithms={"ES256"},
                now=NOW,
            ),
            partial(check_request_object, signed, expected_client_id=client_id, trust=trust, now=NOW),
            partial(check_request_object, unsigned, expected_client_id=client_id, trust=trust, now=NOW),
            partial(check_trust_list, listed, key_jwk=cast.issuer.public_jwk, minimum_sequence=0, now=NOW),
            partial(
                check_status_list_token,
                statuses,
                expected_uri=STATUS_URI,
                anchors=cast.trust.anchors("issuer"),
                issuer_keys=(),
                now=NOW,
            ),
            partial(fresh_until, statuses, fetched_at=NOW),
            partial(check_public_jwk, jwk),
            partial(thumbprint, jwk),
            partial(usable_keys, {"keys": [jwk]}),
        )
        if isinstance(asked, dict):
            _read_or_refused(partial(check_unsigned_request, asked, expected_client_id=client_id))


@pytest.mark.parametrize("seed", SEEDS)
def test_any_encrypted_answer_is_opened_or_refused(seed: int) -> None:
    """Headers and keys changed."""
    change, key = Mutator(seed), jose.generate_encryption_key()
    for _ in range(ROUNDS):
        parts = jose.encrypt_jwe(b"{}", recipient_jwk=key, enc="A128GCM", header={"kid": "1"}).split(".")
        parts[0] = _encoded(change.changed(json.loads(base64url.decode(parts[0]))))
        recipient = change.changed(jose.public_part(key))
        _read_or_refused(
            partial(
                jose.decrypt_jwe,
                ".".join(parts),
                private_jwk=key,
                algorithms={"ECDH-ES"},
                encryptions={"A128GCM"},
                max_bytes=10_000,
            ),
            partial(jose.encrypt_jwe, b"", recipient_jwk=recipient, enc="A256GCM"),
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_any_certificate_is_read_or_refused(cast: Cast, seed: int) -> None:
    """Whatever an ASN.1 reader makes of it, in a token as well as in a trust list."""
    change = Mutator(seed)
    root = cast.trust.anchors("issuer")[0]
    leaf = base64.b64decode(cast.issuer.x5c[0])
    for _ in range(ROUNDS * 3):
        changed = change.bytes(change.random.choice((leaf, root)))
        text = base64.b64encode(changed).decode()
        pem = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"

        _read_or_refused(
            partial(unverified_leaf, [text]),
            partial(verify_chain, [text], anchors=[root], now=NOW),
            partial(verify_chain, [*cast.issuer.x5c, text], anchors=[root], now=NOW),
            partial(verify_chain, cast.issuer.x5c, anchors=[changed], now=NOW),
            partial(entry_from_anchor, pem, name=None),
            partial(TrustEntry, "a", "A", "any", anchor_pem=pem),
        )


def test_a_certificate_of_an_unknown_version_is_refused(cast: Cast) -> None:
    """The library has an error of its own for that."""
    der = base64.b64decode(cast.issuer.x5c[0])
    at = der.index(b"\xa0\x03\x02\x01\x02") + 4
    text = base64.b64encode(der[:at] + b"\x07" + der[at + 1 :]).decode()

    with pytest.raises(ProtocolError):
        unverified_leaf([text])
    refusal = cast.refusal(cast.bind(cast.forge({}, header={"x5c": [text]})))
    assert refusal.report.failed == ["signature"]
