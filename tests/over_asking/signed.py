"""The labelled set on the wire: each request signed as its sender would, to be checked and judged from its bytes.

    senders = Senders(directory)
    fetched, trust = senders.request(case)
    checked = check_request(fetched, trust=trust, now=ASKED_AT)

Purpose, query, addresses and registration are those of the case. The senders are a few, for keys cost time: one that an
authority certifies, one that it has certified for three days, one that the trust list names, and one whom nobody knows.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from proofs import jose
from proofs.certified_keys import create_certified_key
from proofs.keys import SoftwareSigner
from proofs.request_object import sign_request_object, x509_hash_client_id
from proofs.trust import TrustEntry, TrustList, entry_from_anchor
from schemas.consent import NOTICE_TYPE
from schemas.presentation import RequestLink
from tests.over_asking.vectors import ASKED_AT
from wallet.requests import FetchedRequest

_YOUNG_DAYS: Final = 3
_OLD_DAYS: Final = 400
_STRANGERS: Final = 7
"""Of so many requests one comes from somebody whom nobody knows, and one from somebody whom the trust list names."""


@dataclass
class Sender:
    """Somebody who asks: a key with its certificate, and how a wallet knows it."""

    signer: SoftwareSigner
    url: str
    entries: tuple[TrustEntry, ...]


@dataclass
class Senders:
    """Those who ask, and a registrar; `others` is who else a trust list names, which must not matter."""

    directory: Path
    asked: int = 0
    others: tuple[TrustEntry, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Make the keys."""
        self.old = self._sender("old.example", days=_OLD_DAYS, role="verifier")
        self.young = self._sender("young.example", days=_YOUNG_DAYS, role="verifier")
        self.named = self._sender("named.example", days=_OLD_DAYS, role="verifier", is_named=True)
        self.stranger = self._sender("stranger.example", days=_OLD_DAYS, role="issuer")
        self.registrar = self._sender("registrar.example", days=_OLD_DAYS, role="registrar")
        self.others = tuple(
            entry for one in (self.old, self.young, self.named, self.stranger, self.registrar) for entry in one.entries
        )

    def _sender(self, host: str, *, days: int, role: Any, is_named: bool = False) -> Sender:
        url = f"https://{host}"
        key = create_certified_key(
            self.directory / host, name="request", common_name=f"{host} AB", public_url=url, passphrase=b"in tests",
            now=ASKED_AT - timedelta(days=days), leaf_valid_for=timedelta(days=_OLD_DAYS + 30),
        )  # fmt: skip
        assert key.root_file is not None
        name, identifier = (f"{host}, named", url) if is_named else (None, "")
        entry = entry_from_anchor(key.root_file.read_bytes(), name=name, role=role, identifier=identifier)
        return Sender(key.signer, url, (entry,))

    def request(self, case: dict[str, Any]) -> tuple[FetchedRequest, TrustList]:
        """The request of a case as it is fetched, and the trust list of the wallet that fetches it."""
        self.asked += 1
        by_turn = {0: self.stranger, 1: self.named}
        is_young = case["identity"]["certificate_age_days"] == _YOUNG_DAYS
        sender = self.young if is_young else by_turn.get(self.asked % _STRANGERS, self.old)
        return self.signed(
            sender,
            dcql_query=case["dcql_query"],
            response_uri=_in_ascii(case["response_uri"]),
            notice=case["notice"],
            registered=case["registered"],
        )

    def signed(
        self,
        sender: Sender,
        *,
        dcql_query: dict[str, Any],
        response_uri: str,
        notice: dict[str, Any] | None,
        registered: list[dict[str, Any]] | None,
        registration_status: str = "",
    ) -> tuple[FetchedRequest, TrustList]:
        """A request of one of them."""
        client_id, nonce, now = x509_hash_client_id(sender.signer), f"nonce-of-request-{self.asked:09}", ASKED_AT
        infos = []
        if notice is not None:
            claims = {"client_id": client_id, "nonce": nonce, "iat": int(now.timestamp()), **notice}
            header = {"x5c": list(sender.signer.x5c)}
            token = jose.sign_jws(claims, signer=sender.signer, typ=NOTICE_TYPE, header=header)
            infos.append({"format": NOTICE_TYPE, "data": token})
        if registered is not None:
            infos.append({"format": "registration_cert", "data": self._registration(sender, registered)})
        parameters = {
            "client_id": client_id,
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "response_uri": response_uri,
            "nonce": nonce,
            "state": "state-of-the-labelled-set-0123456789",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "dcql_query": dcql_query,
            **({"verifier_info": infos} if infos else {}),
        }
        token = sign_request_object(parameters, signer=sender.signer)
        link = RequestLink(client_id=client_id, request_uri=f"{sender.url}/request")
        return FetchedRequest(link, token, None, now, registration_status), TrustList(self.others)

    def _registration(self, sender: Sender, registered: list[dict[str, Any]]) -> str:
        now = int(ASKED_AT.timestamp())
        claims = {"name": "Sender", "sub": sender.url, "iat": now - 3600, "exp": now + 86_400}
        return jose.sign_jws(
            {**claims, "credentials": registered, "purpose": []},
            signer=self.registrar.signer,
            typ="rc-wrp+jwt",
            header={"x5c": list(self.registrar.signer.x5c)},
        )


def _in_ascii(uri: str) -> str:
    """The same address with its host as a resolver is asked for it: request objects hold ASCII alone."""
    host = urlsplit(uri).hostname or ""
    return uri.replace(host, host.encode("idna").decode("ascii"))
