"""Host speed: the style network simulated here, beside onnxruntime computing it on this CPU.

Both sides run in turn in one process, so that a drifting machine slows both; medians are
compared.  The ratio takes the simulator's values and timing; planning has its own column.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.networks import STYLE, session
from zhisuan.arch.load import load
from zhisuan.frontend import photo
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import lower
from zhisuan.models import style
from zhisuan.runtime.device import play
from zhisuan.sim.timing import replay

SIZES = ((256, 256), (384, 384), (512, 512))
ROUNDS = 5


@dataclass(frozen=True)
class Speed:
    """Median seconds of one size; `plan` is import to plan with compiled kernels cached."""

    size: str
    plan: float
    values: float
    timing: float
    onnxruntime: float
    cycles: int

    @property
    def ratio(self) -> float:
        """Simulated values and timing over onnxruntime."""
        return (self.values + self.timing) / self.onnxruntime


def measure(height: int, width: int, rounds: int = ROUNDS) -> Speed:
    """Time one picture size, `rounds` times in turn after one uncounted round."""
    machine = load("dlp-s")
    picture = photo.load(photo.default_photo(), (height, width), style.SMALLEST_SIDE)
    inputs = {"image": photo.to_tensor(picture), "style_weights": style.style_vector(STYLE)}
    oracle = session(str(style.path()))
    times: dict[str, list[float]] = {"plan": [], "values": [], "timing": [], "onnxruntime": []}
    cycles = 0
    for counted in [False] + [True] * rounds:
        marks = [time.perf_counter()]
        lowered = lower(optimize(style.load()), {"h": height, "w": width}, machine)
        marks.append(time.perf_counter())
        _, trace = play(lowered.plan, lowered.programs, lowered.constants, inputs, machine)
        marks.append(time.perf_counter())
        cycles = replay(trace, machine).total
        marks.append(time.perf_counter())
        oracle.run(None, inputs)
        marks.append(time.perf_counter())
        if counted:
            for name, seconds in zip(times, np.diff(marks), strict=True):
                times[name].append(float(seconds))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return Speed(f"{height}×{width}", cycles=cycles, **medians)


def table(results: list[Speed]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| picture | plan, s | values, s | timing, s | onnxruntime, s | simulated / onnxruntime "
        "| chip, ms at 1 GHz |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for r in results:
        lines.append(
            f"| {r.size} | {r.plan:.3f} | {r.values:.3f} | {r.timing:.3f} | {r.onnxruntime:.4f} "
            f"| {r.ratio:.1f} | {r.cycles / 1e6:.3f} |"
        )
    return "\n".join(lines)


def section() -> str:
    return f"""\
Medians of {ROUNDS} rounds, both sides in turn in one process. "plan" is importing, rewriting
and planning with compiled kernels cached, and not part of the ratio; "values" executes every
instruction; "timing" replays the trace. onnxruntime has all host threads, the simulator one.

{table([measure(*size) for size in SIZES])}"""
