"""Kernels of detection and of clouds of points, as operator libraries have them, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from program_examples import RANDOM, Example, F, H, W, draw, gone, judge, whole

EXAMPLES: dict[str, Callable[[], Example]] = {}


def example(function: Callable[[], Example]) -> Callable[[], Example]:
    EXAMPLES[function.__name__] = function
    return function


def bilinear(image: np.ndarray, y: float, x: float) -> np.ndarray:
    """Zero for corners outside."""
    y0, x0 = int(np.floor(y)), int(np.floor(x))
    total = np.zeros(image.shape[2])
    for yy, wy in ((y0, y0 + 1 - y), (y0 + 1, y - y0)):
        for xx, wx in ((x0, x0 + 1 - x), (x0 + 1, x - x0)):
            if 0 <= yy < image.shape[0] and 0 <= xx < image.shape[1]:
                total += wy * wx * image[yy, xx]
    return total


@example
def roi_align() -> Example:
    h, w, c, bins, samples = 9, 11, 24, 3, 2
    image = draw(F, h, w, c)
    boxes = np.array([[1, 2, 14, 12], [6, 3, 20, 17], [-3, 0, 5, 5]], F)
    out = np.zeros((3, bins, bins, c))
    for r, (x1, y1, x2, y2) in enumerate(boxes * 0.5):
        size_y, size_x = max(y2 - y1, 1) / bins, max(x2 - x1, 1) / bins
        for i, j, k, m in np.ndindex(bins, bins, samples, samples):
            y, x = y1 + (i + (k + 0.5) / samples) * size_y, x1 + (j + (m + 0.5) / samples) * size_x
            if -1 <= y <= h and -1 <= x <= w:
                y, x = min(max(y, 0), h - 1), min(max(x, 0), w - 1)
                out[r, i, j] += bilinear(image, y, x) / samples**2
    given = [image, boxes, gone(F, 3, bins, bins, c), 3, h, w, c, bins, samples, 0.5]
    return Example(given, {2: out}, 1e-5, 4, "UNION1")


def attention(x: np.ndarray, h: int, w: int, mask: int, collect: bool) -> np.ndarray:
    y, half = np.zeros((h, w, h, w)), (mask - 1) // 2
    for i, j, k, m in np.ndindex(h, w, mask, mask):
        a, b = i + k - half, j + m - half
        if 0 <= a < h and 0 <= b < w:
            if collect:
                y[i, j, a, b] = x[i, j, k, m]
            else:
                y[a, b, i, j] = x[i, j, k, m]
    return y


@example
def psamask() -> Example:
    x = draw(F, 6, 7, 5, 5)
    given = [x, gone(F, 6, 7, 6, 7), 0, 6, 7, 5, 5]
    return Example(given, {1: attention(x, 6, 7, 5, True)}, 0, 4, "UNION1")


@example
def border_align() -> Example:
    h, w, c, pool = 7, 8, 20, 4
    image = draw(F, h, w, c)
    corner = draw(F, 5, 2, low=0, high=4)
    boxes = np.concatenate([corner, corner + 3], 1)
    values = np.zeros((5, pool + 1, c))
    for i, s in np.ndindex(5, pool + 1):
        x1, y1, x2, _ = boxes[i].astype(float)
        values[i, s] = bilinear(image, min(y1, h - 1), min(x1 + s * (x2 - x1) / pool, w - 1))
    given = [image, boxes, gone(F, 5, c), gone(W, 5, c), 5, h, w, c, pool]
    return Example(given, {2: values.max(1), 3: values.argmax(1)}, 1e-5, 4)


@example
def carafe() -> Example:
    x, mask = draw(H, 4, 5, 40), draw(H, 8, 10, 3, 3, low=0, high=0.25)
    wide = np.pad(x.astype(float), ((1, 1), (1, 1), (0, 0)))
    y = np.zeros((8, 10, 40))
    for i, j, k, m in np.ndindex(8, 10, 3, 3):
        y[i, j] += wide[i // 2 + k, j // 2 + m] * float(mask[i, j, k, m])
    return Example([x, mask, gone(H, 8, 10, 40), 4, 5, 40, 3, 2], {2: y}, 4e-3, 4, "UNION1")


@example
def three_nn() -> Example:
    unknown, known = draw(F, 21, 3), draw(F, 90, 3)
    d = ((unknown[:, None] - known) ** 2).sum(2)
    order = np.argsort(d, 1)[:, :3]
    given = [unknown, known.T.copy(), gone(F, 21, 3), gone(W, 21, 3), 21, 90]
    return Example(given, {2: np.take_along_axis(d, order, 1), 3: order}, 1e-5, 4, "UNION1")


@example
def ball_query() -> Example:
    centre, points = draw(F, 11, 3), draw(F, 200, 3)
    points[17] = centre[3]
    d = ((centre[:, None] - points) ** 2).sum(2)
    index = np.zeros((11, 8), W)
    for i in range(11):
        near = np.flatnonzero(((d[i] < 1) & (d[i] >= 0.04)) | (d[i] == 0))[:8]
        if len(near):
            index[i] = near[0]
            index[i, : len(near)] = near
    given = [centre, points.T.copy(), gone(W, 11, 8), 11, 200, 0.2, 1.0, 8]
    return Example(given, {2: index}, 0, 4)


@example
def points_in_boxes() -> Example:
    points = draw(F, 150, 3, low=-3, high=3)
    boxes = np.array([[0, 0, 0, 4, 2, 3, 0.5], [1, -1, 0.5, 2, 2, 4, -1.2]], F)
    owner = np.full(150, -1)
    for k, (cx, cy, cz, dx, dy, dz, angle) in enumerate(boxes.astype(float)):
        x, y, z = (points.astype(float) - [cx, cy, cz]).T
        u, v = x * np.cos(-angle) - y * np.sin(-angle), x * np.sin(-angle) + y * np.cos(-angle)
        inside = (abs(z) <= dz / 2) & (abs(u) < dx / 2 + 1e-5) & (abs(v) < dy / 2 + 1e-5)
        owner[inside] = k
    return Example([points, boxes, gone(W, 150), 150, 2], {2: owner})


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    cover = np.prod(np.maximum(high - low, 0), 2)
    area = [np.prod(c[:, 2:] - c[:, :2], 1) for c in (a, b)]
    return cover / (area[0][:, None] + area[1] - cover)


@example
def bbox_overlaps() -> Example:
    corner = draw(F, 20, 2, low=0, high=8)
    boxes = np.concatenate([corner, corner + draw(F, 20, 2, low=1, high=6)], 1)
    a, b = boxes[:7].copy(), boxes[7:].copy()
    return Example([a, b, gone(F, 7, 13), 7, 13, 0], {2: overlaps(a.astype(float), b)}, 1e-5,
                   kernel="MLUKernelBboxOverlaps<float>")  # fmt: skip


@example
def resize_bilinear() -> Example:
    x = draw(F, 5, 6, 16)
    y = np.array([[bilinear(x, i * 4 / 8, j * 5 / 10) for j in range(11)] for i in range(9)])
    return Example([gone(F, 9, 11, 16), x, 5, 6, 16, 9, 11], {0: y}, 1e-5, 4, "UNION1")


@example
def deform_im2col() -> Example:
    h, w, c = 5, 6, 16
    image, offsets = draw(F, h, w, c), draw(F, h, w, 9, 2)
    y = np.zeros((h, w, 9, c))
    for i, j, t in np.ndindex(h, w, 9):
        dy, dx = offsets[i, j, t]
        y[i, j, t] = bilinear(image, i - 1 + t // 3 + dy, j - 1 + t % 3 + dx)
    return Example([gone(F, h, w, 9, c), image, offsets, h, w, c, 1], {0: y}, 1e-5, 4)


@example
def time_shift() -> Example:
    x, shifts = whole(H, 2, 5, 6, 12), np.array([[1, -2, 0], [3, -1, 7]], W)
    y = np.zeros_like(x)
    for n, c in np.ndindex(2, 6):
        s = int(shifts[n, c // 2])
        if abs(s) < 5:
            y[n, max(s, 0) : 5 + min(s, 0), c] = x[n, max(-s, 0) : 5 - max(s, 0), c]
    return Example([x, shifts, gone(H, 2, 5, 6, 12), 2, 5, 6, 12, 2, 0x12], {2: y}, 0, 8, "UNION2")


@example
def prior_box() -> Example:
    sizes = np.array([20, 45], F)
    y, x = np.mgrid[0:4, 0:6] * 16.0 + 8
    boxes = np.stack([np.stack([(x - s / 2) / 90, (y - s / 2) / 60, (x + s / 2) / 90,
                                (y + s / 2) / 60], -1) for s in sizes], 2)  # fmt: skip
    given = [gone(F, 4, 6, 2, 4), sizes, 4, 6, 2, 16.0, 0.5, 60, 90, 1]
    return Example(given, {0: np.clip(boxes, 0, 1)}, 1e-6, 4, "UNION1")


@example
def unpool_270() -> Example:
    windows = RANDOM.permuted(np.arange(4 * 16 * 64).reshape(16 * 64, 4) / 8, axis=1)
    windows = windows.reshape(4, 4, 64, 2, 2).transpose(0, 3, 1, 4, 2).astype(H) % H(64)
    x = windows.reshape(8, 8, 64).copy()
    most = windows.max((1, 3), keepdims=True)
    grad, spread = np.where(windows == most, most, 0), np.zeros_like(windows)
    spread[:, 1, :, 1] = most[:, 0, :, 0]
    return Example([gone(H, 8, 8, 64), gone(H, 8, 8, 64), x],
                   {0: grad.reshape(8, 8, 64), 1: spread.reshape(8, 8, 64)}, arch=270)  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_program(name: str) -> None:
    judge(name, EXAMPLES[name]())


def test_attention_the_other_way() -> None:
    x = draw(F, 6, 7, 5, 5)
    made = Example([x, gone(F, 6, 7, 6, 7), 1, 6, 7, 5, 5], {1: attention(x, 6, 7, 5, False)}, 0, 4)
    judge("psamask", made)


def test_overlaps_of_halves() -> None:
    a = np.array([[0, 0, 4, 4], [1, 1, 3, 5]], H)
    b = np.array([[2, 2, 6, 6], [0, 0, 2, 2], [7, 7, 8, 8]], H)
    wanted = overlaps(a.astype(float), b)
    judge("bbox_overlaps", Example([a, b, gone(H, 2, 3), 2, 3, 0], {2: wanted}, 2e-3,
                                   kernel="MLUKernelBboxOverlaps<half>"))  # fmt: skip
