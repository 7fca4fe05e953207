"""`make cluster`: the sweep of docs/sweep.md on a Ray cluster of two nodes on this host.

Three times the same sweep: by two processes, by the cluster, and by the cluster while one of its
workers is killed.  The tables must have the same bytes; the times are printed.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from zhisuan.explore import sweep
from zhisuan.explore.journal import TABLE
from zhisuan.explore.sweep_file import load

SWEEP = Path(__file__).parent / "sweep-style.toml"
NODES = 2
DOOMED_AFTER = 100
"""Rows in the table when a worker is killed."""
PATIENCE = 60
"""Seconds to look for a worker to kill."""


@contextmanager
def two_nodes() -> Iterator[tuple[str, list[int]]]:
    """The address of a cluster of two nodes of one core each, and their raylets' process ids."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

    cluster = Cluster()
    try:
        nodes = [cluster.add_node(num_cpus=1, include_dashboard=False) for _ in range(NODES)]
        raylets = [node.all_processes["raylet"][0].process.pid for node in nodes]
        yield cluster.address, raylets
    finally:
        cluster.shutdown()


def kill_a_worker(raylets: Sequence[int], table: Path, rows: int) -> int:
    """Once `table` has so many rows, kill -9 a worker that measures; its process id."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.005)
        if not table.exists() or table.read_bytes().count(b"\n") <= rows:
            continue
        for worker in _working(raylets):
            os.kill(worker, signal.SIGKILL)
            return worker
    return 0


def _working(raylets: Sequence[int]) -> Iterator[int]:
    """The children of the raylets that are in a batch now, as their titles say."""
    for raylet in raylets:
        for children in Path(f"/proc/{raylet}/task").glob("*/children"):
            for child in children.read_text().split():
                title = Path(f"/proc/{child}/cmdline")
                if title.exists() and title.read_bytes().startswith(b"ray::_batch"):
                    yield int(child)


def timed(label: str, action: Callable[[], object]) -> None:
    start = time.perf_counter()
    action()
    print(f"{label}: {time.perf_counter() - start:.1f} s")


def main() -> None:
    wanted = load(SWEEP)
    with tempfile.TemporaryDirectory() as name, two_nodes() as (address, raylets):
        folders = [Path(name) / part for part in ("processes", "cluster", "killed")]
        timed("two processes", lambda: sweep.run(wanted, folders[0], jobs=2))
        timed("two nodes", lambda: sweep.run(wanted, folders[1], ray=address))
        table, killed = folders[2] / TABLE, list[int]()
        killer = Thread(target=lambda: killed.append(kill_a_worker(raylets, table, DOOMED_AFTER)))
        killer.start()
        timed("two nodes, a worker killed", lambda: sweep.run(wanted, folders[2], ray=address))
        killer.join()
        tables = {(folder / TABLE).read_bytes() for folder in folders}
    if not killed[0]:
        raise SystemExit("error: no worker was found to kill")
    if len(tables) > 1:
        raise SystemExit("error: the tables differ")
    print("the three tables have the same bytes")


if __name__ == "__main__":
    main()
