"""How the certificates of a vault stand now: looked at again when it is time, and before they are shown."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from proofs.resolve import HurriedResolver, Resolver
from schemas.errors import TemporarilyUnavailable
from wallet.certificates import StoredCertificate
from wallet.decision import is_power
from wallet.deployment.ground import HURRY_SECONDS, RESUME_SECONDS, Ground
from wallet.examination import judge, name_now, report_as_json, with_known_status
from wallet.store.certificates import get_certificate, update_view
from wallet.trusted import judged_under
from wallet.vault import (
    UnlockedVault,
)

POWER_STATUS: Final = timedelta(seconds=5)
"""How old a list may be, from which a power is said to hold at a decision."""


class Standing(Ground):
    """The certificates in the vaults of one wallet service."""

    def certificate(self, vault: UnlockedVault, certificate_id: str) -> StoredCertificate:
        """One certificate. Raises `UnknownCertificate`."""
        with self.database.reading() as connection:
            return get_certificate(connection, vault, certificate_id)

    async def check_now(self, vault: UnlockedVault, certificate: StoredCertificate) -> StoredCertificate:
        """As `check_again`, with the issuer's newest status list: a person asked for a look now."""
        if certificate.status_uri:
            self.resolver.forget_status_list(certificate.status_uri)
        return await self.check_again(vault, certificate)

    async def check_again(
        self, vault: UnlockedVault, certificate: StoredCertificate, *, resolver: Resolver | None = None
    ) -> StoredCertificate:
        """Verify a stored certificate once more, its status included, and keep what came of it.

        That a revoked or paused one could not be checked now does not make it any better: then nothing changes but
        whether its issuer is trusted.
        """
        trust = self.trust()
        self.resolver.forget_older(certificate.status_uri or "", than=self._oldest())
        judgement = await judge(
            certificate.token,
            certificate.sd_jwt,
            expected_type=certificate.vct,
            trust=trust,
            resolver=resolver or self.resolver,
            now=self.clock(),
        )
        changes: dict[str, Any] = {
            "issuer_trusted": judgement.issuer_trusted,
            "issuer_name": name_now(certificate, judgement),
            "judged_under": judged_under(trust, at=self.clock()),
        }
        if judgement.status == "unknown" and certificate.status in ("revoked", "suspended"):
            if changes["judged_under"] == certificate.judged_under:
                return certificate
            changes["report"] = report_as_json(with_known_status(judgement.report, certificate.report))
        else:
            changes["report"] = report_as_json(judgement.report)
            changes |= {"status": judgement.status, "checked_at": int(self._known_at(certificate).timestamp())}
            if judgement.status != certificate.status:
                changes["status_since"] = int(self.clock().timestamp())
        with self.database.transaction() as connection:
            update_view(connection, vault, certificate.id, changes, version=certificate.version)
            return get_certificate(connection, vault, certificate.id)

    async def check_due(self, vault: UnlockedVault) -> list[StoredCertificate]:
        """All certificates, those checked again within a few seconds whose status was looked at too long ago, or that
        were judged when others were trusted than now."""
        certificates = vault.certificates()
        limit = self._oldest()
        now_trusted = self._judged_under()
        due = [c for c in certificates if (c.status_uri and c.checked_at < limit) or c.judged_under != now_trusted]
        if not due:
            return certificates
        # What is not reached in time keeps its older date, which the page shows.
        with suppress(TimeoutError):
            async with asyncio.timeout(RESUME_SECONDS):
                for certificate in due:
                    await self.check_again(vault, certificate)
        return vault.certificates()

    async def certificates(self, vault: UnlockedVault) -> list[StoredCertificate]:
        """All certificates, those checked again within a few seconds that were judged when others were trusted."""
        now_trusted = self._judged_under()
        await self._check_in_a_hurry(vault, [c for c in vault.certificates() if c.judged_under != now_trusted])
        return vault.certificates()

    def is_due(self, certificate: StoredCertificate) -> bool:
        """Whether a certificate should be checked before it is read in full."""
        return certificate.checked_at < self._oldest() or certificate.judged_under != self._judged_under()

    def _known_at(self, certificate: StoredCertificate) -> datetime:
        """When a status that was just looked up is known from: the moment when its list was read from the issuer."""
        return self.resolver.read_at(certificate.status_uri or "") or self.clock()

    def _oldest(self) -> datetime:
        """What was read of a status before this moment is looked up anew, whoever asks."""
        return self.clock() - timedelta(seconds=self.settings.status_seconds)

    def _judged_under(self) -> str:
        return judged_under(self.trust(), at=self.clock())

    async def check_before_showing(self, vault: UnlockedVault) -> None:
        """Look whether the issuers still vouch for what is in this vault, before a person decides about showing any,
        and whether this wallet still trusts them.

        Lists that were read less than `decision_status_seconds` ago count; older ones are fetched, of all certificates
        and not only of those that would answer, so that an issuer learns that somebody was asked and not what is shown
        (docs/adr/0005). What cannot be had within a few seconds could not be checked. For a power a list counts for
        `POWER_STATUS` at most: whoever ended one was told that it ends at once.
        """
        await self._check_news(vault, vault.certificates())

    async def check_powers(self, vault: UnlockedVault) -> None:
        """As `check_before_showing`, of the powers alone: the person looks at whom they act for."""
        await self._check_news(vault, [one for one in vault.certificates() if is_power(one)])

    async def _check_news(self, vault: UnlockedVault, certificates: Sequence[StoredCertificate]) -> None:
        now_trusted = self._judged_under()
        due = [
            one
            for one in certificates
            if one.judged_under != now_trusted
            or (
                one.status_uri
                and one.status != "revoked"
                and self.resolver.has_news(one.status_uri, since=one.checked_at, at_most=self._at_most(one))
            )
        ]
        for one in due:
            self.resolver.forget_older(one.status_uri or "", than=self.clock() - self._at_most(one))
        await self._check_in_a_hurry(vault, due)

    def _at_most(self, certificate: StoredCertificate) -> timedelta:
        at_most = timedelta(seconds=self.settings.decision_status_seconds)
        return min(at_most, POWER_STATUS) if is_power(certificate) else at_most

    async def check_shown(self, vault: UnlockedVault, certificate_ids: Sequence[str]) -> None:
        """Look at the newest lists of certificates that were shown and not accepted."""
        shown = [one for one in vault.certificates() if one.id in certificate_ids and one.status_uri]
        for one in shown:
            self.resolver.forget_status_list(one.status_uri or "")
        await self._check_in_a_hurry(vault, shown)

    async def _check_in_a_hurry(self, vault: UnlockedVault, certificates: Sequence[StoredCertificate]) -> None:
        hurried = HurriedResolver(self.resolver, seconds=HURRY_SECONDS)

        async def check(one: StoredCertificate) -> None:
            # Another process is writing: what is known of this one stays as it is.
            with suppress(TemporarilyUnavailable):
                await self.check_again(vault, one, resolver=hurried)

        await asyncio.gather(*(check(one) for one in certificates))
