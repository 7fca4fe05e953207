"""Every op's gradient rule against finite differences, first and second order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from op_samples import SAMPLES, Sample

from zhisuan.eager import Tensor, grad, on
from zhisuan.graph.handle import F
from zhisuan.graph.ops import OPS

CASES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name, samples in SAMPLES.items()
    for number, sample in enumerate(samples)
]
STEP = 1e-5
IN_GRAPHS_ONLY = {"switch", "merge"}
WITHOUT_A_RULE = {"enter", "exit", "next_iteration"}
"""Loops go back as a whole."""


def outputs_of(name: str, inputs: list[Any], attrs: dict[str, Any]) -> list[Tensor]:
    made = getattr(F, name)(*inputs, **attrs)
    made = made if isinstance(made, tuple) else (made,)
    return [item for item in made if item.dtype.is_float]


def weighted(outputs: list[Tensor], weights: list[np.ndarray]) -> Tensor:
    """One number that depends on every output element with a weight of its own."""
    total: Any = 0.0
    for item, weight in zip(outputs, weights, strict=True):
        total = F.reduce_sum(item * on(weight), keepdims=False) + total
    return total


def weights_for(outputs: list[Tensor]) -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    return [rng.uniform(0.5, 1.5, item.shape) for item in outputs]


def slopes(function: Any, inputs: list[np.ndarray], at: int) -> np.ndarray:
    """d function / d inputs[at] by central differences."""
    array = inputs[at]
    result = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        values = []
        for side in (STEP, -STEP):
            moved = array.copy()
            moved[index] += side
            values.append(function([*inputs[:at], moved, *inputs[at + 1 :]]))
        result[index] = (values[0] - values[1]) / (2 * STEP)
    return result


def tensors(arrays: list[np.ndarray]) -> list[Tensor]:
    return [on(array, requires_grad=array.dtype.kind == "f") for array in arrays]


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_rule_is_the_slope(name: str, sample: Sample) -> None:
    arrays, attrs = sample
    inputs = tensors(arrays)
    outputs = outputs_of(name, inputs, attrs)
    weights = weights_for(outputs)

    def value(moved: list[np.ndarray]) -> float:
        return weighted(outputs_of(name, tensors(moved), attrs), weights).item()

    real = [i for i, item in enumerate(inputs) if item.requires_grad]
    found = grad(weighted(outputs, weights), [inputs[i] for i in real], allow_unused=True)
    for i, item in zip(real, found, strict=True):
        expected = slopes(value, arrays, i)
        actual = np.zeros(arrays[i].shape) if item is None else item.numpy()
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_gradient_of_the_gradient(name: str, sample: Sample) -> None:
    arrays, attrs = sample

    def first(values: list[np.ndarray], create: bool) -> tuple[list[Tensor], Any]:
        inputs = tensors(values)
        outputs = outputs_of(name, inputs, attrs)
        real = [item for item in inputs if item.requires_grad]
        weights = weights_for(outputs)
        found = grad(weighted(outputs, weights), real, create_graph=create, allow_unused=True)
        total: Any = 0.0
        for item in found:
            if item is not None:
                total = F.reduce_sum(item * item, keepdims=False) + total
        return real, total

    real, total = first(arrays, True)
    places = [i for i, array in enumerate(arrays) if array.dtype.kind == "f"]
    if not isinstance(total, Tensor) or not total.requires_grad:
        found: tuple[Any, ...] = (None,) * len(real)
    else:
        found = grad(total, real, allow_unused=True)
    for place, item in zip(places, found, strict=True):

        def value(moved: list[np.ndarray]) -> float:
            total = first(moved, False)[1]
            return total.item() if isinstance(total, Tensor) else total

        expected = slopes(value, arrays, place)
        actual = np.zeros(arrays[place].shape) if item is None else item.numpy()
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_every_rule_has_samples() -> None:
    assert {name for name, row in OPS.items() if row.gradient is not None} == set(
        SAMPLES
    ) | IN_GRAPHS_ONLY


def test_every_op_has_a_word_on_its_gradient() -> None:
    silent = {name for name, row in OPS.items() if row.gradient is None and not row.flat}
    assert silent == WITHOUT_A_RULE
