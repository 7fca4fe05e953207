"""Calibration: run example inputs through a graph in float32 and note how large tensors grow.

In: a graph, inputs, a percentile.  Out: a `Calibration`.  The same graph and inputs are run
once; later calls find the result in the cache by its content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from zhisuan.base import cache
from zhisuan.base.errors import ZhisuanError
from zhisuan.base.progress import track
from zhisuan.graph import reference, text
from zhisuan.graph.ir import Graph
from zhisuan.graph.shapes import infer
from zhisuan.quantize.calibration import Calibration, from_text, measured

Feeds = Mapping[str, np.ndarray]


def calibrate(
    graph: Graph,
    inputs: Sequence[Feeds],
    percentile: float = 100.0,
) -> Calibration:
    """Largest magnitudes of all float tensors over the inputs, from the cache if known.

    Per input the given percentile of a tensor's magnitudes counts; 100 is their largest.
    """
    if not inputs or not 0 < percentile <= 100:
        raise ZhisuanError(
            "nothing to calibrate with",
            where=f"graph '{graph.name}'",
            expected="one input or more, a percentile above 0 and up to 100",
            found=f"{len(inputs)} inputs, percentile {percentile}",
        )

    def make() -> bytes:
        return _measure(graph, inputs, float(percentile)).to_text().encode()

    key = list(_content(graph, inputs, percentile))
    path = cache.get_or_make("calibration", key, make, suffix=".toml")
    return from_text(path.read_text(encoding="utf-8"), str(path))


def _content(graph: Graph, inputs: Sequence[Feeds], percentile: float) -> Iterator[bytes]:
    """Everything that the result depends on."""
    yield f"1 {percentile} {text.dumps(graph)}".encode()
    for array in text.stored_constants(graph).values():
        yield _digest(array)
    for feeds in inputs:
        for name, array in sorted(feeds.items()):
            yield f"{name} {array.dtype} {array.shape}".encode()
            yield _digest(array)


def _digest(array: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(array).data).digest()


def _measure(graph: Graph, inputs: Sequence[Feeds], percentile: float) -> Calibration:
    largest: dict[str, float] = {}

    def watch(name: str, array: np.ndarray) -> None:
        if array.dtype.kind == "f" and array.size:
            largest[name] = max(largest.get(name, 0.0), _magnitude(graph, name, array, percentile))

    for feeds in inputs:
        infer(graph, reference.bind(graph, feeds))  # an example that does not fit is an error
    for feeds in track(inputs, "example"):
        reference.run(graph, feeds, watch)
    tensors = {name: measured(value) for name, value in largest.items()}
    return Calibration(graph.name, len(inputs), percentile, tensors)


def _magnitude(graph: Graph, name: str, array: np.ndarray, percentile: float) -> float:
    sizes = np.abs(array)
    found = sizes.max() if percentile == 100 else np.percentile(sizes, percentile)
    if not np.isfinite(found):
        raise ZhisuanError(
            f"the tensor '{name}' is not finite",
            where=f"graph '{graph.name}'",
            expected="example inputs whose results are numbers",
            found=str(found),
        )
    return float(np.float32(found))
