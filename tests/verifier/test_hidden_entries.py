"""What somebody who is shown one entry of a list learns of the others: how many there are, and nothing else.

RFC 9901: an undisclosed element of an array stands in it as a digest (4.2.4.2), so that the elements can be counted;
only decoy digests (4.2.5) would hide their number, and our issuer adds none.
"""

import json
from typing import Any

import pytest

from proofs import base64url
from proofs.formats.sd_jwt import parse_sd_jwt, select_disclosures
from schemas.types import CREDENTIAL_TYPES
from tests.verifier.scene import Issuer

GRADES = CREDENTIAL_TYPES["upper-secondary-grades"]
CODES = ("MATMAT03c", "ENGENG06", "KEMKEM01", "FYSFYS01a")


def grades(*codes: str) -> dict[str, Any]:
    """The claims of a certificate of these courses."""
    courses = [{"course_code": code, "assessment_grade": "F" if code == "KEMKEM01" else "B"} for code in codes]
    return {"family_name": "Sjöberg", "courses": courses}


def shown(*codes: str) -> tuple[str, list[dict[str, str]]]:
    """What the recipient of one course's code gets of a certificate of these courses: as text, and the list in it."""
    whole = parse_sd_jwt(Issuer().issue(grades(*codes), holder=None, credential_type=GRADES))
    place = codes.index("ENGENG06")
    chosen = select_disclosures(whole, [("courses", place, "course_code")])
    token = "~".join((whole.without_key_binding.split("~")[0], *chosen, ""))
    received = parse_sd_jwt(token)
    assert [one for one in received.claims["courses"] if one] == [{"course_code": "ENGENG06"}]
    (courses,) = [json.loads(base64url.decode(one)) for one in chosen if b'"courses"' in base64url.decode(one)]
    everything = json.dumps(received.claims) + "".join(base64url.decode(one).decode() for one in chosen)
    return everything, courses[2]


@pytest.mark.parametrize("codes", [CODES, CODES[:3], CODES[:2], CODES[1:2]])
def test_hidden_entries_can_be_counted_and_not_read(codes: tuple[str, ...]) -> None:
    """Of four courses of which one is shown, four digests are seen; neither codes nor grades of the others."""
    everything, entries = shown(*codes)

    assert len(entries) == len(codes), "no decoys: the number is that of the courses"
    assert all(set(entry) == {"..."} for entry in entries)
    assert len({entry["..."] for entry in entries}) == len(codes)
    assert [code for code in CODES if code in everything] == ["ENGENG06"]
    assert "assessment_grade" not in everything
    assert "Sjöberg" not in everything


def test_a_certificate_of_chosen_courses_has_no_others_to_count() -> None:
    """Why the chosen grades are certificates of their own (`docs/stories.md`)."""
    _, of_all = shown(*CODES)
    _, of_chosen = shown("ENGENG06")

    assert (len(of_all), len(of_chosen)) == (4, 1)
