"""Kernels in the dialects of public ones, one or two ideas each, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from program_examples import B, Example, F, H, W, draw, gone, judge, softmax, whole

EXAMPLES: dict[str, Callable[[], Example]] = {}


def example(function: Callable[[], Example]) -> Callable[[], Example]:
    EXAMPLES[function.__name__] = function
    return function


@example
def add_270() -> Example:
    a, b = draw(H, 4096), draw(H, 4096)
    return Example([gone(H, 4096), a, b, 4096], {0: a + b}, arch=270)


@example
def power_difference_270() -> Example:
    a, b = draw(H, 1024), draw(H, 256)
    d = a - np.tile(b, 4)
    return Example([a, b, 3, gone(H, 1024), 1024], {3: d * d * d}, arch=270)


@example
def sigmoid_270() -> Example:
    x = draw(H, 4 * 512)
    y = 1 / (1 + np.exp(-x.astype(np.float64)))
    return Example([gone(H, 2048), x, 512], {0: y}, 2e-3, tasks=4, arch=270)


@example
def softmax_270() -> Example:
    x = draw(F, 7, 128)
    return Example([gone(F, 7, 128), x, 7], {0: softmax(x)}, 1e-6, tasks=4, arch=270)


@example
def pool_270() -> Example:
    x = draw(H, 8, 8, 64)
    y = x.reshape(4, 2, 4, 2, 64).max(axis=(1, 3))
    return Example([gone(H, 4, 4, 64), x, 64, 8, 8], {0: y}, arch=270)


@example
def conv_int8_270() -> Example:
    x, k = whole(B, 6, 6, 64), whole(B, 64, 3, 3, 64)
    view = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(0, 1))
    y = np.einsum("yxcij,oijc->yxo", view, k.astype(np.float64)) * 2.0**-7
    given = [gone(H, 4, 4, 64), (x / 8).astype(H), (k / 16).astype(H), -3, -4]
    return Example(given, {0: np.maximum(y, 0).astype(H)}, arch=270)


@example
def mlp_int8_270() -> Example:
    x, w, b = whole(B, 128), whole(B, 64, 128), whole(H, 64)
    y = (w.astype(np.float64) @ x.astype(np.float64) / 4).astype(H) + b
    return Example([gone(H, 64), x, w, b, -2], {0: y}, arch=270)


@example
def select_270() -> Example:
    x = draw(H, 1024)
    chosen = x[x > H(0.5)]
    out = np.concatenate([chosen, np.zeros(1024 - len(chosen), H)])
    given = [gone(H, 1024), gone(np.uint32, 1), x, 0.5, 1024]
    return Example(given, {0: out, 1: np.array([len(chosen)])}, arch=270)


@example
def batch_norm_270() -> Example:
    x, s, t = draw(H, 40, 64), draw(H, 64), draw(H, 64)
    return Example([gone(H, 40, 64), x, s, t, 40], {0: x * s + t}, arch=270)


@example
def rotate_270() -> Example:
    x = whole(B, 24, 40)
    return Example([gone(B, 40, 24), x, 24, 40], {0: np.rot90(x, -1)[:, ::-1]}, arch=270)


@example
def pipeline_relu() -> Example:
    x = draw(F, 512 * 7)
    return Example([gone(F, 512 * 7), x, 512 * 7], {0: np.maximum(x, 0)})


@example
def axpy_tasks() -> Example:
    y, x = draw(F, 1003), draw(F, 1003)
    return Example([y, x, 1.5, 1003], {0: y + F(1.5) * x}, 1e-6, 8, "UNION2")


@example
def shared_table() -> Example:
    x, t = draw(F, 11, 256), draw(F, 256)
    return Example([gone(F, 11, 256), x, t, 11], {0: x + t}, 0, 8, "UNION2")


@example
def matmul_f32() -> Example:
    a, b = draw(F, 43, 64), draw(F, 64, 96)
    y = a.astype(np.float64) @ b.astype(np.float64)
    return Example([gone(F, 43, 96), a, b.T.copy(), 43], {0: y}, 1e-5, tasks=4)


@example
def layer_norm() -> Example:
    x = draw(F, 9, 77)
    wide = x.astype(np.float64)
    wide = wide - wide.mean(1, keepdims=True)
    y = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + 1e-5)
    return Example([gone(F, 9, 77), x, 1e-5, 9, 77], {0: y}, 1e-5, tasks=4)


@example
def sum_tasks() -> Example:
    x = draw(F, 4 * 200)
    return Example([gone(F, 1), x, 200], {0: x.sum(dtype=np.float64)[None]}, 1e-5, 4, "UNION1")


@example
def histogram_tasks() -> Example:
    x = whole(W, 4 * 50, low=0, high=10)
    return Example([gone(W, 10), x, 50], {0: np.bincount(x, minlength=10)}, 0, 4, "UNION1")


@example
def embedding() -> Example:
    table, index = draw(H, 30, 48), whole(W, 37, low=0, high=30)
    return Example([gone(H, 37, 48), table, index, 37], {0: table[index]})


@example
def scatter_add() -> Example:
    x, index, y = whole(F, 40, 32), whole(W, 40, low=0, high=6), np.zeros((6, 32), F)
    np.add.at(y, index, x)
    return Example([gone(F, 6, 32), x, index, 40], {0: y}, 0, 4, "UNION1")


@example
def clip() -> Example:
    x = draw(H, 1000)
    return Example([gone(H, 1000), x, -0.5, 0.75, 1000], {0: np.clip(x, H(-0.5), H(0.75))})


@example
def top_k() -> Example:
    x = draw(F, 500)
    order = np.argsort(-x, kind="stable")[:9]
    return Example([gone(F, 9), gone(W, 9), x, 500, 9], {0: x[order], 1: order})


@example
def nms() -> Example:
    corner, size = draw(F, 2, 64, low=0, high=20), draw(F, 2, 64, low=4, high=10)
    boxes, scores = np.concatenate([corner, corner + size]), draw(F, 64, low=0.1, high=1)
    x1, y1, x2, y2 = boxes.astype(np.float64)
    alive, kept = scores.astype(np.float64), []
    while len(kept) < 64 and alive.max() > 0:
        at = int(alive.argmax())
        kept.append(at)
        wide = np.maximum(np.minimum(x2, x2[at]) - np.maximum(x1, x1[at]), 0)
        high = np.maximum(np.minimum(y2, y2[at]) - np.maximum(y1, y1[at]), 0)
        area, overlap = (x2 - x1) * (y2 - y1), wide * high
        alive = np.where(overlap <= 0.4 * (area + area[at] - overlap), alive, 0)
        alive[at] = 0
    places = np.zeros(64, W)
    places[: len(kept)] = kept
    assert len(kept) < 64
    given = [gone(W, 64), gone(W, 1), boxes, scores, 0.4, 64]
    return Example(given, {0: places, 1: np.array([len(kept)])})


@example
def template_unary() -> Example:
    x, y = draw(F, 3000), draw(H, 3000)
    silu = y / (1 + np.exp(-y.astype(np.float64)))
    outputs = {0: np.where(x > 0, x, x * F(0.125)), 2: silu}
    return Example([gone(F, 3000), x, gone(H, 3000), y, 3000], outputs, 2e-3)


@example
def template_reduce() -> Example:
    x = draw(F, 5, 100)
    y = np.stack([x.sum(1, dtype=np.float64), x.max(1), x.mean(1, dtype=np.float64)], 1)
    return Example([gone(F, 5, 3), x, 5, 100], {0: y}, 1e-5)


@example
def philox_lanes() -> Example:
    x, y, z, w = (np.zeros(64, np.uint64) for _ in range(4))
    x, keys = np.arange(64, dtype=np.uint64), [0x1234567, 0x89ABCDEF]
    for _ in range(10):
        p, q = x * 0xD2511F53, z * 0xCD9E8D57
        x, z = q >> 32 ^ y ^ keys[0], p >> 32 ^ w ^ keys[1]
        y, w = q % 2**32, p % 2**32
        keys = [(keys[0] + 0x9E3779B9) % 2**32, (keys[1] + 0xBB67AE85) % 2**32]
    return Example([gone(np.uint32, 4, 64), 0x1234567, 0x89ABCDEF], {0: np.stack([x, y, z, w])})


@example
def dense_relu_auto() -> Example:
    a, b, d = draw(F, 16, 128), draw(F, 128, 64), draw(F, 64)
    y = np.maximum(a.astype(np.float64) @ b.astype(np.float64) + d, 0)
    return Example([a, b.T.copy(), gone(F, 16, 64), d], {2: y}, 1e-5, 4, "UNION1")


@example
def depthwise_auto() -> Example:
    x, k = draw(F, 6, 6, 32), draw(F, 3, 3, 32)
    view = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(0, 1))
    y = np.einsum("yxcij,ijc->yxc", view, k.astype(np.float64))
    return Example([x, k, gone(F, 4, 4, 32)], {2: y}, 1e-5)


@example
def softmax_auto() -> Example:
    x = draw(F, 5, 96)
    return Example([x, gone(F, 5, 96)], {1: softmax(x)}, 1e-6)


@example
def resize_nearest() -> Example:
    x = draw(H, 5, 9, 16)
    y = x.repeat(2, axis=0).repeat(2, axis=1)
    return Example([gone(H, 10, 18, 16), x, 5, 9, 16], {0: y})


@example
def quantise() -> Example:
    x = draw(F, 500, low=-9, high=9)
    position = int(np.ceil(np.log2(np.abs(x).max() / 127)))
    scaled = x.astype(np.float64) / 2.0**position
    q = np.clip(np.copysign(np.floor(np.abs(scaled) + 0.5), scaled), -128, 127)
    return Example([gone(B, 500), gone(W, 1), x, 500], {0: q, 1: np.array([position])})


@example
def bfloat_scale() -> Example:
    x = (draw(F, 200).view(np.uint32) >> 16).astype(np.uint16)
    scaled = ((x.astype(np.uint32) << 16).view(F) * F(1.7)).view(np.uint32)
    y = (scaled + 0x7FFF + (scaled >> 16 & 1)) >> 16
    return Example([gone(np.uint16, 200), x, 1.7, 200], {0: y})


@example
def concat() -> Example:
    a, b = whole(W, 6, 50), whole(W, 6, 33)
    return Example([gone(W, 6, 83), a, b, 6, 50, 33], {0: np.concatenate([a, b], axis=1)})


@example
def gelu_async() -> Example:
    x = draw(F, 600)
    wide = x.astype(np.float64)
    y = 0.5 * wide * (1 + np.tanh(0.7978845608 * (wide + 0.044715 * wide**3)))
    return Example([gone(F, 600), gone(F, 600), x, 600], {0: y, 1: y}, 1e-3)


@pytest.mark.parametrize("name", EXAMPLES)
def test_program(name: str) -> None:
    judge(name, EXAMPLES[name]())
