"""Kernels of layers, losses and optimisers, as operator libraries have them, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from program_examples import B, Example, F, H, W, draw, gone, judge, softmax, whole

EXAMPLES: dict[str, Callable[[], Example]] = {}


def example(function: Callable[[], Example]) -> Callable[[], Example]:
    EXAMPLES[function.__name__] = function
    return function


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype(np.float64)))


@example
def focal_loss() -> Example:
    x, target = draw(F, 11, 20, low=-4, high=4), whole(W, 11, low=-1, high=20)
    p, alpha, gamma = sigmoid(x), 0.25, 2.0
    loss = -(1 - alpha) * p**gamma * np.log(1 - p)
    grad = (1 - alpha) * p**gamma * (p - gamma * (1 - p) * np.log(1 - p))
    for i, t in enumerate(target):
        if t >= 0:
            q = p[i, t]
            loss[i, t] = -alpha * (1 - q) ** gamma * np.log(q)
            grad[i, t] = alpha * (1 - q) ** gamma * (gamma * q * np.log(q) + q - 1)
    given = [x, target, gone(F, 11, 20), gone(F, 11, 20), 11, 20, alpha, gamma]
    return Example(given, {2: loss, 3: grad}, 1e-5, 4, "UNION1")


@example
def cross_entropy() -> Example:
    x, z = draw(F, 2500, low=-5, high=5), draw(F, 2500, low=0, high=1)
    wide = x.astype(float)
    loss = np.maximum(wide, 0) - wide * z + np.log1p(np.exp(-abs(wide)))
    given = [gone(F, 2500), gone(F, 2500), x, z, 2500]
    return Example(given, {0: loss, 1: sigmoid(x) - z}, 1e-5, 4)


@example
def mean_square() -> Example:
    x, y = draw(H, 3000), draw(H, 3000)
    d = (x - y).astype(float)
    return Example([gone(F, 1), x, y, 3000], {0: np.array([(d * d).mean()])}, 1e-5, 8, "UNION2")


@example
def adam_step() -> Example:
    p, g, m = draw(F, 4000), draw(F, 4000), draw(F, 4000)
    v = draw(F, 4000, low=0, high=1)
    lr, b1, b2, eps, decay, step = 1e-2, 0.9, 0.999, 1e-6, 0.1, 5
    grad = g + decay * p.astype(float)
    m1, v1 = b1 * m + (1 - b1) * grad, b2 * v + (1 - b2) * grad**2
    p1 = p - lr * (m1 / (1 - b1**step)) / (np.sqrt(v1 / (1 - b2**step)) + eps)
    given = [p, g, m, v, 4000, lr, b1, b2, eps, decay, step]
    return Example(given, {0: p1, 2: m1, 3: v1}, 2e-5, 4, "UNION1")


@example
def momentum_step() -> Example:
    w, u, g = draw(F, 1300), draw(F, 1300), draw(H, 1300)
    u1 = u * 0.9 + g.astype(float)
    given = [w, u, g, 0.1, 0.9, 1, 1300]
    return Example(given, {0: w - 0.1 * (u1 * 0.9 + g), 1: u1}, 1e-5)


@example
def prelu_cycle_270() -> Example:
    x, s = draw(H, 64, 64), draw(H, 64)
    y = np.maximum(x, 0) + np.minimum(x, 0) * s
    return Example([gone(H, 64, 64), x, s, 64], {0: y}, arch=270, tasks=4)


@example
def hardswish() -> Example:
    x = draw(H, 3000, low=-5, high=5)
    y = np.clip(x.astype(float) + 3, 0, 6) / 6
    return Example([gone(H, 3000), gone(H, 3000), x, 3000], {0: x * y, 1: y}, 4e-3)


def rms(kind: type, weight: type, name: str) -> Example:
    x, w = draw(kind, 9, 80), draw(weight, 40)
    wide = x[:, :40].astype(float)
    y = wide * w / np.sqrt((wide * wide).mean(1, keepdims=True) + 1e-6)
    shape, strides = np.array([9, 40]), (np.array([40, 1]), np.array([80, 1]))
    given = [gone(kind, 9, 40), x, w, shape, *strides, 1e-6]
    return Example(given, {0: y}, 1e-5 if kind is F else 2e-3, 4, "UNION1",
                   kernel=f"rmsnorm<{name}>")  # fmt: skip


@example
def rms_norm() -> Example:
    return rms(H, F, "half, float")


@example
def cumulative_sum() -> Example:
    x = draw(F, 5, 200)
    wide = x.astype(float)
    logs = np.logaddexp.accumulate(wide, 1)
    given = [gone(F, 5, 200), gone(F, 5, 200), x, 5, 200]
    return Example(given, {0: wide.cumsum(1), 1: logs}, 1e-4, 4)


@example
def argmax_rows() -> Example:
    a, b = draw(H, 6, 500), draw(F, 6, 500)
    given = [a, gone(H, 6), gone(W, 6), b, gone(F, 6), gone(W, 6), 6, 500]
    outputs = {1: a.max(1), 2: a.argmax(1), 4: b.max(1), 5: b.argmax(1)}
    return Example(given, outputs, 0, 4)


@example
def scatter_nd() -> Example:
    updates, index = draw(F, 30, 24), whole(W, 30, 2, low=0, high=5)
    out = np.zeros((5, 5, 24), F)
    for i, (a, b) in enumerate(index):
        out[a, b] = updates[i]
    back = out[index[:, 0], index[:, 1]]
    given = [gone(F, 5, 5, 24), gone(F, 30, 24), updates, index, 30, 5, 24]
    return Example(given, {0: out, 1: back})


@example
def lstm_cell() -> Example:
    x, h, c = draw(F, 3, 32), draw(F, 64), draw(F, 64)
    w, b = draw(F, 256, 96, low=-0.2, high=0.2), draw(F, 256)
    state, cell = h.astype(float), c.astype(float)
    for row in x:
        i, f, g, o = np.split(w.astype(float) @ np.concatenate([row, state]) + b, 4)
        cell = cell * sigmoid(f) + sigmoid(i) * np.tanh(g)
        state = np.tanh(cell) * sigmoid(o)
    given = [gone(F, 64), gone(F, 64), x, h, c, w, b, 3]
    return Example(given, {0: state, 1: cell}, 1e-5)


@example
def dequantise_270() -> Example:
    q, s = whole(B, 10, 128, low=-128, high=128), draw(H, 128)
    y = (q.astype(H) / H(16)) * s
    return Example([gone(H, 10, 128), q, s, -4, 10], {0: y}, arch=270, tasks=4)


@example
def transpose_tiles() -> Example:
    x = whole(np.int16, 150, 70, low=-3000, high=3000)
    return Example([gone(np.int16, 70, 150), x, 150, 70, 2], {0: x.T}, 0, 4, "UNION1")


@example
def rope() -> Example:
    q, positions = draw(F, 7, 3, 32), whole(W, 7, low=0, high=20)
    angle = np.arange(20)[:, None] / 10000 ** (np.arange(16) / 16)
    sine, cosine = np.sin(angle).astype(F), np.cos(angle).astype(F)
    s, c = sine[positions][:, None], cosine[positions][:, None]
    y = np.zeros((7, 3, 32))
    y[..., ::2] = q[..., ::2] * c - q[..., 1::2] * s
    y[..., 1::2] = q[..., ::2] * s + q[..., 1::2] * c
    return Example([q, positions, sine, cosine, 7, 3, 32], {0: y}, 1e-5, 4, "UNION1")


@example
def gemm_int8_270() -> Example:
    a, b = whole(B, 10, 64), whole(B, 1024, 64)
    y = (a.astype(float) @ b.T.astype(float) / 8).astype(H)
    return Example([gone(H, 10, 1024), a, b, 10, 1024, -3], {0: y}, arch=270, tasks=4)


@example
def layer_norm_backward() -> Example:
    x, dy, w = draw(F, 13, 96), draw(F, 13, 96), draw(F, 96)
    wide = x.astype(float)
    rstd = 1 / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    hat, g = (wide - wide.mean(1, keepdims=True)) * rstd, dy * w.astype(float)
    dx = rstd * (g - g.mean(1, keepdims=True) - hat * (g * hat).mean(1, keepdims=True))
    given = [gone(F, 13, 96), gone(F, 96), gone(F, 96), dy, x, w, 1e-5, 13]
    return Example(given, {0: dx, 1: (dy * hat).sum(0), 2: dy.sum(0)}, 1e-4, 4, "UNION1")


@example
def causal_softmax() -> Example:
    x = draw(H, 2, 5, 40)
    scores = x.astype(float) * 0.5
    scores[:, np.arange(40) > np.arange(35, 40)[:, None]] = -np.inf
    return Example([gone(H, 2, 5, 40), x, 2, 5, 40, 0.5], {0: softmax(scores)}, 2e-3, 4, "UNION1")


@pytest.mark.parametrize("name", EXAMPLES)
def test_program(name: str) -> None:
    judge(name, EXAMPLES[name]())


@pytest.mark.parametrize("kind", [np.int8, np.int32])
def test_turning_other_sizes(kind: type) -> None:
    x = whole(kind, 70, 33)
    judge("transpose_tiles",
          Example([gone(kind, 33, 70), x, 70, 33, x.itemsize], {0: x.T}, 0, 4))  # fmt: skip


def test_rms_norm_of_floats() -> None:
    judge("rms_norm", rms(F, F, "float, float"))
