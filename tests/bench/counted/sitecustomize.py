"""Runs at the start of every Python process that finds this directory first: each signature leaves a letter in a file.

`c` for one that was checked, `s` for one that was made; one file for each process, in the directory that
`COUNTED_SIGNATURES` names.
"""

import os
from collections.abc import Callable
from typing import Any

import proofs.ecdsa
import proofs.keys

_FILE = os.open(
    os.path.join(os.environ["COUNTED_SIGNATURES"], str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
)


def _noted(work: Callable[..., Any], letter: bytes) -> Callable[..., Any]:
    def noting(*arguments: Any) -> Any:
        os.write(_FILE, letter)
        return work(*arguments)

    return noting


# Each is called once for a signature: the form that the library takes, and the form that it gives.
proofs.ecdsa.der_from_raw = _noted(proofs.ecdsa.der_from_raw, b"c")
vars(proofs.keys)["raw_from_der"] = _noted(proofs.ecdsa.raw_from_der, b"s")
