"""How ONNX's Resize becomes nodes: along each axis that changes, a matrix that interpolates.

The matrix is worked out on import from ONNX's formulas for coordinates and weights; nearest
neighbour by whole factors stays the op that repeats pixels.
"""

from __future__ import annotations

import math

import numpy as np

from zhisuan.frontend.onnx.step import Step, Unsupported
from zhisuan.frontend.onnx.table import converts

_SAME_AS_REPEAT = {
    ("asymmetric", "floor"),
    ("half_pixel", "round_prefer_floor"),
    ("half_pixel", "round_prefer_ceil"),
    ("pytorch_half_pixel", "round_prefer_floor"),
}


class _Way:
    """The attributes of a Resize."""

    def __init__(self, step: Step) -> None:
        modern = step.opset >= 11
        self.mode = step.take("mode", "nearest")
        self.coordinates = "asymmetric"
        self.nearest = "floor"
        self.cubic = -0.75
        self.outside: float | None = None
        self.exclude = False
        self.antialias = False
        if modern:
            self.coordinates = step.take("coordinate_transformation_mode", "half_pixel")
            self.nearest = step.take("nearest_mode", "round_prefer_floor")
            self.cubic = step.take("cubic_coeff_a", -0.75)
            self.exclude = bool(step.take("exclude_outside", 0))
            self.antialias = bool(step.take("antialias", 0))
            value = step.take("extrapolation_value", 0.0)
            if self.coordinates == "tf_crop_and_resize":
                self.outside = value


@converts("Upsample")
@converts("Resize")
def resize(step: Step) -> None:
    """From scales or sizes for all axes, or for those that `axes` names."""
    way = _Way(step)
    policy = step.take("keep_aspect_ratio_policy", "stretch")
    rank = len(step.shape(0))
    axes = [axis % rank for axis in step.take("axes", range(rank))]
    plain = [dim for dim in step.shape(0)]
    regions = _regions(step, axes, rank)
    factors = _factors(step, axes, policy, plain)
    whole = [int(f) for f in factors]
    repeats = (way.coordinates, way.nearest) in _SAME_AS_REPEAT and rank == 4
    if way.mode == "nearest" and repeats and whole == factors and whole[:2] == [1, 1]:
        step.emit("resize_nearest", step.inputs[:1], {"scale_h": whole[2], "scale_w": whole[3]})
        return
    value = step.inputs[0]
    dtype = step.build.facts[value].dtype
    for axis in range(rank):
        size = plain[axis]
        if factors[axis] == 1 and regions[axis] == (0, 1):
            continue
        if not isinstance(size, int):
            raise Unsupported(f"{step.op} of open sizes with mode={way.mode}")
        given = _given_size(step, axes, axis, policy)
        count = given if given is not None else math.floor(size * factors[axis])
        matrix = _matrix(way, size, count, factors[axis], regions[axis])
        kind = dtype.numpy if dtype.is_float else np.dtype(np.float32)
        held = step.constant(matrix.astype(kind))
        value = step.build.node("mix_axis", [value, held], {"axis": axis},
                                label=f"{step.label}/axis{axis}")  # fmt: skip
    step.emit("identity", [value])


def _regions(step: Step, axes: list[int], rank: int) -> list[tuple[float, float]]:
    """The part of each axis that tf_crop_and_resize looks at."""
    regions = [(0.0, 1.0)] * rank
    if step.op == "Resize" and step.opset >= 11 and step.has(1) and step.shape(1) != (0,):
        roi = [float(item) for item in step.numbers(1, "roi").reshape(-1)]
        for place, axis in enumerate(axes):
            regions[axis] = (roi[place], roi[place + len(axes)])
    return regions


def _sizes(step: Step, axes: list[int]) -> list[int] | None:
    if step.op == "Resize" and step.opset >= 11 and step.has(3):
        return list(step.integers(3, "sizes"))
    return None


def _factors(step: Step, axes: list[int], policy: str, plain: list) -> list[float]:
    factors = [1.0] * len(plain)
    sizes = _sizes(step, axes)
    if sizes is None:
        place = 1 if step.op == "Upsample" or step.opset == 10 else 2
        if step.op == "Upsample" and step.opset < 9:
            given = step.take("scales")
        else:
            given = [float(item) for item in step.numbers(place, "scales")]
    else:
        if any(not isinstance(plain[axis], int) for axis in axes):
            raise Unsupported("Resize to fixed sizes from open ones")
        given = [size / plain[axis] for size, axis in zip(sizes, axes, strict=True)]
        if policy == "not_larger":
            given = [min(given)] * len(given)
        elif policy == "not_smaller":
            given = [max(given)] * len(given)
    for axis, factor in zip(axes, given, strict=True):
        factors[axis] = factor
    return factors


def _given_size(step: Step, axes: list[int], axis: int, policy: str) -> int | None:
    sizes = _sizes(step, axes)
    if sizes is None or axis not in axes:
        return None
    if policy == "stretch":
        return sizes[axes.index(axis)]
    size = step.shape(0)[axis]
    assert isinstance(size, int)
    plain = [n for n in step.shape(0)]
    factor = _factors(step, axes, policy, plain)[axis]
    return math.floor(size * factor + 0.5)


def _matrix(
    way: _Way, size: int, count: int, factor: float, region: tuple[float, float]
) -> np.ndarray:
    """[count, size]: what each element of the result takes of each element given."""
    matrix = np.zeros((count, size))
    for place in range(count):
        x = _coordinate(way.coordinates, place, size, count, factor, region)
        if way.outside is not None and not 0 <= x <= size - 1:
            raise Unsupported("Resize that looks outside of the picture")
        for source, weight in _weights(way, x, size, factor):
            if 0 <= source < size or not way.exclude:
                matrix[place, min(max(source, 0), size - 1)] += weight
        if way.exclude:
            matrix[place] /= matrix[place].sum()
    return matrix


def _coordinate(
    mode: str, place: int, size: int, count: int, factor: float, region: tuple[float, float]
) -> float:
    """Where in the given axis element `place` of the result lies."""
    if mode == "asymmetric":
        return place / factor
    if mode == "align_corners":
        return 0.0 if count == 1 else place * (size - 1) / (size * factor - 1)
    if mode == "pytorch_half_pixel":
        return 0.0 if count == 1 else (place + 0.5) / factor - 0.5
    if mode == "half_pixel_symmetric":
        shrunk = count / (size * factor)
        return size / 2 * (1 - shrunk) + (place + 0.5) / factor - 0.5
    if mode == "tf_crop_and_resize":
        start, end = region
        if count == 1:
            return 0.5 * (start + end) * (size - 1)
        return start * (size - 1) + place * (end - start) * (size - 1) / (count - 1)
    return (place + 0.5) / factor - 0.5


def _weights(way: _Way, x: float, size: int, factor: float) -> list[tuple[int, float]]:
    """Places and their shares; the shares add up to 1."""
    if way.mode == "nearest":
        return [(_nearest(way.nearest, x), 1.0)]
    reach = 1.0 if way.mode == "linear" else 2.0
    scale = max(1.0, 1 / factor) if way.antialias else 1.0
    first = math.floor(x - reach * scale) + 1
    last = math.ceil(x + reach * scale) - 1
    places = list(range(first, max(last, first) + 1))
    shape = _triangle if way.mode == "linear" else _cubic
    shares = [shape((x - place) / scale, way.cubic) for place in places]
    total = sum(shares)
    return [(place, share / total) for place, share in zip(places, shares, strict=True)]


def _nearest(mode: str, x: float) -> int:
    if mode == "round_prefer_floor":
        return math.ceil(x - 0.5)
    if mode == "round_prefer_ceil":
        return math.floor(x + 0.5)
    return math.floor(x) if mode == "floor" else math.ceil(x)


def _triangle(distance: float, _: float) -> float:
    return max(0.0, 1.0 - abs(distance))


def _cubic(distance: float, a: float) -> float:
    """Keys, Cubic convolution interpolation for digital image processing, 1981."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    if d < 2:
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return 0.0
