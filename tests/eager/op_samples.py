"""Inputs for every op with a gradient: what finite differences and other frameworks are asked.

A row is (inputs, attributes); inputs are f64 arrays chosen away from kinks, or integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Sample = tuple[list[np.ndarray], dict[str, Any]]
_rng = np.random.default_rng(7)


def real(*shape: int) -> np.ndarray:
    """Numbers between -2 and 2, none within 0.05 of 0, no two equal."""
    count = int(np.prod(shape))
    steps = (_rng.permutation(count) + 0.5) / max(count, 1) * 1.9 + 0.05
    return (steps * _rng.choice([-1, 1], count)).reshape(shape)


def positive(*shape: int) -> np.ndarray:
    return np.asarray(np.abs(real(*shape)) + 0.3)


def several(make: Any) -> list[Sample]:
    """One argument, of a few shapes."""
    return [([make()], {}), ([make(3)], {}), ([make(2, 3)], {})]


def pairs(left: Any, right: Any) -> list[Sample]:
    """Two arguments, of one shape and of shapes that broadcast."""
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)),
    ]  # fmt: skip
    return [([left(*a), right(*b)], {}) for a, b in shapes]


REDUCED = [{}, {"axes": (1,)}, {"axes": (0, 2), "keepdims": False}, {"keepdims": False}]


def reduced(make: Any) -> list[Sample]:
    return [([make(2, 3, 2)], attrs) for attrs in REDUCED]


def inside(*shape: int) -> np.ndarray:
    """Numbers between -0.9 and 0.9, none near 0."""
    return np.asarray(real(*shape) * 0.45)


def above(*shape: int) -> np.ndarray:
    """Numbers above 1.3."""
    return np.asarray(positive(*shape) + 1.0)


def places(*rows: list[int]) -> np.ndarray:
    return np.array(rows)


SLICE = {"starts": (1, -1), "ends": (4, -9), "axes": (0, 1), "steps": (2, -1)}

NARROW = {"strides": (2, 1), "pads": (1, 0, 0, 2), "dilations": (1, 2)}
PADS = np.array([0, 1, 1, 0])

SAMPLES: dict[str, list[Sample]] = {
    "add": pairs(real, real),
    "sub": pairs(real, real),
    "mul": pairs(real, real),
    "div": pairs(real, positive),
    "pow": [*pairs(positive, real), ([real(3), np.array([3, 2, 1])], {})],
    "maximum": [*pairs(real, real), ([real(3), real(3), real(3)], {})],
    "minimum": [*pairs(real, real), ([real(3), real(3), real(3)], {})],
    **{name: several(real) for name in ("neg", "abs", "exp", "tanh", "sigmoid", "relu")},
    **{name: several(real) for name in ("leaky_relu", "identity")},
    **{name: several(positive) for name in ("sqrt", "reciprocal", "log")},
    **{name: several(real) for name in ("sin", "cos", "tan", "atan", "sinh", "cosh", "asinh")},
    **{name: several(real) for name in ("erf", "expm1", "softplus")},
    **{name: several(inside) for name in ("asin", "acos", "atanh")},
    **{name: several(above) for name in ("acosh", "log1p")},
    "mod": pairs(real, positive),
    "fmod": pairs(real, positive),
    "atan2": pairs(real, real),
    "reduce_min": reduced(real),
    "take_along": [
        ([real(2, 3), places([0, 0, 2], [1, -1, 2])], {"axis": 1}),
        ([real(3, 2), places([2, 0])], {}),
    ],
    "scatter": [
        ([real(2, 3), places([0, 2], [1, -1]), real(2, 2)], {"axis": 1}),
        ([real(2, 3), places([0, 0], [1, -1]), real(2, 2)], {"axis": 1, "reduction": "add"}),
    ],
    "gather_nd": [
        ([real(3, 2, 2), places([0, 1], [2, -1], [0, 1])], {}),
        ([real(2, 3, 2), places([1], [0])], {"batch_dims": 1}),
    ],
    "gather_nd_back": [([real(3, 2), real(3, 2, 2), places([0, 1], [2, -1], [0, 1])], {})],
    "scatter_nd": [
        ([real(4, 2), places([1], [3]), real(2, 2)], {}),
        ([real(4, 2), places([1], [1]), real(2, 2)], {"reduction": "add"}),
    ],
    "topk": [([real(2, 5)], {"k": 2}), ([real(4, 2)], {"k": 3, "axis": 0, "largest": False})],
    "tile": [([real(2, 3), np.array([2, 1])], {})],
    "untile": [([real(4, 3), real(2, 3)], {})],
    "cumsum": [([real(2, 4)], {"axis": 1}),
               ([real(2, 4)], {"axis": 0, "exclusive": True, "reverse": True})],
    "cumprod": [([real(2, 4)], {"axis": 1}),
                ([real(2, 4)], {"axis": 1, "exclusive": True, "reverse": True})],
    "triangle": [([real(3, 4)], {"k": 1}), ([real(2, 3, 3)], {"upper": False})],
    "flip": [([real(2, 3)], {"axes": (0, 1)})],
    "max_pool": [([real(1, 2, 5, 4)], {"window": (2, 3), "strides": (2, 1),
                                       "pads": (1, 0, 0, 1)})],
    "max_pool_places": [([real(2, 1, 6)], {"window": (2,), "strides": (1,), "pads": (1, 0),
                                           "dilations": (2,)})],
    "average_pool": [
        ([real(1, 2, 5, 4)], {"window": (2, 3), "strides": (2, 1), "pads": (1, 0, 0, 1)}),
        ([real(1, 1, 5)], {"window": (3,), "strides": (2,), "pads": (1, 1), "count_padding": True}),
    ],
    "average_pool_back": [([real(1, 2, 3, 3), real(1, 2, 5, 4)],
                           {"window": (2, 3), "strides": (2, 1), "pads": (1, 0, 0, 1),
                            "count_padding": False})],
    "instance_norm": [
        ([real(2, 2, 2, 3), real(2), real(2)], {}),
        ([real(1, 2, 2, 3), real(2), real(2), real(1, 2, 2, 3)], {"activation": "tanh"}),
    ],
    "batch_norm": [([real(2, 3, 2), real(3), real(3), real(3), positive(3)], {})],
    **{name: several(real) for name in ("elu", "selu", "hard_sigmoid", "shrink")},
    "prelu": [([real(2, 3), positive(3)], {}), ([real(2, 3), positive()], {})],
    "log_softmax": [([real(2, 3)], {}), ([real(2, 3)], {"axis": 0})],
    "mix_axis": [([real(2, 3, 2), real(4, 3)], {"axis": 1}), ([real(3), real(2, 3)], {"axis": -1})],
    "conv": [
        ([real(2, 2, 5), real(3, 2, 2), real(3)],
         {"strides": (2,), "pads": (1, 0), "dilations": (1,)}),
        ([real(1, 4, 4, 5), real(2, 2, 2, 2)], {**NARROW, "groups": 2}),
    ],
    "conv2d": [
        ([real(1, 2, 4, 5), real(2, 2, 2, 2), real(2)], NARROW),
        ([real(1, 1, 3, 3), real(1, 1, 3, 3)],
         {"pads": (1, 1, 1, 1), "pad_mode": "reflect", "activation": "tanh"}),
    ],
    "conv_transpose": [([real(1, 4, 2, 3), real(4, 2, 2, 2), real(4)],
                        {**NARROW, "more": (1, 0), "groups": 2})],
    "conv_input_back": [([real(1, 2, 2, 5), real(2, 2, 2, 2), real(1, 2, 4, 5)], NARROW)],
    "conv_weight_back": [([real(1, 2, 2, 5), real(1, 2, 4, 5), real(2, 2, 2, 2)], NARROW)],
    "conv_at": [([real(1, 2, 4, 5), real(2, 2, 2, 2), real(1, 2, 2, 5)], NARROW)],
    "pad": [([real(2, 3), PADS], {}), ([real(2, 3), PADS], {"mode": "reflect"}),
            ([real(2, 3), PADS], {"mode": "edge"}), ([real(3, 3), np.array([-1, 0, 1, 2])], {})],
    "pad_back": [([real(3, 4), real(2, 3), PADS], {}),
                 ([real(3, 4), real(2, 3), PADS], {"mode": "reflect"})],
    "resize_nearest": [([real(1, 2, 2, 3)], {"scale_h": 2, "scale_w": 1})],
    "slice1d": [([real(5)], {"start": 1, "stop": 4})],
    "vecmat": [([real(3), real(3, 2)], {})],
    "clip": [([real(4, 4)], {"low": -0.7, "high": 0.93})],
    "cast": [([real(3)], {"to": "f64"})],
    "where": [([np.array([[True], [False]]), real(2, 3), real(3)], {})],
    "reduce_sum": reduced(real),
    "reduce_mean": reduced(real),
    "reduce_max": reduced(real),
    "reduce_prod": reduced(real),
    "matmul": [
        ([real(2, 3), real(3, 4)], {}),
        ([real(3), real(3)], {}),
        ([real(3), real(3, 2)], {}),
        ([real(2, 3), real(3)], {}),
        ([real(2, 1, 2, 3), real(4, 3, 2)], {}),
    ],
    "linear": [([real(2, 3), real(4, 3), real(4)], {}), ([real(2, 3), real(4, 3)], {}),
               ([real(2, 3), real(4, 3), real(4)], {"activation": "tanh"})],
    "transfer": [([real(2)], {"device": "cpu"})],
    "transfer_like": [([real(2), real(2)], {})],
    "softmax": [([real(2, 3)], {}), ([real(2, 3)], {"axis": 0})],
    "reshape": [([real(2, 3), np.array([3, -1])], {})],
    "flatten": [([real(2, 3, 2)], {})],
    "transpose": [([real(2, 3, 2)], {"perm": (1, 2, 0)})],
    "concat": [([real(2, 3), real(2, 1), real(2, 2)], {"axis": 1})],
    "slice": [([real(5, 3)], SLICE)],
    "slice_back": [([real(2, 3), real(5, 3)], SLICE)],
    "unsqueeze": [([real(2, 3)], {"axes": (0, 2)})],
    "squeeze": [([real(1, 2, 1)], {"axes": (0, 2)})],
    "gather": [
        ([real(4, 3), np.array([[0, 2], [2, -1]])], {}),
        ([real(2, 4), np.array([3, 3])], {"axis": -1}),
    ],
    "gather_back": [([real(2, 2, 3), real(4, 3), np.array([[0, 2], [2, -1]])], {})],
    "expand": [([real(3, 1), np.array([2, 1, 4])], {})],
    "sum_like": [([real(2, 3), real(1, 3)], {}), ([real(2, 3), real()], {})],
    "broadcast_like": [([real(3, 1), real(2, 3, 2)], {})],
    "reshape_like": [([real(3, 2), real(6)], {})],
    "unreduce": [([real(2, 1), real(2, 3)], {"axes": (1,)}),
                 ([real(2), real(2, 3)], {"axes": (1,), "keepdims": False})],
    "concat_part": [([real(2, 6), real(2, 2), real(2, 3)], {"axis": 1})],
    "concat_part_back": [([real(2, 2), real(2, 6), real(2, 2), real(2, 3)], {"axis": 1})],
}  # fmt: skip
