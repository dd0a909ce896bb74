"""What one credential costs to issue and one presentation to verify, against raw ES256 of `cryptography`."""

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.measure import Figure, ratio_of_rates
from proofs.certificates import CertifiedKey, create_certified_key
from proofs.formats.sd_jwt import parse_sd_jwt, plan_disclosures, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation, issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.resolve import DictResolver
from proofs.status_list import make_status_list_token, new_status_list
from proofs.trust import TrustList, entry_from_anchor
from proofs.verify import verify_presentation

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ISSUER = "https://university.example"
STATUS_URI = f"{ISSUER}/status/1"
PERSONAL = ("given_name", "family_name", "birthdate", "title", "ects", "grade", "achieved_at", "learning_outcomes")
PRESENTATIONS = 64  # Each with a holder key of its own: nothing of a presentation or its holder is kept in a cache.

CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "vct": "urn:intyga:credential:micro-credential:1",
    "exp": int((NOW + timedelta(days=365)).timestamp()),
    "status": {"status_list": {"idx": 31_337, "uri": STATUS_URI}},
    "given_name": "Majken",
    "family_name": "Exempelsson",
    "birthdate": "1998-04-12",
    "title": "Introduction to machine learning",
    "ects": 7.5,
    "grade": "VG",
    "achieved_at": "2026-06-03",
    "learning_outcomes": "Explains, applies and compares methods of supervised learning.",
}
"""Twelve claims, eight of them disclosable."""


def figures(rounds: int) -> list[Figure]:
    """Measure both rows in so many interleaved rounds."""
    with tempfile.TemporaryDirectory() as directory:
        certified = create_certified_key(
            Path(directory),
            name="bench",
            common_name="Example University",
            public_url=ISSUER,
            passphrase=b"bench",
            now=NOW,
        )
        return [_issuing(certified, rounds), _verifying(certified, rounds)]


def _issuing(certified: CertifiedKey, rounds: int) -> Figure:
    plan = plan_disclosures([(name,) for name in PERSONAL])
    holders = itertools.cycle([generate_signer().public_jwk for _ in range(64)])
    raw_key, message = ec.generate_private_key(ec.SECP256R1()), b"x" * 1_000
    algorithm = ec.ECDSA(hashes.SHA256())
    return ratio_of_rates(
        "SD-JWT VC issued (12 claims, 8 disclosable, holder key)",
        unit="of raw ES256 signatures per second",
        work=lambda: issue_sd_jwt_vc(CLAIMS, disclosable=plan, signer=certified.signer, holder_jwk=next(holders)),
        reference=lambda: raw_key.sign(message, algorithm),
        rounds=rounds,
        repeats=400,
        reach=0.36,
    )


def _verifying(certified: CertifiedKey, rounds: int) -> Figure:
    assert certified.root_file is not None
    trust = TrustList((entry_from_anchor(certified.root_file.read_bytes(), name=None, role="issuer"),))
    status_token = make_status_list_token(
        statuses=new_status_list(1_000_000, bits=2),
        bits=2,
        uri=STATUS_URI,
        signer=certified.signer,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=1),
        ttl_seconds=300,
    )
    resolver = DictResolver(status_lists={STATUS_URI: status_token})
    shown = itertools.cycle([_presentation(certified) for _ in range(PRESENTATIONS)])

    async def verify() -> None:
        await verify_presentation(
            next(shown),
            expected_audience="x509_hash:bench",
            expected_nonce="n" * 43,
            expected_types=(CLAIMS["vct"],),
            trust=trust,
            resolver=resolver,
            now=NOW,
            status="required",
        )

    raw_key, message = ec.generate_private_key(ec.SECP256R1()), b"x" * 1_000
    algorithm = ec.ECDSA(hashes.SHA256())
    public, signature = raw_key.public_key(), raw_key.sign(message, algorithm)
    return ratio_of_rates(
        "SD-JWT with key binding verified (4 of 8 disclosed), all checks on, issuer key cached",
        unit="of half the raw ES256 verifications per second",
        work=_to_its_end(verify),
        reference=lambda: public.verify(signature, message, algorithm),
        rounds=rounds,
        repeats=400,
        reach=0.55,
        factor=0.5,
    )


def _presentation(certified: CertifiedKey) -> str:
    holder = generate_signer()
    plan = plan_disclosures([(name,) for name in PERSONAL])
    token = issue_sd_jwt_vc(CLAIMS, disclosable=plan, signer=certified.signer, holder_jwk=holder.public_jwk)
    chosen = select_disclosures(parse_sd_jwt(token), [(name,) for name in PERSONAL[:4]])
    return build_presentation(
        token, disclosures=chosen, signer=holder, audience="x509_hash:bench", nonce="n" * 43, now=NOW
    )


def _to_its_end(work: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a coroutine without an event loop of its own per call, as a server does within its one loop."""

    def run() -> None:
        coroutine = work()
        try:
            coroutine.send(None)
        except StopIteration:
            return
        asyncio.run(coroutine)
        raise AssertionError("the work waited for something")

    return run
