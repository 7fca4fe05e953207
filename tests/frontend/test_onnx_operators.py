"""Each operator against onnxruntime: import, shape rule and NumPy reference at once."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from onnx_models import oracle, single

from zhisuan.frontend.onnx import from_model
from zhisuan.frontend.onnx.table import CONVERTERS
from zhisuan.graph.reference import run
from zhisuan.graph.rewrite import optimize

RNG = np.random.default_rng(1)


def f(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


IMAGE = f(1, 4, 7, 6)
POSITIVE = np.abs(f(2, 3)) + 0.1
INF = 2**63 - 1
CONFORMANCE_ONLY = {"Constant", "CumProd", "TopK", "Split"}
"""Operators of several outputs, or unknown to onnxruntime: ONNX's own cases judge them."""

# operator, inputs, which of them are weights, opset, attributes
CASES = [
    ("MaxPool", [f(1, 3, 9, 8)], [], 17, {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("MaxPool", [f(2, 1, 7, 9)], [], 17,
     {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 1, 2, 0]}),
    ("AveragePool", [f(1, 3, 7, 8)], [], 17,
     {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", [f(1, 2, 7, 8)], [], 17,
     {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1], "count_include_pad": 1}),
    ("Flatten", [f(2, 3, 4, 5)], [], 17, {}),
    ("Flatten", [f(2, 3, 4, 5)], [], 17, {"axis": 3}),
    ("Gemm", [f(2, 5), f(5, 3), f(3)], [1, 2], 17, {}),
    ("Gemm", [f(2, 5), f(3, 5), f(2, 1)], [1], 17, {"transB": 1}),
    ("Softmax", [f(3, 7)], [], 17, {}),
    ("Softmax", [f(3, 7, 2)], [], 13, {"axis": 1}),
    ("Softmax", [f(3, 7)], [], 11, {}),
    ("Add", [f(2, 3), f(3)], [], 17, {}),
    ("Add", [f(2, 1, 3), f(4, 1)], [1], 17, {}),
    ("Sub", [f(2, 3), f(2, 1)], [], 17, {}),
    ("Mul", [f(2, 3), f()], [1], 17, {}),
    ("Div", [f(2, 3), POSITIVE], [], 17, {}),
    ("Div", [ints(7, -7, 7, -7, 6), ints(2, 2, -2, -2, -3)], [], 17, {}),
    ("Pow", [POSITIVE, np.array(2.5, np.float32)], [1], 17, {}),
    ("Pow", [f(2, 3), ints(3)], [1], 17, {}),
    ("Max", [f(2, 3), f(3), f(2, 1)], [], 17, {}),
    ("Max", [f(2, 3)], [], 17, {}),
    ("Min", [f(2, 3), f(3)], [], 17, {}),
    ("Neg", [f(2, 3)], [], 17, {}),
    ("Abs", [f(2, 3)], [], 17, {}),
    ("Sqrt", [POSITIVE], [], 17, {}),
    ("Reciprocal", [POSITIVE], [], 17, {}),
    ("Exp", [f(2, 3)], [], 17, {}),
    ("Log", [POSITIVE], [], 17, {}),
    ("Tanh", [f(2, 3)], [], 17, {}),
    ("Sigmoid", [f(2, 3) * 50], [], 17, {}),
    ("Relu", [f(2, 3)], [], 17, {}),
    ("LeakyRelu", [f(2, 3)], [], 17, {"alpha": 0.2}),
    ("LeakyRelu", [f(2, 3)], [], 17, {}),
    ("Clip", [f(2, 3), np.float32(-0.5), np.float32(0.5)], [1, 2], 17, {}),
    ("Clip", [f(2, 3), None, np.float32(0.5)], [2], 17, {}),
    ("Clip", [f(2, 3)], [], 9, {"min": 0.0, "max": 6.0}),
    ("Identity", [f(2, 3)], [], 17, {}),
    ("Dropout", [f(2, 3)], [], 17, {}),
    ("Dropout", [f(2, 3)], [], 9, {"ratio": 0.3}),
    ("Cast", [f(2, 3) * 9], [], 17, {"to": TensorProto.INT32}),
    ("Cast", [ints(1, 0, 3)], [], 17, {"to": TensorProto.FLOAT16}),
    ("ReduceSum", [f(2, 3, 4), ints(0, -1)], [1], 17, {"keepdims": 0}),
    ("ReduceSum", [f(2, 3, 4)], [], 9, {"axes": [1]}),
    ("ReduceSum", [f(2, 3)], [], 17, {"noop_with_empty_axes": 1}),
    ("ReduceMean", [IMAGE], [], 17, {"axes": [2, 3]}),
    ("ReduceMean", [IMAGE, ints(2, 3)], [1], 18, {"keepdims": 0}),
    ("ReduceMean", [IMAGE], [], 17, {}),
    ("ReduceMax", [IMAGE], [], 17, {"axes": [-1], "keepdims": 0}),
    ("ReduceProd", [f(2, 3)], [], 17, {"axes": [0]}),
    ("GlobalAveragePool", [IMAGE], [], 17, {}),
    ("GlobalMaxPool", [IMAGE], [], 17, {}),
    ("MatMul", [f(2, 3), f(3, 4)], [], 17, {}),
    ("MatMul", [f(3), f(5, 3, 4)], [], 17, {}),
    ("MatMul", [f(2, 1, 2, 3), f(5, 3, 4)], [], 17, {}),
    ("MatMul", [f(4, 3), f(3)], [], 17, {}),
    ("Shape", [IMAGE], [], 12, {}),
    ("Shape", [IMAGE], [], 17, {"start": 1, "end": -1}),
    ("Sum", [f(2, 3), f(3), f(2, 1)], [], 17, {}),
    ("Sum", [f(2, 3)], [], 17, {}),
    ("Reshape", [f(2, 3, 4), ints(0, -1)], [1], 17, {}),
    ("Reshape", [f(2, 3, 4), ints(4, 6)], [1], 17, {"allowzero": 1}),
    ("Flatten", [f(2, 3, 4)], [], 17, {}),
    ("Flatten", [f(2, 3, 4)], [], 17, {"axis": -1}),
    ("Flatten", [f(2, 3, 4)], [], 17, {"axis": 0}),
    ("Flatten", [f(2, 3, 4)], [], 17, {"axis": 3}),
    ("Transpose", [f(2, 3, 4)], [], 17, {"perm": [2, 0, 1]}),
    ("Transpose", [f(2, 3)], [], 17, {}),
    ("Concat", [f(2, 3), f(2, 1)], [], 17, {"axis": -1}),
    ("Slice", [f(5, 6), ints(1), ints(-1), ints(1), ints(2)], [1, 2, 3, 4], 17, {}),
    ("Slice", [f(5, 6), ints(-1), ints(-INF), ints(0), ints(-1)], [1, 2, 3, 4], 17, {}),
    ("Slice", [f(5, 6), ints(4, 9), ints(0, -9), ints(0, 1), ints(-2, -1)], [1, 2, 3, 4], 17, {}),
    ("Slice", [f(5, 6), ints(1, 0), ints(INF, 3)], [1, 2], 17, {}),
    ("Slice", [f(5, 6)], [], 9, {"starts": [1], "ends": [4], "axes": [1]}),
    ("Unsqueeze", [f(2, 3), ints(0, -1)], [1], 17, {}),
    ("Unsqueeze", [f(2, 3)], [], 9, {"axes": [1]}),
    ("Squeeze", [f(1, 2, 1), ints(0)], [1], 17, {}),
    ("Squeeze", [f(1, 2, 1)], [], 17, {}),
    ("Gather", [f(4, 3), ints(1, -1, 0)], [], 17, {}),
    ("Gather", [f(4, 3), np.array(2)], [1], 17, {"axis": 1}),
    ("ConstantOfShape", [ints(2, 3)], [0], 17, {}),
    ("Expand", [f(3, 1), ints(2, 1, 4)], [1], 17, {}),
    ("Pad", [IMAGE, ints(0, 0, 1, 2, 0, 0, 3, 0)], [1], 17, {"mode": "reflect"}),
    ("Pad", [IMAGE, ints(0, 1, 1, 2, 0, 0, 3, 0)], [1], 17, {"mode": "edge"}),
    ("Pad", [f(2, 3), ints(1, -1, 0, 2), np.float32(7)], [1, 2], 17, {}),
    ("Pad", [IMAGE, ints(1, 2, 3, 0), None, ints(2, -1)], [1, 3], 18, {"mode": "reflect"}),
    ("Pad", [f(2, 3)], [], 9, {"pads": [1, 0, 0, 2], "value": 0.5}),
    ("Resize", [IMAGE, None, floats(1, 1, 2, 3)], [2], 17,
     {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("Resize", [IMAGE, None, floats(1, 1, 3, 2)], [2], 17, {}),
    ("Resize", [IMAGE, None, None, ints(1, 4, 14, 18)], [3], 17, {}),
    ("Resize", [IMAGE, floats(1, 1, 2, 2)], [1], 10, {}),
    ("Upsample", [IMAGE, floats(1, 1, 2, 2)], [1], 9, {}),
    ("Conv", [IMAGE, f(5, 4, 3, 3)], [1], 17, {}),
    ("Conv", [IMAGE, f(5, 4, 3, 2), f(5)], [1, 2], 17, {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
    ("Conv", [IMAGE, f(6, 2, 3, 3)], [1], 17, {"group": 2, "dilations": [2, 1]}),
    ("Conv", [IMAGE, f(4, 1, 3, 3)], [], 17, {"group": 4, "kernel_shape": [3, 3]}),
    ("InstanceNormalization", [IMAGE, f(4), f(4)], [], 17, {"epsilon": 0.01}),
    ("InstanceNormalization", [f(2, 4, 3, 3), f(4), f(4)], [1, 2], 17, {}),
    *[(name, [f(2, 3).round(), f(3).round()], [], 17, {})
      for name in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")],
    *[(name, [f(2, 3) > 0, f(3) > 0], [], 17, {}) for name in ("And", "Or", "Xor")],
    ("Not", [f(2, 3) > 0], [], 17, {}),
    ("Where", [f(2, 1) > 0, f(2, 3), f(3)], [], 17, {}),
    ("Sign", [f(2, 3)], [], 17, {}),
    *[(name, [f(2, 3)], [], 17, {})
      for name in ("Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Erf", "Softplus",
                   "Floor", "Ceil", "Round", "IsNaN", "IsInf")],
    *[(name, [f(2, 3) / 5], [], 17, {}) for name in ("Asin", "Acos", "Atanh")],
    ("Acosh", [POSITIVE + 1], [], 17, {}),
    ("IsInf", [floats(np.inf, -np.inf, 1)], [], 17, {"detect_negative": 0}),
    ("Mod", [ints(7, -7, 7, -7), ints(3, 3, -3, -3)], [], 17, {}),
    ("Mod", [f(2, 3), f(2, 3)], [], 17, {"fmod": 1}),
    *[(name, [ints(12, 7), ints(10, 3)], [], 18, {})
      for name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")],
    ("BitwiseNot", [ints(12, 7)], [], 18, {}),
    *[("BitShift", [np.array([12, 255], np.uint8), np.array([1, 4], np.uint8)], [], 17,
       {"direction": way}) for way in ("LEFT", "RIGHT")],
    ("CastLike", [f(2, 3) * 9, ints(1)], [], 17, {}),
    ("Mean", [f(2, 3), f(3), f(2, 1)], [], 17, {}),
    ("Range", [np.array(2.0, np.float32), np.array(7.0, np.float32),
               np.array(1.5, np.float32)], [0, 1, 2], 17, {}),
    ("EyeLike", [f(3, 4)], [], 17, {"k": 1}),
    *[(name, [f(2, 3, 4)], [], 17, {"axes": [1], "keepdims": 0})
      for name in ("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceMin", "ReduceLogSumExp")],
    ("ReduceLogSum", [np.abs(f(2, 3, 4)) + 0.1], [], 17, {"axes": [1]}),
    ("GatherElements", [f(3, 4), np.array([[0, -1], [1, 2]])], [], 17, {"axis": 1}),
    ("ScatterElements", [f(3, 4), np.array([[0, -1], [1, 2]]), f(2, 2)], [], 17, {"axis": 1}),
    ("ScatterElements", [f(3, 4), np.array([[0, 0], [1, 2]]), f(2, 2)], [], 16,
     {"axis": 1, "reduction": "add"}),
    ("Scatter", [f(3, 4), np.array([[0, 1], [1, 2]]), f(2, 2)], [], 9, {"axis": 1}),
    ("GatherND", [f(3, 4, 2), np.array([[0, 1], [2, -1]])], [], 17, {}),
    ("GatherND", [f(2, 4, 3), np.array([[1], [0]])], [], 17, {"batch_dims": 1}),
    ("ScatterND", [f(4, 2), np.array([[1], [3]]), f(2, 2)], [], 17, {}),
    *[(name, [f(3, 5)], [], 17, {"axis": 1, "keepdims": 0}) for name in ("ArgMax", "ArgMin")],
    ("ArgMax", [np.array([[1, 2, 2]], np.float32)], [], 17, {"axis": 1, "select_last_index": 1}),
    ("NonZero", [f(2, 3).round()], [], 17, {}),
    ("Tile", [f(2, 3), ints(2, 3)], [1], 17, {}),
    ("CumSum", [f(2, 3), np.array(1)], [1], 17, {"exclusive": 1, "reverse": 1}),
    ("Trilu", [f(3, 4), np.array(1)], [1], 17, {"upper": 0}),
    ("OneHot", [ints(1, -1, 9), np.array(4), floats(0, 1)], [1], 17, {}),
    ("Size", [f(2, 3)], [], 17, {}),
    ("Compress", [f(3, 4), np.array([True, False, True])], [1], 17, {"axis": 0}),
    ("Compress", [f(3, 4), np.array([True, False, True])], [1], 17, {}),
    ("ReverseSequence", [f(4, 3), ints(2, 4, 1)], [1], 17, {}),
    ("Conv", [f(2, 3, 8), f(4, 3, 3), f(4)], [1, 2], 17, {"strides": [2], "pads": [1, 0]}),
    ("Conv", [f(1, 2, 4, 5, 3), f(3, 2, 2, 2, 2)], [1], 17, {"auto_pad": "SAME_UPPER"}),
    ("Conv", [IMAGE, f(5, 4, 2, 2)], [1], 17, {"auto_pad": "SAME_LOWER", "strides": [2, 1]}),
    ("ConvTranspose", [IMAGE, f(4, 3, 3, 2), f(3)], [1, 2], 17,
     {"strides": [2, 1], "pads": [1, 0, 0, 1], "output_padding": [1, 0]}),
    ("ConvTranspose", [IMAGE, f(4, 2, 3, 3)], [1], 17, {"group": 2, "dilations": [1, 2]}),
    ("ConvTranspose", [IMAGE, f(4, 3, 3, 3)], [1], 17,
     {"strides": [2, 2], "output_shape": [14, 12]}),
    ("BatchNormalization", [IMAGE, f(4), f(4), f(4), np.abs(f(4))], [1, 2, 3, 4], 17, {}),
    ("MaxPool", [f(1, 2, 9)], [], 17, {"kernel_shape": [3], "strides": [2], "ceil_mode": 1}),
    ("MaxPool", [f(1, 2, 9, 8)], [], 17, {"kernel_shape": [3, 2], "dilations": [2, 1]}),
    ("AveragePool", [f(1, 2, 5, 6, 4)], [], 17, {"kernel_shape": [2, 3, 2]}),
    ("AveragePool", [f(1, 2, 5, 6)], [], 17,
     {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    *[(name, [f(2, 3)], [], 17, {})
      for name in ("Elu", "Selu", "HardSigmoid", "LogSoftmax", "Hardmax")],
    ("Shrink", [f(2, 3)], [], 17, {"lambd": 0.3, "bias": 0.1}),
    ("PRelu", [f(2, 3), f(3)], [1], 17, {}),
    *[("Resize", [IMAGE, None, floats(1, 1, h, w)], [2], 17, {"mode": mode, **attrs})
      for mode in ("linear", "cubic") for h, w in ((1.5, 2.7), (0.6, 0.5))
      for attrs in ({}, {"coordinate_transformation_mode": "asymmetric"})],
    ("Resize", [f(1, 2, 7), None, floats(1, 1, 1.7)], [2], 17, {"mode": "nearest"}),
    ("Resize", [IMAGE, None, None, ints(1, 4, 9, 5)], [3], 17, {"mode": "linear"}),
    *[("DepthToSpace", [f(1, 8, 2, 3)], [], 17, {"blocksize": 2, "mode": mode})
      for mode in ("DCR", "CRD")],
    ("SpaceToDepth", [f(1, 2, 4, 6)], [], 17, {"blocksize": 2}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "arrays", "weights", "opset", "attrs"),
    CASES,
    ids=[f"{case[0]}-{index}" for index, case in enumerate(CASES)],
)
def test_agrees_with_onnxruntime(op, arrays, weights, opset, attrs) -> None:
    model, feeds = single(op, arrays, constant=weights, opset=opset, **attrs)
    graph = from_model(model, "test", "test")
    expected = oracle(model, feeds)
    for version in (graph, optimize(graph)):
        found = run(version, feeds)["y"]
        assert found.dtype == expected.dtype
        if all(isinstance(dim, int) for dim in graph.values["y"].shape):
            assert graph.values["y"].shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_every_operator_that_imports_is_tested() -> None:
    assert set(CONVERTERS) - {case[0] for case in CASES} == CONFORMANCE_ONLY
