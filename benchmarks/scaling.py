"""Cost of simulation: host seconds and memory against multiply-accumulates simulated.

Each size runs in a process of its own, so that peak memory is that run's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from math import log
from statistics import linear_regression

SIDES = (7, 16, 48, 128, 384, 1024, 2304)
"""Square pictures for the style network: from 10⁶ to 10¹¹ multiply-accumulates."""
FILLED = 1e8
"""MACs from which the instructions' own work is most of the cost."""

CHILD = """
import json, sys, time
from zhisuan import pipeline
side = int(sys.argv[1])
pipeline.style(None, "7", "16x16")  # compiles what is not in the cache yet
start = time.perf_counter()
report = pipeline.style(None, "7", f"{side}x{side}").report
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "macs": sum(layer.macs for layer in report.layers),
    "simulate": report.host_seconds["simulate values"] + report.host_seconds["replay timing"],
    "whole": time.perf_counter() - start,
    "peak": 1024 * int(status["VmHWM"].split()[0]),
}))
"""


@dataclass(frozen=True)
class Cost:
    """One size: MACs of the graph, seconds simulating (values and timing), whole, peak bytes."""

    side: int
    macs: int
    simulate: float
    whole: float
    peak: int


def measure(side: int) -> Cost:
    """The style network on a side × side picture."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(side)], capture_output=True, text=True, check=True
    )
    return Cost(side, **json.loads(done.stdout.splitlines()[-1]))


def slope(results: list[Cost]) -> float:
    """Of log(seconds) over log(MACs), least squares: 1 is a cost in proportion."""
    macs, seconds = ([log(getattr(r, name)) for r in results] for name in ("macs", "simulate"))
    return linear_regression(macs, seconds).slope


def table(results: list[Cost]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| picture | MACs | simulate, s | GMAC/s | whole run, s | peak memory, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for r in results:
        lines.append(
            f"| {r.side}×{r.side} | {r.macs:.2g} | {r.simulate:.3f} "
            f"| {r.macs / r.simulate / 1e9:.1f} | {r.whole:.2f} | {r.peak / 1e6:.0f} |"
        )
    return "\n".join(lines)


def section() -> str:
    results = [measure(side) for side in SIDES]
    filled = [r for r in results if r.macs >= FILLED]
    return f"""\
The style network on square pictures, each in a process of its own, on `dlp-s`. From 10⁸
multiply-accumulates on the slope of log(seconds) over log(MACs) is {slope(filled):.2f} (1: in
proportion), over all sizes {slope(results):.2f}: small pictures cost what their launches cost.

{table(results)}"""
