"""The proof formats: one module each, and the table `FORMATS` that everything which chooses by format reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from proofs.formats.sd_jwt import DisclosurePlan, UnverifiedSDJWT, parse_sd_jwt
from proofs.formats.sd_jwt_vc import TYP, build_presentation, check_rules, issue_sd_jwt_vc
from proofs.keys import Signer


class ProofFormat(Protocol):
    """One credential format of OpenID4VC, by its identifier there (`dc+sd-jwt`, ...)."""

    @property
    def identifier(self) -> str:
        """The format identifier in metadata and queries."""

    def issue(
        self,
        claims: Mapping[str, Any],
        *,
        disclosable: DisclosurePlan,
        signer: Signer,
        holder_jwk: Mapping[str, Any] | None,
    ) -> str:
        """Sign a credential with these claims."""

    def parse(self, token: str) -> UnverifiedSDJWT:
        """Take a credential or presentation apart, without checking a signature."""

    def present(
        self, token: str, *, disclosures: Sequence[str], signer: Signer, audience: str, nonce: str, now: datetime
    ) -> str:
        """Show a credential to one verifier, once."""


@dataclass(frozen=True, slots=True)
class _SDJWTVC:
    identifier: str = TYP

    def issue(
        self,
        claims: Mapping[str, Any],
        *,
        disclosable: DisclosurePlan,
        signer: Signer,
        holder_jwk: Mapping[str, Any] | None,
    ) -> str:
        return issue_sd_jwt_vc(claims, disclosable=disclosable, signer=signer, holder_jwk=holder_jwk)

    def parse(self, token: str) -> UnverifiedSDJWT:
        sd_jwt = parse_sd_jwt(token)
        check_rules(sd_jwt)
        return sd_jwt

    def present(
        self, token: str, *, disclosures: Sequence[str], signer: Signer, audience: str, nonce: str, now: datetime
    ) -> str:
        return build_presentation(
            token, disclosures=disclosures, signer=signer, audience=audience, nonce=nonce, now=now
        )


FORMATS: dict[str, ProofFormat] = {row.identifier: row for row in (_SDJWTVC(),)}
"""Every format that can be issued, presented and verified."""
