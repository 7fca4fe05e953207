"""Kernels in the styles of macros, pipelines, descriptors and code generators, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import test_bcl_programs
import test_bcl_programs_layers
import test_bcl_programs_vision
from program_examples import FOLDER, Example, F, H, W, draw, gone, judge, whole

EXAMPLES: dict[str, Callable[[], Example]] = {}


def example(function: Callable[[], Example]) -> Callable[[], Example]:
    EXAMPLES[function.__name__] = function
    return function


@example
def abs_pipe3() -> Example:
    x = draw(F, 9001)
    return Example([x, gone(F, 9001), 9001], {1: abs(x)}, 0, 4, "UNION1",
                   kernel="MLUBlockKernel3StagePipelineAbsFloat<float, float>")  # fmt: skip


@example
def sqrt_pipe5() -> Example:
    x = draw(F, 9001, low=0, high=9)
    return Example([x, gone(F, 9001), 9001], {1: np.sqrt(x)}, 1e-6, (4, 2, 1), "UNION1")


@example
def div_pipe4() -> Example:
    a, b = draw(F, 2 * 5 * 768), draw(F, 2 * 5 * 768, low=1, high=2)
    return Example([gone(F, 7680), a, b, 7680], {0: a / b}, 1e-6, 8, "UNION1")


@example
def union_reduce() -> Example:
    x = draw(F, 5000)
    wanted = np.array([x.sum(dtype=float), x.max()])
    return Example([gone(F, 2), gone(F, 4), x, 5000], {0: wanted}, 1e-4, 8, "UNION2")


@example
def broadcast_weights() -> Example:
    x, w = draw(H, 20, 64), draw(H, 64, 64, low=-0.2, high=0.2)
    y = x.astype(float) @ w.T.astype(float)
    return Example([gone(H, 20, 64), x, w, 20], {0: y}, 2e-3, 8, "UNION2")


@example
def float_bits() -> Example:
    x = draw(F, 50, low=-900, high=900)
    fraction, exponent = np.frexp(abs(x))
    given = [gone(W, 50), gone(F, 50), gone(F, 50), x, 50]
    return Example(given, {0: exponent - 1, 1: fraction * 2, 2: x}, 0, 4)


@example
def switch_types() -> Example:
    a, b = draw(H, 1300), draw(H, 1300)
    return Example([gone(H, 1300), a, b, 1, 1, 1300], {0: a * b})


@example
def lookup_table() -> Example:
    x = whole(W, 100, low=0, high=16)
    y = (x + 1) // 2 + np.where(x % 2, -100, 100)
    return Example([gone(W, 100), gone(W, 100), x, 100], {0: y, 1: y})


@example
def fused_pool_auto() -> Example:
    x, bias = draw(F, 12, 12, 32), draw(F, 32)
    view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2]
    y = np.maximum(view.max((3, 4)) + bias, 0)
    return Example([x, bias, gone(F, 5, 5, 32)], {2: y}, 0, 4, "UNION1")


@example
def conv_relu_auto() -> Example:
    x, k = draw(H, 10, 10, 64), draw(H, 64, 3, 3, 64, low=-0.1, high=0.1)
    bias = draw(F, 64)
    view = np.lib.stride_tricks.sliding_window_view(x.astype(float), (3, 3), axis=(0, 1))
    y = np.maximum(np.einsum("yxcij,oijc->yxo", view, k.astype(float)) + bias, 0)
    return Example([x, k, bias, gone(F, 8, 8, 64)], {3: y}, 1e-4, 4, "UNION1")


@example
def gather_add_auto() -> Example:
    x, index, b = draw(F, 3, 10, 48), whole(W, 21, low=-3, high=13), draw(F, 21, 48)
    y = x[:, np.clip(index, 0, 9)] + b
    return Example([x, index, b, gone(F, 3, 21, 48)], {3: y}, 0, 4, "UNION1")


@example
def cholesky_small() -> Example:
    r = draw(F, 3, 12, 12)
    a = (r @ r.transpose(0, 2, 1) + 3 * np.eye(12)).astype(F)
    wanted = np.linalg.cholesky(a.astype(float))
    return Example([a, gone(W, 3), 3, 12], {0: wanted, 1: np.zeros(3)}, 1e-4, 4)


@example
def fft_radix2() -> Example:
    x = draw(F, 5, 2, 64)
    y = np.fft.fft(x[:, 0].astype(float) + 1j * x[:, 1])
    return Example([gone(F, 5, 2, 64), x, 5], {0: np.stack([y.real, y.imag], 1)}, 2e-4, 4)


@pytest.mark.parametrize("name", EXAMPLES)
def test_program(name: str) -> None:
    judge(name, EXAMPLES[name]())


def test_every_program_has_an_oracle() -> None:
    known = set(EXAMPLES)
    for module in (test_bcl_programs, test_bcl_programs_layers, test_bcl_programs_vision):
        assert not known & set(module.EXAMPLES)
        known |= set(module.EXAMPLES)
    assert {path.stem for path in FOLDER.glob("*.mlu")} == known
    assert len(known) >= 66


def test_the_other_instance_of_the_macro() -> None:
    x = draw(H, 3001, low=0.1, high=4)
    made = Example([x, gone(F, 3001), 3001, 1.5], {1: x.astype(float) ** 1.5}, 1e-5, 4,
                   kernel="MLUBlockKernel3StagePipelinePowHalf<half, float, float>")  # fmt: skip
    judge("abs_pipe3", made)


@pytest.mark.parametrize(("op", "function"), enumerate((np.add, np.multiply, np.maximum)))
def test_operations_on_integers(op: int, function: np.ufunc) -> None:
    a, b = whole(W, 700), whole(W, 700)
    judge("switch_types", Example([gone(W, 700), a, b, op, 4, 700], {0: function(a, b)}))
