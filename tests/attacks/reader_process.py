"""A fresh process that reads one file of results and tells by how much its memory grew.

A module of its own, so that the process holds nothing but the reader when it begins.
"""

import multiprocessing
import resource
from contextlib import suppress
from multiprocessing.connection import Connection

from issuer.profiles import plain_profile
from issuer.results import ImportRefused, Limits, read_results
from tests.schemas.learning.samples import TODAY


def megabytes_to_read(data: bytes) -> float:
    """By how much the memory of the process grows at most while it reads the file, whatever comes of it."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_read_and_tell, args=(data, sender))
    process.start()
    grown = receiver.recv()
    process.join()
    assert isinstance(grown, float)
    return grown


def _read_and_tell(data: bytes, sender: "Connection[float, float]") -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(ImportRefused):
        read_results(data, None, profile=plain_profile({"sv": "X"}, "SE"), limits=Limits(), today=TODAY)
    sender.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
