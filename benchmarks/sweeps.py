"""The sweeps of docs/sweep.md: how long they take, what they find, and their pictures."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cpu
from zhisuan.base.files import write_atomically
from zhisuan.explore import sweep
from zhisuan.explore.pareto import OBJECTIVES, TextRow
from zhisuan.explore.sweep_file import load

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
VARIANTS, CORES = HERE / "sweep-style.toml", HERE / "sweep-cores.toml"
MOST_SECONDS = 60
"""Asked of the thousand variants."""
CLUSTERS, PER_CLUSTER = "chip.clusters", "chip.cores_per_cluster"
BANDWIDTH = "dram.bytes_per_second"


@dataclass(frozen=True)
class Done:
    """A sweep, its seconds, and the keys that it varies."""

    outcome: sweep.Outcome
    seconds: float
    busy: float
    """Processor seconds of its processes."""
    others: float
    """The share of the cores that other processes took meanwhile."""
    varied: list[str]


def measure(file: Path, picture: str) -> Done:
    """Run a sweep of one program on all cores, and keep its picture."""
    wanted = load(file)
    with tempfile.TemporaryDirectory() as name:
        start, before, all_before = time.perf_counter(), _processor_seconds(), cpu.busy_seconds()
        outcome = sweep.run(wanted, Path(name) / "out", jobs=cpu.threads())
        seconds, busy = time.perf_counter() - start, _processor_seconds() - before
        others = (cpu.busy_seconds() - all_before - busy) / (seconds * cpu.threads())
        write_atomically(IMAGES / picture, (Path(name) / "out" / sweep.PICTURE).read_bytes())
    return Done(outcome, seconds, busy, max(others, 0.0), list(wanted.vary))


def _processor_seconds() -> float:
    """Of this process and of those of its own that have ended."""
    return sum(os.times()[:4])


def choices(base: TextRow, front: Sequence[TextRow]) -> dict[str, TextRow]:
    """Rows worth showing: the machine that was varied, and the best in one thing or in all."""

    def least(objective: str) -> Callable[[TextRow], float]:
        return lambda row: float(row[objective])

    found = {base["point"]: base}
    names = ("fastest", "least energy", "least area")
    for name, objective in zip(names, OBJECTIVES, strict=True):
        found[name] = min(front, key=least(objective))
    better = [row for row in front if all(float(row[o]) <= float(base[o]) for o in OBJECTIVES)]
    if better:
        found[f"better than {base['point']} in everything, least area"] = min(
            better, key=least("square_millimetres")
        )
    return found


def variants_table(done: Done, program: str) -> str:
    """The rows of `choices`, as Markdown."""
    columns = [*done.varied, *OBJECTIVES]
    rows = choices(done.outcome.bases[program], done.outcome.fronts[program])
    lines = [f"| | {' | '.join(columns)} |", "|---" + "|---:" * len(columns) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(row.get(column, '') for column in columns)} |")
    return "\n".join(lines)


def cores_table(rows: Sequence[TextRow]) -> str:
    """Milliseconds of the fastest arrangement by number of cores and bandwidth."""
    best: dict[tuple[int, int], float] = {}
    for row in rows:
        place = int(row[CLUSTERS]) * int(row[PER_CLUSTER]), int(row[BANDWIDTH])
        best[place] = min(best.get(place, float("inf")), float(row["milliseconds"]))
    rates = sorted({rate for _, rate in best})
    head = " | ".join(f"{rate / 1e9:g} GB/s" for rate in rates)
    lines = [f"| cores | {head} |", "|---:" * (1 + len(rates)) + "|"]
    for cores in sorted({cores for cores, _ in best}):
        cells = " | ".join(f"{best[cores, rate]:.2f}" for rate in rates)
        lines.append(f"| {cores} | {cells} |")
    return "\n".join(lines)


def spread(rows: Sequence[TextRow]) -> float:
    """How much slower the worst arrangement of equally many cores is than the best, at most."""
    found: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        place = int(row[CLUSTERS]) * int(row[PER_CLUSTER]), row[BANDWIDTH]
        found.setdefault(place, []).append(float(row["milliseconds"]))
    return max(max(times) / min(times) for times in found.values()) - 1


def section() -> str:
    many = measure(VARIANTS, "pareto.svg")
    cores = measure(CORES, "pareto-cores.svg")
    rows, front = cores.outcome.rows, many.outcome.fronts["style"]
    return f"""\
{len(many.outcome.rows):,} machines around `dlp-s` for the style network at 256×256
({VARIANTS.name}, [pictured](images/pareto.svg)): {took(many)}
(asked: at most {MOST_SECONDS} s). Of the {len(front)} on the Pareto front:

{variants_table(many, "style")}

{len(rows)} chips of `mlu270` cores for VGG16 at 224×224
({CORES.name}, [pictured](images/pareto-cores.svg)): {took(cores)}.
Milliseconds of the fastest arrangement of the cores in clusters; the slowest takes at most
{100 * spread(rows):.0f} % longer:

{cores_table(rows)}"""


def took(done: Done) -> str:
    """The seconds of a sweep, for people."""
    spent = f"{done.seconds:.0f} s on {cpu.threads()} cores, {done.busy:.0f} s of processor time"
    return f"{spent}, other processes taking {100 * done.others:.0f} % of the cores"
