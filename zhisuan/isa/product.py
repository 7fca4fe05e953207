"""Matrix instructions as the course writes them (MFU): products, sums, scaling.

A matrix is a plain row-major array in WRAM, as MLOAD leaves it; a vector lies in NRAM.  On its
way from WRAM a row is spread over the processing elements, so that the cost is that of a
convolution of one pixel.  Opcodes 0x310-0x31F.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.matrix import fused_multiply_add, saturated
from zhisuan.isa.number import MASK64, quiet, value_of
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.vector import FLOAT_MODES, types_of

PRODUCT_MODES = ("f16.f16", "f16.f32", "f32.f32", "i8.i32", "i16.i32")


def _product_cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(n / lanes) · ceil(m / `matrix.elements`)), lanes by the source type as CONV"""
    return machine.matrix_cycles(o.mode.split(".")[0], 1, 1, o.n, o.m)


def _product_touches(o: Operands) -> tuple[Touch, ...]:
    source, destination = (kind.itemsize for kind in types_of(o.mode))
    return (
        Touch(True, o.dst, o.m * destination),
        Touch(False, o.weight, o.m * o.n * source),
        Touch(False, o.a, o.n * source),
    )


def _check_places(core: Core, o: Operands) -> None:
    if o.weight & MASK64 in NRAM:
        core.trap("a matrix in NRAM: it must lie in WRAM")
    if o.a & MASK64 in WRAM:
        core.trap("a vector in WRAM: it must lie in NRAM")
    if o.m > NRAM.window:
        core.trap("more elements than NRAM can hold")


def _multiply(core: Core, o: Operands, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix [rows, columns] and the vector [n] as read."""
    _check_places(core, o)
    source = types_of(o.mode)[0]
    vector = core.read(o.a, source, o.n)
    matrix = core.read(o.weight, source, rows * columns)
    return matrix.reshape(rows, columns), vector


def _write_product(core: Core, o: Operands, terms: np.ndarray, vector: np.ndarray) -> None:
    """dst[j] = Σ over k, in increasing k, of terms[k, j] · vector[k]."""
    source, destination = types_of(o.mode)
    if source.kind != "f":
        core.write(o.dst, saturated(vector.astype(np.int64) @ terms.astype(np.int64)))
        return
    total = np.zeros(o.m, np.float32)
    with np.errstate(all="ignore"):
        for k in range(o.n):
            a, b = vector[k : k + 1].astype(np.float32), terms[k].astype(np.float32)
            total = fused_multiply_add(a, b, total, source)
        core.write(o.dst, quiet(total.astype(destination)))


@instruction("MMV", 0x310, Unit.MFU, "dst m weight a n", modes=PRODUCT_MODES,
             cycles=_product_cost, latency="matrix.latency", touches=_product_touches,
             reads=(NRAM, WRAM), writes=(NRAM,))  # fmt: skip
def mmv(core: Core, o: Operands) -> None:
    """dst[j] = Σ weight[j][k] * a[k]: a matrix of m rows and n columns times a vector.

    The matrix is row-major in WRAM, without gaps.  Floats sum in float32 from +0, one fused
    multiply-add per k in increasing k; integers exactly, saturated to 32 bits.
    """
    matrix, vector = _multiply(core, o, o.m, o.n)
    _write_product(core, o, matrix.T, vector)


@instruction("VMM", 0x311, Unit.MFU, "dst m weight a n", modes=PRODUCT_MODES,
             cycles=_product_cost, latency="matrix.latency", touches=_product_touches,
             reads=(NRAM, WRAM), writes=(NRAM,))  # fmt: skip
def vmm(core: Core, o: Operands) -> None:
    """dst[j] = Σ a[k] * weight[k][j]: a vector times a matrix of n rows and m columns.

    Otherwise as MMV: a network's backward pass uses the matrix of its forward pass.
    """
    matrix, vector = _multiply(core, o, o.n, o.m)
    _write_product(core, o, matrix, vector)


def _elements_cost(machine: Any, count: Any, mode: str) -> Any:
    per_cycle = machine.matrix.elements * machine.lanes(mode)
    return np.maximum(-(-count // per_cycle), 1)


def _each_cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(n / (`matrix.elements` · lanes))), lanes by the type as CONV"""
    return _elements_cost(machine, o.n, o.mode)


def _outer_cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(m · n / (`matrix.elements` · lanes))), lanes by the type as CONV"""
    return _elements_cost(machine, o.m * o.n, o.mode)


def _each_touches(o: Operands) -> tuple[Touch, ...]:
    size = o.n * types_of(o.mode)[0].itemsize
    sources = (o.a, o.b) if hasattr(o, "b") else (o.a,)
    return Touch(True, o.dst, size), *(Touch(False, source, size) for source in sources)


def _scale(core: Core, o: Operands, factor: Any) -> None:
    matrix = core.read(o.a, types_of(o.mode)[0], o.n)
    with np.errstate(all="ignore"):
        core.write(o.dst, quiet(matrix * factor))


@instruction("MMS", 0x312, Unit.MFU, "dst n a s", modes=FLOAT_MODES, cycles=_each_cost,
             latency="matrix.latency", touches=_each_touches, reads=(WRAM,),
             writes=(WRAM,))  # fmt: skip
def mms(core: Core, o: Operands) -> None:
    """dst[i] = a[i] * s over the n elements of matrices in WRAM; s is in a register."""
    _scale(core, o, value_of(o.s, o.mode))


@instruction("MMS#", 0x313, Unit.MFU, "dst n a #f:s", modes=FLOAT_MODES, cycles=_each_cost,
             latency="matrix.latency", touches=_each_touches, reads=(WRAM,),
             writes=(WRAM,))  # fmt: skip
def mms_constant(core: Core, o: Operands) -> None:
    """dst[i] = a[i] * s over the n elements of matrices in WRAM; s is a constant."""
    half = np.array(o.s & 0xFFFF, np.uint16).view(np.float16)
    _scale(core, o, half.astype(types_of(o.mode)[0]))


def _outer_touches(o: Operands) -> tuple[Touch, ...]:
    width = types_of(o.mode)[0].itemsize
    return (
        Touch(True, o.dst, o.m * o.n * width),
        Touch(False, o.a, o.m * width),
        Touch(False, o.b, o.n * width),
    )


@instruction("OP", 0x314, Unit.MFU, "dst m a b n", modes=FLOAT_MODES, cycles=_outer_cost,
             latency="matrix.latency", touches=_outer_touches, reads=(NRAM,),
             writes=(WRAM,))  # fmt: skip
def op(core: Core, o: Operands) -> None:
    """dst[i][j] = a[i] * b[j]: the outer product, a row-major matrix of m rows and n columns."""
    kind = types_of(o.mode)[0]
    a, b = core.read(o.a, kind, o.m), core.read(o.b, kind, o.n)
    with np.errstate(all="ignore"):
        core.write(o.dst, quiet(a[:, None] * b).reshape(-1))


def _combine(core: Core, o: Operands, function: Any) -> None:
    kind = types_of(o.mode)[0]
    a, b = core.read(o.a, kind, o.n), core.read(o.b, kind, o.n)
    with np.errstate(all="ignore"):
        core.write(o.dst, quiet(function(a, b)))


@instruction("MAM", 0x315, Unit.MFU, "dst n a b", modes=FLOAT_MODES, cycles=_each_cost,
             latency="matrix.latency", touches=_each_touches, reads=(WRAM,),
             writes=(WRAM,))  # fmt: skip
def mam(core: Core, o: Operands) -> None:
    """dst[i] = a[i] + b[i] over the n elements of matrices in WRAM."""
    _combine(core, o, np.add)


@instruction("MSM", 0x316, Unit.MFU, "dst n a b", modes=FLOAT_MODES, cycles=_each_cost,
             latency="matrix.latency", touches=_each_touches, reads=(WRAM,),
             writes=(WRAM,))  # fmt: skip
def msm(core: Core, o: Operands) -> None:
    """dst[i] = a[i] - b[i] over the n elements of matrices in WRAM."""
    _combine(core, o, np.subtract)
