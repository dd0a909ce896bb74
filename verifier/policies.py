"""Policies: what a verifier demands beyond a good signature.

    policy = Policy(max_age_seconds=300, skew_seconds=60, trust=trust_list)
    policy.rule_for(template_credential).status          # "required"

Whom a verifier believes is its trust list: an entry names an issuer, its key and its types. A template can narrow that
to certain issuers, and says whether a certificate that nobody could take back (one without `status`) is good enough.
"""

from dataclasses import dataclass

from proofs.trust import TrustList
from proofs.verify import StatusPolicy
from schemas.verification import Check, Outcome
from verifier.request_templates import StatusRule, TemplateCredential


@dataclass(frozen=True, slots=True)
class CredentialRule:
    """What holds for one credential query: the types asked for, whether `status` must be there, whose word counts.

    `issuers` holds identifiers of trusted issuers; empty: everyone whom the trust list names for the type.
    """

    types: frozenset[str]
    status: StatusPolicy
    issuers: frozenset[str] = frozenset()

    def check_issuer(self, identifier: str, names: frozenset[str] = frozenset()) -> Check | None:
        """A failed `issuer_trusted` check when the issuer is trusted, but not asked for here; else None."""
        if not self.issuers or identifier in self.issuers or names & self.issuers:
            return None
        return Check("issuer_trusted", Outcome.FAILED, "issuer_not_accepted", "trusted, but not accepted for this")


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all requests of a verifier.

    `max_age_seconds` is how old the key binding of a presentation may be, `skew_seconds` how far clocks may differ
    (applied to every date alike).
    """

    trust: TrustList
    max_age_seconds: int
    skew_seconds: int

    def rule_for(self, credential: TemplateCredential) -> CredentialRule:
        """The rule for what a template asks for."""
        status: StatusPolicy = "required" if credential.status is StatusRule.REQUIRED else "if_present"
        return CredentialRule(frozenset(credential.vct), status, frozenset(credential.issuers))
