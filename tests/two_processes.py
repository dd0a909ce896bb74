"""The same work in two real processes at the same moment, for everything that may happen only once.

    found = in_two_processes(take_all, [(directory, certificate_id), (directory, certificate_id)], 16)

The work gets its arguments, a barrier on which it waits when it is ready, and a queue for what comes of each try.
Processes are forked by a server that has imported everything, so that each costs little; what a test has changed in its
own process is not changed in them.
"""

import multiprocessing
import queue
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier as Barrier
from typing import Any


def warm_processes() -> ForkServerContext:
    """Where processes come from: a server that has imported and used everything, and forks each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.acts", "tests.crash.soak", "tests.crash.warm"])
    return context


def in_two_processes(work: Any, calls: Sequence[tuple[Any, ...]], count: int) -> list[Any]:
    """Run `work` with each of two lists of arguments at the same time; the `count` results, in no order."""
    assert len(calls) == 2
    context = warm_processes()
    barrier, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=work, args=(*arguments, barrier, results)) for arguments in calls]
    for process in processes:
        process.start()
    found: list[Any] = []
    for _ in range(240):
        try:
            while len(found) < count:
                found.append(results.get(timeout=0.5))
            break
        except queue.Empty:
            assert not any(process.exitcode for process in processes), "a process failed; its error is above"
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    return found
