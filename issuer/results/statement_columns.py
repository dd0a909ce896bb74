"""The columns of a table of statements: some that all have, and those of every type's form.

They derive from `CREDENTIAL_TYPES`, so that a new type can be imported at once. `docs/import-formats.md` lists them.
"""

from collections.abc import Iterator

from issuer.results.columns import COLUMNS, Column, Kind, in_languages
from schemas.types import CREDENTIAL_TYPES
from schemas.types.claims import ValueType
from schemas.types.statement_form import Item

TYPE_COLUMN = Column("certificate_type", "certificate_type", "line", also=("intygstyp", "typ_av_intyg"))
PROTECTED = "protected"
"""The row is about somebody with protected identity, or gives a power over them."""
_PERSON_FIELDS = ("family_name", "given_name", "birth_date")
STATEMENT_LEARNER_FIELDS = (*_PERSON_FIELDS, "personal_number", "local_id")
_KINDS: dict[ValueType, Kind] = {
    "text": "line",
    "texts": "title",
    "texts_list": "list",
    "number": "amount",
    "percent": "percent",
    "date": "day",
    "boolean": "flag",
    "types": "codes",
    "hosts": "codes",
    "power_basis": "line",
}
_IN_LANGUAGES = ("title", "list")


def columns_of(item: Item) -> tuple[Column, ...]:
    """The columns in which a table can state a value. Raises `KeyError` for a type of value that no table can hold."""
    kind = _KINDS[item.claim.value_type]
    if kind in _IN_LANGUAGES:
        return in_languages(item.name, item.name, kind, *item.columns)
    return (Column(item.name, item.name, "any_day" if item.may_be_ahead else kind, also=item.columns),)


def _statement_columns() -> Iterator[Column]:
    yield TYPE_COLUMN
    yield from (column for column in COLUMNS if column.name in _PERSON_FIELDS)
    yield Column("personal_number", "personal_number", "personal_number", also=("personnummer",))
    yield Column("local_id", "local_id", "line", also=("kundnummer", "ärendenummer"))
    yield Column("as_of", "as_of", "day", also=("gäller_den", "per_datum"))
    yield Column("live", "live", "flag", also=("aktuell", "hålls_aktuell"))
    yield Column(PROTECTED, PROTECTED, "flag", also=("skyddade_uppgifter", "skyddad_identitet"))
    for credential_type in CREDENTIAL_TYPES.values():
        if credential_type.form is not None:
            for item in credential_type.form.items:
                yield from columns_of(item)


STATEMENT_COLUMNS: tuple[Column, ...] = tuple(dict.fromkeys(_statement_columns()))
STATEMENT_BY_NAME: dict[str, Column] = {
    name: column for column in STATEMENT_COLUMNS for name in (column.name, *column.also)
}
STATEMENT_MEMBERS: dict[str, Column] = {
    column.field: column for column in STATEMENT_COLUMNS if column.language in ("", "sv")
}
