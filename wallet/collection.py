"""A collection: one offer on its way into the vault, with everything that is needed to go on after a crash.

It is written to the vault, sealed, before every step that cannot be taken back: keys and intent before the code is
spent, the token before it is used, what was received before it is judged. `wallet/receiving.py` moves it on.

    collection = new_collection(link, offered)
    collection.stage                       # Stage.OFFERED: nothing has been sent that could be spent
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Protocol, Self

from schemas.errors import ProtocolError
from schemas.issuance import AuthorizationServerMetadata, CredentialOffer, IssuerMetadata
from wallet.certificates import NewCertificate
from wallet.offers import Offered

PEACE_SECONDS = 60
SAYING_SECONDS = 120
"""By then a farewell has been said or has failed, and uses its refresh token no more."""


class Stage(StrEnum):
    """How far a collection has come."""

    OFFERED = "offered"  # The person has seen who offers what, and has not answered.
    AUTHORIZING = "authorizing"  # The person is away, signing in at the source.
    ASKING = "asking"  # Keys are made; the code may have been spent.
    COLLECTING = "collecting"  # The token is here; certificates are being asked for.
    PENDING = "pending"  # The issuer has to look at it first: it is asked for again later.
    QUESTION = "question"  # It came from an issuer that nobody here vouches for: the person decides.
    DONE = "done"  # Everything that could be stored is stored.
    FAILED = "failed"  # Nothing more can come of it.
    FAREWELL = "farewell"  # What was collected is deleted, and its issuer is still to be told (`wallet.farewell`).


class PartState(StrEnum):
    """How far one of the offered certificates has come."""

    WAITING = "waiting"
    DEFERRED = "deferred"
    RECEIVED = "received"
    UNKNOWN_ISSUER = "unknown_issuer"
    STORED = "stored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Part:
    """One certificate of the offer: its fresh holder keys, and what the issuer sent. `problem`: why it is refused, and
    `peer_error` the issuer's own error code, if it gave one.

    The issuer may give several of one configuration; then each has an `identifier`, by which it is asked for (6.2).
    """

    configuration: str
    identifier: str = field(default="", repr=False)
    keys: tuple[Mapping[str, str], ...] = ()
    state: PartState = PartState.WAITING
    received: tuple[str, ...] = field(default=(), repr=False)
    certificate_id: str = ""
    problem: str = ""
    peer_error: str = ""
    transaction_id: str = field(default="", repr=False)
    ask_again_at: int = 0
    """Seconds since 1970: before that the issuer does not want to be asked again."""
    notification_id: str = field(default="", repr=False)

    @property
    def name(self) -> tuple[str, str]:
        """What tells it from the other certificates of its collection."""
        return self.configuration, self.identifier

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens with it."""
        return self.state in (PartState.STORED, PartState.REFUSED)


@dataclass(frozen=True, slots=True)
class Collection:
    """The state of one collection. Times are seconds since 1970.

    `unanswered` is True while a token request is out whose answer we do not have: the code may be spent.
    `problem` is a stable reason for a page, `peer_error` the issuer's own error code.
    """

    link: str = field(repr=False)
    offer: Mapping[str, Any] = field(repr=False)
    metadata: Mapping[str, Any] = field(repr=False)
    authorization_server: Mapping[str, Any] = field(repr=False)
    displays: Mapping[str, Mapping[str, Any]]
    stage: Stage
    parts: tuple[Part, ...]
    begun_at: int
    tx_code: str | None = field(default=None, repr=False)
    unanswered: bool = False
    access_token: str | None = field(default=None, repr=False)
    token_until: int | None = None
    client: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The keys with which the wallet is a client here (`wallet.issuer_client.ClientKeys`)."""
    is_bound: bool = False
    """Whether the access token is bound to our key (DPoP)."""
    is_named: bool = False
    """Whether the token was asked for with our `client_id`; what comes of it later goes with the same name, or none."""
    refresh_token: str | None = field(default=None, repr=False)
    family: str = ""
    """What is the same for all that share this refresh token: it is used by one of them at a time."""
    state: str = field(default="", repr=False)
    """What tells the answer of an authorization apart from somebody else's."""
    code_verifier: str = field(default="", repr=False)
    code: str | None = field(default=None, repr=False)
    sign_in_url: str = field(default="", repr=False)
    renews: str = ""
    """The certificate that gets fresh copies by this, or whose deletion the issuer is told of."""
    waited: bool = False
    """Whether the issuer had to look at it first: then the person is told when it has come."""
    looked_at: int = 0
    """When the issuer was last asked because the person looked, in seconds since 1970."""
    is_carried: bool = False
    """Whether it came in the file of another wallet, which may still have it too (`wallet.carried`)."""
    for_share: str = ""
    """The request for which this is fetched, to go back to."""
    and_then: tuple[str, ...] = ()
    """Types that are fetched from the same issuer after this, since the person asked for all of them at once."""
    problem: str = ""
    peer_error: str = ""
    signed_metadata: str = field(default="", repr=False)
    """What the issuer signs of itself, when that tells whether it is trusted (`wallet.vouching`)."""

    @property
    def offered(self) -> Offered:
        """The offer as it was read."""
        return Offered(
            offer=CredentialOffer.read(self.offer),
            metadata=IssuerMetadata.read(self.metadata),
            authorization_server=AuthorizationServerMetadata.read(self.authorization_server),
            raw_displays=self.displays,
        )

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is done with it."""
        return self.stage in (Stage.DONE, Stage.FAILED)

    @property
    def is_in_flight(self) -> bool:
        """Whether it stopped in the middle and can be taken up again without the person."""
        return self.stage in (Stage.ASKING, Stage.COLLECTING)

    def can_go_on(self, *, at: int) -> bool:
        """Whether it can be taken up now, without the person: it stopped in the middle, or may be asked for again.

        What waits at the issuer stops in the middle too: received and not judged, or about to be asked for anew.
        """
        due = any(
            part.state in (PartState.WAITING, PartState.RECEIVED)
            or (part.state is PartState.DEFERRED and part.ask_again_at <= at)
            for part in self.parts
        )
        return self.is_in_flight or (self.stage is Stage.PENDING and due)

    def uses_token(self, family: str, *, at: int) -> bool:
        """Whether it may be using the refresh token of this family. A farewell waits long and uses it briefly."""
        if self.family != family or self.has_ended:
            return False
        return self.stage is not Stage.FAREWELL or at < self.looked_at + SAYING_SECONDS

    def is_farewell_of(self, family: str) -> bool:
        """Whether it waits to tell of the deletion of something that shared this family's refresh token."""
        return self.stage is Stage.FAREWELL and self.family == family

    def is_farewell(self, *, at: int) -> bool:
        """Whether all that is left is to tell the issuer of the deletion, and it may be told now."""
        return self.stage is Stage.FAREWELL and all(part.ask_again_at <= at for part in self.parts)

    def is_due(self, *, at: int) -> bool:
        """Whether the issuer, which had to look at it first, may be asked now while the person is here.

        One that did not answer when it was last asked, in time or at all, is left in peace for a minute, so that no
        page waits for it again and again.
        """
        has_answered = any(part.ask_again_at > self.looked_at for part in self.parts)
        in_peace = not has_answered and at < self.looked_at + PEACE_SECONDS
        return self.stage is Stage.PENDING and self.can_go_on(at=at) and not in_peace

    @property
    def has_come(self) -> bool:
        """Whether something that was waited for is there, and the person has not said that they have seen it."""
        return self.stage is Stage.DONE and self.waited and not self.renews

    @property
    def stored_ids(self) -> list[str]:
        """The certificates that it put into the vault."""
        return [part.certificate_id for part in self.parts if part.state is PartState.STORED]

    def with_part(self, changed: Part) -> "Collection":
        """The collection with one part replaced."""
        return replace(self, parts=tuple(changed if p.name == changed.name else p for p in self.parts))

    def part(self, name: tuple[str, str]) -> Part:
        """The part with this name."""
        return next(part for part in self.parts if part.name == name)

    @property
    def open_parts(self) -> list[Part]:
        """Those of which something may still come."""
        return [part for part in self.parts if not part.is_final]

    def narrowed(self, configuration: str) -> "Collection":
        """The collection of one of its certificates alone."""
        return replace(
            self,
            offer={**self.offer, "credential_configuration_ids": [configuration]},
            parts=tuple(part for part in self.parts if part.configuration == configuration),
            displays={name: shown for name, shown in self.displays.items() if name == configuration},
        )

    def failed(self, problem: str, peer_error: str = "") -> "Collection":
        """The end of a collection that came to nothing. Secrets that serve no more are dropped."""
        return replace(
            self,
            stage=Stage.FAILED,
            problem=problem,
            peer_error=peer_error,
            tx_code=None,
            access_token=None,
            refresh_token=None,
            code=None,
            client={},
        )

    def paused(self, problem: str, peer_error: str = "") -> "Collection":
        """The same stage, with the reason why it did not go on now."""
        return replace(self, problem=problem, peer_error=peer_error)

    def as_json(self) -> dict[str, Any]:
        """The form in which it is sealed."""
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["parts"] = [{f.name: getattr(part, f.name) for f in fields(part)} for part in self.parts]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave."""
        value = dict(value)
        names = value.pop("identifiers", {})  # Begun before wallets fetched several of one configuration.
        parts = tuple(
            Part(
                **{
                    "identifier": names.get(p["configuration"], ""),
                    **p,
                    "keys": tuple(p["keys"]),
                    "received": tuple(p["received"]),
                    "state": PartState(p["state"]),
                }
            )
            for p in value["parts"]
        )
        further, stage = tuple(value.get("and_then", ())), Stage(value["stage"])
        waited = value.get("waited", stage is Stage.PENDING)  # Begun before wallets told what they had waited for.
        return cls(**{**value, "parts": parts, "stage": stage, "and_then": further, "waited": waited})


def new_collection(link: str, offered: Offered, *, at: int) -> Collection:
    """The beginning of a collection: the offer was read, nothing else has happened."""
    return Collection(
        link=link,
        offer=offered.offer.as_json(),
        metadata=offered.metadata.as_json(),
        authorization_server=offered.authorization_server.as_json(),
        displays=offered.raw_displays,
        stage=Stage.OFFERED,
        parts=tuple(Part(configuration=name) for name, _ in offered.items),
        begun_at=at,
    )


class MovedOn(ProtocolError):
    """This collection is being worked on elsewhere, or was moved on there."""

    error = "moved_on"
    status = 409


class Keeper(Protocol):
    """Where a collection is kept; the store is one. Both methods return only when what they were given is on disk.

    They raise `MovedOn` when the collection has been moved on elsewhere in the meantime.
    """

    def save(self, collection: Collection) -> None:
        """Keep the state."""
        ...

    def store(self, collection: Collection, part: Part, certificate: NewCertificate) -> Collection:
        """Put a certificate into the vault and its part to `STORED`, in one transaction."""
        ...


def concluded(collection: Collection) -> Collection:
    """The stage that follows from the parts; keys and token are dropped when they serve no more."""
    states = {part.state for part in collection.parts}
    if PartState.DEFERRED in states and not states & {PartState.WAITING, PartState.RECEIVED}:
        return replace(collection, stage=Stage.PENDING, waited=True)
    if any(not part.is_final and part.state is not PartState.UNKNOWN_ISSUER for part in collection.parts):
        return collection
    collection = replace(collection, access_token=None, tx_code=None, code=None, problem="")
    if any(part.state is PartState.UNKNOWN_ISSUER for part in collection.parts):
        return replace(collection, stage=Stage.QUESTION)
    if any(part.state is PartState.STORED for part in collection.parts):
        return replace(collection, stage=Stage.DONE)
    return collection.failed(collection.parts[0].problem, collection.parts[0].peer_error)
