"""The seven networks: their data in DRAM, and what NumPy says they compute.

Out: for each network the arrays its program finds in DRAM (by byte offset) and the arrays it
must leave there.  Inputs are FP16; NumPy computes in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

HALF = np.float16
Arrays = dict[int, np.ndarray]
"""Byte offset in DRAM → array."""


@dataclass(frozen=True)
class Case:
    """Inputs, and expected outputs in float64 or whole numbers."""

    inputs: Arrays
    outputs: Arrays


@dataclass(frozen=True)
class Network:
    """`build` makes a case from a generator; `tolerance` is the largest absolute error."""

    name: str
    title: str
    build: Callable[[np.random.Generator], Case]
    tolerance: float


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _half(values: np.ndarray) -> np.ndarray:
    return values.astype(HALF)


def _matrix(draw: np.random.Generator, *shape: int) -> np.ndarray:
    """Weights whose sums over the last axis stay of the order of 1."""
    return _half(draw.normal(size=shape) * 2 / np.sqrt(shape[-1]))


def _bias(draw: np.random.Generator, size: int) -> np.ndarray:
    return _half(draw.normal(size=size) / 2)


def _wide(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64)


def _layers(draw: np.random.Generator, sizes: tuple[int, ...], matrices: tuple[int, ...],
            biases: tuple[int, ...], result: int) -> Case:  # fmt: skip
    """Fully connected layers with sigmoid; offsets of the parameters and of the result."""
    x = _half(draw.random(sizes[0]))
    inputs: Arrays = {0: x}
    y = _wide(x)
    for n, m, at, bias_at in zip(sizes, sizes[1:], matrices, biases, strict=False):
        inputs[at], inputs[bias_at] = _matrix(draw, m, n), _bias(draw, m)
        y = _sigmoid(_wide(inputs[at]) @ y + inputs[bias_at])
    return Case(inputs, {result: y})


def _mlp(draw: np.random.Generator) -> Case:
    return _layers(draw, (64, 150, 150, 14), (0x1000, 0x6000, 0x12000),
                   (0x13800, 0x13A00, 0x13C00), 0x13E00)  # fmt: skip


def _autoencoder(draw: np.random.Generator) -> Case:
    return _layers(draw, (320, 200, 100, 50, 10), (0x1000, 0x21000, 0x2B000, 0x2E000),
                   (0x2F000, 0x2F400, 0x2F800, 0x2FC00), 0x30000)  # fmt: skip


def _rnn(draw: np.random.Generator) -> Case:
    x, wx, wh = _half(draw.random((10, 26))), _matrix(draw, 93, 26), _matrix(draw, 93, 93)
    wy, bh, by = _matrix(draw, 61, 93), _bias(draw, 93), _bias(draw, 61)
    h, results = np.zeros(93), []
    for step in _wide(x):
        h = _sigmoid(_wide(wx) @ step + _wide(wh) @ h + bh)
        results.append(_sigmoid(_wide(wy) @ h + by))
    inputs = {0: x, 0x1000: wx, 0x3000: wh, 0x8000: wy, 0xB000: bh, 0xB200: by}
    return Case(inputs, {0xC000: np.array(results)})


def _lstm(draw: np.random.Generator) -> Case:
    x, w, wy = _half(draw.random((10, 26))), _matrix(draw, 372, 119), _matrix(draw, 61, 93)
    b, by = _bias(draw, 372), _bias(draw, 61)
    h, c, results = np.zeros(93), np.zeros(93), []
    for step in _wide(x):
        z = _wide(w) @ np.concatenate([step, h]) + b
        i, f, o = _sigmoid(z[: 3 * 93]).reshape(3, 93)
        c = f * c + i * np.tanh(z[3 * 93 :])
        h = o * np.tanh(c)
        results.append(_sigmoid(_wide(wy) @ h + by))
    inputs = {0: x, 0x1000: w, 0x17000: wy, 0x1A000: b, 0x1A400: by}
    return Case(inputs, {0x1B000: np.array(results)})


def _hopfield(draw: np.random.Generator) -> Case:
    patterns = _half(draw.choice([-1, 1], (5, 100)))
    noisy = patterns * np.where(draw.random((5, 100)) < 0.1, -1, 1).astype(HALF)
    diagonal = _half(5 * np.eye(100))
    w = _wide(patterns).T @ _wide(patterns) - 5 * np.eye(100)
    s = _wide(noisy)
    for _ in range(5):
        s = np.where(s @ w > 0, 1.0, -1.0)
    return Case({0: patterns, 0x1000: diagonal, 0x8000: noisy}, {0x9000: s})


def _som(draw: np.random.Generator) -> Case:
    x, w = _half(draw.random((8, 64))), _half(draw.random((36, 64)))
    place = np.stack(np.divmod(np.arange(36), 6), axis=1)
    apart = ((place[:, None] - place) ** 2).sum(axis=2)
    near = _half(0.5 * np.exp(-apart / 2))
    trained, winners = _wide(w), []
    for sample in _wide(x):
        difference = sample - trained
        winners.append(np.argmin((difference**2).sum(axis=1)))
        trained = trained + _wide(near[winners[-1]])[:, None] * difference
    outputs = {0x4000: trained, 0x6000: np.array(winners, np.int32)}
    return Case({0: x, 0x1000: w, 0x3000: near}, outputs)


def _convolved(x: np.ndarray, filters: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """x [h, w, ci], filters [kernel row, co, kernel column · ci] → sigmoid, [h - 4, w - 4, co]."""
    h, w, ci = x.shape
    result = np.zeros((h - 4, w - 4, len(bias))) + bias
    for ky in range(5):
        for kx in range(5):
            patch = x[ky : ky + h - 4, kx : kx + w - 4]
            result += patch @ _wide(filters[ky, :, kx * ci : (kx + 1) * ci]).T
    return _sigmoid(result)


def _pooled(x: np.ndarray) -> np.ndarray:
    h, w, c = x.shape
    return x.reshape(h // 2, 2, w // 2, 2, c).max(axis=(1, 3))


def _cnn(draw: np.random.Generator) -> Case:
    picture = _half(draw.random((32, 32, 1)))
    first, second = _half(draw.normal(size=(5, 6, 5)) / 5), _half(draw.normal(size=(5, 16, 30)) / 9)
    w5, w6, w7 = _matrix(draw, 120, 400), _matrix(draw, 84, 120), _matrix(draw, 10, 84)
    biases = [_bias(draw, size) for size in (6, 16, 120, 84, 10)]
    x = _pooled(_convolved(_wide(picture), first, biases[0]))
    x = _pooled(_convolved(x, second, biases[1])).reshape(-1)
    for matrix, bias in zip((w5, w6, w7), biases[2:], strict=True):
        x = _sigmoid(_wide(matrix) @ x + bias)
    inputs = {0: picture, 0x1000: first, 0x2000: second, 0x4000: w5, 0x1C000: w6, 0x21000: w7}
    inputs |= dict(zip((0x22000, 0x22100, 0x22200, 0x22400, 0x22600), biases, strict=True))
    return Case(inputs, {0x22700: x})


NETWORKS = (
    Network("mlp", "MLP 64-150-150-14", _mlp, 5e-3),
    Network("cnn", "CNN, LeNet-5", _cnn, 5e-3),
    Network("rnn", "RNN 26-93-61, 10 steps", _rnn, 5e-3),
    Network("lstm", "LSTM 26-93-61, 10 steps", _lstm, 5e-3),
    Network("autoencoder", "autoencoder 320-200-100-50-10", _autoencoder, 5e-3),
    Network("hopfield", "Hopfield, 5 patterns of 100", _hopfield, 0),
    Network("som", "SOM 64-36, 8 samples", _som, 5e-3),
)
