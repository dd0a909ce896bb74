"""Whole flows over HTTP: what one costs the services that serve it, beside an empty endpoint and the raw signatures.

    beside = Beside(servers=[issuer], empty=empty, raw=RawSignatures(checked=8, signed=1))
    measured = beside.measure(lambda count: [desk.fetch] * count, rounds=15, flows=30, empty_per_flow=10)
    measured.figures("one whole issuance ...", reach=60.0, raw_reach=12.0)

A flow is asked, then the raw signatures are made, then the empty endpoint is asked so many times, and so on in turn:
all find the machine in the same mood. The CPU time is that of the servers alone, and that of the signatures is CPU time
as well, so that a machine that is busy with other things lengthens neither. Flows per second are those of one client
that asks for one after the other: the seconds that it waited, not what several processes could serve.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.measure import Figure, figure_from_samples
from bench.served import Served
from proofs.ecdsa import signature_holds
from proofs.keys import generate_signer, public_key_from_jwk

Flow = Callable[[], float]
"""Walks one flow; the seconds that the client waited for it."""
Prepare = Callable[[int], Sequence[Flow]]
"""Makes so many flows ready; what that takes is not counted."""


class RawSignatures:
    """The ES256 signatures that one flow has the services check and make, and nothing else."""

    def __init__(self, *, checked: int, signed: int) -> None:
        self._checked, self._signed = checked, signed
        self._signer = generate_signer()
        self._data = b"x" * 600
        self._signature = self._signer.sign(self._data)
        self._key = public_key_from_jwk(self._signer.public_jwk)

    def once(self) -> float:
        """The seconds of CPU time that they take."""
        start = time.thread_time()
        for _ in range(self._checked):
            assert signature_holds(self._key, alg="ES256", signature=self._signature, data=self._data)
        for _ in range(self._signed):
            self._signer.sign(self._data)
        return time.thread_time() - start


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found in each round, for one flow: ratios, flows per second, seconds of CPU time."""

    of_empty: list[float] = field(default_factory=list)
    of_raw: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def figures(self, name: str, *, reach: float, raw_reach: float) -> list[Figure]:
        """The two rows of a flow: as a ratio to the empty endpoint and to the raw signatures."""
        rows = (
            ("CPU time of an empty asynchronous endpoint", self.of_empty, reach),
            ("CPU time of the raw signatures that it contains", self.of_raw, raw_reach),
        )
        return [
            figure_from_samples(
                name,
                unit=unit,
                samples=samples,
                reach=bound,
                lower_is_better=True,
                per_second=statistics.median(self.per_second),
                cpu_seconds=statistics.median(self.cpu_seconds),
            )
            for unit, samples, bound in rows
        ]


@dataclass(frozen=True, slots=True)
class Beside:
    """The servers under measurement, and what stands beside them."""

    servers: Sequence[Served]
    empty: Served
    raw: RawSignatures

    def measure(self, prepare: Prepare, *, rounds: int, flows: int, empty_per_flow: int) -> Measured:
        """Walk `flows` flows in each of so many rounds."""
        measured = Measured()
        for _ in range(rounds):
            ready = prepare(flows)
            waited = raw_seconds = 0.0
            before = self._used(), self.empty.cpu_seconds()
            for flow in ready:
                waited += flow()
                raw_seconds += self.raw.once()
                for _ in range(empty_per_flow):
                    self.empty.request("GET", "/")
            used = (self._used() - before[0]) / flows
            measured.of_empty.append(used / ((self.empty.cpu_seconds() - before[1]) / (flows * empty_per_flow)))
            measured.of_raw.append(used / (raw_seconds / flows))
            measured.per_second.append(flows / waited)
            measured.cpu_seconds.append(used)
        return measured

    def _used(self) -> float:
        return sum(server.cpu_seconds() for server in self.servers)
