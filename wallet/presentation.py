"""From a decision to the bytes of an answer: exactly what was agreed to, and nothing else.

    answer = present(consent, {certificate_id: HeldCopy(token, signer)}, now=now)
    form = answer_form(answer.members(), consent.answer_key)       # what is posted to the response URI

    form = answer_form(refusal(request).members(), answer_key)     # "no": always the same two members

Source: OpenID4VP 1.0, sections 8.1, 8.3 and 8.5, B.3.6; RFC 9901, section 7.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from proofs import jose, strict_json
from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation
from proofs.keys import Signer
from proofs.transaction_data import hashes_claims
from schemas.dcql import PathError, value_at
from schemas.errors import Refused
from schemas.presentation import AuthorizationErrorResponse, AuthorizationRequest, AuthorizationResponse
from wallet.consent import Consent, Presented
from wallet.requests import AnswerKey


class CopyDiffers(Refused):
    """The one-time copy does not say what the person saw; nothing is sent."""

    error = "copy_differs"


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """One copy taken from the vault: the bytes received, and the signer of its key (None for an unbound one)."""

    token: str = field(repr=False)
    signer: Signer | None = field(repr=False)


def present(consent: Consent, copies: Mapping[str, HeldCopy], *, now: datetime) -> AuthorizationResponse:
    """The answer that a person agreed to.

    `copies` has one copy per certificate of the consent; queries met by one certificate use the same copy, and each
    presentation holds only its own claims. Raises `CopyDiffers` when a copy says something else than was shown.
    """
    parsed = {certificate_id: parse_sd_jwt(copy.token) for certificate_id, copy in copies.items()}
    vp_token: dict[str, tuple[str | Mapping[str, Any], ...]] = {}
    for one in consent.presented:
        copy = copies[one.certificate_id]
        shown = _presentation(one, copy, parsed[one.certificate_id], consent.request, now=now)
        vp_token[one.query_id] = (*vp_token.get(one.query_id, ()), shown)
    return AuthorizationResponse(vp_token, consent.request.state)


def _presentation(
    one: Presented, copy: HeldCopy, sd_jwt: UnverifiedSDJWT, request: AuthorizationRequest, *, now: datetime
) -> str:
    for path, value in zip(one.paths, one.values, strict=True):
        try:
            same = value_at(sd_jwt.claims, path) == value
        except PathError:
            same = False
        if not same:
            raise CopyDiffers
    disclosures = select_disclosures(sd_jwt, one.paths, nested=True)
    if not one.is_bound:
        if one.declarations:
            raise CopyDiffers("Nothing can be confirmed without a key")
        return "~".join((sd_jwt.issuer_jwt, *disclosures, ""))
    if copy.signer is None:
        raise CopyDiffers("The key of the copy is missing")
    confirmed = one.declarations
    return build_presentation(
        copy.token,
        disclosures=disclosures,
        signer=copy.signer,
        audience=request.client_id,  # the full identifier with its prefix, OpenID4VP 14.8
        nonce=request.nonce,
        now=now,
        further_claims=hashes_claims(
            [each.encoded for each in confirmed],
            algorithm=confirmed[0].algorithm,
            is_named=confirmed[0].names_algorithm,
        )
        if confirmed
        else {},
    )


def refusal(request: AuthorizationRequest) -> AuthorizationErrorResponse:
    """The answer "no": the same whether the person refused, lacks the certificate, or holds other values (CS-23)."""
    return AuthorizationErrorResponse("access_denied", "", request.state)


def answer_form(members: Mapping[str, Any], answer_key: AnswerKey | None) -> dict[str, str]:
    """The form that is posted to the response URI: plain for `direct_post`, encrypted for `direct_post.jwt`.

    An encrypted answer holds the members at its top level and is not signed (8.3); "no" is encrypted like a yes.
    """
    if answer_key is None:
        return {
            name: value if isinstance(value, str) else strict_json.dumps(value).decode()
            for name, value in members.items()
        }
    token = jose.encrypt_jwe(
        strict_json.dumps(dict(members)),
        recipient_jwk=answer_key.jwk,
        alg=str(answer_key.jwk["alg"]),
        enc=answer_key.enc,
        header={"kid": answer_key.jwk["kid"]},
    )
    return {"response": token}
