"""Request templates: what an organisation asks people for, and everything it owes them in return.

A template names the items, each with a reason, the purpose, how long the data are kept, the ground in law and a
contact, all in Swedish and English. One that lacks any of these cannot be made. It is the only way to a request: pages,
command line and interface all start from one.

Built in are `employer-micro-credential`, `course-results` and `internship`; others are TOML or JSON files:

    name = "trainee"
    title = { sv = "Traineeplats", en = "Trainee programme" }
    purpose = { sv = "Vi bedömer om du uppfyller kraven för platsen.", en = "We check who meets the requirements." }
    retention_days = 90
    basis = "contract"
    contact = "privacy@employer.example"

    [[credentials]]
    id = "course"
    vct = ["urn:intyga:credential:micro-credential:1"]

      [[credentials.items]]
      path = ["achievement", "title"]
      reason = { sv = "Vi behöver veta vad du har läst.", en = "We need to know what you have studied." }

In TOML, which has no null, `"*"` in a path stands for every element of an array; JSON files say `null`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from proofs import base64url, strict_json
from schemas.consent import Basis, LocalizedText, Path, ShortText
from schemas.dcql.query import MAX_VALUES
from schemas.errors import Malformed, NotFound, ProtocolError
from schemas.types.statement_form import AS_OF

BUILT_IN = ("employer-micro-credential", "course-results", "internship")

# Never selectively disclosable in an SD-JWT VC, hence always there: asking for them is noise (SD-JWT VC 2.2.2.3).
ALWAYS_VISIBLE = frozenset({"iss", "vct", "vct#integrity", "aka_vcts", "cnf", "status", "exp", "nbf", "_sd_alg"})

LAST_YEAR = 2200
"""Nothing is kept until a later day."""

MAX_LIFETIME_DAYS = 7
MIN_PURPOSE_CHARACTERS = 20
MIN_PURPOSE_LETTERS = 10
MIN_CONTACT_LETTERS = 3

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_QUERY_ID = re.compile(r"[A-Za-z0-9_-]+")


def _path_that_can_be(path: Any) -> Any:
    """A claims path pointer (OpenID4VP 1.0, 7) that can select something; raises `ValueError` that says what is wrong.

    `True` is no number here, although Python takes it for 1.
    """
    if not isinstance(path, list | tuple) or not path:
        raise ValueError("a path is a list with at least one name in it")
    for part in path:
        if isinstance(part, int) and not isinstance(part, bool) and part < 0:
            raise ValueError("a number in a path counts from the beginning, from 0 on")
        if not (part is None or isinstance(part, str) or type(part) is int):
            raise ValueError("a path holds names, whole numbers, and * (null in JSON) for every element")
    if not isinstance(path[0], str):
        raise ValueError("a path begins with the name of what is asked for")
    if "" in path:
        raise ValueError("a name in a path is empty")
    return path


class InvalidTemplate(Malformed):
    """A request template lacks something that it must say, or says something that cannot be."""

    error = "invalid_template"


class UnknownTemplate(NotFound):
    """There is no template of this name."""

    error = "unknown_template"


class StatusRule(StrEnum):
    """Whether a certificate must be one that its issuer can take back."""

    REQUIRED = "required"
    IF_PRESENT = "if_present"


class _Written(BaseModel):
    """What an organisation writes: a misspelt member is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TemplateItem(_Written):
    """One thing asked for. `values`, when given, lists the acceptable values (DCQL 6.3).

    With `values_told` False they are not in the query, and the verifier alone compares: a wallet that matches values
    tells by its very answer what it holds, and warns its person of that.
    """

    path: Annotated[Path, BeforeValidator(_path_that_can_be)]
    reason: LocalizedText
    label: LocalizedText | None = None
    required: bool = True
    values: Annotated[tuple[str | int | bool, ...], Field(min_length=1)] | None = None
    values_told: bool = True

    @model_validator(mode="after")
    def _is_worth_asking(self) -> Self:
        if not self.reason.is_complete:
            raise ValueError("the reason must be given in sv and en")
        if self.path[0] in ALWAYS_VISIBLE:
            raise ValueError(f"{self.path[0]} is always visible and is not asked for")
        return self


class TemplateCredential(_Written):
    """One certificate asked for, of one of the types in `vct`, with the items wanted from it.

    Without items, only what the format cannot hide is asked for. `title` is what the certificate is called where its
    type is not one of ours; people read it. `authorities` are key identifiers (`aki`) of the
    issuers' certificate authorities, base64url, or `"trusted"` for those of the trust list at the time of asking;
    `issuers` narrows the trusted issuers to these identifiers. `multiple` lets the person give more than one.
    `max_age_days` says how many days old at most the day may be of which a statement is true (its `as_of`, which is
    asked for then); 0 is "as of today".
    """

    id: Annotated[str, StringConstraints(max_length=60)]
    vct: Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=500)], ...], Field(min_length=1)]
    title: LocalizedText | None = None
    format: str = "dc+sd-jwt"
    status: StatusRule = StatusRule.REQUIRED
    items: tuple[TemplateItem, ...] = ()
    required: bool = True
    multiple: bool = False
    authorities: Annotated[tuple[str, ...], Field(max_length=MAX_VALUES)] | Literal["trusted"] = ()
    issuers: tuple[str, ...] = ()
    max_age_days: Annotated[int, Field(ge=0, le=3_650)] | None = None

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if not _QUERY_ID.fullmatch(self.id):
            raise ValueError("id may hold letters, digits, - and _ only")
        if self.title is not None and not self.title.is_complete:
            raise ValueError("the title must be given in sv and en")
        if len(set(self.vct)) != len(self.vct):
            raise ValueError("a type stands twice in vct")
        if len({item.path for item in self.items}) != len(self.items):
            raise ValueError("a path is asked for twice")
        if self.format != "dc+sd-jwt":
            raise ValueError("the only format asked for is dc+sd-jwt")
        if self.authorities != "trusted" and not all(map(_is_key_identifier, self.authorities)):
            # What is written in another way matches nothing in any wallet, and nobody would know why.
            raise ValueError("authorities are key identifiers in base64url without padding")
        if self.max_age_days is not None:
            self._check_dated()
        return self

    def _check_dated(self) -> None:
        """An age is demanded of what says its day, and of all of it: optional items are shown without the day."""
        if (AS_OF,) not in {item.path for item in self.items}:
            raise ValueError("max_age_days needs as_of among the items")
        if not all(item.required for item in self.items):
            raise ValueError("with max_age_days every item is required")


class TemplateRecheck(_Written):
    """Later checks of the status, offered to the person as a standing permission (docs/standing-permission.md).

    For `days` from the request, twelve months at most and never beyond the retention date; at most once in
    `every_days`. With `automatic` the service checks by itself as often as it may.
    """

    days: Annotated[int, Field(ge=1, le=365)]
    every_days: Annotated[int, Field(ge=1, le=365)]
    purpose: LocalizedText
    automatic: bool = False

    @model_validator(mode="after")
    def _can_be_offered(self) -> Self:
        if not self.purpose.is_complete or not all(map(_is_sentence, (self.purpose.sv, self.purpose.en))):
            raise ValueError("the purpose must be a sentence in sv and en that says what the checks are for")
        # A wallet takes these out before it shows a text, and signs what it has shown.
        if any(unicodedata.category(one) in ("Cf", "Mn") for one in self.purpose.sv + self.purpose.en):
            raise ValueError("the purpose holds invisible characters or loose accents")
        if self.every_days > self.days:
            raise ValueError("every_days is longer than the permission would last")
        return self


def _is_key_identifier(text: str) -> bool:
    try:
        return len(base64url.decode(text)) > 0
    except ProtocolError:
        return False


class RequestTemplate(_Written):
    """Everything about a request except who it goes to and when.

    `retention_days` counts from the day of the request, `retention_until` is a date: exactly one is given.
    `alternatives` lists sets of credential ids of which one is enough; credentials named there are not required beside.
    `answers` `eligibility`: the result says in one word whether the person meets what is asked for
    (`verifier.eligibility`).
    `declaration` is a sentence that the person confirms with the share, such as "My application is complete and true."
    `lifetime_days` is how long a request can be answered, where the person may have to fetch something first at a
    source that takes time (DESIGN 4.4); without it the setting of the service holds.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    title: LocalizedText
    purpose: LocalizedText
    retention_days: Annotated[int, Field(ge=1, le=36_525)] | None = None
    retention_until: date | None = None
    basis: Basis
    basis_detail: LocalizedText | None = None
    contact: Annotated[ShortText, StringConstraints(min_length=3)]
    organisation: LocalizedText | None = None
    recipients: Annotated[tuple[LocalizedText, ...], Field(max_length=50)] | None = None
    processors: Annotated[tuple[LocalizedText, ...], Field(max_length=50)] | None = None
    countries: Annotated[tuple[ShortText, ...], Field(max_length=50)] | None = None
    automated_decisions: bool | None = None
    withdraw_url: ShortText = ""
    withdraw_phone: ShortText = ""
    credentials: Annotated[tuple[TemplateCredential, ...], Field(min_length=1, max_length=20)]
    alternatives: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    recheck: TemplateRecheck | None = None
    answers: Literal["eligibility"] | None = None
    declaration: LocalizedText | None = None
    lifetime_days: Annotated[int, Field(strict=True, ge=1, le=MAX_LIFETIME_DAYS)] | None = None

    @model_validator(mode="after")
    def _owes_nothing(self) -> Self:
        if self.retention_until is not None and self.retention_until.year > LAST_YEAR:
            raise ValueError(f"retention_until lies after the year {LAST_YEAR}")
        if (self.retention_days is None) == (self.retention_until is None):
            raise ValueError("either retention_days or retention_until must be given")
        for name in ("title", "purpose", "organisation", "basis_detail", "declaration"):
            text: LocalizedText | None = getattr(self, name)
            if text is not None and not text.is_complete:
                raise ValueError(f"{name} must be given in sv and en")
        if not all(map(_is_sentence, (self.purpose.sv, self.purpose.en))):
            raise ValueError("the purpose must be a sentence that says what the data are for")
        if sum(map(str.isalnum, self.contact)) < MIN_CONTACT_LETTERS:
            raise ValueError("the contact must say where people reach you")
        if self.recheck is not None and self.retention_days is not None and self.recheck.days > self.retention_days:
            raise ValueError("recheck lasts longer than the data are kept")
        self._check_ids()
        if self.declaration is not None and not any(map(self.is_required, self.query_ids)):
            raise ValueError("a declaration is confirmed with something that is required")
        # Required items under consent would not be freely given (GDPR 7(4); CS-15, OA-13).
        if self.basis is Basis.CONSENT and any(True for _ in self.required_items()):
            raise ValueError("with basis consent every item must be optional")
        return self

    def _check_ids(self) -> None:
        ids = [credential.id for credential in self.credentials]
        if len(set(ids)) != len(ids):
            raise ValueError("two credentials have the same id")
        unknown = {one for option in self.alternatives for one in option} - set(ids)
        if unknown:
            raise ValueError("alternatives name a credential that is not there")
        if len({query_id for query_id, _, _ in self.queries()}) != len(list(self.queries())):
            raise ValueError("the id of a credential collides with that of an optional item")

    # -----------------------------------------------------------------------------------------------------------------
    # How the template is asked: each required block is one credential query, each optional item one of its own.

    def queries(self) -> Iterator[tuple[str, TemplateCredential, tuple[TemplateItem, ...]]]:
        """Every credential query: its id, the credential it asks for, and the items in it.

        The required items of a credential go together under the credential's id. Each optional item is a query of its
        own, `ID-optional-N` (claim sets are not choices of the person, OpenID4VP 6.4.1). A credential with optional
        items only has no query of its own id, unless a basis other than consent asks for it by itself.
        """
        for credential in self.credentials:
            required = tuple(item for item in credential.items if item.required)
            optional = tuple(item for item in credential.items if not item.required)
            if required or not optional:
                yield credential.id, credential, required
            for number, item in enumerate(optional, start=1):
                yield f"{credential.id}-optional-{number}", credential, (item,)

    @property
    def query_ids(self) -> tuple[str, ...]:
        """The ids of all credential queries, in their order."""
        return tuple(query_id for query_id, _, _ in self.queries())

    def is_required(self, query_id: str) -> bool:
        """True when the request cannot be met without this credential query (alternatives count as required)."""
        return any(credential.id == query_id and credential.required for credential in self.credentials)

    def required_items(self) -> Iterator[TemplateItem | TemplateCredential]:
        """Everything that cannot be left out: required items, and required credentials asked for as a whole."""
        for query_id, credential, items in self.queries():
            if self.is_required(query_id):
                yield from items or (credential,)

    def sets(self) -> list[tuple[tuple[tuple[str, ...], ...], bool]]:
        """What is needed, as ids of credentials: ways of which one is enough, and whether one is required.

        Credentials that the alternatives name stand once, together, where the first of them is asked for.
        """
        chosen = {one for option in self.alternatives for one in option}
        found: list[tuple[tuple[tuple[str, ...], ...], bool]] = []
        for credential in self.credentials:
            if credential.id not in chosen:
                needed = credential.required and credential.id in self.query_ids
                found.append((((credential.id,),), needed))
            elif (self.alternatives, True) not in found:
                found.append((self.alternatives, True))
        return found

    def needed_count(self) -> tuple[int, int]:
        """How many things are needed: by the way that shows fewest, and by the one that shows most.

        A credential asked for as a whole counts as one thing.
        """
        sizes = {query_id: max(len(items), 1) for query_id, _, items in self.queries()}
        needs = [options for options, is_needed in self.sets() if is_needed]
        ways = [[sum(sizes.get(one, 0) for one in option) for option in options] for options in needs]
        return sum(map(min, ways)), sum(map(max, ways))

    def retention_date(self, *, asked_on: date) -> date:
        """The last day on which the data are kept."""
        if self.retention_until is not None:
            return self.retention_until
        return asked_on + timedelta(days=self.retention_days or 0)

    def recheck_until(self, *, asked_on: date) -> date | None:
        """The last day of a standing permission to check again; None when none is offered."""
        if self.recheck is None:
            return None
        return min(asked_on + timedelta(days=self.recheck.days), self.retention_date(asked_on=asked_on))

    @property
    def types(self) -> frozenset[str]:
        """Every `vct` asked for."""
        return frozenset(vct for credential in self.credentials for vct in credential.vct)


# How pydantic's own words read in a sentence that begins with the member's name.
_WORDS = {"missing": " is missing", "extra_forbidden": " is not known here"}


def parse_template(members: Mapping[str, Any]) -> RequestTemplate:
    """Make a template of its members. Raises `InvalidTemplate` that names every faulty member."""
    try:
        return RequestTemplate.model_validate(members)
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_context=False, include_input=False)
        # A list whose only member is faulty counts as too short besides; that is no second fault.
        told = [
            _sentence(fault["loc"], fault["type"], fault["msg"])
            for fault in faults
            if fault["type"] != "too_short" or not any(_lies_in(other["loc"], fault["loc"]) for other in faults)
        ]
        raise InvalidTemplate("; ".join(told)) from exc


def _lies_in(inner: tuple[str | int, ...], outer: tuple[str | int, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _sentence(place: tuple[str | int, ...], kind: str, message: str) -> str:
    return f"{'.'.join(map(str, place)) or 'template'}{_WORDS.get(kind, ': ' + message.removeprefix('Value error, '))}"


def read_template(content: bytes, *, is_toml: bool) -> RequestTemplate:
    """Read a template file in UTF-8, with or without a byte order mark. Raises `InvalidTemplate`."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        raise InvalidTemplate("the file is not text in UTF-8") from exc
    if not is_toml:
        try:
            return parse_template(strict_json.loads_object(content))
        except InvalidTemplate:
            raise
        except ProtocolError as exc:
            raise InvalidTemplate("the file is not JSON") from exc
    try:
        members = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise InvalidTemplate(f"the file is not TOML: {exc}") from exc
    except RecursionError as exc:
        raise InvalidTemplate("the file is nested too deeply") from exc
    return parse_template(_with_every_element(members))


def _is_sentence(text: str) -> bool:
    """Whether something of it is left to read when a wallet has taken out what cannot be seen."""
    seen = [one for one in text if unicodedata.category(one) not in ("Cf", "Mn")]
    return len(seen) >= MIN_PURPOSE_CHARACTERS and sum(map(str.isalpha, seen)) >= MIN_PURPOSE_LETTERS


def _with_every_element(members: dict[str, Any]) -> dict[str, Any]:
    """Replace `"*"` in the paths of a TOML template with None, "every element"."""
    for credential in _tables(members.get("credentials")):
        for item in _tables(credential.get("items")):
            if isinstance(item.get("path"), list):
                item["path"] = [None if part == "*" else part for part in item["path"]]
    return members


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    yield from (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()


def built_in_template(name: str, *, contact: str) -> RequestTemplate:
    """One of the templates that come with the software; `contact` is where people reach the organisation.

    Raises `UnknownTemplate`.
    """
    if name not in BUILT_IN:
        raise UnknownTemplate(f"there is no template of this name; built in are {', '.join(BUILT_IN)}")
    content = resources.files("verifier").joinpath("builtin", f"{name}.toml").read_text("utf-8")
    return parse_template(_with_every_element(tomllib.loads(content) | {"contact": contact}))
