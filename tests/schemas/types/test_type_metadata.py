"""The published type metadata, read as a consumer reads it that has never heard of us (SD-JWT VC, section 5)."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt, plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from schemas.types import CREDENTIAL_TYPES, CredentialType
from tests.schemas.types.records import several
from tests.schemas.types.test_types import TYPES, registered

Path = tuple[str | int | None, ...]
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # RFC 5646 in the form that metadata uses
KNOWN = {"vct", "name", "description", "display", "claims"}
KNOWN_OF_CLAIM = {"path", "display", "mandatory", "sd"}


def issued(credential_type: CredentialType) -> UnverifiedSDJWT:
    """A credential with everything in it, as a holder with all disclosures has it."""
    now = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    payload = registered(credential_type) | credential_type.claims_from(several(credential_type))
    payload |= {"vct#integrity": credential_type.integrity(), "iat": now, "nbf": now, "exp": now + 1}
    payload.pop("cnf")
    token = issue_sd_jwt_vc(
        payload,
        disclosable=plan_disclosures(credential_type.disclosable_paths()),
        signer=generate_signer(),
        holder_jwk=generate_signer().public_jwk,
    )
    return parse_sd_jwt(token)


def select(value: Any, path: Sequence[str | int | None]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The claims that a path selects, with their places (section 5.6.1.2). Raises `TypeError` for a path in error."""
    selected: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    for part in path:
        inner: list[tuple[tuple[str | int, ...], Any]] = []
        for place, one in selected:
            if isinstance(part, str):
                if not isinstance(one, dict):
                    raise TypeError(path)
                if part in one:
                    inner.append(((*place, part), one[part]))
            else:
                if not isinstance(one, list):
                    raise TypeError(path)
                wanted = range(len(one)) if part is None else [part] if part < len(one) else []
                inner += [((*place, index), one[index]) for index in wanted]
        selected = inner
    yield from selected


@TYPES
def test_the_document_holds_nothing_but_what_the_specification_defines(credential_type: CredentialType) -> None:
    """Each member has its name, its form, and its place."""
    document = json.loads(credential_type.type_metadata_bytes())
    assert set(document) == KNOWN
    assert all(isinstance(document[name], str) and document[name] for name in ("vct", "name", "description"))
    assert [set(one) for one in document["display"]] == [{"locale", "name", "description"}] * 2
    for claim in document["claims"]:
        assert set(claim) == KNOWN_OF_CLAIM
        assert isinstance(claim["mandatory"], bool)
        assert claim["sd"] in ("always", "never")  # "allowed" is to be avoided
        assert claim["path"]
        assert all(
            part is None or isinstance(part, str) or (isinstance(part, int) and part >= 0) for part in claim["path"]
        )
        assert [set(one) for one in claim["display"]] == [{"locale", "label"}] * 2
    locales = [entry["locale"] for one in (document, *document["claims"]) for entry in one["display"]]
    assert set(locales) == {"sv", "en"}
    assert all(LANGUAGE_TAG.fullmatch(locale) for locale in locales)


@TYPES
def test_a_credential_that_we_issue_passes_the_validation_of_a_consumer(credential_type: CredentialType) -> None:
    """No path in error, every mandatory claim there, every claim hidden or visible as its `sd` demands."""
    sd_jwt = issued(credential_type)
    disclosed = set(sd_jwt.disclosure_at)
    for claim in json.loads(credential_type.type_metadata_bytes())["claims"]:
        places = [place for place, _ in select(sd_jwt.claims, claim["path"])]
        assert places or not claim["mandatory"], claim["path"]
        for place in places:
            assert (place in disclosed) is (claim["sd"] == "always"), place


@TYPES
def test_every_disclosure_is_one_that_the_metadata_describes(credential_type: CredentialType) -> None:
    """Nothing can be hidden of which a consumer was not told."""
    sd_jwt = issued(credential_type)
    claims = json.loads(credential_type.type_metadata_bytes())["claims"]
    described = {place for claim in claims for place, _ in select(sd_jwt.claims, claim["path"])}
    assert set(sd_jwt.disclosure_at) <= described
    assert {(name,) for name in sd_jwt.claims} <= described


@TYPES
def test_parents_come_before_their_children(credential_type: CredentialType) -> None:
    """A reader who goes through the list in order has always met what holds a claim."""
    paths = [tuple(claim["path"]) for claim in json.loads(credential_type.type_metadata_bytes())["claims"]]
    for position, path in enumerate(paths):
        above = [path[:length] for length in range(1, len(path))]
        assert set(above) <= set(paths[:position])


def test_courses_are_addressed_element_by_element() -> None:
    """`null` selects every course, and what is below it every course's own."""
    sd_jwt = issued(CREDENTIAL_TYPES["course-results"])
    titles = [place for place, _ in select(sd_jwt.claims, ["courses", None, "achievement_title"])]
    assert titles == [("courses", 0, "achievement_title"), ("courses", 1, "achievement_title")]
    with pytest.raises(TypeError):
        list(select(sd_jwt.claims, ["issuing_country", None]))
