"""Error bounds of exp, log, sigmoid and tanh against float64, and their special values.

Bounds are in units in the last place of the exact result (ulp) where the function has a
relative bound, else absolute.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from zhisuan.isa import elementary

F = np.float32
COUNT = 200_000
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0], F)


@pytest.fixture(autouse=True)
def quietly() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def ulps(got: np.ndarray, exact: np.ndarray) -> float:
    unit = np.spacing(np.abs(exact).astype(F)).astype(np.float64)
    return float((np.abs(got.astype(np.float64) - exact) / unit).max())


def uniform(low: float, high: float) -> np.ndarray:
    return np.random.default_rng(7).uniform(low, high, COUNT).astype(F)


def test_exp_is_within_1_25_ulp() -> None:
    x = uniform(-87.3, 88.72)
    assert ulps(elementary.exp(x), np.exp(x.astype(np.float64))) < 1.25


def test_subnormal_exp_is_within_one_smallest_number() -> None:
    x = uniform(-103.9, -87.3)
    error = np.abs(elementary.exp(x).astype(np.float64) - np.exp(x.astype(np.float64)))
    assert error.max() < 2.0**-149


def test_exp_ends() -> None:
    got = elementary.exp(np.array([88.72283, 88.72284, 89, -103.97, -103.98, -1e30], F))
    assert np.isfinite(got[0]) and np.isposinf(got[1:3]).all()
    assert got[3] == F(2.0**-149) and (got[4:] == 0).all()


def test_log_is_within_2_ulp() -> None:
    bits = np.random.default_rng(7).integers(1, 0x7F80_0000, COUNT).astype(np.int32)
    for x in (bits.view(F), uniform(0.5, 2)):
        assert ulps(elementary.log(x), np.log(x.astype(np.float64))) < 2


def test_sigmoid_is_within_2_5_ulp() -> None:
    x = uniform(-87, 87)
    assert ulps(elementary.sigmoid(x), 1 / (1 + np.exp(-x.astype(np.float64)))) < 2.5


@pytest.mark.parametrize("reach", [20, 1, 0.56, 1e-3, 1e-30])
def test_tanh_is_within_3_ulp(reach: float) -> None:
    x = uniform(-reach, reach)
    assert ulps(elementary.tanh(x), np.tanh(x.astype(np.float64))) < 3


def test_tanh_is_odd() -> None:
    x = np.concatenate([uniform(0, 2), np.array([0, 0.55, np.inf, 1e-40], F)])
    assert np.array_equal(
        elementary.tanh(-x).view(np.uint32), (-elementary.tanh(x)).view(np.uint32)
    )


def test_special_values() -> None:
    nan, inf = np.nan, np.inf
    found = {name: getattr(elementary, name)(SPECIAL) for name in ("exp", "log", "sigmoid", "tanh")}
    wanted = {
        "exp": [nan, inf, 0, 1, 1],
        "log": [nan, inf, nan, -inf, -inf, nan],
        "sigmoid": [nan, 1, 0, 0.5, 0.5],
        "tanh": [nan, 1, -1, 0, 0],
    }
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name][: len(values)], np.array(values, F), name)


def test_half_results_are_within_one_ulp() -> None:
    """All FP16 arguments, through float32 and back: a double rounding may be one off."""
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    x = x[np.isfinite(x)]
    for got, exact in (
        (elementary.exp(x.astype(F)), np.exp(x.astype(np.float64))),
        (elementary.log(x.astype(F)), np.log(x.astype(np.float64))),
        (elementary.sigmoid(x.astype(F)), 1 / (1 + np.exp(-x.astype(np.float64)))),
    ):
        want = exact.astype(np.float16)
        known = np.isfinite(want)
        apart = got.astype(np.float16).view(np.int16).astype(int) - want.view(np.int16)
        assert np.abs(apart[known]).max() <= 1
        assert (apart[known] != 0).sum() < 10
