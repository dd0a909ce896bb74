"""The verifier at work: domain functions joined with the store and with what is looked up elsewhere.

Pages, interfaces and commands call these methods and nothing below. One object per process; all that matters is in the
database, so that several processes can share it.

    verifier = Verifier(settings, database=database, identity=identity, http=http, clock=clock)
    made = verifier.make_request(template, kind=Kind.CROSS_DEVICE, maker="")
    made.link, made.https_link, made.code
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import structlog

from proofs import base64url, sealing
from proofs.resolve import Resolver
from schemas.errors import ProtocolError
from service.clock import Clock
from service.database import Database
from service.http import OutgoingHTTP
from service.rate_limits import RateLimit
from verifier.courier import Courier
from verifier.deletion import StatementWriter
from verifier.deletion_desk import DeletionDesk
from verifier.digital import digital_request, open_digital_response, protocol_of
from verifier.fetched import request_object
from verifier.holder_messages import PER_KEY_AND_MINUTE
from verifier.judging import Judge
from verifier.policies import naming_authorities
from verifier.queries import Question
from verifier.recheck_desk import RecheckDesk
from verifier.registration_file import RegistrationFile
from verifier.request_templates import MAX_LIFETIME_DAYS, RequestTemplate
from verifier.requests import (
    ClientIdentity,
    InvalidReturnURL,
    Kind,
    OnlySameDevice,
    RandomBytes,
    RequestTerms,
    Transaction,
    check_return_url,
    checked_reference,
    new_transaction,
    normal_code,
    request_link,
    typeable_code,
)
from verifier.responses import Answer, open_response, read_form
from verifier.settings import VerifierSettings
from verifier.store import (
    Contents,
    DeletionStore,
    Eraser,
    Finder,
    PermissionStore,
    RecentChanges,
    RequestRecord,
    RequestStore,
    Sealer,
    State,
    TrustStore,
    WebhookStore,
)
from verifier.store.answers import Pending
from verifier.store.requests import NoSuchRequest
from verifier.template_files import TemplateShelf, load_templates

_log = structlog.get_logger("verifier")
_DAY_SECONDS = 24 * 3600
LONGEST_LIFETIME_SECONDS = MAX_LIFETIME_DAYS * _DAY_SECONDS


class RequestClosed(ProtocolError):
    """The request has an answer already, or its time is over."""

    error = "invalid_request"


@dataclass(frozen=True, slots=True)
class MadeRequest:
    """A request and every way to hand it over.

    `link` is the whole `openid4vp://` link and the text of the QR code, `https_link` leads to a web wallet (or to our
    page where the person chooses one), `code` can be typed into a wallet: `host/ABCDE-FGHJK`.
    """

    transaction: Transaction
    link: str
    https_link: str
    code: str

    @property
    def id(self) -> str:
        """The verifier's own handle, for the result."""
        return self.transaction.id


@dataclass(frozen=True, slots=True)
class Reply:
    """What the wallet is answered."""

    status: int
    members: Mapping[str, Any]


class Verifier:
    """Makes requests, takes answers, tells results."""

    def __init__(
        self,
        settings: VerifierSettings,
        *,
        database: Database,
        identity: ClientIdentity,
        clock: Clock,
        resolver: Resolver | None = None,
        http: OutgoingHTTP | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        self.settings = settings
        self.database = database
        self.identity = identity
        self.registration = RegistrationFile(settings.registration_file, identity)
        self.clock = clock
        self.http = http
        secret = settings.device_secret()
        writer = StatementWriter(
            identity.statement_signer, backup_days=settings.backup_days, time_zone=settings.time_zone
        )
        sealer = Sealer(secret)
        eraser = Eraser(sealer, writer)
        self.requests = RequestStore(database, sealer=sealer, eraser=eraser, time_zone=settings.time_zone)
        self.finder = Finder(database, sealer=sealer)
        by_key = RateLimit(count=PER_KEY_AND_MINUTE, seconds=60)
        self.deletions = DeletionDesk(
            DeletionStore(database, sealer=sealer, eraser=eraser, time_zone=settings.time_zone),
            signer=identity.statement_signer,
            by_key=by_key,
            at_once=settings.withdraw_at_once,
            clock=clock,
        )
        self.trust = TrustStore(database)
        self.judge = Judge(settings, database=database, trust=self.trust, clock=clock, resolver=resolver, http=http)
        self.rechecks = RecheckDesk(
            PermissionStore(database, sealer=sealer, eraser=eraser, time_zone=settings.time_zone),
            signer=identity.statement_signer,
            by_key=by_key,
            policy=self.judge.policy,
            resolver=self.judge.hurried_resolver,
            clock=clock,
        )
        self.courier = Courier(
            WebhookStore(database, sealer=sealer), self.requests, database=database, http=http, clock=clock
        )
        self.recent = RecentChanges(self.requests, clock=clock)
        self.log_is_whole = True
        self._code_key = sealing.derive_subkey(secret, purpose="verifier response codes")
        self._random_bytes = random_bytes

    # --- making requests -----------------------------------------------------------------------------------------

    def templates(self) -> TemplateShelf:
        """The templates at hand, read anew, so that a new file counts at once."""
        directories = [self.settings.data / "templates"]
        if self.settings.templates is not None:
            directories.append(self.settings.templates)
        return load_templates(directories, contact=self.settings.contact_or_address)

    def make_request(
        self,
        template: RequestTemplate,
        *,
        kind: Kind,
        maker: str,
        binding: str = "",
        return_url: str = "",
        pair: str = "",
        lifetime_seconds: int | None = None,
        reference: str = "",
    ) -> MadeRequest:
        """Make and store a request.

        `lifetime_seconds` is how long it can be answered, 7 days at most; the template's or else the setting's when
        None.
        `binding` names the browser session that has to come back (same device; "" lets the response code alone decide).
        `return_url` is where the person's browser goes afterwards, our own page when empty.
        `reference` is what the asking side calls the request; the person never sees it. Raises `InvalidTemplate`,
        `InvalidReference`, and `OnlySameDevice` for a cross-device request under HAIP.
        """
        self._check_kind(kind)
        reference = checked_reference(reference)
        if return_url:
            check_return_url(return_url)
            if kind is not Kind.SAME_DEVICE:
                raise InvalidReturnURL("only a same-device request has a return address")
        template = naming_authorities(template, self.trust.trust(now=self.clock()), at=self.clock())
        transaction = new_transaction(
            Question.of(template),
            kind=kind,
            identity=self.identity,
            terms=self._terms(template, lifetime_seconds),
            now=self.clock(),
            random_bytes=self._random_bytes,
            binding=binding,
            return_url=return_url,
            pair=pair,
        )
        self.requests.create_transaction(transaction, maker=maker, reference=reference)
        return self.made(transaction)

    def begin_digital(self, handle: str, *, binding: str) -> tuple[str, Mapping[str, Any]]:
        """The same question once more, for the browser's own channel: where it is answered, what the browser is given.

        `handle` is the open request that this browser (`binding`) has before it. Raises `NoSuchRequest` for another's.
        """
        now = self.clock()
        pending = self.requests.pending(handle, now=now)
        asked = pending.transaction
        if pending.answer is not None or pending.state is State.EXPIRED or not asked.is_of(binding):
            raise NoSuchRequest("there is no open request of this browser here")
        record = self.requests.get(asked.id, now=now)
        made = self.make_request(
            asked.question.template, kind=Kind.DC_API, maker=record.maker, binding=binding, pair=asked.pair
        ).transaction
        terms, registration = self.settings.terms, self.registration.current(now=now)
        return made.response_uri, digital_request(
            made, identity=self.identity, terms=terms, now=now, registration=registration
        )

    def _terms(self, template: RequestTemplate, lifetime_seconds: int | None) -> RequestTerms:
        terms = self.settings.terms
        if lifetime_seconds is None and template.lifetime_days is not None:
            lifetime_seconds = template.lifetime_days * _DAY_SECONDS
        if lifetime_seconds is None:
            return terms
        return replace(terms, lifetime_seconds=max(60, min(lifetime_seconds, LONGEST_LIFETIME_SECONDS)))

    def default_kind(self) -> Kind:
        """What kind of request is made when nobody says: under HAIP the browser must come back."""
        return Kind.SAME_DEVICE if self.settings.haip else Kind.CROSS_DEVICE

    def make_on_page(
        self, template: RequestTemplate, *, maker: str, binding: str, reference: str = ""
    ) -> tuple[MadeRequest, ...]:
        """One question asked twice: as a link for this very browser, and as a QR code for another device.

        Under HAIP there is the link alone: whoever photographs a QR code for somebody else would get that one's answer
        here, and nothing but the browser's return tells the two apart (HAIP 1.0, section 5.1).
        """
        if self.settings.haip:
            return (
                self.make_request(template, kind=Kind.SAME_DEVICE, maker=maker, binding=binding, reference=reference),
            )
        both: dict[str, Any] = {
            "maker": maker,
            "pair": base64url.encode(self._random_bytes(16)),
            "reference": reference,
        }
        link = self.make_request(template, kind=Kind.SAME_DEVICE, binding=binding, **both)
        return link, self.make_request(template, kind=Kind.CROSS_DEVICE, **both)

    def _check_kind(self, kind: Kind) -> None:
        """Under HAIP every answer leads back to the browser that asked, or came from it. Raises `OnlySameDevice`."""
        if self.settings.haip and kind is Kind.CROSS_DEVICE:
            raise OnlySameDevice(
                "VERIFIER_HAIP: only same-device requests are made and answered; start one in the person's own browser"
            )

    def made(self, transaction: Transaction, *, wallet_url: str = "") -> MadeRequest:
        """Every way to hand over a request; `wallet_url` is a web wallet's address that the person chose."""
        link = request_link(transaction)
        wallet = wallet_url.rstrip("/") or self.settings.wallet_url or self.settings.base_url
        return MadeRequest(
            transaction=transaction,
            link=link.for_scheme(),
            https_link=link.for_scheme(f"{wallet}/present"),
            code=typeable_code(transaction, base_url=self.settings.base_url),
        )

    # --- what wallets ask ----------------------------------------------------------------------------------------

    async def serve_request(self, handle: str, *, wallet_nonce: str | None) -> str:
        """The request object for a wallet. Raises `NoSuchRequest`."""
        now = self.clock()
        pending = await self.database.run(self.requests.pending, handle, now=now)
        if pending.transaction.kind is Kind.DC_API:
            raise NoSuchRequest("this request is not fetched")
        self._check_kind(pending.transaction.kind)  # It may be older than the switch.
        transaction = await self.database.run(self.requests.serve, handle, now=now)
        self.judge.expect_an_answer()
        return request_object(
            transaction,
            identity=self.identity,
            terms=self.settings.terms,
            now=now,
            wallet_nonce=wallet_nonce,
            registration=self.registration.current(now=now),
        )

    async def find_by_code(self, typed: str) -> MadeRequest:
        """The request behind a typed code. Raises `NoSuchRequest`."""
        code = normal_code(typed)
        if not code:
            raise NoSuchRequest("this is not a code")
        return self.made(await self.database.run(self.requests.find_by_code, code, now=self.clock()))

    async def take_answer(self, handle: str, *, body: bytes, content_type: str) -> Reply:
        """Take what a wallet posts: check it, spend the nonce and store the result, reply.

        What is not of the form of an answer changes nothing. Raises `NoSuchRequest`, `InvalidResponse`, `RequestClosed`
        or `OnlySameDevice`.
        """
        now = self.clock()
        pending = await self.database.run(self.requests.pending, handle, now=now)
        if pending.transaction.kind is Kind.DC_API:
            raise NoSuchRequest("this request is answered in the browser that asked")
        self._check_kind(pending.transaction.kind)

        def opened() -> Answer:
            form = read_form(body, content_type=content_type)
            return open_response(form, transaction=pending.transaction, max_bytes=self.settings.response_limit_bytes)

        return await self._take(pending, opened, digest=hashlib.sha256(body).digest(), now=now)

    async def take_digital_answer(self, handle: str, *, body: bytes, binding: str) -> Reply:
        """As `take_answer`, for what the browser (`binding`) was given by its own channel."""
        now = self.clock()
        pending = await self.database.run(self.requests.pending, handle, now=now)
        if pending.transaction.kind is not Kind.DC_API or not pending.transaction.is_of(binding):
            raise NoSuchRequest("there is no request of this browser here")

        def opened() -> Answer:
            return open_digital_response(
                body,
                transaction=pending.transaction,
                protocol=protocol_of(self.identity),
                max_bytes=self.settings.response_limit_bytes,
            )

        return await self._take(pending, opened, digest=hashlib.sha256(body).digest(), now=now)

    async def _take(self, pending: Pending, opened: Callable[[], Answer], *, digest: bytes, now: datetime) -> Reply:
        if pending.answer is not None or pending.state is State.EXPIRED:
            return self._second_reply(pending, digest, now)
        answer = opened()
        code_digest = None
        if pending.transaction.kind is Kind.SAME_DEVICE:
            code_digest = hashlib.sha256(self._response_code(pending.transaction, digest).encode()).digest()
        outcome = await self.judge.judge(pending.transaction, answer, digest=digest, code_digest=code_digest, now=now)
        # Checking took its time: the answer counts from the moment it is stored.
        if await self.database.run(self.requests.record, pending.transaction, outcome, now=self.clock()):
            return self._reply(pending.transaction, outcome.digest, outcome.reply_status)
        handle = pending.transaction.handle
        return self._second_reply(await self.database.run(self.requests.pending, handle, now=now), digest, now)

    def _second_reply(self, pending: Pending, digest: bytes, now: datetime) -> Reply:
        """The same reply for the same answer within a minute; everything else comes too late."""
        if pending.answer is not None and pending.answer.is_replayed_by(digest, now=now):
            return self._reply(pending.transaction, digest, pending.answer.reply_status)
        raise RequestClosed("the request has an answer already" if pending.answer else "the request has expired")

    def _reply(self, transaction: Transaction, digest: bytes, status: int) -> Reply:
        if status != 200:
            return Reply(status, {"error": "invalid_request", "error_description": "a check of the answer failed"})
        if transaction.kind is not Kind.SAME_DEVICE:
            return Reply(200, {})
        target = transaction.return_url or f"{self.settings.base_url}/return"
        separator = "&" if urlsplit(target).query else "?"
        return Reply(
            200, {"redirect_uri": f"{target}{separator}response_code={self._response_code(transaction, digest)}"}
        )

    def _response_code(self, transaction: Transaction, digest: bytes) -> str:
        """The code of this very answer: not kept, made again when the same answer is posted again (OpenID4VP 13.3)."""
        return base64url.encode(hmac.digest(self._code_key, transaction.id.encode() + b"\x00" + digest, hashlib.sha256))

    # --- results -------------------------------------------------------------------------------------------------

    def redeem(self, response_code: str, *, binding: str, maker: str | None = None) -> str:
        """The browser is back with its code: the id of its request, whose result now counts.

        `maker`, when given, is who has to have made the request. Raises `NoSuchRequest`.
        """
        return self.requests.redeem(response_code, binding=binding, maker=maker, now=self.clock())

    def result(self, request_id: str) -> RequestRecord:
        """A request and what became of it; what is due is done first. Raises `NoSuchRequest`."""
        now = self.clock()
        self.requests.tidy(now=now)
        return self.requests.get(request_id, now=now)

    def contents(self, request_id: str, *, viewer: str) -> Contents | None:
        """What the person showed, while it is kept; looking at it is logged. Raises `NoSuchRequest`."""
        now = self.clock()
        self.requests.tidy(now=now)
        return self.requests.contents(request_id, now=now, viewer=viewer)

    # --- time passes ---------------------------------------------------------------------------------------------

    async def tidy(self) -> int:
        """Delete what is due, end what did not come back; returns how many requests changed."""
        changed = 0
        while done := await self.database.run(self.requests.tidy, now=self.clock()):
            changed += done
            await asyncio.sleep(0)  # When much is due on one day, requests are answered in between.
        return changed

    async def forget(self) -> None:
        """Take values and keys that were deleted out of the files, too, and end counts of tries that are over."""
        await self.database.run(self.requests.forget, now=self.clock())

    async def check_log(self) -> None:
        """See whether lines of the log are missing, and remember it for the page that shows the log."""
        self.log_is_whole = await self.database.run(self.requests.log_is_whole)
        if not self.log_is_whole:
            _log.error("log_not_whole")


def browser_binding(session_id: bytes) -> str:
    """The name of a browser session in a request: a digest, so that the database does not hold what opens a session."""
    return hashlib.sha256(b"intyga browser binding\x00" + session_id).hexdigest()
