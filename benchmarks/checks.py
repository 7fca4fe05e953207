"""What the checks cost: the style network simulated without them, with each, and with all.

Medians of a few rounds, everything in turn in one process.  Judging happens after the launches,
so the cost of a check is that of keeping the journal, of finding out what each instruction
touched, and its own.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from benchmarks.networks import STYLE
from zhisuan.arch.load import load
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import lower
from zhisuan.models import style
from zhisuan.runtime.device import play
from zhisuan.sim.checks.run import CHECKS

SIDE = 128
MACHINES = ("dlp-s", "mlu270")
ROUNDS = 3
ASKED: dict[str, tuple[str, ...]] = {
    "none": (),
    **{name: (name,) for name in CHECKS},
    "all": CHECKS,
}


def measure(machine_name: str) -> dict[str, float]:
    """Median seconds of simulating values, by what is asked."""
    machine = load(machine_name)
    lowered = lower(optimize(style.load()), {"h": SIDE, "w": SIDE}, machine)
    picture = np.random.default_rng(0).random((1, 3, SIDE, SIDE)).astype(np.float32)
    inputs = {"image": 255 * picture, "style_weights": style.style_vector(STYLE)}
    times: dict[str, list[float]] = {name: [] for name in ASKED}
    for counted in [False] + [True] * ROUNDS:
        for name, checks in ASKED.items():
            start = time.perf_counter()
            play(lowered.plan, lowered.programs, lowered.constants, inputs, machine, checks=checks)
            if counted:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def section() -> str:
    """The table, with a line of explanation."""
    found = {name: measure(name) for name in MACHINES}
    lines = [
        f"Seconds to simulate the values of the style network at {SIDE}×{SIDE}, and how many times "
        f"as long as without checks; medians of {ROUNDS} rounds.",
        "",
        "| checks | " + " | ".join(f"{name}, s | slower" for name in MACHINES) + " |",
        "|---|" + "---:|---:|" * len(MACHINES),
    ]
    for asked in ASKED:
        cells = [
            f"{found[name][asked]:.2f} | {found[name][asked] / found[name]['none']:.1f}×"
            for name in MACHINES
        ]
        lines.append(f"| {asked} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
