"""The course's programs: every name of its table assembles, in its operand order, and runs."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.isa.address import GDRAM, NRAM, WRAM
from zhisuan.isa.asm import assemble
from zhisuan.isa.disasm import disassemble
from zhisuan.isa.encoding import decode
from zhisuan.isa.table import BY_NAME

H = np.float16
SETUP = f"""
        SLOAD   $1, #4
        SLOAD   $2, #16
        SLOAD   $10, #{NRAM.base}
        SLOAD   $11, #{NRAM.base + 64}
        SLOAD   $12, #{NRAM.base + 128}
        SLOAD   $20, #{WRAM.base}
        SLOAD   $21, #{WRAM.base + 64}
"""
TABLE = {
    "control": ["JUMP #0", "CB #-12, $3", "CB #0, $3"],
    "DRAM": ["MLOAD $20, $2, #300", "MSTORE $20, $2, #300", "VLOAD $10, $1, #100",
             "VSTORE $10, $1, #200", "SLOAD $3, #100", "SLOAD $3, $10, #8", "SSTORE $3, $10, #8"],
    "on chip": ["MMOVE $20, $1, $10", "VMOVE $11, $1, $10", "SMOVE $3, $4"],
    "matrix": ["MMV $12, $1, $20, $10, $1", "VMM $12, $1, $20, $10, $1", "MMS $20, $2, $21, $3",
               "MMS $20, $2, $21, #0.5", "OP $20, $1, $10, $11, $1", "MAM $20, $2, $20, $21",
               "MSM $20, $2, $20, $21"],
    "vector": ["VAV $12, $1, $10, $11", "VSV $12, $1, $10, $11", "VMV $12, $1, $10, $11",
               "VDV $12, $1, $10, $11", "VAS $12, $1, $10, $3", "VAS $12, $1, $10, #1",
               "VEXP $12, $1, $10", "VLOG $12, $1, $10", "IP $12, $1, $10, $11",
               "RV $12, $1, $3", "RV $12, $1, #7", "VMAX $12, $1, $10", "VMIN $12, $1, $10"],
    "scalar": ["SADD $3, $4, $5", "SADD $3, $1, #4", "SSUB $3, $4, $5", "SMUL $3, $4, $5",
               "SDIV.f32 $3, $4, $5", "SEXP.f32 $3, $4", "SLOG.f32 $3, $4", "SSQRT.f32 $3, $4"],
    "logic": ["VGT $12, $1, $10, $11", "VE $12, $1, $10, $11", "VAND $12, $1, $10, $11",
              "VOR $12, $1, $10, $11", "VNOT $12, $1, $10", "VGTM $12, $1, $10, $11",
              "SGT $3, $4, $5", "SEQ $3, $4, $5", "SAND $3, $4, $5", "SOR $3, $4, $5"],
}  # fmt: skip


@pytest.mark.parametrize("line", [line for lines in TABLE.values() for line in lines])
def test_a_line_of_the_table_assembles_back_and_runs(core, line: str) -> None:
    program = assemble(line, "course.dlps")
    assert np.array_equal(assemble(disassemble(program), "again.dlps").words, program.words)
    item = decode(int(program.words[0]))
    registers = {3: 0, 4: 9, 5: 3, **registers_of(SETUP)}
    values = {
        operand.name: registers[number] if operand.is_register else number
        for operand, number in zip(item.row.operands, item.values, strict=True)
    }
    core.run(item.row.name, item.mode, **values)


def registers_of(text: str) -> dict[int, int]:
    """What the SLOADs of a text leave in registers."""
    items = [decode(int(word)) for word in assemble(text, "setup.dlps").words]
    return {item.values[0]: item.values[1] for item in items}


def test_constant_addresses_count_elements_and_bytes_of_dram(core) -> None:
    values = np.arange(8, dtype=H)
    core.write(GDRAM.base + 100, values)
    core.run("VLOAD#", "f16", dst=NRAM.base, n=8, addr=100)
    assert np.array_equal(core.read(NRAM.base, H, 8), values)
    core.run("VSTORE#", "f16", src=NRAM.base + 2, n=3, addr=200)
    assert core.read(GDRAM.base + 200, H, 4).tolist() == [1, 2, 3, 0]
    core.run("MLOAD#", "f32", dst=WRAM.base, n=2, addr=100)
    core.run("MSTORE#", "i8", src=WRAM.base, n=5, addr=400)
    assert core.read(GDRAM.base + 400, np.uint8, 6).tolist() == [0, 0, 0, 60, 0, 0]


def test_an_inexact_constant_says_what_to_do_instead() -> None:
    with pytest.raises(Exception, match="not exact in FP16") as error:
        assemble("VAS $1, $2, $3, #0.1", "course.dlps")
    assert "SLOAD $d, #f32:0.1" in str(error.value)


def test_constants_reach_the_element_type(core) -> None:
    for mode, kind in (("f16", "f2"), ("f32", "f4")):
        core.write(NRAM.base, np.array([1, -2, 3], kind))
        half = int(np.array(-1.5, H).view(np.uint16))
        for name, want in (("VAS#", [-0.5, -3.5, 1.5]), ("VMS#", [-1.5, 3, -4.5]),
                           ("VMAXS#", [1, -1.5, 3]), ("VMINS#", [-1.5, -2, -1.5])):  # fmt: skip
            core.run(name, mode, dst=NRAM.base + 64, n=3, a=NRAM.base, s=half)
            assert core.read(NRAM.base + 64, kind, 3).tolist() == want


def matrices(kind: str) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    if kind.startswith("i"):
        limits = np.iinfo(kind)
        return (draw.integers(limits.min, limits.max, (5, 7), kind, endpoint=True),
                draw.integers(limits.min, limits.max, 7, kind, endpoint=True))  # fmt: skip
    return draw.normal(size=(5, 7)).astype(kind), draw.normal(size=7).astype(kind)


@pytest.mark.parametrize("mode", BY_NAME["MMV"].modes)
def test_products_take_plain_row_major_matrices(core, mode: str) -> None:
    source, to = mode.split(".")
    kinds = {"f16": "f2", "f32": "f4", "i8": "i1", "i16": "i2", "i32": "i4"}
    matrix, vector = matrices(kinds[source])
    core.write(WRAM.base, matrix)
    core.write(NRAM.base, vector)
    core.run("MMV", mode, dst=NRAM.base + 512, m=5, weight=WRAM.base, a=NRAM.base, n=7)
    want = matrix.astype(np.float64) @ vector.astype(np.float64)
    limits = (-(2**31), 2**31 - 1) if to == "i32" else (-np.inf, np.inf)
    got = core.read(NRAM.base + 512, kinds[to], 5)
    np.testing.assert_allclose(got, np.clip(want, *limits), rtol=2e-3 if to == "f16" else 1e-5)
    core.write(WRAM.base, np.ascontiguousarray(matrix.T))
    core.run("VMM", mode, dst=NRAM.base + 1024, m=5, weight=WRAM.base, a=NRAM.base, n=7)
    assert np.array_equal(core.read(NRAM.base + 1024, kinds[to], 5), got)


def test_matrix_sums_scaling_and_outer_product(core) -> None:
    a, b = np.arange(6, dtype=H), np.arange(6, dtype=H)[::-1] * H(0.5)
    core.write(WRAM.base, a)
    core.write(WRAM.base + 64, b)
    where = {"dst": WRAM.base + 128, "n": 6, "a": WRAM.base}
    for name, more, want in (
        ("MAM", {"b": WRAM.base + 64}, a + b),
        ("MSM", {"b": WRAM.base + 64}, a - b),
        ("MMS", {"s": int(H(3).view(np.uint16))}, a * H(3)),
        ("MMS#", {"s": int(H(3).view(np.uint16))}, a * H(3)),
    ):
        core.run(name, "f16", **where, **more)
        assert np.array_equal(core.read(WRAM.base + 128, H, 6), want)
    core.write(NRAM.base, a)
    core.run("OP", "f16", dst=WRAM.base, m=2, a=NRAM.base + 2, b=NRAM.base, n=6)
    assert np.array_equal(core.read(WRAM.base, H, 12).reshape(2, 6), np.outer([1, 2], a))


@pytest.mark.parametrize(("operands", "reason"), [
    ({"weight": NRAM.base}, "a matrix in NRAM"), ({"a": WRAM.base}, "a vector in WRAM"),
])  # fmt: skip
def test_products_refuse_memories_that_do_not_feed_the_unit(core, operands, reason) -> None:
    usual = {"dst": NRAM.base, "m": 1, "weight": WRAM.base, "a": NRAM.base, "n": 1}
    with pytest.raises(Exception, match=reason):
        core.run("MMV", "f16.f16", **(usual | operands))
