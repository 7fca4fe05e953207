"""Ops of the framework made from kernels: values, gradients, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import zhisuan as zs
from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.registry import GRADIENTS, OPS
from zhisuan.lower.kernel_op import LAUNCHES, kernel_op

SOURCE = """
#include <bang.h>
__nram__ float x[256], y[256], z[256];

__mlu_entry__ void squared_difference(float* out, const float* a, const float* b, int n) {
  for (int i = taskId * 256; i < n; i += taskDim * 256) {
    int count = n - i < 256 ? n - i : 256;
    __memcpy(x, a + i, count * 4, GDRAM2NRAM);
    __memcpy(y, b + i, count * 4, GDRAM2NRAM);
    __bang_sub(z, x, y, count);
    __bang_mul(z, z, z, count);
    __memcpy(out + i, z, count * 4, NRAM2GDRAM);
  }
}

__mlu_entry__ void doubled_difference(float* out, const float* g, const float* a, const float* b,
                                      int n) {
  for (int i = taskId * 256; i < n; i += taskDim * 256) {
    int count = n - i < 256 ? n - i : 256;
    __memcpy(x, a + i, count * 4, GDRAM2NRAM);
    __memcpy(y, b + i, count * 4, GDRAM2NRAM);
    __bang_sub(z, x, y, count);
    __memcpy(x, g + i, count * 4, GDRAM2NRAM);
    __bang_mul(z, z, x, count);
    __bang_mul_scalar(z, z, 2.0f, count);
    __memcpy(out + i, z, count * 4, NRAM2GDRAM);
  }
}
"""


@pytest.fixture
def difference() -> Iterator[Any]:
    """The op `squared_difference`; its registration ends with the test."""
    module = bcl.compile(SOURCE, machine="mlu370")
    before = set(OPS)

    @kernel_op(reference=lambda g, a, b: g * 2 * (a - b), gradient="of first order only")
    def doubled_difference(out: Any, g: Any, a: Any, b: Any) -> None:
        module.doubled_difference[4, "UNION1"](out, g, a, b, out.size)

    @kernel_op(
        reference=lambda a, b: (a - b) ** 2,
        gradient=lambda g, a, b: (doubled_difference(g, a, b), doubled_difference(g, b, a)),
    )
    def squared_difference(out: Any, a: Any, b: Any) -> None:
        """(a - b)²."""
        module.squared_difference[4, "UNION1"](out, a, b, out.size)

    yield squared_difference
    for name in set(OPS) - before:
        for table in (OPS, GRADIENTS, LAUNCHES, vars(zs.F)):
            table.pop(name, None)


@pytest.mark.parametrize("device", ["cpu", "dlp"])
@pytest.mark.parametrize("shape", [(1,), (37, 51), (4, 256)])
def test_value_and_gradient(difference: Any, device: str, shape: tuple[int, ...]) -> None:
    a, b = np.random.default_rng(3).normal(size=(2, *shape)).astype(np.float32)
    x = zs.tensor(a, device=device, requires_grad=True)
    y = zs.tensor(b, device=device, requires_grad=True)
    result = difference(x, y)
    assert result.device.name == f"{device}:0"
    zs.F.reduce_sum(result.to("cpu"), keepdims=False).backward()
    np.testing.assert_array_equal(result.numpy(), (a - b) ** 2)
    assert x.grad.device.name == f"{device}:0"
    np.testing.assert_array_equal(x.grad.numpy(), 2 * (a - b))
    np.testing.assert_array_equal(y.grad.numpy(), 2 * (b - a))


def test_the_kernel_computes_not_the_reference(difference: Any) -> None:
    """With another kernel behind it the op has other values on the chip."""
    wrong = bcl.compile(SOURCE.replace("__bang_sub", "__bang_add"), machine="mlu370")
    LAUNCHES["squared_difference"] = lambda out, a, b: wrong.squared_difference(out, a, b, out.size)
    x = zs.tensor([3.0, 4.0], device="dlp")
    assert difference(x, x).numpy().tolist() == [36.0, 64.0]
    assert difference(x.to("cpu"), x.to("cpu")).numpy().tolist() == [0.0, 0.0]


def test_an_op_without_a_kernel_is_refused(difference: Any) -> None:
    x = zs.tensor(np.ones((2, 3), np.float32), device="dlp")
    with pytest.raises(ZhisuanError) as caught:
        _ = zs.F.exp(x)
    assert str(caught.value) == (
        "error: exp: there is no kernel for it on dlp:0\n"
        "  expected: ops made from kernels: doubled_difference, squared_difference\n"
        "  found:    f32[2, 3]\n"
        "  try:      x.to('cpu') computes it there"
    )


def test_inputs_on_two_devices_are_refused(difference: Any) -> None:
    x = zs.tensor([1.0])
    with pytest.raises(ZhisuanError) as caught:
        difference(x, x.to("dlp"))
    assert str(caught.value) == (
        "error: squared_difference: the inputs lie on different devices\n"
        "  expected: one device\n"
        "  found:    cpu:0, dlp:0\n"
        "  try:      x.to('cpu') moves a tensor"
    )


def test_a_kernel_may_not_change_its_inputs() -> None:
    module = bcl.compile(
        "__mlu_entry__ void overwrite(float* out, float* a) { a[0] = 2.0f; out[0] = 1.0f; }"
    )
    try:

        @kernel_op(reference=lambda a: a, gradient="of a test")
        def overwrite(out: Any, a: Any) -> None:
            module.overwrite(out, a)

        with pytest.raises(ZhisuanError, match="wrote to an array that is read-only"):
            overwrite(zs.tensor([5.0], device="dlp"))
    finally:
        for table in (OPS, LAUNCHES, vars(zs.F)):
            table.pop("overwrite")


def test_parameters_must_be_those_of_the_reference() -> None:
    with pytest.raises(ZhisuanError) as caught:

        @kernel_op(reference=lambda a, b: a, gradient="of a test")
        def mixed(out: Any, b: Any, a: Any) -> None: ...

    assert str(caught.value) == (
        "error: 'mixed' does not take what its reference takes\n"
        "  expected: (out, a, b)\n"
        "  found:    (out, b, a)\n"
        "  try:      results first, then the reference's parameters under their names"
    )
    assert "mixed" not in OPS


def test_unknown_devices_are_named() -> None:
    with pytest.raises(ZhisuanError) as caught:
        zs.device("dlb")
    assert str(caught.value) == (
        "error: there is no device of kind 'dlb'\n"
        "  expected: cpu, dlp\n"
        "  try:      did you mean 'dlp'?"
    )
