"""Nodes of a Ray cluster that measure points.

Comes in: batches of points and the loaded programs, which travel to the nodes.  Goes out: the
rows, batch by batch as they are known.  A batch whose worker or node dies is measured by
another.  It writes no files: the table is the driver's alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zhisuan import __version__
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.explore.point import Point, Row, measure
from zhisuan.explore.program import Program

LOCAL = "local"
"""The address that stands for a cluster of this host alone, started for the sweep."""
RETRIES = 3
"""How often a batch is given to another worker after its worker died."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to; `cores` of all nodes together."""

    ray: Any
    cores: int

    def rows(
        self, batches: Sequence[Sequence[Point]], machine: Machine, programs: Mapping[str, Program]
    ) -> Iterator[Row]:
        """The rows of all batches, in the order in which batches end."""
        held = {name: self.ray.put(program) for name, program in programs.items()}
        work = self.ray.remote(num_cpus=1, max_retries=RETRIES)(_batch)
        waiting = [work.remote(batch, machine, [held[batch[0].program]]) for batch in batches]
        while waiting:
            ended, waiting = self.ray.wait(waiting)
            yield from self._rows_of(ended[0])

    def _rows_of(self, ended: Any) -> list[Row]:
        try:
            version, rows = self.ray.get(ended)
        except self.ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            raise ZhisuanError(
                "a node of the Ray cluster did not do its work",
                expected=f"nodes with zhisuan {__version__} installed, and memory enough",
                found=f"{type(error).__name__}: {last}",
                hint="--resume, once the cluster is whole again",
            ) from error
        if version != __version__:
            raise ZhisuanError("a node of the Ray cluster has another zhisuan",
                               expected=__version__, found=version)  # fmt: skip
        return rows


_known: tuple[str, Program] | None = None
"""In a worker: the program measured last, by its name in the cluster, with all its plans."""


def _batch(batch: Sequence[Point], machine: Machine, held: Sequence[Any]) -> tuple[str, list[Row]]:
    """In a worker: the rows of a batch, points of one program, and the worker's version."""
    global _known
    name = held[0].hex()
    if _known is None or _known[0] != name:
        import ray  # pyright: ignore[reportMissingImports]

        _known = name, ray.get(held[0])
    program = _known[1]
    return __version__, [measure(point, program, machine) for point in batch]


@contextmanager
def connected(address: str, cores: int) -> Iterator[Cluster]:
    """The cluster at `address`; LOCAL is one of `cores` cores that ends with the block."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ZhisuanError(
            "Ray is not installed",
            where="--ray",
            expected="the package ray",
            found=str(error),
            hint="pip install -e '.[ray]' in the clone, or sweep without --ray",
        ) from error
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"num_cpus": cores, "include_dashboard": False}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ZhisuanError(
            "the Ray cluster does not answer",
            where=f"--ray {address}",
            expected=f"HOST:PORT as `ray start --head` prints it, auto, or {LOCAL}",
            found=str(error).splitlines()[0],
        ) from error
    try:
        yield Cluster(ray, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        ray.shutdown()
