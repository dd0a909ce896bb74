"""Trust entries as people write them in files, and as `docs/trust.md` describes them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from proofs.keys import generate_signer
from proofs.trust import TrustEntry, entry_from_anchor, entry_from_jwk, read_entry
from schemas.errors import ProtocolError
from tests.proofs.authorities import Authority

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"
KEY = generate_signer().public_jwk


@pytest.fixture(scope="module")
def anchor() -> str:
    """A root certificate."""
    return Authority("Example Root").certificate.public_bytes(Encoding.PEM).decode("ascii")


def examples(anchor: str) -> list[Any]:
    """The examples of the document, with a real certificate where it has dots."""
    texts = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    dotted = "-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n"
    return [json.loads(text.replace(dotted, anchor.replace("\n", "\\n"))) for text in texts]


def test_the_examples_of_the_document_are_read(anchor: str) -> None:
    """What is written there as an example can be copied; every member of an entry is described."""
    entry, listed = examples(anchor)

    read = read_entry(entry)
    assert (read.name, read.identifier, read.types) == (entry["name"], entry["identifier"], tuple(entry["types"]))
    assert read.not_before is not None
    assert read.not_after is not None
    assert [read_entry(one).mechanism for one in listed] == ["x5c", "metadata"]
    text = DOCUMENT.read_text("utf-8")
    assert [name for name in TrustEntry.__dataclass_fields__ if f"`{name}`" not in text] == []


def test_an_entry_without_id_gets_the_one_of_its_key(anchor: str) -> None:
    """However it is added, by a file or by its certificate, the same party is there once."""
    by_anchor = {"name": "A", "role": "issuer", "anchor_pem": anchor}
    by_key = {"name": "B", "role": "issuer", "mechanism": "jwks", "identifier": "https://b.example", "jwks": [KEY]}
    named = {"name": "C", "role": "issuer", "mechanism": "metadata", "identifier": "https://c.example"}

    assert read_entry(by_anchor).id == entry_from_anchor(anchor, name="A").id
    assert read_entry(by_key).id == entry_from_jwk(KEY, name="B", role="issuer", identifier="https://b.example").id
    ids = {read_entry(one).id for one in (by_anchor, by_key, named, {**named, "identifier": "https://d.example"})}
    assert len(ids) == 4
    assert read_entry({**named, "id": "mine"}).id == "mine"


@pytest.mark.parametrize(
    "value",
    [None, [], "text", {}, {"id": ""}, {"id": 7, "role": "any"}, {"role": "issuer"}, {"role": "issuer", "id": None}],
)
def test_what_is_no_entry_is_refused(value: Any) -> None:
    """An empty or wrong identifier is a fault, not a missing one."""
    with pytest.raises(ProtocolError):
        read_entry(value)
