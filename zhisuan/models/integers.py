"""A network brought into 8-bit integers: optimised, calibrated on examples, rewritten.

In: a graph, what examples are wanted, perhaps a calibration file.  Out: both graphs, and what
they were made with.  Writes no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zhisuan.graph.ir import Graph
from zhisuan.graph.rewrite import optimize
from zhisuan.models.examples import Examples, Network, gather
from zhisuan.quantize import Calibration, Quantized, calibrate, quantize
from zhisuan.quantize.calibration import load
from zhisuan.quantize.rewrite import layers_to_quantize


@dataclass(frozen=True)
class QuantizedModel:
    """A network in floats and in integers, the ranges used, and the examples wanted."""

    graph: Graph
    quantized: Quantized
    calibration: Calibration
    examples: Sequence[Mapping[str, np.ndarray]]


def quantize_model(
    graph: Graph,
    named: Network | None,
    wanted: Examples,
    calibration: Path | None = None,
    *,
    percentile: float = 100.0,
    per_channel: bool = False,
    keep: Sequence[str] = (),
) -> QuantizedModel:
    """The graph, which may be the `named` network's, in integers.

    The examples are run unless a `calibration` file says what they would show.
    """
    graph = optimize(graph)
    layers_to_quantize(graph, keep)  # a wrong name is known before the examples are run
    examples = gather(graph, named, wanted)
    ranges = load(calibration) if calibration else calibrate(graph, examples, percentile)
    done = quantize(graph, ranges, keep=keep, per_channel=per_channel)
    return QuantizedModel(graph, done, ranges, examples)
