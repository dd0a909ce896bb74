"""Attacks on SD-JWT and SD-JWT VC, numbered as the edge cases S-01 to S-18.

Each token is sound but for one thing, and signed again after it was broken, so that only the check under test can
object.
"""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofs import base64url, jose
from proofs.formats.sd_jwt import parse_sd_jwt, plan_disclosures
from proofs.formats.sd_jwt_vc import check_rules, issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.resolve import DictResolver, Unresolvable, jwt_vc_issuer_url
from proofs.trust import TrustEntry, TrustList, entry_from_anchor
from schemas.errors import Malformed, ProtocolError, Refused
from schemas.verification import Outcome
from tests.proofs.authorities import Authority, x5c
from tests.proofs.cast import (
    CLAIMS,
    EMPLOYER,
    NONCE,
    NOW,
    UNIVERSITY,
    VCT,
    Cast,
    certified,
    digest,
    disclosure,
    failed,
    reason_of,
    trusting,
)

BY_METADATA = TrustEntry(id="u", name="University", role="issuer", identifier=UNIVERSITY, mechanism="metadata")
DISCLOSURES = (["disclosures"], "bad_disclosures")


def test_s01_a_disclosure_that_no_digest_refers_to_is_refused(cast: Cast) -> None:
    """A holder cannot slip in a statement that the university never made."""
    invented = disclosure("salt", "grade", "VG")

    assert failed(cast.refusal(cast.bind(cast.forge({}, [invented])))) == DISCLOSURES


def test_s01_a_disclosure_whose_parent_is_withheld_is_refused(cast: Cast) -> None:
    """A recursive disclosure means nothing without the one that contains its digest."""
    inner = disclosure("salt", "grade", "VG")
    outer = disclosure("salt", "course", {"_sd": [digest(inner)]})

    token = cast.forge({"_sd": [digest(outer)]}, [inner])

    assert failed(cast.refusal(cast.bind(token))) == DISCLOSURES


@pytest.mark.parametrize("place", ["same list", "two objects", "array", "inside a disclosure"])
def test_s02_a_digest_that_is_met_twice_is_refused(cast: Cast, place: str) -> None:
    """One disclosure must not appear as two statements, wherever its digest is repeated."""
    member, element = disclosure("salt", "grade", "VG"), disclosure("salt", "VG")
    outer = disclosure("salt", "course", {"_sd": [digest(member)]})
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "same list": ({"_sd": [digest(member), digest(member)]}, [member]),
        "two objects": ({"a": {"_sd": [digest(member)]}, "b": {"_sd": [digest(member)]}}, [member]),
        "array": ({"grades": [{"...": digest(element)}, {"...": digest(element)}]}, [element]),
        "inside a disclosure": ({"_sd": [digest(outer), digest(member)]}, [outer, member]),
    }
    payload, shown = cases[place]

    assert failed(cast.refusal(cast.bind(cast.forge(payload, shown)))) == DISCLOSURES


def test_s02_a_withheld_digest_that_is_met_twice_is_refused(cast: Cast) -> None:
    """The rule holds for digests without a disclosure as well."""
    token = cast.forge({"_sd": ["A" * 43], "course": {"_sd": ["A" * 43]}})

    assert failed(cast.refusal(cast.bind(token))) == DISCLOSURES


def test_s02_the_same_disclosure_given_twice_is_refused(cast: Cast) -> None:
    """Repeating a disclosure repeats no statement."""
    member = disclosure("salt", "grade", "VG")

    assert failed(cast.refusal(cast.bind(cast.forge({"_sd": [digest(member)]}, [member, member])))) == DISCLOSURES


def test_s02_digests_cannot_multiply_without_end(cast: Cast) -> None:
    """A chain of disclosures that each mention the next one twice is refused before it grows."""
    inner = disclosure("salt", "end")
    shown = [inner]
    for _ in range(40):
        inner = disclosure("salt", [{"...": digest(inner)}, {"...": digest(inner)}])
        shown.append(inner)

    with pytest.raises(Refused):
        parse_sd_jwt(cast.forge({"tree": [{"...": digest(inner)}]}, shown))


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
def test_s03_a_disclosure_with_a_reserved_name_is_refused(cast: Cast, name: str) -> None:
    """A disclosed claim cannot pretend to be part of the machinery."""
    member = disclosure("salt", name, ["A" * 43])

    assert failed(cast.refusal(cast.bind(cast.forge({"_sd": [digest(member)]}, [member])))) == DISCLOSURES


def test_s03_a_disclosure_that_collides_with_a_visible_claim_is_refused(cast: Cast) -> None:
    """A disclosure cannot replace what is stated in the open."""
    member = disclosure("salt", "grade", "VG")

    token = cast.forge({"grade": "U", "_sd": [digest(member)]}, [member])

    assert failed(cast.refusal(cast.bind(token))) == DISCLOSURES


def test_s03_two_disclosures_of_one_name_at_one_level_are_refused(cast: Cast) -> None:
    """Of two statements about the same thing, none is preferred."""
    first, second = disclosure("one", "grade", "VG"), disclosure("two", "grade", "U")

    token = cast.forge({"_sd": [digest(first), digest(second)]}, [first, second])

    assert failed(cast.refusal(cast.bind(token))) == DISCLOSURES


@pytest.mark.parametrize(
    ("payload", "content"),
    [
        ({"_sd": ["DIGEST"]}, ("salt", "VG")),
        ({"grades": [{"...": "DIGEST"}]}, ("salt", "grade", "VG")),
        ({"_sd": ["DIGEST"]}, ("salt", "grade", "VG", "more")),
        ({"_sd": ["DIGEST"]}, ("salt",)),
        ({"_sd": ["DIGEST"]}, (1, "grade", "VG")),
        ({"_sd": ["DIGEST"]}, ("salt", 7, "VG")),
    ],
)
def test_s04_a_disclosure_of_the_wrong_shape_is_refused(
    cast: Cast, payload: dict[str, Any], content: tuple[Any, ...]
) -> None:
    """Claims are disclosed with three parts, array elements with two, and never the other way round."""
    shown = disclosure(*content)
    payload = json.loads(json.dumps(payload).replace("DIGEST", digest(shown)))

    assert failed(cast.refusal(cast.bind(cast.forge(payload, [shown])))) == DISCLOSURES


@pytest.mark.parametrize("payload", [{"_sd": "A" * 43}, {"_sd": [7]}, {"a": {"...": "A" * 43}}, {"l": [{"...": 7}]}])
def test_s04_digests_in_the_wrong_shape_are_refused(cast: Cast, payload: dict[str, Any]) -> None:
    """Digests are strings, in an array under `_sd` or alone in an array element."""
    assert failed(cast.refusal(cast.bind(cast.forge(payload)))) == DISCLOSURES


def test_s05_an_expired_credential_is_refused(cast: Cast) -> None:
    """What has expired stays expired, however it is shown."""
    token = cast.issue(exp=int((NOW - timedelta(days=1)).timestamp()))

    assert failed(cast.refusal(cast.show(token))) == (["dates"], "expired")


def test_s05_a_disclosed_expiry_is_refused(cast: Cast) -> None:
    """The date of expiry must be visible; in a disclosure it could be withheld."""
    member = disclosure("salt", "exp", CLAIMS["exp"])
    payload = {"iss": UNIVERSITY, "vct": VCT, "cnf": {"jwk": cast.holder.public_jwk}, "_sd": [digest(member)]}
    issuer_jwt = jose.sign_jws(
        payload, signer=cast.issuer, typ="dc+sd-jwt", header=jose.certificate_header(cast.issuer)
    )

    assert failed(cast.refusal(cast.bind(f"{issuer_jwt}~{member}~"))) == DISCLOSURES


def test_s05_a_withheld_expiry_is_refused_where_one_is_demanded(cast: Cast) -> None:
    """A verifier that wants a date of expiry does not take silence for it."""
    token = cast.issue(leave_out=["exp"])

    assert failed(cast.refusal(cast.show(token), require_expiry=True)) == (["dates"], "missing_expiry")


@pytest.mark.parametrize("name", ["md5", "sha-1", "SHA-256", "sha3-256", "", 256])
def test_s06_an_unknown_or_weak_hash_is_refused(cast: Cast, name: Any) -> None:
    """The token does not choose how strong its digests are."""
    token = cast.forge({"_sd_alg": name})

    # The digest of the key binding would be taken with the same hash, so that this is where it is noticed.
    assert failed(cast.refusal(cast.bind(token))) == (["holder_binding"], "bad_key_binding")
    assert failed(cast.refusal_on_arrival(token)) == DISCLOSURES


def test_s06_a_nested_hash_name_is_refused(cast: Cast) -> None:
    """`_sd_alg` is said once, at the top, and not inside a claim or a disclosure."""
    inner = disclosure("salt", "course", {"_sd_alg": "sha-256"})

    assert failed(cast.refusal(cast.bind(cast.forge({"course": {"_sd_alg": "sha-256"}})))) == DISCLOSURES
    assert failed(cast.refusal(cast.bind(cast.forge({"_sd": [digest(inner)]}, [inner])))) == DISCLOSURES


def test_s06_a_missing_hash_name_means_sha256(cast: Cast) -> None:
    """RFC 9901 has a default."""
    member = disclosure("salt", "grade", "VG")

    assert cast.verify(cast.bind(cast.forge({"_sd": [digest(member)]}, [member]))).claims["grade"] == "VG"


def test_s07_the_digest_covers_the_string_as_received(cast: Cast) -> None:
    """Two spellings of the same disclosure are two disclosures; only the one that was signed counts."""
    spaced, compact = disclosure("salt", "grade", "VG"), "WyJzYWx0IiwiZ3JhZGUiLCJWRyJd"
    assert json.loads(base64url.decode(compact)) == json.loads(base64url.decode(spaced))

    assert cast.verify(cast.bind(cast.forge({"_sd": [digest(spaced)]}, [spaced]))).claims["grade"] == "VG"
    assert failed(cast.refusal(cast.bind(cast.forge({"_sd": [digest(spaced)]}, [compact])))) == DISCLOSURES


def test_s08_a_wallet_refuses_a_credential_that_comes_with_a_key_binding(cast: Cast) -> None:
    """What an issuer sends is not yet shown to anybody."""
    assert failed(cast.refusal_on_arrival(cast.show(cast.issue()))) == (["holder_binding"], "unexpected_key_binding")


def test_s09_a_presentation_stripped_of_its_key_binding_is_refused(cast: Cast) -> None:
    """Whoever finds a credential cannot show it by leaving out the proof that it is theirs."""
    stripped = cast.show(cast.issue()).rpartition("~")[0] + "~"

    assert failed(cast.refusal(stripped)) == (["holder_binding"], "missing_key_binding")


def test_s09_a_credential_without_holder_cannot_be_shown_with_any_key(cast: Cast) -> None:
    """Key binding needs a key in the credential."""
    issuer_jwt = jose.sign_jws(
        {"iss": UNIVERSITY, "vct": VCT}, signer=cast.issuer, typ="dc+sd-jwt", header={"x5c": list(cast.issuer.x5c)}
    )

    assert failed(cast.refusal(cast.bind(f"{issuer_jwt}~"))) == (["holder_binding"], "not_bound")


@pytest.mark.parametrize(
    ("change", "check", "reason"),
    [
        ({"typ": "jwt"}, "holder_binding", "bad_key_binding"),
        ({"sd_hash": "A" * 43}, "holder_binding", "other_token"),
        ({"leave_out": "sd_hash"}, "holder_binding", "other_token"),
        ({"aud": "x509_hash:another"}, "audience", "other_audience"),
        ({"aud": [EMPLOYER]}, "audience", "other_audience"),
        ({"leave_out": "aud"}, "audience", "other_audience"),
        ({"nonce": "m" * 43}, "nonce", "other_nonce"),
        ({"leave_out": "nonce"}, "nonce", "other_nonce"),
        ({"iat": NOW.timestamp() - 361}, "freshness", "too_old"),
        ({"iat": NOW.timestamp() + 61}, "freshness", "from_the_future"),
        ({"iat": "now"}, "freshness", "malformed"),
        ({"leave_out": "iat"}, "freshness", "malformed"),
        ({"exp": NOW.timestamp() - 61}, "freshness", "too_old"),
        ({"nbf": NOW.timestamp() + 61}, "freshness", "from_the_future"),
    ],
)
def test_s10_a_key_binding_for_something_else_is_refused(
    cast: Cast, change: dict[str, Any], check: str, reason: str
) -> None:
    """A presentation is worth something for one verifier, one transaction, a short time, and one selection."""
    refusal = cast.refusal(cast.bind(cast.issue(), **change))

    assert failed(refusal) == ([check], reason)
    assert refusal.report.checks[-1].reason == "earlier_check_failed"


def test_s10_a_key_binding_by_another_key_is_refused(cast: Cast) -> None:
    """Holding the credential is not enough; holding its key is."""
    thief = generate_signer()

    assert failed(cast.refusal(cast.bind(cast.issue(), signer=thief))) == (["holder_binding"], "bad_key_binding")
    assert failed(cast.refusal(cast.bind(cast.issue(), signer=thief, header={"jwk": thief.public_jwk}))) == (
        ["holder_binding"],
        "bad_key_binding",
    )


def test_s10_disclosures_added_or_removed_after_binding_are_refused(cast: Cast) -> None:
    """Nobody on the way can show more, or less, than the holder chose."""
    token = cast.issue()
    shown = cast.show(token, [("given_name",)])
    issuer_jwt, _, binding = shown.split("~")
    everything = "~".join((*token.split("~")[:-1], binding))

    assert failed(cast.refusal(everything)) == (["holder_binding"], "other_token")
    assert failed(cast.refusal(f"{issuer_jwt}~{binding}")) == (["holder_binding"], "other_token")


def test_s11_stray_tildes_and_empty_disclosures_are_refused(cast: Cast) -> None:
    """An SD-JWT has one spelling."""
    token = cast.issue()
    for broken in (f"{token}~", f"~{token}", token.replace("~", "~~", 1), token.rstrip("~"), "~", "~~", ""):
        with pytest.raises(ProtocolError):
            parse_sd_jwt(broken)
    assert failed(cast.refusal_on_arrival(f"{token}~")) == (["form"], "malformed")


@pytest.mark.parametrize(
    "confirmation",
    [
        {"kid": "did:example:1#1"},
        {"jwk": "JWK", "kid": "1"},
        {"jwk": "JWK", "jku": "https://thief.example/keys"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": [1]},
        {},
        "JWK",
    ],
)
def test_s12_a_confirmation_that_is_not_exactly_one_public_key_is_refused(cast: Cast, confirmation: Any) -> None:
    """It must be beyond doubt which key holds the credential."""
    if isinstance(confirmation, dict) and confirmation.get("jwk") == "JWK":
        confirmation = {**confirmation, "jwk": cast.holder.public_jwk}

    assert failed(cast.refusal(cast.bind(cast.forge({"cnf": confirmation})))) == (["form"], "malformed")


def test_s12_a_confirmation_with_a_private_key_is_refused(cast: Cast) -> None:
    """A credential that carries its holder's private key belongs to whoever reads it."""
    token = cast.forge({"cnf": {"jwk": cast.holder.private_jwk()}})

    assert failed(cast.refusal(cast.bind(token))) == (["form"], "malformed")
    with pytest.raises(Refused):
        issue_sd_jwt_vc(
            CLAIMS, disclosable=plan_disclosures([]), signer=cast.issuer, holder_jwk=cast.holder.private_jwk()
        )


def test_s12_a_credential_without_issuer_and_subject_is_accepted_by_its_certificate(cast: Cast) -> None:
    """The certificate can name the issuer."""
    verified = cast.verify(cast.show(cast.issue(leave_out=["iss"])))

    assert verified.issuer.identifier == UNIVERSITY


@pytest.mark.parametrize("name", ["iss", "exp", "nbf", "cnf", "vct", "vct#integrity", "aka_vcts", "status"])
def test_s13_what_must_be_visible_cannot_be_made_disclosable(cast: Cast, name: str) -> None:
    """Neither our issuer makes such a credential, nor does anybody of ours accept one."""
    with pytest.raises(Refused):
        issue_sd_jwt_vc(
            CLAIMS, disclosable=plan_disclosures([(name,)]), signer=cast.issuer, holder_jwk=cast.holder.public_jwk
        )
    hidden = disclosure("salt", name, "value")
    payload: dict[str, Any] = {"vct": VCT, "cnf": {"jwk": cast.holder.public_jwk}, "_sd": [digest(hidden)]}
    payload.pop(name, None)
    header = jose.certificate_header(cast.issuer)
    issuer_jwt = jose.sign_jws(payload, signer=cast.issuer, typ="dc+sd-jwt", header=header)
    with pytest.raises(ProtocolError):
        check_rules(parse_sd_jwt(f"{issuer_jwt}~{hidden}~"))


@pytest.mark.parametrize(
    "payload",
    [
        {"status": {"_sd": ["A" * 43]}},
        {"status": {"status_list": {"_sd": ["A" * 43], "idx": 7}}},
        {"aka_vcts": [{"...": "A" * 43}, "urn:other"]},
    ],
)
def test_s13_parts_of_what_must_be_visible_cannot_be_disclosable(cast: Cast, payload: dict[str, Any]) -> None:
    """A status whose index can be withheld is no status."""
    report = cast.refusal(cast.bind(cast.forge(payload))).report

    assert report.failed in (["disclosures"], ["form"])


def test_s14_a_certificate_for_somebody_else_is_refused(cast: Cast, tmp_path: Any) -> None:
    """A certificate from a trusted root speaks for the names in it, not for any issuer."""
    other = certified(tmp_path, "other", "https://other.example")
    trust = TrustList((*cast.trust.entries, trusting(other)))

    refusal = cast.refusal(cast.show(cast.issue(signer=other.signer)), trust=trust)

    assert failed(refusal) == (["issuer_trusted"], "issuer_mismatch")


def test_s14_a_host_among_the_dns_names_speaks_for_an_https_issuer(cast: Cast) -> None:
    """An issuer may have a path below the host in its certificate."""
    assert cast.verify(cast.show(cast.issue(iss=f"{UNIVERSITY}/tenant"))).issuer.identifier == f"{UNIVERSITY}/tenant"
    refusal = cast.refusal(cast.show(cast.issue(iss="http://university.example/tenant")))
    assert failed(refusal) == (["issuer_trusted"], "issuer_mismatch")


def test_s14_the_anchor_in_the_chain_is_refused(cast: Cast) -> None:
    """HAIP 6.1.1: a root that comes with the token proves nothing."""
    anchor = base64.b64encode(cast.trust.anchors("issuer")[0]).decode()
    token = cast.forge({}, header={"x5c": [*cast.issuer.x5c, anchor]})

    assert failed(cast.refusal(cast.bind(token))) == (["issuer_trusted"], "chain_refused")


def test_s14_certificates_outside_the_protected_header_do_not_count(cast: Cast) -> None:
    """A key in the payload or named by address is not followed."""
    token = cast.forge(
        {"iss": "https://other.example", "x5c": list(cast.issuer.x5c)},
        header={"jwk": cast.issuer.public_jwk, "x5u": f"{UNIVERSITY}/chain", "jku": f"{UNIVERSITY}/jwks"},
    )

    refusal = cast.refusal(cast.bind(token))

    assert refusal.report.unknown[0] == "signature"
    assert reason_of(refusal.report, "signature") == "issuer_key_unreachable"


def test_s14_an_unknown_issuer_is_undetermined_and_everything_else_is_checked(cast: Cast, tmp_path: Any) -> None:
    """A wallet may keep such a credential with a warning; a verifier never accepts it."""
    unknown = certified(tmp_path, "unknown", "https://unknown.example")
    token = cast.issue(signer=unknown.signer, iss="https://unknown.example", leave_out=["status"])

    refusal = cast.refusal_on_arrival(token)

    assert refusal.only_issuer_unknown
    assert reason_of(refusal.report, "issuer_trusted") == "issuer_unknown"
    assert refusal.unverified is not None
    assert refusal.unverified.claims["given_name"] == "Majken"
    assert not refusal.report.accepted
    assert cast.refusal(cast.show(token)).report.unknown == ["issuer_trusted"]


def test_s14_an_unknown_issuer_who_claims_a_known_name_is_refused(cast: Cast, tmp_path: Any) -> None:
    """A root of one's own does not make one a university that the verifier knows."""
    impostor = certified(tmp_path, "impostor", UNIVERSITY)
    trust = TrustList((trusting(cast.university, identifier=UNIVERSITY),))

    refusal = cast.refusal(cast.show(cast.issue(signer=impostor.signer)), trust=trust)

    assert failed(refusal) == (["issuer_trusted"], "issuer_mismatch")


def test_s14_an_issuer_is_trusted_for_its_types_and_period_only(cast: Cast) -> None:
    """A driving school does not award degrees, and a closed one nothing at all."""
    shown = cast.show(cast.issue())
    other_type = TrustList((trusting(cast.university, types=("urn:other",)),))
    ended = TrustList((replace(trusting(cast.university), not_after=NOW - timedelta(days=1)),))

    assert failed(cast.refusal(shown, trust=other_type)) == (["issuer_trusted"], "type_not_trusted")
    assert failed(cast.refusal(shown, trust=ended)) == (["issuer_trusted"], "outside_period")


def test_s14_trust_in_one_issuer_is_not_trust_in_its_neighbour(cast: Cast) -> None:
    """A certificate may cover a host with several issuers; an entry of the trust list names one of them."""
    trust = TrustList((trusting(cast.university, identifier=UNIVERSITY),))

    assert cast.verify(cast.show(cast.issue()), trust=trust)
    assert cast.verify(cast.show(cast.issue(leave_out=["iss"])), trust=trust)
    neighbour = cast.refusal(cast.show(cast.issue(iss=f"{UNIVERSITY}/neighbour")), trust=trust)
    assert neighbour.report.failed == []
    assert reason_of(neighbour.report, "issuer_trusted") == "issuer_unknown"


def test_s14_what_is_said_of_an_issuer_by_name_outweighs_what_is_said_of_everybody(cast: Cast, tmp_path: Any) -> None:
    """Trust in all under a root does not bring back an issuer whose trust has ended, or widen that in another one."""
    everybody = trusting(cast.university)
    shown = cast.show(cast.issue())
    known = trusting(cast.university, identifier=UNIVERSITY)

    ended = replace(known, not_after=NOW - timedelta(days=1))
    refusal = cast.refusal(shown, trust=TrustList((everybody, ended)))
    assert failed(refusal) == (["issuer_trusted"], "outside_period")
    narrow = replace(known, types=("urn:other",))
    refusal = cast.refusal(shown, trust=TrustList((everybody, narrow)))
    assert failed(refusal) == (["issuer_trusted"], "type_not_trusted")
    elsewhere = trusting(certified(tmp_path, "elsewhere", UNIVERSITY), identifier=UNIVERSITY)
    refusal = cast.refusal(shown, trust=TrustList((everybody, elsewhere)))
    assert failed(refusal) == (["issuer_trusted"], "issuer_mismatch")
    # Of several statements by name, any may hold.
    assert cast.verify(shown, trust=TrustList((everybody, ended, known, narrow))).issuer.name == known.name


def test_s14_an_issuer_is_called_by_the_name_that_is_trusted(cast: Cast) -> None:
    """A certificate with several names and a credential without `iss`: the trusted name is the one reported."""
    root, key = Authority(), generate_signer()
    names = [x509.UniformResourceIdentifier(name) for name in ("https://famous.example", UNIVERSITY)]
    signer = key.with_chain(x5c(root.certify(*names, signer=key)))
    entry = entry_from_anchor(root.certificate.public_bytes(Encoding.PEM), name="University", identifier=UNIVERSITY)
    token = cast.issue(signer=signer, leave_out=["iss", "status"])

    verified = cast.verify(cast.show(token), trust=TrustList((entry,)))

    assert verified.issuer.identifier == UNIVERSITY


def test_s14_a_renewed_root_keeps_its_issuers(cast: Cast) -> None:
    """Trust given by the renewed certificate of a root holds although the old one is listed for somebody else."""
    old, key = Authority(), generate_signer()
    renewed = Authority(signer=old.signer, until=timedelta(days=100))
    signer = key.with_chain(x5c(old.certify(x509.UniformResourceIdentifier(UNIVERSITY), signer=key)))
    somebody, university = (
        entry_from_anchor(root.certificate.public_bytes(Encoding.PEM), name="U", identifier=identifier)
        for root, identifier in ((old, "https://somebody.example"), (renewed, UNIVERSITY))
    )
    shown = cast.show(cast.issue(signer=signer, leave_out=["status"]))

    for trust in ((somebody, university), (university, somebody)):
        assert cast.verify(shown, trust=TrustList(trust)).issuer.identifier == UNIVERSITY


def _published(cast: Cast, document: Any) -> DictResolver:
    return cast.resolver(issuer_metadata={UNIVERSITY: json.dumps(document).encode()})


def test_s15_issuer_metadata_of_another_issuer_is_refused(cast: Cast) -> None:
    """The keys of one issuer do not speak for another one."""
    keys = {"keys": [cast.issuer.public_jwk]}
    token = cast.bind(cast.forge({}, header={"kid": cast.issuer.kid}))
    trust = TrustList(
        (TrustEntry(id="u", name="University", role="issuer", identifier=UNIVERSITY, mechanism="metadata"),)
    )

    good = cast.verify(token, trust=trust, resolver=_published(cast, {"issuer": UNIVERSITY, "jwks": keys}))
    assert good.issuer.name == "University"
    for document in (
        {"issuer": f"{UNIVERSITY}/", "jwks": keys},
        {"issuer": UNIVERSITY, "jwks": keys, "jwks_uri": f"{UNIVERSITY}/jwks"},
        {"issuer": UNIVERSITY},
        {"issuer": UNIVERSITY, "jwks": [cast.issuer.public_jwk]},
    ):
        refusal = cast.refusal(token, trust=trust, resolver=_published(cast, document))
        assert failed(refusal) == (["signature"], "no_issuer_key")


def test_s15_unusable_keys_are_skipped_and_keys_by_address_are_read(cast: Cast) -> None:
    """One strange key does not spoil the set."""
    jwks = {
        "keys": [
            {"kty": "oct", "k": "AAAA"},
            "nonsense",
            {**generate_signer().public_jwk, "kid": "other"},
            {**cast.issuer.public_jwk, "use": "enc"},
            {**cast.issuer.public_jwk, "kid": cast.issuer.kid},
        ]
    }
    resolver = cast.resolver(
        issuer_metadata={UNIVERSITY: json.dumps({"issuer": UNIVERSITY, "jwks_uri": f"{UNIVERSITY}/k"}).encode()},
        jwk_sets={f"{UNIVERSITY}/k": json.dumps(jwks).encode()},
    )
    trust = TrustList(
        (TrustEntry(id="u", name="University", role="issuer", identifier=UNIVERSITY, mechanism="metadata"),)
    )

    assert cast.verify(cast.bind(cast.forge({}, header={"kid": cast.issuer.kid})), trust=trust, resolver=resolver)


def test_s15_the_address_of_issuer_metadata_keeps_host_and_path() -> None:
    """The well-known string goes between host and path, a terminating slash is dropped."""
    assert jwt_vc_issuer_url("https://u.example") == "https://u.example/.well-known/jwt-vc-issuer"
    assert jwt_vc_issuer_url("https://u.example:8443/a/b/") == "https://u.example:8443/.well-known/jwt-vc-issuer/a/b"
    for identifier in ("https://u.example?x=1", "https://u.example#f", "https://a@u.example", "ftp://u.example", "u"):
        with pytest.raises(Malformed):
            jwt_vc_issuer_url(identifier)


def test_s15_unreachable_metadata_is_undetermined(cast: Cast) -> None:
    """Not being able to ask is not an answer, neither yes nor no."""
    refusal = cast.refusal(cast.bind(cast.forge({}, header={"kid": cast.issuer.kid})))

    assert refusal.report.failed == []
    assert reason_of(refusal.report, "signature") == "issuer_key_unreachable"
    with pytest.raises(Unresolvable):
        raise Unresolvable


def test_s16_the_type_named_twice_or_not_at_all_is_refused(cast: Cast) -> None:
    """Further types are a list of names other than the first."""
    for further in ([], [VCT], "urn:other", [7]):
        assert failed(cast.refusal(cast.bind(cast.forge({"aka_vcts": further})))) == (["form"], "malformed")
    for vct in ("", 7, None):
        assert failed(cast.refusal(cast.bind(cast.forge({"vct": vct})))) == (["form"], "malformed")


def test_s16_a_credential_of_another_type_is_refused(cast: Cast) -> None:
    """The type asked for is the type that counts; a further type of the credential counts as well."""
    shown = cast.bind(cast.forge({"aka_vcts": ["urn:general"]}))

    assert cast.verify(shown, expected_types=["urn:general"])
    assert failed(cast.refusal(shown, expected_types=["urn:other"])) == (["type"], "unexpected_type")
    assert failed(cast.refusal_on_arrival(cast.issue(), expected_type="urn:other")) == (["type"], "unexpected_type")


def test_s16_a_further_type_gives_no_authority(cast: Cast) -> None:
    """An issuer trusted for one type cannot make another one by naming it beside its own (SD-JWT VC, 7.7)."""
    shown = cast.bind(cast.forge({"vct": "urn:driving", "aka_vcts": ["urn:degree"]}))
    driving, degree = (TrustList((trusting(cast.university, types=(each,)),)) for each in ("urn:driving", "urn:degree"))

    assert cast.verify(shown, trust=driving, expected_types=["urn:driving"])
    refusal = cast.refusal(shown, trust=driving, expected_types=["urn:degree"])
    assert failed(refusal) == (["issuer_trusted"], "type_not_trusted")
    # Trusted for the general type, and that is the one relied upon: its own name for it does not matter.
    assert cast.verify(shown, trust=degree, expected_types=["urn:degree"])
    for expected_types in (["urn:driving"], None):
        refusal = cast.refusal(shown, trust=degree, expected_types=expected_types)
        assert failed(refusal) == (["issuer_trusted"], "type_not_trusted")
    received = cast.refusal_on_arrival(shown.rpartition("~")[0] + "~", trust=driving, expected_type="urn:degree")
    assert failed(received) == (["issuer_trusted"], "type_not_trusted")


def test_s17_what_is_not_shown_is_not_missed(cast: Cast) -> None:
    """Withholding disclosable claims is the holder's right, not an error."""
    verified = cast.verify(cast.show(cast.issue(), []))

    assert "given_name" not in verified.claims
    assert verified.claims["courses"] == []
    assert verified.report.accepted


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "DC+SD-JWT", "application/dc+sd-jwt", "jwt", ""])
def test_s18_another_type_of_token_is_refused(cast: Cast, typ: str) -> None:
    """A token made for another purpose does not become a credential."""
    assert failed(cast.refusal(cast.bind(cast.forge({}, typ=typ)))) == (["form"], "malformed")


def test_a_presentation_shown_again_to_another_verifier_is_refused(cast: Cast) -> None:
    """A presentation made for one verifier is worthless to a second one."""
    shown = cast.show(cast.issue())

    assert failed(cast.refusal(shown, expected_audience="x509_hash:another")) == (["audience"], "other_audience")
    assert failed(cast.refusal(shown, expected_nonce=NONCE[1:] + "m")) == (["nonce"], "other_nonce")
    assert failed(cast.refusal(shown, now=NOW + timedelta(minutes=7))) == (["freshness"], "too_old")


def test_an_audience_among_the_disclosures_counts(cast: Cast) -> None:
    """RFC 9901, 7.1 step 6: the processed claims say for whom the credential is meant, disclosed or not."""
    hidden = disclosure("salt", "aud", "x509_hash:another")
    ours, another = disclosure("salt", EMPLOYER), disclosure("salt", "x509_hash:another")
    either = {"aud": [{"...": digest(ours)}, {"...": digest(another)}]}

    assert failed(cast.refusal(cast.bind(cast.forge({"_sd": [digest(hidden)]}, [hidden])))) == (
        ["audience"],
        "other_audience",
    )
    assert failed(cast.refusal(cast.bind(cast.forge(either, [another])))) == (["audience"], "other_audience")
    assert failed(cast.refusal(cast.bind(cast.forge(either)))) == (["audience"], "other_audience")
    assert cast.verify(cast.bind(cast.forge(either, [ours])))


def test_a_credential_for_another_holder_is_refused_on_arrival(cast: Cast) -> None:
    """A wallet keeps only what is bound to a key of its own."""
    refusal = cast.refusal_on_arrival(cast.issue(), expected_holder_thumbprint=generate_signer().kid)

    assert failed(refusal) == (["holder_binding"], "other_holder")


def test_checks_behind_a_failed_one_are_reported_as_not_made(cast: Cast) -> None:
    """A report never says passed for what was not looked at."""
    checks = cast.refusal(cast.bind(cast.issue(), nonce="other")).report.checks

    assert [check.name for check in checks][:6] == [
        "form", "signature", "issuer_trusted", "type", "holder_binding", "audience",
    ]  # fmt: skip
    assert {check.outcome for check in checks[:6]} == {Outcome.PASSED}
    assert {(check.outcome, check.reason) for check in checks[7:]} == {
        (Outcome.COULD_NOT_CHECK, "earlier_check_failed")
    }


def test_a_stranger_cannot_sign_for_the_university(cast: Cast) -> None:
    """Whoever has no key of the issuer cannot alter or make a credential."""
    forged = cast.forge({}, signer=generate_signer(), header={"x5c": list(cast.issuer.x5c)})

    assert failed(cast.refusal(cast.bind(forged))) == (["signature"], "bad_signature")


def test_without_trust_nobody_is_accepted(cast: Cast) -> None:
    """A verifier that trusts nobody accepts nobody."""
    refusal = cast.refusal(cast.show(cast.issue()), trust=TrustList())

    assert "issuer_trusted" in refusal.report.unknown
    assert not refusal.report.failed
