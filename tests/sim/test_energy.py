"""Energy: every part counted by hand on small programs, sums, and what it must follow."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest
from sim_programs import ROUND, run_text

from zhisuan.arch import technology as tech
from zhisuan.arch.area import area
from zhisuan.arch.describe import vary
from zhisuan.arch.machine import Machine, Technology
from zhisuan.base.errors import ZhisuanError
from zhisuan.sim.energy import PARTS, Energy, energy
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace

AT_45 = Technology(node_nm=45, dram="LPDDR4", static_microwatts_per_mm2=1000)
MACHINE = replace(ROUND, technology=AT_45)
NRAM_BYTE = tech.memory_byte(MACHINE.nram.size, 45, 64)
BANK_BYTE = tech.memory_byte(MACHINE.wram.size // 64, 45, 64)

PROGRAM = """
    SLOAD $1, #0x1000000
    SLOAD $2, #100
    SLOAD $3, #0x1010000
    SLOAD $4, #0x2000000
    SLOAD $5, #1
    SHIGH $6, #256
    {body}
    HALT
"""


def traced(body: str) -> Trace:
    return run_text(PROGRAM.format(body=body), MACHINE)[1]


def spent(body: str, machine: Machine = MACHINE) -> dict[str, int]:
    """Femtojoules of a body by part, apart from instructions and static power."""
    trace = traced(body)
    parts = energy(trace, replay(trace, machine), machine).by_part()
    return {name: n for name, n in parts.items() if name not in ("fetch", "scalar", "static")}


def test_a_load_moves_whole_access_units() -> None:
    assert spent("VLOAD $1, $2, $6") == {
        "NRAM": 100 * NRAM_BYTE,
        "DRAM": 128 * 8 * 8_000,  # two access units of 64 bytes, 8 pJ per bit
    }


def test_a_move_reads_and_writes() -> None:
    assert spent("MMOVE $4, $2, $1") == {"NRAM": 100 * NRAM_BYTE, "WRAM": 100 * BANK_BYTE}


def test_a_vector_instruction() -> None:
    # 100 halves in 64 bytes per cycle: 4 cycles of 32 lanes; two operands and a result
    assert spent("VAV.f16 $3, $2, $1, $1") == {
        "vector": 4 * 32 * (1_100 + 900),
        "NRAM": 3 * 200 * NRAM_BYTE,
    }


def test_a_convolution() -> None:
    # one pixel of one tap into one channel: a cycle of 64 elements × 16 lanes
    body = """SLOAD $7, #0x10001
    SHIGH $7, #0x10001
    SLOAD $8, #1
    SHIGH $8, #1
    CONV.f16.f32 $3, $1, $4, $7, $8, $7, $5"""
    lanes = 64 * 16
    assert spent(body) == {
        "MAC f16": lanes * (1_100 + 900),
        "WRAM": lanes * 2 * BANK_BYTE,
        "NRAM": (16 * 2 + 4) * NRAM_BYTE,
    }


def test_instructions_and_static_power() -> None:
    trace = traced("SYNC #7")
    timing = replay(trace, MACHINE)
    parts = energy(trace, timing, MACHINE).by_part()
    assert parts["fetch"] == int(timing.instructions.sum()) * 25_000
    assert parts["scalar"] == int(timing.instructions.sum()) * 45_000
    microwatts = round(1000 * sum(area(MACHINE).values()))
    assert parts["static"] == microwatts * timing.total  # at 1 GHz: a femtojoule a cycle each


def test_static_power_grows_with_the_area() -> None:
    before, after = both({"sram.size": 1 << 22})
    ratio = after.by_part()["static"] / before.by_part()["static"]
    wide = vary(MACHINE, {"sram.size": 1 << 22})
    assert ratio == pytest.approx(sum(area(wide).values()) / sum(area(MACHINE).values()), 1e-5)
    assert ratio > 1.1


BODY = "VLOAD $1, $2, $6\n SYNC #2\n VEXP.f16 $3, $2, $1\n SYNC #7\n VSTORE $6, $2, $3"


def both(changes: dict[str, int | str]) -> tuple[Energy, Energy]:
    """The energy of BODY on the machine, and on a variant of it."""
    trace, other = traced(BODY), vary(MACHINE, changes)
    return (
        energy(trace, replay(trace, MACHINE), MACHINE),
        energy(trace, replay(trace, other), other),
    )


def test_parts_add_up() -> None:
    whole, _ = both({})
    assert whole.femtojoules.shape == (1, len(PARTS))
    assert sum(whole.by_part().values()) == whole.total
    assert whole.femtojoules.dtype == np.int64


@pytest.mark.parametrize(
    "changes",
    [{"technology.node_nm": 65}, {"technology.dram": "DDR3"}, {"nram.size": 1 << 21},
     {"technology.static_microwatts_per_mm2": 2000}, {"vector.transcendental_passes": 16}],
    ids=str,
)  # fmt: skip
def test_what_makes_it_dearer(changes: dict[str, int | str]) -> None:
    before, after = both(changes)
    assert after.total > before.total
    assert (after.femtojoules >= before.femtojoules).all()


def test_a_machine_without_a_technology() -> None:
    trace = traced("SYNC #7")
    bare = replace(MACHINE, technology=None)
    with pytest.raises(ZhisuanError) as caught:
        energy(trace, replay(trace, bare), bare)
    assert str(caught.value) == dedent("""\
        error: the energy of round is unknown
          expected: [technology] with node_nm, dram, static_microwatts_per_mm2
          found:    a machine without [technology]
          try:      copy the section from a preset, such as dlp-s""")
