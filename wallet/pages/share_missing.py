"""What is missing for an answer, in words: each thing that is needed once, alternatives as alternatives."""

from dataclasses import dataclass

from schemas.types import type_of
from service.i18n import Translator, inside_sentence
from wallet.cards import read_card
from wallet.decision import Decision, Lack
from wallet.pages.share_words import NOTHING_FITS, OBSTACLES


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, and why; `title` is "" for kinds that this wallet does not know.

    `is_choice`: the title names several ways, of which one is enough. `whys` are sentences, each once.
    """

    title: str
    is_choice: bool
    whys: tuple[str, ...]


def missing(decision: Decision, t: Translator) -> list[Missing]:
    """Everything required that nothing in the wallet answers."""
    by_query: dict[str, list[Lack]] = {}
    for lack in decision.lacks:
        by_query.setdefault(lack.query_id, []).append(lack)
    found: list[Missing] = []
    told: set[str] = set()
    for some in decision.checked.query.sets:
        ways = [[lack for one in ids for lack in by_query.get(one, ())] for ids in some.options]
        queries = {lack.query_id for way in ways for lack in way}
        if not some.required or not all(ways) or queries <= told:
            continue
        told |= queries
        if len(ways) == 1:
            found += [Missing(_title(decision, lack, t), False, (_why(lack, t),)) for lack in ways[0]]
        else:
            found.append(_choice(decision, ways, t))
    return found


def _choice(decision: Decision, ways: list[list[Lack]], t: Translator) -> Missing:
    lacks = [lack for way in ways for lack in way]
    titles = [t.listed(dict.fromkeys(_title(decision, lack, t) for lack in way)) for way in ways]
    whys = [_why(lack, t) for lack in lacks]
    if len(set(whys)) > 1:
        whys = [f"{_title(decision, lack, t)}: {inside_sentence(_why(lack, t))}" for lack in lacks]
    known = list(dict.fromkeys(title for title in titles if title))
    title = t.listed([*known[:1], *map(inside_sentence, known[1:])], "or")
    return Missing(title, len(known) > 1, tuple(dict.fromkeys(whys)))


def _why(lack: Lack, t: Translator) -> str:
    return t(OBSTACLES[lack.obstacle]) if lack.obstacle else t(NOTHING_FITS)


def _title(decision: Decision, lack: Lack, t: Translator) -> str:
    """What is missing: the certificate that cannot be shown, or the kinds that would do; "" for unknown kinds."""
    if lack.certificate is not None:
        return read_card(lack.certificate, t.language).title
    types = decision.checked.query.credential(lack.query_id).types
    known = [found for chain in types if (found := type_of(chain[-1])) is not None]
    return t.listed([one.title(t.language) for one in known], "or")
