"""Processes that measure points.

Comes in: batches of points.  Goes out: their rows, each as soon as it is known, in no fixed
order.  Workers write no files and end when the parent does, however it ends: their end of the
pipe breaks.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.explore.point import Point, Row, measure
from zhisuan.explore.program import Program, Source

Batch = Sequence[Point]


def rows(
    batches: Sequence[Batch], machine: Machine, sources: Mapping[str, Source], jobs: int
) -> Iterator[Row]:
    """The rows of all batches, from `jobs` processes that load the programs themselves."""
    waiting = list(reversed(batches))
    context = multiprocessing.get_context("spawn")
    working: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(min(jobs, len(batches))):
            here, there = context.Pipe()
            worker = context.Process(target=_serve, args=(there, machine, sources), daemon=True)
            worker.start()
            there.close()
            here.send(waiting.pop())
            working[here] = worker
        while working:
            for connection in wait(list(working)):
                assert isinstance(connection, Connection)
                row = _received(connection, working[connection])
                if row is not None:
                    yield row
                elif waiting:
                    connection.send(waiting.pop())
                else:
                    connection.close()
                    working.pop(connection).join()
    finally:
        for worker in working.values():
            worker.kill()


def _received(connection: Connection, worker: BaseProcess) -> Row | None:
    try:
        return connection.recv()
    except (EOFError, ConnectionResetError):
        worker.join()
        raise ZhisuanError(
            "a process of the sweep ended before its work was done",
            expected="exit code 0",
            found=f"exit code {worker.exitcode}",
            hint="--resume, with fewer --jobs if memory was short",
        ) from None


def _serve(connection: Connection, machine: Machine, sources: Mapping[str, Source]) -> None:
    """A worker: batches in, a row for each point and then None out, until the pipe breaks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    programs: dict[str, Program] = {}
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for point in connection.recv():
                if point.program not in programs:
                    programs[point.program] = sources[point.program].load()
                connection.send(measure(point, programs[point.program], machine))
            connection.send(None)
