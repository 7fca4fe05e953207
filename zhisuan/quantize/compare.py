"""What integers cost: the signal-to-noise ratio of every tensor that both graphs make.

In: a graph, the same in integers, inputs.  Out: decibels by tensor, and the outputs of both.
Runs both references; prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zhisuan.graph import reference
from zhisuan.graph.ir import Graph
from zhisuan.quantize.rewrite import Quantized


@dataclass(frozen=True)
class Comparison:
    """SQNR in dB by tensor over all inputs; the outputs of both graphs, one entry per input."""

    sqnr: Mapping[str, float]
    real: tuple[Mapping[str, np.ndarray], ...]
    integer: tuple[Mapping[str, np.ndarray], ...]


def compare(
    graph: Graph, quantized: Quantized, inputs: Sequence[Mapping[str, np.ndarray]]
) -> Comparison:
    """Both graphs on the same inputs; sqnr = 10·log10(Σ x² / Σ (x - q·step)²)."""
    signal: dict[str, float] = {}
    noise: dict[str, float] = {}
    outputs: tuple[list, list] = ([], [])
    for feeds in inputs:
        seen: dict[str, np.ndarray] = {}
        outputs[0].append(reference.run(graph, feeds, seen.__setitem__))

        def judge(name: str, array: np.ndarray, seen: dict = seen) -> None:
            if name not in seen or array.dtype.kind not in "fi" or name in graph.inputs:
                return
            exact = seen.pop(name).astype(np.float64)
            form = quantized.formats.get(name)
            error = exact - array.astype(np.float64) * (form.step if form else 1.0)
            signal[name] = signal.get(name, 0.0) + float(np.vdot(exact, exact))
            noise[name] = noise.get(name, 0.0) + float(np.vdot(error, error))

        outputs[1].append(reference.run(quantized.graph, feeds, judge))
    sqnr = {name: decibels(signal[name], noise[name]) for name in signal}
    return Comparison(sqnr, tuple(outputs[0]), tuple(outputs[1]))


def decibels(signal: float, noise: float) -> float:
    """10·log10(signal / noise); infinite without noise."""
    return float("inf") if noise == 0 else float(10 * np.log10(max(signal, 1e-300) / noise))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """a · b / (|a| |b|) of all elements; 1 when both are zero."""
    x, y = a.reshape(-1).astype(np.float64), b.reshape(-1).astype(np.float64)
    length = float(np.linalg.norm(x) * np.linalg.norm(y))
    return 1.0 if length == 0 and not x.any() and not y.any() else float(x @ y) / (length or 1.0)
