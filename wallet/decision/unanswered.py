"""An optional part that nothing in the wallet answers: what the person lacks, and what they have with another value.

A value that is not among those asked for is no lack of theirs, and the screen says which would be accepted. Whoever
asks learns of neither (CS-23).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from schemas.dcql import Candidate, CredentialQuery, InvalidQuery, Query, answer
from schemas.receipt import BothLanguages
from wallet import sensitivity
from wallet.certificates import StoredCertificate
from wallet.decision.candidates import candidate_for
from wallet.decision.model import NotAccepted, Unanswered
from wallet.naming import names_asked, values_asked


def unanswered(index: int, asked: Iterable[CredentialQuery], usable: Iterable[StoredCertificate]) -> Unanswered:
    """The part at `index`, of which `asked` are the queries, given the certificates that may be shown now."""
    candidates = [candidate_for(one) for one in usable]
    names: list[BothLanguages] = []
    not_accepted: list[NotAccepted] = []
    for one in asked:
        any_value = replace(one, claims=tuple(replace(claim, values=()) for claim in one.claims))
        if not _is_there(any_value, candidates):
            names += names_asked(one)
            continue
        for name, claim in zip(names_asked(one), one.claims, strict=True):
            if claim.values and not _is_there(replace(one, claims=(claim,), claim_sets=()), candidates):
                not_accepted.append(NotAccepted(name, values_asked(one, claim)))
    return Unanswered(index, tuple(dict.fromkeys(names)), tuple(dict.fromkeys(not_accepted)))


def _is_there(asked: CredentialQuery, candidates: Sequence[Candidate]) -> bool:
    """Whether anything that may be shown now answers this one query."""
    with suppress(InvalidQuery):
        return answer(Query((asked,)), candidates, sensitivity=sensitivity.weight).satisfiable
    return False
