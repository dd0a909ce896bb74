"""What a request asks the person to confirm beside the share: transaction data, of the one type known here.

What is not understood whole is refused with the request (OpenID4VP 1.0, sections 5.1 and 8.4): nobody signs what the
page does not show.
"""

from dataclasses import dataclass

from proofs.transaction_data import common_hash
from schemas.consent import LocalizedText
from schemas.dcql import Query
from schemas.presentation import MAX_DECLARATIONS, AuthorizationRequest, InvalidTransactionData, read_declaration


@dataclass(frozen=True, slots=True)
class AskedDeclaration:
    """One sentence to confirm: its text, which credential queries may carry it, and the string that is signed.

    `algorithm` is the digest's; `names_algorithm` says that the request named which ones it takes.
    """

    text: LocalizedText
    credential_ids: frozenset[str]
    encoded: str
    algorithm: str
    names_algorithm: bool


def read_declarations(request: AuthorizationRequest, query: Query) -> tuple[AskedDeclaration, ...]:
    """The declarations of a request. Raises `InvalidTransactionData`."""
    data = request.transaction_data
    if len(data) > MAX_DECLARATIONS or len({datum.encoded for datum in data}) != len(data):
        raise InvalidTransactionData("there are too many declarations, or the same one twice")
    found = [(datum.encoded, read_declaration(datum.members, query=query)) for datum in data]
    if len({(one.text.sv, one.text.en) for _, one in found}) != len(found):
        raise InvalidTransactionData("two declarations say the same")
    algorithm = common_hash(one.transaction_data_hashes_alg for _, one in found)
    if algorithm is None:
        raise InvalidTransactionData("none of the digest algorithms is known here")
    is_named = any(one.transaction_data_hashes_alg is not None for _, one in found)
    return tuple(
        AskedDeclaration(one.text, frozenset(one.credential_ids), encoded, algorithm, is_named)
        for encoded, one in found
    )
