"""SD-JWT: the published examples in both directions, and every round trip."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import base64url, jose
from proofs.formats.concealment import RESERVED_NAMES, conceal
from proofs.formats.sd_jwt import (
    UnverifiedSDJWT,
    always_visible,
    claim_at,
    digest_of,
    parse_sd_jwt,
    plan_disclosures,
    select_disclosures,
)
from proofs.formats.sd_jwt_vc import NEVER_DISCLOSABLE, build_presentation, issue_sd_jwt_vc
from proofs.keys import generate_signer
from schemas.errors import Malformed, ProtocolError, Refused
from tests.proofs.cast import EMPLOYER, NONCE, NOW, Cast, digest, disclosure

ADDRESS = {"street_address", "locality", "region", "country"}
ISSUER, HOLDER = generate_signer(), generate_signer()


def read(vectors: Path, name: str) -> dict[str, Any]:
    """One file of RFC 9901 examples."""
    document: dict[str, Any] = json.loads((vectors / "rfc9901" / name).read_text())
    return document


def signed(payload: dict[str, Any], *disclosures: str) -> str:
    """An SD-JWT with any payload."""
    return "~".join((jose.sign_jws(payload, signer=ISSUER, typ="example+sd-jwt"), *disclosures, ""))


def test_the_published_credential_is_read(vectors: Path) -> None:
    """RFC 9901, section 5.1: every disclosure, its digest, and the claims behind them."""
    example = read(vectors, "main_example.json")

    sd_jwt = parse_sd_jwt(example["issuance"])

    assert sd_jwt.claims == example["issued_claims"]
    assert [(each.encoded, each.digest) for each in sd_jwt.disclosures] == [
        (each["encoded"], each["digest"]) for each in example["disclosures"]
    ]
    assert sd_jwt.undisclosed == 0
    assert (
        jose.check_jws(sd_jwt.issuer_jwt, key=example["issuer_key"], typ=example["typ"], algorithms={"ES256"}).claims[
            "sub"
        ]
        == "user_42"
    )


def test_the_published_presentation_is_read(vectors: Path) -> None:
    """RFC 9901, section 5.2: the chosen claims alone, the key binding over exactly these bytes."""
    example = read(vectors, "main_example.json")

    sd_jwt = parse_sd_jwt(example["presentation"])

    assert sd_jwt.claims == example["presented_claims"]
    assert sd_jwt.undisclosed == 6
    assert sd_jwt.original_indexes == {("nationalities",): (0,)}
    assert sd_jwt.key_binding is not None
    checked = jose.check_jws(sd_jwt.key_binding, key=sd_jwt.claims["cnf"]["jwk"], typ="kb+jwt", algorithms={"ES256"})
    assert checked.claims == example["key_binding"]
    assert digest_of(sd_jwt.without_key_binding, hash_name="sha-256") == example["key_binding"]["sd_hash"]


def test_the_published_selection_is_made(vectors: Path) -> None:
    """From the credential of section 5.1, the disclosures of section 5.2."""
    example = read(vectors, "main_example.json")
    sd_jwt = parse_sd_jwt(example["issuance"])

    chosen = select_disclosures(sd_jwt, [("family_name",), ("address",), ("given_name",), ("nationalities", 0)])

    assert set(chosen) == set(example["presentation"].split("~")[1:-1])


def test_the_published_nestings_are_read(vectors: Path) -> None:
    """RFC 9901, section 6: flat, structured and recursive give the same claims."""
    examples = read(vectors, "nested_data.json")
    for case in examples["cases"]:
        sd_jwt = parse_sd_jwt(signed(case["payload"], *(each["encoded"] for each in case["disclosures"])))

        assert sd_jwt.claims == examples["claims"], case["name"]
        assert [each.digest for each in sd_jwt.disclosures] == [each["digest"] for each in case["disclosures"]]


def test_the_published_referenced_token_is_read(vectors: Path) -> None:
    """Token Status List: a recursive SD-JWT, signed with the key of RFC 9901, appendix A.5."""
    example = json.loads((vectors / "token-status-list" / "referenced_token.json").read_text())

    sd_jwt = parse_sd_jwt(example["token"])

    assert (sd_jwt.payload, sd_jwt.claims) == (example["payload"], example["claims"])
    assert sorted(sd_jwt.disclosure_at) == [("address",), *[("address", each) for each in sorted(ADDRESS)]]
    assert select_disclosures(sd_jwt, [("address", "region")]) == tuple(
        sd_jwt.disclosure_at[path].encoded for path in (("address", "region"), ("address",))
    )
    jose.check_jws(sd_jwt.issuer_jwt, key=example["issuer_key"], typ=example["typ"], algorithms={"ES256"})


def test_the_published_spellings_of_one_claim_are_read(vectors: Path) -> None:
    """RFC 9901, sections 4.2.1 to 4.2.3: whitespace and escapes may differ; the digest is that of the text."""
    forms = read(vectors, "disclosure_forms.json")
    for encoded in forms["same_claim"]["encoded"]:
        sd_jwt = parse_sd_jwt(signed({"_sd": [digest(encoded)]}, encoded))
        assert sd_jwt.claims == {forms["same_claim"]["name"]: forms["same_claim"]["value"]}
    assert digest_of(forms["same_claim"]["encoded"][0], hash_name="sha-256") == forms["digest_of_first"]
    element = forms["array_element"]
    shown = parse_sd_jwt(signed({"nationalities": ["DE", {"...": element["digest"]}, "US"]}, element["encoded"]))
    assert shown.claims == {"nationalities": ["DE", "FR", "US"]}
    assert parse_sd_jwt(signed({"n": ["DE", {"...": element["digest"]}, "US"]})).claims == {"n": ["DE", "US"]}


@pytest.mark.parametrize(("name", "algorithm"), [("sha-256", "sha256"), ("sha-384", "sha384"), ("sha-512", "sha512")])
def test_stronger_hashes_are_understood(name: str, algorithm: str) -> None:
    """Issuers elsewhere may use them."""
    member = disclosure("salt", "grade", "VG")

    assert parse_sd_jwt(signed({"_sd": [digest(member, algorithm)], "_sd_alg": name}, member)).claims == {"grade": "VG"}


def test_reserved_names_are_found_however_they_are_written() -> None:
    """An escape in the payload does not hide a digest, nor a text that looks like one."""
    member = disclosure("salt", "grade", "VG")
    escaped = b'{"course":{"\\u005fsd":["' + digest(member).encode() + b'"]}}'
    token = f"{jose.sign_jws(escaped, signer=ISSUER, typ='t')}~{member}~"

    assert parse_sd_jwt(token).claims == {"course": {"grade": "VG"}}
    assert parse_sd_jwt(signed({"note": '"_sd"', "list": ["..."]})).claims == {"note": '"_sd"', "list": ["..."]}
    dots = b'{"a":[{"\\u002e..":"' + digest(disclosure("s", 1)).encode() + b'"}]}'
    assert parse_sd_jwt(f"{jose.sign_jws(dots, signer=ISSUER, typ='t')}~").claims == {"a": []}


def test_deep_disclosures_have_a_limit() -> None:
    """A chain of disclosures within disclosures does not exhaust the reader."""
    inner, shown = disclosure("salt", "x", 1), []
    for _ in range(400):
        shown.append(inner)
        inner = disclosure("salt", "x", {"_sd": [digest(inner)]})

    with pytest.raises(Malformed):
        parse_sd_jwt(signed({"_sd": [digest(inner)]}, *shown, inner))


def test_selecting_reveals_parents_but_not_what_lies_below(cast: Cast) -> None:
    """The grade of one course brings the course; the course does not bring its grade."""
    sd_jwt = parse_sd_jwt(cast.issue())

    def shown(*paths: Any, nested: bool = False) -> Any:
        chosen = select_disclosures(sd_jwt, paths, nested=nested)
        return parse_sd_jwt("~".join((sd_jwt.issuer_jwt, *chosen, ""))).claims

    assert shown(("courses", 1, "grade"))["courses"] == [{"title": "Fysik", "grade": "G"}]
    assert shown(("courses", 1))["courses"] == [{"title": "Fysik"}]
    assert shown(("courses", 1, "title"))["courses"] == [{"title": "Fysik"}]
    assert shown(("courses",))["courses"] == []
    assert shown(("courses",), nested=True)["courses"] == sd_jwt.claims["courses"]
    assert select_disclosures(sd_jwt, [("vct",), ("status", "status_list")]) == ()
    for missing in (
        ("nickname",),
        ("courses", 2),
        ("courses", -1),
        ("vct", 0),
        ("courses", "title"),
        ("courses", True),
    ):
        with pytest.raises(Refused):
            select_disclosures(sd_jwt, [missing])


def test_what_cannot_be_hidden_is_listed(cast: Cast) -> None:
    """What every presentation shows, whatever is chosen."""
    visible = dict(always_visible(parse_sd_jwt(cast.issue())))

    assert set(visible) == {("iss",), ("vct",), ("iat",), ("exp",), ("status",), ("cnf",), ("courses",)}
    assert visible["courses",] == []
    partly = issue_sd_jwt_vc(
        {"vct": "v", "course": {"title": "Kemi", "grade": "VG", "parts": [1, 2]}},
        disclosable=plan_disclosures([("course", "grade"), ("course", "parts", None)]),
        signer=ISSUER,
        holder_jwk=None,
    )
    assert always_visible(parse_sd_jwt(partly)) == [
        (("vct",), "v"), (("course", "title"), "Kemi"), (("course", "parts"), []),
    ]  # fmt: skip


def test_two_copies_share_nothing_that_could_link_them(cast: Cast) -> None:
    """Fresh salts: no digest and no disclosure returns."""
    first, second = parse_sd_jwt(cast.issue()), parse_sd_jwt(cast.issue())

    assert first.claims == second.claims
    for sd_jwt in (first, second):
        assert sd_jwt.payload["_sd"] == sorted(sd_jwt.payload["_sd"])
        assert all(len(each.salt) >= 22 for each in sd_jwt.disclosures)
    texts = [
        {part for each in sd_jwt.disclosures for part in (each.encoded, each.digest, each.salt)}
        for sd_jwt in (first, second)
    ]
    assert not texts[0] & texts[1]
    assert len({each.salt for each in first.disclosures}) == len(first.disclosures)


def test_decoys_reveal_nothing_and_change_nothing() -> None:
    """More digests than claims, on request."""
    plan = plan_disclosures([("a",)])
    token = issue_sd_jwt_vc({"vct": "v", "a": 1}, disclosable=plan, signer=ISSUER, holder_jwk=None, decoys=5)

    sd_jwt = parse_sd_jwt(token)

    assert (sd_jwt.claims["a"], len(sd_jwt.payload["_sd"]), sd_jwt.undisclosed) == (1, 6, 5)
    plain = issue_sd_jwt_vc({"vct": "v", "a": 1}, disclosable=plan_disclosures([]), signer=ISSUER, holder_jwk=None)
    assert parse_sd_jwt(plain).payload == {"vct": "v", "a": 1}


def test_claims_with_reserved_names_are_not_issued() -> None:
    """Nobody's data can pretend to be digests."""
    hostile: tuple[dict[str, Any], ...] = (
        {"_sd": []},
        {"a": {"...": "x"}},
        {"a": [{"_sd_alg": "md5"}]},
        {"a": {"b": [{"_sd": 1}]}},
    )
    for claims in hostile:
        with pytest.raises(Refused):
            conceal(claims, plan_disclosures([]))
    for path in ((), (None, "a"), ("_sd",), ("a", "...")):
        with pytest.raises(Refused):
            plan_disclosures([path])


def test_a_presentation_is_made_only_of_what_was_received(cast: Cast) -> None:
    """The bytes go out as they came; nothing foreign, nothing unreachable, nobody else's key."""
    token = cast.issue()
    sd_jwt = parse_sd_jwt(token)
    rest: dict[str, Any] = {"audience": EMPLOYER, "nonce": NONCE, "now": NOW}

    shown = build_presentation(token, disclosures=[sd_jwt.disclosures[0].encoded], signer=cast.holder, **rest)
    assert shown.startswith(f"{sd_jwt.issuer_jwt}~{sd_jwt.disclosures[0].encoded}~eyJ")
    assert jose.parse_jws(shown.rpartition("~")[2]).header == {"alg": "ES256", "typ": "kb+jwt"}

    unreachable = sd_jwt.disclosure_at["courses", 0, "grade"].encoded
    for disclosures in ([unreachable], [disclosure("salt", "grade", "VG")], [sd_jwt.disclosures[0].encoded] * 2):
        with pytest.raises(Refused):
            build_presentation(token, disclosures=disclosures, signer=cast.holder, **rest)
    with pytest.raises(Refused):
        build_presentation(token, disclosures=[], signer=generate_signer(), **rest)
    with pytest.raises(Refused):
        build_presentation(shown, disclosures=[], signer=cast.holder, **rest)


SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10)
NAMES = st.text(max_size=6).filter(lambda name: name not in RESERVED_NAMES | NEVER_DISCLOSABLE)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a value, concrete."""
    steps: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [each for step in steps for each in ((*path, step), *_paths(value[step], (*path, step)))]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), st.data())
def test_what_is_issued_is_read_chosen_and_shown(claims: dict[str, Any], data: st.DataObject) -> None:
    """Any claims under any plan: all of them arrive, and of those chosen exactly what was chosen."""
    concrete = _paths(claims)
    planned = data.draw(st.lists(st.sampled_from(concrete), max_size=5))
    plan = plan_disclosures([tuple(None if isinstance(step, int) else step for step in path) for path in planned])

    token = issue_sd_jwt_vc({"vct": "v", **claims}, disclosable=plan, signer=ISSUER, holder_jwk=HOLDER.public_jwk)
    sd_jwt = parse_sd_jwt(token)
    wanted = data.draw(st.lists(st.sampled_from(concrete), max_size=3))
    chosen = select_disclosures(sd_jwt, wanted)
    shown = parse_sd_jwt(build_presentation(token, disclosures=chosen, signer=HOLDER, audience="a", nonce="n", now=NOW))

    assert sd_jwt.claims == {"vct": "v", **claims, "cnf": {"jwk": HOLDER.public_jwk}}
    assert {each.encoded for each in shown.disclosures} == set(chosen)
    needed = {at for at in sd_jwt.disclosure_at if any(path[: len(at)] == at for path in wanted)}
    assert len(shown.disclosure_at) == len(needed)
    for path, value in always_visible(sd_jwt):
        if path not in {at[: len(path)] for at in sd_jwt.disclosure_at}:
            assert claim_at(shown.claims, path) == value or _lost_elements(shown, path)


def _lost_elements(sd_jwt: UnverifiedSDJWT, path: tuple[str | int, ...]) -> bool:
    """Whether an array on the way lost elements, so that indexes moved."""
    return any(path[:length] in sd_jwt.original_indexes for length in range(len(path)))


@settings(deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80) | st.text(alphabet='eyJ9.~{}[]"_-A=0', max_size=60))
def test_any_input_is_read_or_refused(data: bytes | str) -> None:
    """Nothing but our own errors is ever raised."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    with pytest.raises(ProtocolError):
        parse_sd_jwt(text)


JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "a"]), JSON_VALUES, max_size=4),
    st.lists(JSON_VALUES, max_size=3),
)
def test_any_signed_payload_is_processed_or_refused(payload: dict[str, Any], contents: list[Any]) -> None:
    """Reserved names in any place, disclosures of any shape: read, or refused by one of our own errors."""
    encoded = [base64url.encode(json.dumps(content).encode()) for content in contents]
    try:
        sd_jwt = parse_sd_jwt(signed(payload, *encoded))
    except ProtocolError:
        return
    text = json.dumps(sd_jwt.claims)
    assert '"_sd":' not in text
    assert '"...":' not in text
    assert '"_sd_alg":' not in text
