"""One labelled request, and the pieces that twists change."""

import copy
from dataclasses import dataclass, field
from typing import Any

from tests.over_asking.sectors import Sector

PERSONAL = {
    "identity_number": ("personal_administrative_number",),
    "portrait": ("portrait",),
    "health": ("health_information",),
    "union": ("trade_union_membership",),
    "address": ("address", "street_address"),
}


@dataclass
class Case:
    """A request with what the wallet knows of its sender, and the rules that ought to speak. See the README beside it.

    `tone` is proportionate, over-asking or deceptive. `registered` are the credentials of a checked registration
    certificate (None: there is none), `last_query` what was asked when something was last shared.
    """

    id: str
    sector: str
    language: str
    tone: str
    why: str
    labels: set[str]
    identity: dict[str, Any]
    response_uri: str
    dcql_query: dict[str, Any]
    notice: dict[str, Any] | None
    came_by: str = "link"
    past: dict[str, Any] = field(default_factory=lambda: {"is_first_contact": True})
    last_query: dict[str, Any] | None = None
    registered: list[dict[str, Any]] | None = None
    policy: str = "none"

    def as_json(self) -> dict[str, Any]:
        """The case as it rests in the file, labels sorted."""
        return {**self.__dict__, "labels": sorted(self.labels)}

    def copy(self) -> "Case":
        """Another one that can be changed."""
        return copy.deepcopy(self)

    @property
    def claims(self) -> list[dict[str, Any]]:
        """What the first credential query asks for."""
        claims: list[dict[str, Any]] = self.dcql_query["credentials"][0]["claims"]
        return claims

    def ask_for(self, *paths: tuple[Any, ...]) -> None:
        """Ask for more, unless it is asked for already."""
        for path in paths:
            if {"path": list(path)} not in self.claims:
                self.claims.append({"path": list(path)})

    def move_to(self, host: str) -> None:
        """Another host, for certificate and answer."""
        self.response_uri = f"https://{host}/response"
        self.identity["dns_names"] = [host]


def honest(sector: Sector, language: str) -> Case:
    """The proportionate request of a sector, from somebody known, with a certificate of more than a year."""
    notice: dict[str, Any] = {
        "controller": {"name": {language: sector.name[language]}, "contact": f"dataskydd@{sector.host}"},
        "purpose": {language: sector.purpose[language]},
        "retention": {"days": sector.keeps_days},
        "basis": sector.basis,
        "recipients": [],
    }
    if sector.detail is not None:
        notice["basis_detail"] = {language: sector.detail[language]}
    claims = [{"path": list(path)} for path in sector.paths]
    return Case(
        id=f"{sector.id}-{language}",
        sector=sector.id,
        language=language,
        tone="proportionate",
        why="What is asked is needed for the purpose.",
        labels=set(),
        identity={
            "level": "certificate",
            "legal_name": sector.name["sv"],
            "dns_names": [sector.host],
            "certificate_age_days": 400,
        },
        response_uri=f"https://{sector.host}/response",
        dcql_query={
            "credentials": [
                {"id": "asked", "format": "dc+sd-jwt", "meta": {"vct_values": [sector.vct]}, "claims": claims}
            ]
        },
        notice=notice,
    )
