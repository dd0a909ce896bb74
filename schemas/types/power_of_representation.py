"""`power-of-representation`: an authority says that one person may act for another, in what, and until when.

It is issued to the agent and bound to the agent's keys; the names and birth date without prefix are the agent's. What
limits the power (kinds of certificates, recipients, days, how many have to act together) is always visible: a power
must not be shown without its limits. Who the two people are, and what the power rests on, is disclosed piece by piece;
that somebody has a trustee is nobody's business who does not ask for it. There is no claim for where somebody lives, a
municipality, a school or any number of a person, so that a protected identity cannot leak from it. `reports_to` is the
address of a wallet, and only there when the principal gave it to the source (docs/acting-for-another.md).

What the values mean stands in `schemas/power.py`.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.act_report import REPORTS_TO, read_report_address
from schemas.errors import Malformed
from schemas.power import ALL, MAJORITY, POWER_VCT, PowerBasis, person_of, read_power
from schemas.types.claims import IDENTIFYING, PERSONAL, PUBLIC, SENSITIVE
from schemas.types.statement_form import Item, Rule, StatementForm
from schemas.types.statement_type import claim, statement_type

_URI = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
_HOST = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def _can_be_read(said: Mapping[str, Any]) -> bool:
    try:
        read_power(said)
    except Malformed:
        return False
    return True


def _ends_after_beginning(said: Mapping[str, Any]) -> bool:
    return str(said["begins_on"]) <= str(said["ends_on"])


def _ends_before_majority(said: Mapping[str, Any]) -> bool:
    if said["power_basis"] != PowerBasis.GUARDIAN_OF_CHILD:
        return True
    ends = date.fromisoformat(str(said["ends_on"]))
    return person_of(said, "principal_").turned(MAJORITY, today=ends) is False


def _is_for_another(said: Mapping[str, Any]) -> bool:
    return person_of(said).is_same(person_of(said, "principal_")) is not True


def _names_kinds(said: Mapping[str, Any]) -> bool:
    return said["covers_types"] == [ALL] or all(_URI.fullmatch(one) for one in said["covers_types"])


def _names_hosts(said: Mapping[str, Any]) -> bool:
    return said["covers_recipients"] == [ALL] or all(_HOST.fullmatch(one) for one in said["covers_recipients"])


def _can_be_told(said: Mapping[str, Any]) -> bool:
    if REPORTS_TO not in said:
        return True
    try:
        read_report_address(said[REPORTS_TO])
    except Malformed:
        return False
    return True


def _covers_no_powers(said: Mapping[str, Any]) -> bool:
    return POWER_VCT not in said["covers_types"]


POWER_OF_REPRESENTATION = statement_type(
    "power-of-representation",
    display={"sv": "Behörighet att företräda", "en": "Power to act for another"},
    description={
        "sv": "Intyg från en myndighet om att någon får företräda en annan person, i vad och hur länge.",
        "en": "An authority certifies that somebody may act for another person, in what, and until when.",
    },
    form=StatementForm(
        items=(
            Item(
                claim(
                    "principal_family_name",
                    "Efternamn på den som företräds",
                    "Family name of the person acted for",
                    "text",
                    PERSONAL,
                    "identity",
                    mandatory=True,
                ),
                columns=("huvudman_efternamn",),
                demanded=True,
            ),
            Item(
                claim(
                    "principal_given_name",
                    "Förnamn på den som företräds",
                    "Given name of the person acted for",
                    "text",
                    PERSONAL,
                    "identity",
                    mandatory=True,
                ),
                columns=("huvudman_förnamn",),
                demanded=True,
            ),
            Item(
                claim(
                    "principal_birthdate",
                    "Födelsedatum för den som företräds",
                    "Date of birth of the person acted for",
                    "date",
                    SENSITIVE,
                    "birth",
                    mandatory=True,
                ),
                columns=("huvudman_födelsedatum",),
                demanded=True,
            ),
            Item(
                claim(
                    "power_basis",
                    "Grund för behörigheten",
                    "What the power rests on",
                    "power_basis",
                    IDENTIFYING,
                    mandatory=True,
                ),
                columns=("behörighetsgrund",),
                demanded=True,
                one_of=tuple(PowerBasis),
            ),
            Item(
                claim(
                    "covers_types",
                    "Intyg som behörigheten gäller",
                    "Certificates the power covers",
                    "types",
                    PUBLIC,
                    visible=True,
                    mandatory=True,
                ),
                columns=("omfattar_intyg",),
                demanded=True,
            ),
            Item(
                claim(
                    "covers_recipients",
                    "Mottagare som behörigheten gäller",
                    "Recipients the power covers",
                    "hosts",
                    PUBLIC,
                    visible=True,
                    mandatory=True,
                ),
                columns=("omfattar_mottagare",),
                demanded=True,
            ),
            Item(
                claim(
                    "begins_on",
                    "Första dag för behörigheten",
                    "First day of the power",
                    "date",
                    PUBLIC,
                    visible=True,
                    mandatory=True,
                ),
                columns=("behörig_från",),
                demanded=True,
                may_be_ahead=True,
            ),
            Item(
                claim(
                    "ends_on",
                    "Sista dag för behörigheten",
                    "Last day of the power",
                    "date",
                    PUBLIC,
                    visible=True,
                    mandatory=True,
                ),
                columns=("behörig_till",),
                demanded=True,
                may_be_ahead=True,
            ),
            Item(
                claim(
                    "agents_needed",
                    "Antal som måste godkänna tillsammans",
                    "Number who have to approve together",
                    "number",
                    PUBLIC,
                    visible=True,
                    mandatory=True,
                ),
                columns=("företrädare_som_krävs",),
                demanded=True,
            ),
            Item(
                claim(REPORTS_TO, "Det som görs berättas för", "Acts are told to", "text", SENSITIVE, "identity"),
                columns=("berättas_för",),
                tells_where=True,  # Not a home, but perhaps who runs the wallet: a school, a municipality.
            ),
        ),
        told_apart_by=("principal_family_name", "principal_given_name", "principal_birthdate", "power_basis"),
        rules=(
            Rule(
                "covers_types",
                _can_be_read,
                "The power does not say in a known way what it covers, when, and how many have to act.",
                "Write all, or the kinds and host names; whole numbers from 1 on.",
            ),
            Rule(
                "ends_on",
                _ends_after_beginning,
                "The power ends before it begins.",
                "Correct the days.",
            ),
            Rule(
                "ends_on",
                _ends_before_majority,
                "A guardian's power ends before the child's 18th birthday.",
                "Write the day before that birthday, or an earlier one.",
            ),
            Rule(
                "principal_family_name",
                _is_for_another,
                "Nobody acts for themself.",
                "Write who acts under family_name, and for whom under principal_family_name.",
            ),
            Rule(
                "covers_types",
                _names_kinds,
                "What is covered is not named by the kind of a certificate.",
                "Write all, or kinds such as urn:intyga:credential:employment:1.",
            ),
            Rule(
                "covers_recipients",
                _names_hosts,
                "A recipient is not named by a host name.",
                "Write all, or host names in small letters such as school.example, without https:// and path.",
            ),
            Rule(
                REPORTS_TO,
                _can_be_told,
                "The address for reports is not of its form.",
                "Write it as the person's wallet shows it, or leave it out.",
            ),
            Rule(
                "covers_types",
                _covers_no_powers,
                "A power cannot be passed on.",
                "Leave powers of representation out of what it covers.",
            ),
        ),
    ),
    last_day="ends_on",
)
