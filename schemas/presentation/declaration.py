"""Declarations: a sentence that a person confirms with a share, as a type of transaction data (OpenID4VP 1.0, 8.4).

    {"type": "urn:intyga:transaction:declaration:1", "credential_ids": ["certificate"],
     "text": {"sv": "Min ansökan är fullständig och sann.", "en": "My application is complete and true."}}

The wallet shows the text where the person decides, and the key of one of the certificates in `credential_ids` signs the
digest of the whole object (`transaction_data_hashes` of the key binding, B.3.3.1). `docs/verifier.md` defines the type.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.consent import LocalizedText
from schemas.dcql import Query
from schemas.presentation.errors import InvalidTransactionData

DECLARATION_TYPE: Final = "urn:intyga:transaction:declaration:1"
MAX_DECLARATIONS: Final = 5

_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Declaration(BaseModel):
    """What the person is asked to confirm.

    Members that are not named here are refused: what somebody signs, they have seen. `credential_ids` are the queries
    of which one signs it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["urn:intyga:transaction:declaration:1"]
    credential_ids: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=50)]
    text: LocalizedText
    transaction_data_hashes_alg: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=20)] | None = None


def read_declaration(members: Mapping[str, Any], *, query: Query) -> Declaration:
    """Read one object of `transaction_data`, for this query.

    Beyond its form: a text in both languages, each credential query once, each demanding a key of the holder (B.3.3),
    and among them one of every way of answering something required, so that whoever shares confirms, and nobody can
    share without. Raises `InvalidTransactionData`.
    """
    try:
        declaration = Declaration.model_validate(members)
    except ValidationError as exc:
        raise InvalidTransactionData("a declaration is not of its form") from exc
    if set(LocalizedText.model_fields) != set(members["text"]) or not declaration.text.is_complete:
        raise InvalidTransactionData("the text of a declaration must be given in sv and en, and in nothing else")
    ids = frozenset(declaration.credential_ids)
    known = {credential.id: credential for credential in query.credentials}
    if len(ids) != len(declaration.credential_ids) or not ids <= known.keys():
        raise InvalidTransactionData("a declaration names a credential query twice, or one that is not there")
    if not all(known[one].require_cryptographic_holder_binding for one in ids):
        raise InvalidTransactionData("a declaration is signed with the key of its holder")
    if not any(one.required and all(ids & set(option) for option in one.options) for one in query.sets):
        raise InvalidTransactionData("a declaration could be left out")
    return declaration
