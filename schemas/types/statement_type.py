"""Credential types that are made of one statement: claims, card and title derive from the form.

    TYPE = statement_type("target-group-certificate", display=..., description=..., form=..., validity_days=30)

Names and birth date are optional in all of them, and disclosed one by one; there is no claim for any number of a
person. What is always visible is who says so, in which country, and what the form marks as visible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from schemas.errors import Refused
from schemas.learning.achievement import Learner
from schemas.learning.statement import Statement
from schemas.learning.texts import in_language
from schemas.types.card import Card, display_value, text_language
from schemas.types.claims import LEARNING, PUBLIC, Category, Claims, ClaimSpec, ValueType
from schemas.types.credential_type import CredentialType
from schemas.types.learning_claims import ISSUER_CLAIMS, LEARNER_CLAIMS, issuer_claims, learner_claims
from schemas.types.lines import card_lines
from schemas.types.statement_form import AS_OF, StatementForm

PERSON_CLAIMS: tuple[ClaimSpec, ...] = tuple(
    replace(spec, mandatory=False) for spec in LEARNER_CLAIMS if spec.category in ("identity", "birth")
)
"""Names and birth date, none of which needs to be there."""
_PERSON = frozenset(spec.path[0] for spec in PERSON_CLAIMS)

AS_OF_CLAIM = ClaimSpec(
    (AS_OF,), {"sv": "Gäller den", "en": "As of"}, "date", disclosable=True, mandatory=True, sensitivity=PUBLIC
)


def claim(
    name: str,
    sv: str,
    en: str,
    value_type: ValueType,
    sensitivity: int = LEARNING,
    category: Category = "result",
    *,
    visible: bool = False,
    mandatory: bool = False,
) -> ClaimSpec:
    """A claim of a statement, disclosed by itself unless it is `visible`."""
    return ClaimSpec((name,), {"sv": sv, "en": en}, value_type, not visible, mandatory, sensitivity, category)


def person_claims(learner: Learner) -> Claims:
    """Names and birth date, as far as they are known. Identifiers are never claims."""
    return {name: value for name, value in learner_claims(learner).items() if name in _PERSON}


def day_of(statement: Statement) -> str:
    """The day on which a statement was true. Raises `Refused` for a live one that was not dated."""
    if statement.as_of is None:
        raise Refused("A live statement says no day before it is dated.")
    return statement.as_of.isoformat()


def claims_of_form(form: StatementForm, statements: Sequence[Statement]) -> Claims:
    """The claims of one statement. Raises `Refused` when a rule of its form does not hold."""
    (statement,) = statements
    broken = form.broken(statement.values | person_claims(statement.learner))
    if broken is not None:
        raise Refused(broken.fault)
    return (
        issuer_claims(statement)
        | dict(statement.values)
        | {AS_OF: day_of(statement)}
        | person_claims(statement.learner)
    )


def _card(credential_type: CredentialType, claims: Mapping[str, Any], language: str) -> Card:
    form = credential_type.form
    titles = claims.get(form.titled_by) if form else None
    title = display_value(titles, "texts", language) if titles else ""
    words = form.title_words.get(language, "") if form and title else ""
    return Card(
        type_name=credential_type.title(language),
        title=words.format(title) or title or credential_type.title(language),
        issuer=display_value(claims.get("issuing_authority", ""), "texts", language),
        date=display_value(claims.get(AS_OF, ""), "date", language),
        level="",
        credits="",
        lines=card_lines(credential_type.claims, claims, language),
        title_language="" if words else text_language(titles, language),
        issuer_language=text_language(claims.get("issuing_authority"), language),
    )


def _titles(credential_type: CredentialType, claims: Mapping[str, Any]) -> dict[str, str]:
    titles = claims.get(credential_type.form.titled_by) if credential_type.form else None
    if not isinstance(titles, Mapping) or not titles:
        return dict(credential_type.display)
    words = credential_type.form.title_words if credential_type.form else {}
    return {
        language: words.get(language, f"{name}: {{}}").format(in_language(titles, language))
        for language, name in credential_type.display.items()
    }


def statement_type(
    name: str,
    *,
    display: Mapping[str, str],
    description: Mapping[str, str],
    form: StatementForm,
    validity_days: int | None = None,
    last_day: str | None = None,
) -> CredentialType:
    """The type with this name, of which one statement of this form makes one certificate."""
    return CredentialType(
        name=name,
        vct=f"urn:intyga:credential:{name}:1",
        display=display,
        description=description,
        claims=(*ISSUER_CLAIMS, *(item.claim for item in form.items), AS_OF_CLAIM, *PERSON_CLAIMS),
        takes="one",
        demands=form.demands,
        make_claims=partial(claims_of_form, form),
        make_card=_card,
        make_titles=_titles,
        elements=form.elements,
        form=form,
        validity_days=validity_days,
        last_day=last_day,
    )
