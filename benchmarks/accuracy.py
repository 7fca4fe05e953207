"""Accuracy: the chip's picture against onnxruntime's, every style at three sizes.

PSNR with peak 1.0 on the float outputs, before rounding to 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.progress import track

from benchmarks.networks import session
from zhisuan.arch.load import load
from zhisuan.frontend import photo
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import lower
from zhisuan.models import style
from zhisuan.runtime.device import play

SIZES = ((128, 192), (203, 317), (256, 256))


@dataclass(frozen=True)
class Accuracy:
    """PSNR in dB of all styles at one size, by style number."""

    size: str
    psnr: tuple[float, ...]

    @property
    def worst(self) -> tuple[float, int]:
        """The lowest PSNR and the style that has it."""
        return min((value, index) for index, value in enumerate(self.psnr))


def psnr(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB for signals of peak 1.0."""
    error = np.mean((ours.astype(np.float64) - theirs.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(1 / error))


def measure(height: int, width: int) -> Accuracy:
    """All 26 styles of the default photo at one size."""
    machine = load("dlp-s")
    graph = optimize(style.load())
    lowered = lower(graph, {"h": height, "w": width}, machine)
    picture = photo.load(photo.default_photo(), (height, width), style.SMALLEST_SIDE)
    oracle = session(str(style.path()))
    found = []
    for number in track(range(style.STYLE_COUNT), f"styles at {height}×{width}"):
        inputs = {"image": photo.to_tensor(picture), "style_weights": style.style_vector(number)}
        outputs, _ = play(lowered.plan, lowered.programs, lowered.constants, inputs, machine)
        (theirs,) = oracle.run(None, inputs)
        found.append(psnr(outputs["stylized"], np.asarray(theirs)))
    return Accuracy(f"{height}×{width}", tuple(found))


def table(results: list[Accuracy]) -> str:
    """Worst and median by size, then every style, as Markdown."""
    lines = ["| picture | worst, dB | its style | median, dB |", "|---|---:|---:|---:|"]
    for r in results:
        value, index = r.worst
        lines.append(f"| {r.size} | {value:.1f} | {index} | {np.median(r.psnr):.1f} |")
    lines += ["", "| style | " + " | ".join(r.size for r in results) + " |"]
    lines.append("|---:|" + "---:|" * len(results))
    for index in range(style.STYLE_COUNT):
        lines.append(f"| {index} | " + " | ".join(f"{r.psnr[index]:.1f}" for r in results) + " |")
    return "\n".join(lines)


def section() -> str:
    return f"""\
PSNR (peak 1.0) of the chip's float output against onnxruntime's in float32.

{table([measure(*size) for size in SIZES])}"""
