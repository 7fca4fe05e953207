"""Integer ops: the formulas of docs/quantization.md, and the chip's bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhisuan.base.dtype import F32, I8
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.fixed_point import Format, format_of
from zhisuan.graph.macs import macs
from zhisuan.graph.ops import OPS
from zhisuan.graph.reference import run
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.matrix import pack_weights
from zhisuan.isa.registry import Operands
from zhisuan.isa.table import BY_NAME

QUANTIZE, DEQUANTIZE = OPS["quantize"].reference, OPS["dequantize"].reference
CONV, LINEAR = OPS["conv2d_i8"].reference, OPS["linear_i8"].reference


class Flat:
    """A core of one flat array, for the meaning of single instructions."""

    def __init__(self) -> None:
        self.bytes = np.zeros(1 << 20, np.uint8)

    def place(self, address: int) -> int:
        return address - WRAM.base + (1 << 19) if address in WRAM else address - NRAM.base

    def read(self, address: int, kind: np.dtype, count: int) -> np.ndarray:
        at = self.place(address)
        return self.bytes[at : at + count * np.dtype(kind).itemsize].view(kind).copy()

    def write(self, address: int, values: np.ndarray) -> None:
        at, raw = self.place(address), np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.bytes[at : at + raw.size] = raw


def vaffine(x: np.ndarray, scale: np.ndarray, shift: np.ndarray, mode: str, to: type) -> np.ndarray:
    """What the instruction makes of x [n, m], scale and shift [m]."""
    core, at = Flat(), [NRAM.base + place for place in (0x1000, 0x20000, 0x30000, 0x40000)]
    for place, values in zip(at, (x, scale, shift), strict=False):
        core.write(place, values)
    fields = {"a": at[0], "scale": at[1], "shift": at[2], "dst": at[3], "n": x.size}
    operands = Operands(mode, {**fields, "m": scale.size})
    BY_NAME["VAFFINE"].meaning(core, operands)  # pyright: ignore[reportArgumentType]
    return core.read(at[3], np.dtype(to), x.size).reshape(x.shape)


@pytest.mark.parametrize(
    ("largest", "position", "scale"),
    [
        (127, 0, 1.0),
        (128, 1, 2 * 127 / 128),
        (126, 0, 127 / 126),
        (254, 1, 1.0),
        (1.0, -6, 127 / 64),
        (0, 0, 1.0),
        (1e-45, 0, 1.0),
    ],
)
def test_position_and_scale_of_a_magnitude(largest: float, position: int, scale: float) -> None:
    assert format_of(largest) == Format(position, float(np.float32(scale)))


@given(st.floats(1e-20, 1e20))
def test_the_largest_magnitude_becomes_127(largest: float) -> None:
    found = format_of(largest)
    assert 1 <= found.scale <= 2
    assert round(largest * found.factor) == 127
    assert found.step * 127 == pytest.approx(largest, rel=1e-6)


def test_rounding_to_integers_by_hand() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, 126.6, 500, -127.4, -128.5, -500, np.nan, np.inf], "f4")
    found = QUANTIZE(x, position=0, scale=1.0)
    assert found.tolist() == [0, 2, 2, 0, 127, 127, -127, -128, -128, 0, 127]
    assert QUANTIZE(x[:2], position=-1, scale=1.5).tolist() == [2, 4]  # · 3: 1.5 and 4.5
    back = DEQUANTIZE(np.array([-128, 0, 3], np.int8), position=1, scale=1.0)
    assert back.tolist() == [-256, 0, 6]


def test_a_convolution_by_hand() -> None:
    """Two taps of a 1×2 filter over three pixels and two channels."""
    x = np.array([[[[1, -2, 3]], [[4, 5, -128]]]], np.int8)
    w = np.array([[[[1, 2]], [[0, -1]]], [[[127, 127]], [[127, 127]]]], np.int8)
    scale, shift = np.array([0.5, 1.0], "f4"), np.array([0.25, 0.0], "f4")
    sums = [[1 - 4 - 5, -2 + 6 + 128], [(1 - 2 + 4 + 5) * 127, (-2 + 3 + 5 - 128) * 127]]
    real = [[sum_ * 0.5 + 0.25 for sum_ in sums[0]], sums[1]]
    assert CONV(x, w, scale, shift, to="f32").reshape(2, 2).tolist() == real
    assert CONV(x, w, scale, shift).reshape(2, 2).tolist() == [[-4, 66], [127, -128]]
    assert CONV(x, w, scale, shift, activation="relu").reshape(2, 2).tolist() == [[0, 66], [127, 0]]


def random_case(seed: int, channels: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (1, 5, 6, 7), np.int8)
    w = rng.integers(-128, 128, (channels, 5, 3, 2), np.int8)
    scale = rng.uniform(2e-4, 3e-3, channels).astype(np.float32)
    return x, w, scale, rng.normal(0, 9, channels).astype(np.float32)


@pytest.mark.parametrize("activation", ["", "relu"])
@pytest.mark.parametrize("to", ["i8", "f16", "f32"])
def test_a_convolution_has_the_bits_of_the_chips_instructions(activation: str, to: str) -> None:
    x, w, scale, shift = random_case(3, 9)
    core = Flat()
    src, dst, weight = NRAM.base, NRAM.base + 0x10000, WRAM.base
    core.write(src, x[0].transpose(1, 2, 0))
    core.write(weight, pack_weights(w.transpose(2, 3, 1, 0).reshape(30, 9)))
    out_h, out_w = 4, 6
    fields = {
        "dst": dst, "src": src, "weight": weight,
        "geometry": out_h | out_w << 16 | 3 << 32 | 2 << 48,
        "channels": 5 | 9 << 32,
        "steps": 1 | 1 << 16 | 1 << 32 | 1 << 48,
        "pitches": 7 * 5 | out_w * 9 * 4 << 32,
    }  # fmt: skip
    BY_NAME["CONV"].meaning(core, Operands("i8.i32", fields))  # pyright: ignore
    sums = core.read(dst, np.dtype(np.int32), out_h * out_w * 9).reshape(-1, 9)
    mode = f"i32.{to}" + (".relu" if activation else "")
    kind = {"i8": np.int8, "f16": np.float16, "f32": np.float32}[to]
    expected = vaffine(sums, scale, shift, mode, kind).reshape(out_h, out_w, 9)
    found = CONV(x, w, scale, shift, activation=activation, to=to)
    assert found.dtype == kind
    np.testing.assert_array_equal(found[0].transpose(1, 2, 0), expected)
    assert len(np.unique(found)) > 40  # neither all saturated nor all zero


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_quantize_and_dequantize_have_the_bits_of_the_chips_instruction(kind: type) -> None:
    rng = np.random.default_rng(1)
    name = "f16" if kind is np.float16 else "f32"
    x = (rng.normal(0, 40, (50, 4)) * 0.5).round(1).astype(kind)
    form = format_of(float(np.abs(x).max()) * 0.8)
    zero = np.zeros(1, np.float32)
    factor, step = (np.array([value], np.float32) for value in (form.factor, form.step))
    whole = QUANTIZE(x, position=form.position, scale=form.scale)
    np.testing.assert_array_equal(whole, vaffine(x, factor, zero, f"{name}.i8", np.int8))
    assert whole.min() < -120 and whole.max() == 127
    back = DEQUANTIZE(whole, position=form.position, scale=form.scale, to=name)
    np.testing.assert_array_equal(back, vaffine(whole, step, zero, f"i8.{name}", kind))


def test_sums_are_exact_and_saturate_at_32_bits() -> None:
    most = np.full((1, 140_000), -128, np.int8)
    one = np.ones(1, np.float32)
    found = LINEAR(most, most, one, 0 * one, to="f32")
    assert found.tolist() == [[2.0**31]]  # float32 of 2^31 - 1
    odd = most.copy()
    odd[0, 0] = 127
    assert LINEAR(most[:, :1000], odd[:, :1000], one * 2**-7, 0 * one, to="f32").tolist() == [
        [(999 * 128 * 128 - 127 * 128) / 128]
    ]


def test_pooling_keeps_integers() -> None:
    x = np.array([[[[-128, -3], [-7, -5]]]], np.int8)
    found = OPS["max_pool"].reference(x, window=(2, 2), strides=(2, 2), pads=(1, 1, 1, 1))
    assert found.dtype == np.int8
    assert found.tolist() == [[[[-128, -3], [-7, -5]]]]


def graph_of(op: str, attrs: dict, channels: int = 3):
    build = GraphBuilder("whole")
    image = op == "conv2d_i8"
    x = build.input("x", I8, (1, 5, 6, 7) if image else (1, 5))
    w = build.constant("w", np.ones((3, 5, 3, 2) if image else (3, 5), np.int8))
    scale = build.constant("scale", np.ones(channels, np.float32))
    shift = build.constant("shift", np.zeros(3, np.float32))
    return build.finish([build.node(op, [x, w, scale, shift], attrs, output="y", label="layer")])


@pytest.mark.parametrize("to", ["i8", "f16", "f32"])
def test_types_shapes_and_work(to: str) -> None:
    conv = graph_of("conv2d_i8", {"to": to, "pads": (1, 0, 1, 0)})
    assert conv.value("y").type_text == f"{to}[1, 3, 6, 6]"
    assert macs(conv, {}) == {"layer": 3 * 36 * 30}
    linear = graph_of("linear_i8", {"to": to})
    assert linear.value("y").type_text == f"{to}[1, 3]"
    assert macs(linear, {}) == {"layer": 15}
    assert run(linear, {"x": np.ones((1, 5), np.int8)})["y"].tolist() == [[5, 5, 5]]


def test_scales_must_fit_the_channels() -> None:
    with pytest.raises(ZhisuanError) as caught:
        graph_of("conv2d_i8", {}, channels=4)
    assert str(caught.value) == (
        "error: conv2d_i8: 'scale' must have one number per output channel\n"
        "  where:    node 'layer'\n"
        "  expected: [3]\n"
        "  found:    [4]"
    )


@pytest.mark.parametrize(
    ("dtype", "op", "attrs", "message"),
    [
        (F32, "dequantize", {"position": 0, "scale": 1.0},
         "error: dequantize: works on integers\n  where:    node 'n'\n"
         "  expected: i8\n  found:    f32"),
        (I8, "quantize", {"position": 0, "scale": 1.0},
         "error: quantize: works on real numbers\n  where:    node 'n'\n"
         "  expected: f16 or f32\n  found:    i8"),
        (F32, "quantize", {"position": 0, "scale": 0.5},
         "error: quantize: no format of integers\n  where:    node 'n'\n"
         "  expected: a scale from 1 to 2, a position from -100 to 100\n"
         "  found:    scale 0.5, position 0"),
    ],
)  # fmt: skip
def test_wrong_uses_are_refused(dtype, op: str, attrs: dict, message: str) -> None:
    build = GraphBuilder("wrong")
    x = build.input("x", dtype, (1, 5))
    with pytest.raises(ZhisuanError) as caught:
        build.node(op, [x], attrs, label="n")
    assert str(caught.value) == message
