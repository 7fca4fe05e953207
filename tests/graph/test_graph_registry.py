"""The registry as a table: every row is whole, and every hole is explained."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ops import OPS
from zhisuan.graph.registry import OpDef, find


@pytest.mark.parametrize("row", OPS.values(), ids=list(OPS))
def test_row_is_whole(row: OpDef) -> None:
    assert row.doc.endswith("."), "documentation"
    assert callable(row.shape) and callable(row.dtype) and callable(row.reference)
    assert bool(row.onnx) != bool(row.onnx_note), "ONNX names, or why there is none"
    assert 0 <= row.min_inputs <= len(row.inputs)
    assert row.min_inputs or row.has_state or row.name == "full", "reads something"
    for attr in row.attrs.values():
        assert attr.kind in (int, float, str, bool, tuple)
        assert attr.required or attr.accepts(attr.default), attr.name


def test_references_take_exactly_what_the_row_says() -> None:
    for row in OPS.values():
        parameters = inspect.signature(row.reference).parameters
        expected = [*["state"] * row.has_state, *row.inputs, *row.attrs]
        assert list(parameters) == expected


def test_onnx_names_belong_to_one_row() -> None:
    names = [name for row in OPS.values() for name in row.onnx]
    assert len(names) == len(set(names))


def test_unknown_op_offers_the_nearest() -> None:
    with pytest.raises(ZhisuanError) as caught:
        find("conv2", "first")
    assert str(caught.value) == (
        "error: unknown op 'conv2'\n"
        "  where:    node 'first'\n"
        "  expected: an op of the registry (zhisuan/graph/ops)\n"
        "  try:      did you mean 'conv2d'?"
    )


def test_fused_ops_mean_what_their_parts_mean() -> None:
    rng = np.random.default_rng(0)
    reference = {name: row.reference for name, row in OPS.items()}
    x = rng.normal(size=(1, 4, 6, 5)).astype(np.float32)
    w = rng.normal(size=(3, 4, 3, 3)).astype(np.float32)
    bias, scale, shift = rng.normal(size=(3, 3)).astype(np.float32)
    pads = np.array([0, 0, 1, 2, 0, 0, 2, 1])
    padded = reference["pad"](x, pads, mode="reflect")
    plain = reference["conv2d"](padded, w) + bias.reshape(1, 3, 1, 1)
    fused = reference["conv2d"](
        x, w, bias, pads=(1, 2, 2, 1), pad_mode="reflect", activation="tanh"
    )
    np.testing.assert_allclose(fused, np.tanh(plain), atol=1e-6)

    normal = reference["instance_norm"](plain, scale, shift)
    with_all = reference["instance_norm"](plain, scale, shift, plain, activation="relu")
    np.testing.assert_allclose(with_all, np.maximum(normal, 0) + plain, atol=1e-6)

    table = rng.normal(size=(5, 7)).astype(np.float32)
    weights = rng.normal(size=5).astype(np.float32)
    product = reference["vecmat"](weights, table)
    np.testing.assert_allclose(product, (weights[:, None] * table).sum(0), atol=1e-5)
    np.testing.assert_array_equal(reference["slice1d"](product, start=2, stop=5), product[2:5])
