"""Certificates of others: a person identification by an issuer that publishes its keys, asked by a template file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs import strict_json
from proofs.formats.sd_jwt import plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.resolve import DictResolver, jwt_vc_issuer_url
from proofs.trust import TrustEntry, entry_from_jwk
from schemas.consent import LocalizedText
from service.i18n import Catalogues, load_catalogues
from tests.verifier.scene import START, Scene
from verifier.app import client_identity, open_database
from verifier.disclosed import type_label
from verifier.exchange import Verifier
from verifier.pages import ROOM
from verifier.pages.preview import preview_of, value_notes
from verifier.pages.values import shown_certificates
from verifier.request_templates import RequestTemplate, read_template
from verifier.verification import Verdict

PID = "urn:eudi:pid:1"
LICENCE = "https://licences.example/types/forklift"
ISSUER = "https://pid.example/tenant/one"
CLAIMS: dict[str, Any] = {
    "family_name": "Kanarek-Svensson",
    "birthdate": "1999-10-02",
    "nationalities": ["SE", "FI"],
    "address": {"locality": "Umeå", "country": "SE", "street_address": "Storgatan 1"},
    "age_equal_or_over": {"18": True, "65": False},
}
PATHS: list[tuple[str | None, ...]] = [
    ("family_name",),
    ("birthdate",),
    ("nationalities",),
    ("nationalities", None),
    ("address",),
    ("address", "locality"),
    ("address", "country"),
    ("address", "street_address"),
    ("age_equal_or_over",),
    ("age_equal_or_over", "18"),
    ("age_equal_or_over", "65"),
]
TEMPLATE = """
name = "access-card"
title = { sv = "Passerkort", en = "Access card" }
purpose = { sv = "Vi kontrollerar vem du är före passerkortet.", en = "We check who you are before the access card." }
retention_days = 3
basis = "contract"
contact = "privacy@company.example"

[[credentials]]
id = "pid"
vct = ["urn:eudi:pid:1"]
title = { sv = "Identitetsintyg", en = "Proof of identity" }
status = "if_present"

  [[credentials.items]]
  path = ["address", "locality"]
  label = { sv = "Ort", en = "Town" }
  reason = { sv = "Kortet skickas dit.", en = "The card is sent there." }

  [[credentials.items]]
  path = ["nationalities", "*"]
  values = ["SE", "NO"]
  reason = { sv = "Krav på platsen.", en = "Demanded there." }

  [[credentials.items]]
  path = ["age_equal_or_over", "18"]
  label = { sv = "Fyllda 18 år", en = "18 or over" }
  values = [true]
  reason = { sv = "Krav på platsen.", en = "Demanded there." }

  [[credentials.items]]
  path = ["birthdate"]
  required = false
  reason = { sv = "Vi gratulerar dig.", en = "We congratulate you." }
"""
ALTERNATIVE = """
[[credentials]]
id = "licence"
vct = ["https://licences.example/types/forklift"]
status = "if_present"

  [[credentials.items]]
  path = ["holder", 0, "name"]
  reason = { sv = "Det står på kortet.", en = "It is printed on the card." }
"""


class Abroad(Scene):
    """A verifier that trusts an issuer of another country by the keys that it publishes."""

    def __init__(self, data: Path) -> None:
        self.foreign = generate_signer()
        metadata = {"issuer": ISSUER, "jwks": {"keys": [self.foreign.public_jwk]}}
        self.published = {ISSUER: strict_json.dumps(metadata)}
        super().__init__(data)
        entry = {
            "id": "pid",
            "name": "PID-myndigheten",
            "role": "issuer",
            "identifier": ISSUER,
            "types": [PID, LICENCE],
        }
        self.verifier.trust.add_entry(TrustEntry.from_json(entry | {"mechanism": "metadata"}), now=self.now)
        self.certificate = self.foreign_certificate(CLAIMS, PATHS)

    def second_process(self) -> Verifier:
        """A verifier that also finds the issuer's keys."""
        return Verifier(
            self.settings,
            database=open_database(self.settings),
            identity=client_identity(self.settings, clock=self.clock),
            clock=self.clock,
            resolver=DictResolver(status_lists=self.lists, issuer_metadata=self.published),
        )

    def foreign_certificate(
        self, claims: dict[str, Any], paths: list[tuple[str | None, ...]], *, vct: str = PID
    ) -> str:
        """A certificate without `x5c` and without `status`."""
        payload = {"iss": ISSUER, "vct": vct, "exp": int((self.now + timedelta(days=90)).timestamp())} | claims
        return issue_sd_jwt_vc(
            payload, disclosable=plan_disclosures(paths), signer=self.foreign, holder_jwk=self.holder.public_jwk
        )


def template_of(text: str) -> RequestTemplate:
    """A template as it is read from a file."""
    return read_template(text.encode(), is_toml=True)


def texts() -> Catalogues:
    """The texts of this room."""
    return load_catalogues(ROOM)


@pytest.fixture
def abroad(tmp_path: Path) -> Abroad:
    """The scene with the foreign issuer."""
    return Abroad(tmp_path)


def test_where_keys_are_published() -> None:
    """Between host and path (SD-JWT VC 4)."""
    assert jwt_vc_issuer_url(ISSUER) == "https://pid.example/.well-known/jwt-vc-issuer/tenant/one"


def test_a_foreign_certificate_is_verified_and_read(abroad: Abroad) -> None:
    """Nested and array paths, acceptable values, an optional item, no status: accepted and named in both languages."""
    template = template_of(TEMPLATE)
    made = abroad.ask(template)

    assert abroad.answer(made, optional=True).status == 200

    record = abroad.result(made)
    contents = abroad.verifier.contents(made.id, viewer="test")
    assert record.is_accepted, record.result.checks
    assert contents is not None
    assert {item.path: item.value for item in contents.items} == {
        ("address", "locality"): "Umeå",
        ("nationalities", 0): "SE",
        ("nationalities", 1): "FI",
        ("age_equal_or_over", "18"): True,
        ("birthdate",): "1999-10-02",
    }
    for language, kind, town, born, yes in (
        ("sv", "Identitetsintyg", "Ort", "2 oktober 1999", "Ja"),
        ("en", "Proof of identity", "Town", "2 October 1999", "Yes"),
    ):
        (shown,) = shown_certificates(contents.items, record.proofs, template, texts().translator(language))
        facts = [fact for group in shown.groups for fact in group.facts]
        assert (shown.kind, shown.issuer, shown.is_known) == (kind, "PID-myndigheten", True)
        assert (town, "Umeå") in facts
        assert ("birthdate", born) in facts
        assert yes in dict(facts).values()


@pytest.mark.parametrize(
    "changed",
    [
        {"nationalities": ["DE"]},
        {"age_equal_or_over": {"18": False, "65": False}},
        {"age_equal_or_over": {"18": 1, "65": 0}},
        {"age_equal_or_over": {"18": "true", "65": ""}},
    ],
)
def test_another_value_than_accepted_fails(abroad: Abroad, changed: dict[str, Any]) -> None:
    """Type and value, exactly (D-06)."""
    abroad.certificate = abroad.foreign_certificate(CLAIMS | changed, PATHS)
    made = abroad.ask(template_of(TEMPLATE))

    assert abroad.answer(made).status == 400

    assert abroad.result(made).result.failed == ["values"]


def test_one_of_two_kinds_is_enough(abroad: Abroad) -> None:
    """Alternatives: either certificate answers, also by the number of an array's element; both is not too much."""
    template = template_of('alternatives = [["pid"], ["licence"]]\n' + TEMPLATE + ALTERNATIVE)
    licence = abroad.foreign_certificate(
        {"holder": [{"name": "Kanarek-Svensson"}, {"name": "Somebody else"}]},
        [("holder",), ("holder", None), ("holder", None, "name")],
        vct=LICENCE,
    )

    made = abroad.ask(template)
    request = abroad.fetch(made)
    shown = abroad.presentation(request, "licence", token=licence)
    assert abroad.post(made, abroad.form(request, {"vp_token": {"licence": [shown]}})).status == 200
    contents = abroad.verifier.contents(made.id, viewer="test")
    assert abroad.result(made).is_accepted, abroad.result(made).result.checks
    assert contents is not None
    assert [item.value for item in contents.items] == ["Kanarek-Svensson"]

    neither = abroad.ask(template)
    request = abroad.fetch(neither)
    optional = {"pid-optional-1": [abroad.presentation(request, "pid-optional-1")]}
    assert abroad.post(neither, abroad.form(request, {"vp_token": optional})).status == 400
    assert abroad.result(neither).result.failed == ["query"]


def test_a_listed_key_needs_no_look_up(abroad: Abroad) -> None:
    """An entry with the key itself: nothing is fetched, and another key of the same issuer is a forgery."""
    abroad.published.clear()
    abroad.verifier.trust.remove("pid")
    entry = entry_from_jwk(abroad.foreign.public_jwk, identifier=ISSUER, name="PID", role="issuer", types=[PID])
    abroad.verifier.trust.add_entry(entry, now=abroad.now)
    made = abroad.ask(template_of(TEMPLATE))
    abroad.answer(made)
    assert abroad.result(made).is_accepted

    abroad.foreign = generate_signer()
    abroad.certificate = abroad.foreign_certificate(CLAIMS, PATHS)
    forged = abroad.ask(template_of(TEMPLATE))
    assert abroad.answer(forged).status == 400
    assert abroad.result(forged).result.failed == ["signature"]


def test_an_issuer_whose_metadata_is_away_is_not_rejected(abroad: Abroad) -> None:
    """Could not check, never green, and nothing of it is kept."""
    abroad.published.clear()
    made = abroad.ask(template_of(TEMPLATE))

    assert abroad.answer(made).status == 200

    record = abroad.result(made)
    assert (record.verdict, record.result.failed, record.has_contents) == (Verdict.UNDETERMINED, [], False)


def test_a_request_for_a_foreign_type_reads_like_any_other() -> None:
    """Its own title, and for staff the acceptable values in words, in both languages."""
    template = template_of(TEMPLATE)
    for language, kind, over in (
        ("sv", "Identitetsintyg", ": bara ja räknas."),
        ("en", "Proof of identity", ": only yes counts."),
    ):
        preview = preview_of(
            template,
            organisation=LocalizedText(sv="Bolaget", en="The Company"),
            today=START.date(),
            t=texts().translator(language),
        )
        assert kind in preview.groups[0].heading
        assert any(note.endswith(over) for note in value_notes(template, texts().translator(language)))
        assert type_label(LICENCE, template, language) == LICENCE
