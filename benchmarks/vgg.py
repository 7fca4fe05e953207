"""VGG16 at 224 × 224: simulated values and timing beside PyTorch computing it on this CPU.

All sides take turns in one process, so that a drifting host slows all; medians are compared.
Memory is that of another process, which only plans and simulates.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise

from benchmarks import chip, cpu, networks
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime.device import Loaded
from zhisuan.sim.timing import replay

ROUNDS = 5
MOST_ROUNDS = 30
"""So many rounds at most, while others keep the host busy."""
SUBJECTS = (("dlp-s", "FP16"), ("mlu270", "FP16"), ("mlu270", "INT8"))
ASKED = {("mlu270", "FP16"): 2.0, ("mlu270", "INT8"): 1.0}
"""Machine and precision → the ratio to the CPU that is asked for."""
MOST_MEMORY = 2e9
"""Bytes that a simulation of VGG16 may take."""


Ready = tuple[str, str, Loaded]
"""Machine, precision, and the network on a device: weights are loaded before, as the CPU's are."""


@dataclass(frozen=True)
class Simulated:
    """Median seconds here of values and timing, peak bytes, and the run on the chip."""

    run: chip.ChipRun
    values: float
    timing: float
    peak: int


@dataclass(frozen=True)
class Comparison:
    """All subjects and the CPU's median seconds; `refused` says why a subject is missing."""

    peer: str
    seconds: float
    subjects: tuple[Simulated, ...]
    refused: tuple[str, ...]
    others: float
    """The share of the cores that other processes took in the noisiest round that counts."""


def measure(rounds: int = ROUNDS) -> Comparison:
    """Everybody in turn, after one uncounted round; the quietest rounds count."""
    network = networks.vgg16_network()
    peer = networks.vgg16_peer(network)
    ready, refused = [], []
    for name, precision in SUBJECTS:
        try:
            ready.append((name, precision, chip.loaded(network, load(name), precision)))
        except ZhisuanError as error:
            refused.append(f"{precision} on `{name}`: {error.what}")
    found: list[tuple[float, list[float]]] = []
    while sum(others <= cpu.QUIET for others, _ in found) < rounds and len(found) < MOST_ROUNDS:
        times: list[float] = []
        spent = cpu.timed(lambda into=times: into.extend(_round(network, peer, ready)))
        found.append((spent.others, times))
    quietest = sorted(found[1:])[:rounds]
    theirs, *ours = (
        statistics.median(part) for part in zip(*(t for _, t in quietest), strict=True)
    )
    pairs = zip(ours[::2], ours[1::2], strict=True)
    subjects = []
    for (name, precision, loaded), (values, timing) in zip(ready, pairs, strict=True):
        run = chip.run(network, precision, loaded)
        subjects.append(Simulated(run, values, timing, peak_memory(name, precision)))
    others = max(others for others, _ in quietest)
    return Comparison(peer.name, theirs, tuple(subjects), tuple(refused), others)


def _round(network: networks.Network, peer: networks.Peer, ready: list[Ready]) -> list[float]:
    """Seconds of the peer, then of values and of timing of every subject."""
    marks = [time.perf_counter()]
    peer.run()
    marks.append(time.perf_counter())
    for _, _, loaded in ready:
        _, trace = loaded.run(network.inputs)
        marks.append(time.perf_counter())
        replay(trace, loaded.device.machine)
        marks.append(time.perf_counter())
    return [after - before for before, after in pairwise(marks)]


def peak_memory(name: str, precision: str) -> int:
    """Peak bytes of a process that builds the network, plans it, and runs it once."""
    command = [sys.executable, "-m", "benchmarks.vgg", name, precision]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """The process whose memory is measured."""
    name, precision = sys.argv[1:]
    network = networks.vgg16_network()
    chip.run(network, precision, chip.loaded(network, load(name), precision))
    with open("/proc/self/status") as status:
        (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    print(json.dumps(1024 * int(peak)))


def table(result: Comparison) -> str:
    lines = [
        "| chip | cores | values, s | timing, s | simulated / CPU | asked | peak memory, GB "
        "| chip, ms | utilisation |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for s in result.subjects:
        run = s.run
        asked = ASKED.get((run.machine.name, run.precision))
        lines.append(
            f"| `{run.machine.name}`, {run.precision} | {run.cores} of {run.machine.cores} "
            f"| {s.values:.3f} | {s.timing:.3f} | {(s.values + s.timing) / result.seconds:.2f} "
            f"| {'' if asked is None else f'≤ {asked:g}'} | {s.peak / 1e9:.2f} "
            f"| {1e3 * run.seconds:.2f} | {100 * run.utilisation:.1f} % |"
        )
    return "\n".join([*lines, *(f"\nLeft out: {why}." for why in result.refused)])


def section() -> str:
    result = measure()
    others = f"{100 * result.others:.0f} %"
    return f"""\
One 224×224 picture. This CPU takes {result.seconds:.3f} s: {result.peer}, float32,
{cpu.threads()} threads. Medians of {ROUNDS} rounds in one process, everybody in turn, during which
other processes took at most {others} of the cores. The simulator may use as many threads.
Utilisation is of all cores of the chip. Memory is the peak of a process that builds the network,
plans it and runs it once (asked: at most {MOST_MEMORY / 1e9:g} GB).

{table(result)}"""


if __name__ == "__main__":
    main()
