"""A plan that stays on its device: every run is as if it were the first."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.arch.load import load
from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.build import GraphBuilder
from zhisuan.lower import Lowered, lower
from zhisuan.runtime.device import Loaded, play


def network(machine: str) -> Lowered:
    """A convolution, a normalisation that needs sums of all pixels, and a linear layer."""
    random = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, np.float32) / 8

    graph = GraphBuilder("kept")
    image = graph.input("image", F32, (1, 8, 12, 12))
    value = graph.node("conv2d", [image, graph.constant("w", weights(24, 8, 3, 3))],
                       {"pads": (1, 1, 1, 1), "activation": "relu"}, output="conv")  # fmt: skip
    scales = [graph.constant("gamma", weights(24)), graph.constant("beta", weights(24))]
    value = graph.node("instance_norm", [value, *scales], output="norm")
    value = graph.node("flatten", [value], output="row")
    value = graph.node("linear", [value, graph.constant("fc", weights(10, 24 * 144))], output="y")
    return lower(graph.finish([value]), {}, load(machine))


def images(count: int) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(1)
    shape = (1, 8, 12, 12)
    return [{"image": random.standard_normal(shape, np.float32)} for _ in range(count)]


@pytest.mark.parametrize("machine", ["dlp-s", "mlu270"])
def test_every_run_is_as_the_first(machine: str) -> None:
    lowered, chip = network(machine), load(machine)
    parts = (lowered.plan, lowered.programs, lowered.constants)
    kept = Loaded(*parts, chip, checks=("initcheck", "racecheck"))
    one, two = images(2)
    expected = [play(*parts, inputs, chip) for inputs in (one, two, one)]
    for inputs, (outputs, trace) in zip((one, two, one), expected, strict=True):
        found, left = kept.run(inputs)
        assert found["y"].tobytes() == outputs["y"].tobytes()
        assert left.to_bytes() == trace.to_bytes()
    assert expected[0][0]["y"].tobytes() != expected[1][0]["y"].tobytes()


def test_a_missing_input_does_no_harm() -> None:
    lowered, chip = network("dlp-s"), load("dlp-s")
    kept = Loaded(lowered.plan, lowered.programs, lowered.constants, chip)
    with pytest.raises(ZhisuanError, match="input 'image' is missing"):
        kept.run({})
    assert kept.run(images(1)[0])[0]["y"].shape == (1, 10)
