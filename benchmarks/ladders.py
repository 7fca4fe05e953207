"""`python -m benchmarks ladders`: what each rung of the labs' two ladders takes, in cycles.

The rungs are the reference answers of the labs `gemm_int8` and `matmul_fp32`.  Every rung computes
and its values are compared; the slow ones compute some rows only.  Goes out: docs/ladders.md and
the picture in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import ladder_picture
from benchmarks.ladder_picture import percentage
from zhisuan.arch import load as machines
from zhisuan.arch.machine import Machine
from zhisuan.base.files import write_atomically
from zhisuan.labs import catalogue, material
from zhisuan.labs.compare import difference
from zhisuan.labs.grade import ANSWER
from zhisuan.labs.lab_file import Lab, Part
from zhisuan.labs.launch import launch
from zhisuan.labs.work import compiled

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "ladders.md", DOCS / "images" / "ladders.svg"
LIMIT = 10**12
"""Instructions of a task, more than any rung needs."""
COURSE = 524_288, 256, 128
"""The course's product on all cores; on one core it has 128 rows."""
CARDS = {
    "MLU370-X8": {"scalar_gdram": 2716.140, "scalar_nram": 126.067, "matrix": 0.050,
                  "cores": 4.563, "three_stage": 3.824, "five_stage": 4.073},
    "MLU370-X4": {"scalar_gdram": 3261.580, "scalar_nram": 126.071, "matrix": 0.071,
                  "cores": 3.703, "three_stage": 3.180, "five_stage": 3.158},
}  # fmt: skip
"""Milliseconds that the log published with the course's programs gives, both cards at 1 GHz."""
ONE_CORE, ONE_CORE_ROWS = ("scalar_gdram", "scalar_nram", "matrix"), 128
LOOP_ROWS = 16
"""Rows of these that the scalar rungs compute."""

Shape = tuple[int, int, int]
"""Rows of a, terms of a sum, columns of b."""


@dataclass(frozen=True)
class Climb:
    """A ladder on one shape; `some` says how many rows a rung computes, if not all."""

    lab: str
    kind: str  # element type of the matrix unit
    shape: Shape
    some: Mapping[str, int]
    said: str


CLIMBS = (
    Climb("gemm_int8", "i8", (8192, 4096, 4096), {"scalar": 1},
          "Large enough for the matrix units to be the limit."),
    Climb("gemm_int8", "i8", (1024, 512, 1024), {"scalar": 1},
          "Too small: each core has 64 columns, so DRAM is the limit once rows are shared."),
    Climb("matmul_fp32", "f32", COURSE,
          {"scalar_gdram": LOOP_ROWS, "scalar_nram": LOOP_ROWS, "vector": 128, "matrix": 8192},
          "The course's product. A row moves 1,536 bytes for 32,768 multiplications: DRAM is the "
          "limit, and allows 53 % of the matrix units' peak."),
    Climb("matmul_fp32", "f32", (16_384, 2048, 512),
          {"scalar_gdram": 1, "scalar_nram": 1, "vector": 4, "matrix": 1024},
          "Weights of 4 MB on four cores of each cluster, which share their rows."),
)  # fmt: skip


@dataclass(frozen=True)
class Rung:
    """What a rung takes for all rows; `rows` of them were computed."""

    name: str
    file: str
    rows: int
    cycles: int
    dram: int  # bytes


@dataclass(frozen=True)
class Ladder:
    climb: Climb
    machine: Machine
    rungs: tuple[Rung, ...]

    def matrix_share(self, rung: Rung) -> float:
        """Useful multiplications against what all matrix units can do in that time."""
        machine, (m, k, n) = self.machine, self.climb.shape
        peak = machine.cores * machine.matrix.elements * machine.lanes(self.climb.kind)
        return m * k * n / (rung.cycles * peak)

    def dram_share(self, rung: Rung) -> float:
        """Bytes moved against what DRAM can move in that time."""
        return rung.dram / (rung.cycles * self.machine.dram_bytes_per_cycle)

    def milliseconds(self, rung: Rung) -> float:
        return 1e3 * rung.cycles / self.machine.clock_hz


def measured(lab: Lab, part: Part, shape: Shape, rows: int) -> Rung:
    """Run the answer to a part on the first `rows` rows; values must be right."""
    machine, held = machines.load(lab.machine), material.load(lab)
    m, k, n = shape
    case = {"m": rows, "k": k, "n": n} | ({"whole": 1} if lab.name == "matmul_fp32" else {})
    values = held.inputs(np.random.default_rng(0), **case)
    expected = held.reference(**values)
    program = compiled(lab.folder / ANSWER / part.file, part, machine)
    done = launch(program, replace(part, limit=LIMIT), machine, values, expected, ())
    wrong = difference(done, part, values, expected)
    assert wrong is None, f"{part.file}: {wrong}"
    timing, overhead = done.timing, machine.launch.overhead
    cycles = overhead + (timing.total - overhead) * m // rows
    moved = int((timing.dram_read + timing.dram_written).sum())
    return Rung(part.name, part.file, rows, cycles, moved * m // rows)


def climbed(climb: Climb, say: Console) -> Ladder:
    """All rungs of a ladder on one shape."""
    lab = catalogue.find(climb.lab)
    rungs = []
    for part in lab.parts:
        rows = climb.some.get(part.name, climb.shape[0])
        rungs.append(measured(lab, part, climb.shape, rows))
        say.print(f"{climb.lab} {climb.shape} {part.file}: {rungs[-1].cycles:,}", highlight=False)
    return Ladder(climb, machines.load(lab.machine), tuple(rungs))


def table(ladder: Ladder) -> str:
    """The ladder as Markdown: a heading, the table, and what it was computed on."""
    m, k, n = ladder.climb.shape
    lines = [
        f"### {m:,} × {k:,} · {k:,} × {n:,}", "", ladder.climb.said, "",
        "| rung | cycles | ms | × the rung before | matrix units' peak | DRAM's bandwidth |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    before: Rung | None = None
    for rung in ladder.rungs:
        gain = f"{before.cycles / rung.cycles:,.2f}" if before else ""
        lines.append(
            f"| [{rung.file}](../labs/{ladder.climb.lab}/answer/{rung.file}) | {rung.cycles:,} "
            f"| {ladder.milliseconds(rung):,.3f} | {gain} "
            f"| {percentage(ladder.matrix_share(rung))} | {percentage(ladder.dram_share(rung))} |"
        )
        before = rung
    few = [f"{r.rows:,} in `{r.file}`" for r in ladder.rungs if r.rows < m]
    if few:
        lines += ["", f"Rows computed, the others in proportion: {', '.join(few)}."]
    return "\n".join(lines)


def on_a_card(name: str, computed: int | None = None) -> float:
    """Milliseconds of a rung of matmul_fp32 on as many rows as the course has for it, of which
    `computed` are computed, or as many as the figures in the pages take."""
    lab = catalogue.find("matmul_fp32")
    part = next(part for part in lab.parts if part.name == name)
    rows = ONE_CORE_ROWS if name in ONE_CORE else COURSE[0]
    usual = LOOP_ROWS if name.startswith("scalar") else rows
    rung = measured(lab, part, (rows, *COURSE[1:]), computed or usual)
    return 1e3 * rung.cycles / machines.load(lab.machine).clock_hz


def beside_the_cards(ladder: Ladder) -> str:
    """What the course measured beside ours; the rungs on all cores are the ladder's."""
    lines = ["| rung | rows | ours, ms | " + " | ".join(f"{card}, ms | ours is" for card in CARDS)]
    lines[0] += " |"
    lines.append("|---|---:|---:|" + "---:|---:|" * len(CARDS))
    for rung in ladder.rungs:
        if not all(rung.name in times for times in CARDS.values()):
            continue
        alone = rung.name in ONE_CORE
        ours = on_a_card(rung.name) if alone else ladder.milliseconds(rung)
        rows = ONE_CORE_ROWS if alone else ladder.climb.shape[0]
        cells = [
            f"{times[rung.name]:,.3f} | {100 * (ours / times[rung.name] - 1):+.1f} %"
            for times in CARDS.values()
        ]
        lines.append(f"| {rung.file} | {rows:,} | {ours:,.3f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def page(ladders: Sequence[Ladder]) -> str:
    """docs/ladders.md."""
    int8 = [ladder for ladder in ladders if ladder.climb.lab == "gemm_int8"]
    fp32 = [ladder for ladder in ladders if ladder.climb.lab == "matmul_fp32"]
    return PAGE_TEXT.format(
        int8="\n\n".join(map(table, int8)),
        fp32="\n\n".join(map(table, fp32)),
        card=beside_the_cards(fp32[0]),
        cores8=int8[0].machine.cores,
        cores32=fp32[0].machine.cores,
    )


PAGE_TEXT = """# Two ladders

Written by `python -m benchmarks ladders`. The rungs are the reference answers of the labs
[gemm_int8](../labs/gemm_int8/README.md) and [matmul_fp32](../labs/matmul_fp32/README.md), launched
on their machines; values are compared with NumPy's. Shares are of the whole chip, also for rungs
of one core: multiplications of the product against the peak of all matrix units, bytes against
DRAM's bandwidth. Scalar code reaches DRAM through the caches, which count no bytes.

![Share of the matrix units' peak and of DRAM's bandwidth, rung by rung](images/ladders.svg)

## INT8 on the MLU270 class

{cores8} cores, 4,096 multiplications each a cycle.

{int8}

- **conv** is limited by one matrix unit of sixteen, which waits for rows and results in turn.
- **cores**: every core reads all rows of its own, and DRAM gives them one after the other.
- **sram**: a row comes once for four cores, a quarter of the traffic; but everything waits for
  everything.
- **ping_pong**: what is left are the weights at the start, while no product can run, and some 55
  cycles after every 1,024 results, in which sums leave the matrix unit and are rounded.

## FP32 on the MLU370 class

{cores32} cores, 384 multiplications each a cycle.

{fp32}

- **vector** has two vector instructions for a piece of a row of results, and scalar code to issue
  them. The course's ladder has no such rung: what it calls vector is our **matrix**.
- **matrix**: one instruction multiplies a row with all columns.
- **three_stage** hides products behind transfers, or transfers behind products, whichever take
  less time.
- **five_stage** pays where cores share columns: a row comes once for four cores. Where every core
  has all columns, as in the course's product, three stages do as well; on the cards too.

### Beside the cards

The course publishes a log of its programs on two cards at 1 GHz. Its rungs have the same tiles of
128 rows, but other sizes of launches: 128 tasks in place of 32.

{card}

- **scalar_gdram**, **scalar_nram**: these two times set `llc.latency` and `scalar.load` of `mlu370`
  ([validation](validation.md)), so they confirm nothing.
- **matrix** on 128 rows takes the card 50 to 71 µs, of which ours explains 15: what a launch takes
  besides is not published.
- **cores**, **three_stage**, **five_stage** are bound by DRAM. `mlu370` has the 24 GB and
  307.2 GB/s of the X4; on the X8, a card of two such chips (recalled, both), one of them reaches
  less. How its memory is built is not published.

For the INT8 ladder, the course promises no times.
"""


def main() -> None:
    say = Console()
    ladders = [climbed(climb, say) for climb in CLIMBS]
    write_atomically(PICTURE, ladder_picture.draw([panel(ladder) for ladder in ladders]))
    write_atomically(PAGE, page(ladders))


def panel(ladder: Ladder) -> ladder_picture.Panel:
    """A ladder for the picture."""
    m, k, n = ladder.climb.shape
    title = f"{ladder.climb.lab}, {m:,} × {k:,} · {k:,} × {n:,} on {ladder.machine.name}"
    shares = [
        (rung.file.removesuffix(".mlu"), ladder.matrix_share(rung), ladder.dram_share(rung))
        for rung in ladder.rungs
    ]
    return ladder_picture.Panel(title, shares)
