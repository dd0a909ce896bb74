"""What a wallet fetches for a transaction: the request object, and in it the notice and the registration.

    token = request_object(transaction, identity=identity, terms=terms, now=now)    # five minutes, never longer
    token = sealed_for_wallet(token, wallet_metadata=posted)                        # encrypted where the wallet asks so

Source: OpenID4VP 1.0, sections 5 and 5.10; HAIP 1.0, section 5; docs/verifier.md for the notice.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from proofs import base64url, strict_json
from proofs.jose import encrypt_jwe, public_part, sign_jws
from proofs.request_object import sign_request_object
from schemas.consent import (
    NOTICE_TYPE,
    PLAIN_NOTICE_FORMAT,
    Controller,
    DemandedAge,
    NoticeItem,
    RecheckOffer,
    RequestNotice,
    Retention,
    Withdrawal,
)
from schemas.errors import ProtocolError
from schemas.presentation import REQUEST_OBJECT_TYPE, WALLET_AUDIENCE
from schemas.registration import FORMAT as REGISTRATION_FORMAT
from verifier.requests import (
    CONTENT_ENCRYPTIONS,
    KEY_AGREEMENT,
    PERMISSIONS_PATH,
    RECEIPTS_PATH,
    REQUEST_OBJECT_SECONDS,
    SUPPORTED_FORMATS,
    WITHDRAWALS_PATH,
    ClientIdentity,
    RequestTerms,
    Transaction,
)

MAX_WALLET_METADATA_BYTES = 20_000
_MAX_WALLET_KEYS = 20


def build_notice(transaction: Transaction, *, terms: RequestTerms, identity: ClientIdentity) -> RequestNotice:
    """What the verifier declares about this request, bound to it by `client_id` and `nonce` when it is signed."""
    template, is_signed = transaction.question.template, identity.signer is not None
    items = [
        NoticeItem(credential=query_id, path=item.path, reason=item.reason, label=item.label)
        for query_id, _, of_query in template.queries()
        for item in of_query
    ]
    return RequestNotice(
        client_id=transaction.client_id if is_signed else "",
        nonce=transaction.nonce if is_signed else "",
        iat=int(transaction.made_at.timestamp()) if is_signed else None,
        request_id=transaction.handle,
        controller=Controller(
            name=template.organisation or terms.organisation,
            contact=template.contact,
            organisation_number=terms.organisation_number,
            country=terms.country,
            data_protection_contact=terms.data_protection_contact,
        ),
        purpose=template.purpose,
        items=tuple(items),
        retention=Retention(until=transaction.retention_until),
        basis=template.basis,
        basis_detail=template.basis_detail,
        recipients=template.recipients,
        processors=template.processors,
        countries=template.countries,
        automated_decisions=template.automated_decisions,
        withdraw=Withdrawal(
            # A statement is signed: where nobody could recognise the signature there is no endpoint to ask.
            endpoint=f"{terms.base_url}{WITHDRAWALS_PATH}" if identity.statement_signer else "",
            url=template.withdraw_url,
            contact=template.contact,
            phone=template.withdraw_phone,
        ),
        receipt_endpoint=f"{terms.base_url}{RECEIPTS_PATH}" if identity.statement_signer else "",
        recheck=_recheck_offer(transaction, terms) if identity.statement_signer else None,
        ages=tuple(
            DemandedAge(credential=one.id, days=one.max_age_days, time_zone=terms.time_zone)
            for one in template.credentials
            if one.max_age_days is not None
        ),
    )


def _recheck_offer(transaction: Transaction, terms: RequestTerms) -> RecheckOffer | None:
    """The later checks that the template asks to be allowed, up to the day that this request names."""
    recheck = transaction.question.template.recheck
    until = transaction.recheck_until
    if recheck is None or until is None:
        return None
    return RecheckOffer(
        until=until,
        every_days=recheck.every_days,
        purpose=recheck.purpose,
        endpoint=f"{terms.base_url}{PERMISSIONS_PATH}",
    )


def request_object(
    transaction: Transaction,
    *,
    identity: ClientIdentity,
    terms: RequestTerms,
    now: datetime,
    wallet_nonce: str | None = None,
    registration: str = "",
) -> str:
    """The request object that a wallet fetches: signed, or with `alg` `none` when the verifier has no identity.

    It can be used for five minutes (never longer than the transaction); `wallet_nonce` is echoed (5.10.1).
    `registration` is the verifier's registration certificate, empty when it has none.
    """
    parameters = request_parameters(transaction, now=now, wallet_nonce=wallet_nonce)
    parameters["verifier_info"] = verifier_info(transaction, terms=terms, identity=identity, registration=registration)
    if identity.signer is None:
        return _unsigned_jwt(parameters)
    return sign_request_object(parameters, signer=identity.signer)


def sealed_for_wallet(token: str, *, wallet_metadata: str | None) -> str:
    """The request object, encrypted to the wallet when its metadata ask for that in a way that we can follow (5.10).

    Wallets that hide requests from what stands before them accept no others. The result is a signed JWT inside a JWE
    (RFC 9101, section 6.1). Metadata that cannot be read, other algorithms and unusable keys leave the request as it
    is: a wallet that insists will refuse it. Whoever asks chooses the key, and learns no more than by asking in clear.
    """
    keys, enc = _request_encryption(wallet_metadata)
    for key in keys:
        header = {"cty": "JWT"} | ({"kid": key["kid"]} if isinstance(key.get("kid"), str) else {})
        try:
            return encrypt_jwe(token.encode("ascii"), recipient_jwk=key, enc=enc, header=header)
        except ProtocolError:  # Not a key that we can encrypt to; there may be another.
            continue
    return token


def _request_encryption(wallet_metadata: str | None) -> tuple[list[dict[str, Any]], str]:
    """The keys to which a wallet wants its request encrypted, if any, and the content encryption to use."""
    try:
        asked = strict_json.loads_object((wallet_metadata or "{}").encode(), max_bytes=MAX_WALLET_METADATA_BYTES)
    except ProtocolError:
        return [], ""
    algorithms = asked.get("request_object_encryption_alg_values_supported")
    encryptions = asked.get("request_object_encryption_enc_values_supported")
    jwks = asked.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not (isinstance(algorithms, list) and isinstance(encryptions, list) and isinstance(keys, list)):
        return [], ""
    enc = next((value for value in CONTENT_ENCRYPTIONS if value in encryptions), "")
    if not enc or KEY_AGREEMENT not in algorithms:
        return [], ""
    usable = [
        key
        for key in keys[:_MAX_WALLET_KEYS]
        if isinstance(key, dict) and key.get("alg", KEY_AGREEMENT) == KEY_AGREEMENT and key.get("use", "enc") == "enc"
    ]
    return usable, enc


def verifier_info(
    transaction: Transaction, *, terms: RequestTerms, identity: ClientIdentity, registration: str
) -> list[dict[str, Any]]:
    """The notice as it stands in a request: signed, or plain when the verifier has no identity. After it the
    registration certificate, which is about all of the query, where there is one."""
    notice = build_notice(transaction, terms=terms, identity=identity).claims()
    if identity.signer is None:
        return [{"format": PLAIN_NOTICE_FORMAT, "data": notice}]
    data = sign_jws(notice, signer=identity.signer, typ=NOTICE_TYPE, header=identity.header_of_notice())
    registered = [{"format": REGISTRATION_FORMAT, "data": registration}] if registration else []
    return [{"format": NOTICE_TYPE, "data": data}, *registered]


def request_parameters(transaction: Transaction, *, now: datetime, wallet_nonce: str | None = None) -> dict[str, Any]:
    """The parameters of the request, without the notice."""
    metadata: dict[str, Any] = {"vp_formats_supported": SUPPORTED_FORMATS}
    if transaction.encryption_key is not None:
        metadata["jwks"] = {"keys": [public_part(transaction.encryption_key)]}
        metadata["encrypted_response_enc_values_supported"] = list(CONTENT_ENCRYPTIONS)
    expires_at = min(now + timedelta(seconds=REQUEST_OBJECT_SECONDS), transaction.expires_at)
    parameters: dict[str, Any] = {
        "aud": WALLET_AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "client_id": transaction.client_id,
        "response_type": "vp_token",
        "response_mode": transaction.response_mode,
        "response_uri": transaction.response_uri,
        "nonce": transaction.nonce,
        "state": transaction.state,
        "dcql_query": transaction.question.dcql,
        "client_metadata": metadata,
    }
    if transaction.question.transaction_data:
        parameters["transaction_data"] = list(transaction.question.transaction_data)
    if wallet_nonce is not None:
        parameters["wallet_nonce"] = wallet_nonce
    return parameters


def _unsigned_jwt(parameters: Mapping[str, Any]) -> str:
    header = strict_json.dumps({"alg": "none", "typ": REQUEST_OBJECT_TYPE})
    return f"{base64url.encode(header)}.{base64url.encode(strict_json.dumps(parameters))}."
