"""A small network to sweep: a convolution, a pooling and a linear layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zhisuan.base.dtype import F32
from zhisuan.graph import text
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph


@pytest.fixture(scope="session")
def small() -> Graph:
    """image [1, 8, 24, 24] → scores [1, 10]."""
    random = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, np.float32)

    graph = GraphBuilder("small")
    image = graph.input("image", F32, (1, 8, 24, 24))
    filters = graph.constant("conv.w", weights(16, 8, 3, 3))
    value = graph.node("conv2d", [image, filters], {"pads": (1, 1, 1, 1), "activation": "relu"},
                       output="conv", label="conv")  # fmt: skip
    value = graph.node("max_pool", [value], {"window": (2, 2), "strides": (2, 2)},
                       output="pool", label="pool")  # fmt: skip
    value = graph.node("flatten", [value], output="row", label="row")
    matrix = graph.constant("fc.w", weights(10, 16 * 12 * 12) / 48)
    value = graph.node("linear", [value, matrix], output="scores", label="fc")
    return graph.finish([value])


@pytest.fixture
def folder(tmp_path: Path, small: Graph) -> Path:
    """A folder with `small.graph`."""
    text.save(small, tmp_path / "small.graph")
    return tmp_path


SWEEP = """\
machine = "dlp-s"

[vary]
matrix.lanes_f16 = [8, 24]
nram.size = { from = 98304, to = 393216, factor = 2 }
nram.stack = [65536]
dram.read_latency = { from = 100, to = 300, step = 100 }

[program.small]
model = "small.graph"
"""
"""18 points: the network on 2 lanes × 3 sizes of NRAM × 3 latencies."""


@pytest.fixture
def sweep_file(folder: Path) -> Path:
    """The sweep above, beside its model."""
    path = folder / "tries.toml"
    path.write_text(SWEEP)
    return path
