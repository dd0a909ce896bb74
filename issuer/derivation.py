"""What the issuer derives from its one secret instead of storing it: codes, references and marks of holder keys.

A pre-authorized code, the reference in an offer's address, a transaction code and a typeable code are each a keyed
function of the offer and its generation. The database keeps only their hashes, so that a stolen database file holds
nothing that can be collected with; and the same offer can be shown again, because it can be derived again. Offering
again raises the generation, and with it every one of these values changes.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TYPEABLE_LENGTH = 10
_LOOK_ALIKES = str.maketrans("OIL", "011", "- \u00a0")


class IssuerSecret:
    """The secret of one issuer (32 random bytes) and everything that is derived from it."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("the issuer's secret needs at least 32 bytes")
        self._key = key
        self._subkeys: dict[str, bytes] = {}

    def subkey(self, purpose: str) -> bytes:
        """A key of its own (32 bytes) for each purpose, so that no derived value can stand in for another."""
        if purpose not in self._subkeys:
            self._subkeys[purpose] = hmac.digest(self._key, b"intyga-issuer 1 " + purpose.encode(), "sha256")
        return self._subkeys[purpose]

    def _derive(self, purpose: str, *parts: str | int) -> bytes:
        return hmac.digest(self.subkey(purpose), "\x1f".join(map(str, parts)).encode(), "sha256")

    def pre_authorized_code(self, offer_id: str, generation: int) -> str:
        """The pre-authorized code of this generation of an offer: 32 bytes, base64url."""
        return _text(self._derive("pre-authorized-code", offer_id, generation))

    def issuer_state(self, offer_id: str, generation: int) -> str:
        """What a wallet brings to the authorization server for an offer with a sign-in: 32 bytes, base64url.

        It is no pre-authorized code, and whoever holds it still has to sign in as the person of the offer.
        """
        return _text(self._derive("issuer-state", offer_id, generation))

    def offer_reference(self, offer_id: str, generation: int) -> str:
        """The unguessable last part of the offer's address: 16 bytes, base64url."""
        return _text(self._derive("offer-reference", offer_id, generation)[:16])

    def transaction_code(self, offer_id: str, generation: int, *, length: int) -> str:
        """The transaction code: `length` decimal digits, told to the person by another channel (OpenID4VCI 4.1.1)."""
        number = int.from_bytes(self._derive("transaction-code", offer_id, generation)) % 10**length
        return f"{number:0{length}}"

    def typeable_code(self, offer_id: str, generation: int, series: int) -> str:
        """Ten Crockford characters that can be typed instead of scanning; `series` counts the codes of a generation."""
        number = int.from_bytes(self._derive("typeable-code", offer_id, generation, series)[:7])
        return "".join(CROCKFORD[number >> 5 * place & 31] for place in range(TYPEABLE_LENGTH))

    def authorization_code(self, authorization_id: str) -> str:
        """The code that the person's yes makes of an authorization: 32 bytes, base64url."""
        return _text(self._derive("authorization-code", authorization_id))

    def login_value(self, purpose: str, authorization_id: str, browser_key: str) -> str:
        """A value of one sign-in (`state`, `nonce`, `verifier`): of this authorization in this browser only."""
        return _text(self._derive(f"login-{purpose}", authorization_id, browser_key))

    def transaction_id(self, offer_id: str, *thumbprints: str) -> str:
        """The identifier of a deferred transaction: the same for the same keys of the same certificate."""
        return _text(self._derive("deferred-transaction", offer_id, *thumbprints))

    def next_refresh_token(self, refresh_token: str) -> str:
        """What a refresh token is replaced by: always the same, so that a lost answer can be repeated."""
        return _text(self._derive("next-refresh-token", refresh_token))

    def notification_mark(self, offer_id: str, salt: str) -> str:
        """What ties a notification identifier to one certificate."""
        return _text(self._derive("notification", offer_id, salt)[:16])

    def learner_key(self, name: str, value: str) -> bytes:
        """What is kept of something that a person can be recognised by, such as an identifier or a birth date."""
        return self._derive("learner", name, value)

    def number_mark(self, kind: str, value: str) -> str:
        """What stands in a record for a personal identity number of this type."""
        return self.learner_key(kind, value).hex()

    def key_mark(self, certificate_id: str, thumbprint: str) -> bytes:
        """A mark that recognises a holder key again within one certificate, and nothing else anywhere."""
        return self._derive("holder-key", certificate_id, thumbprint)


def digest(value: str) -> bytes:
    """What the database keeps of a code, reference or access token of high entropy."""
    return sha256(value.encode()).digest()


def read_typeable_code(text: str) -> str | None:
    """A typed code in its one spelling (hyphens and spaces gone, O read as 0, I and L as 1), or None if it is none."""
    code = text.upper().translate(_LOOK_ALIKES)
    return code if len(code) == TYPEABLE_LENGTH and all(c in CROCKFORD for c in code) else None


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
