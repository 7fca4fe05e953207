"""Energy of a systolic array, of broadcasts and of the network between clusters, by hand."""

from __future__ import annotations

from dataclasses import replace

from chip_programs import chip, launch
from sim_programs import ROUND, run_text

from zhisuan.arch import technology as tech
from zhisuan.arch.describe import vary
from zhisuan.arch.machine import Machine, Technology
from zhisuan.isa.address import NRAM, SRAM, WRAM
from zhisuan.sim.energy import energy
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace

AT_45 = Technology(node_nm=45, dram="LPDDR4", static_microwatts_per_mm2=0)


def spent(trace: Trace, machine: Machine) -> dict[str, int]:
    return energy(trace, replay(trace, machine), machine).by_part()


def number(register: int, value: int) -> str:
    low = (value & 0xFFFFFFFF) - ((value & 0x80000000) << 1)
    return f"SLOAD ${register}, #{low}\n SHIGH ${register}, #{value >> 32}\n"


def test_a_systolic_convolution() -> None:
    """3 pixels of 20 FP16 taps into 70 channels: 2 tiles down, 2 across."""
    machine = vary(replace(ROUND, technology=AT_45), {"matrix.kind": "systolic"})
    values = [
        NRAM.base + (1 << 16), NRAM.base, WRAM.base, 1 | 3 << 16 | 1 << 32 | 1 << 48,
        20 | 70 << 32, 1 | 1 << 16 | 1 << 32 | 1 << 48, 120 | 840 << 32,
    ]  # fmt: skip
    text = "".join(number(1 + i, value) for i, value in enumerate(values))
    trace = run_text(text + "CONV.f16.f32 $1, $2, $3, $4, $5, $6, $7\nHALT", machine)[1]
    parts = spent(trace, machine)
    macs = 4 * 3 * 16 * 64
    neurons, between, results = 4 * 3 * 16 * 2, 2 * 3 * 2 * 64 * 4, 3 * 70 * 4
    assert parts["MAC f16"] == macs * (1_100 + 900)
    assert parts["registers"] == macs * (16 + 32) // 16 * tech.operation("register", 45)
    assert parts["WRAM"] == 4 * 16 * 64 * 2 * tech.memory_byte(machine.wram.size // 64, 45, 64)
    nram = tech.memory_byte(machine.nram.size, 45, 64)
    assert parts["NRAM"] == (neurons + between + results) * nram


HEAD = number(1, SRAM.base) + number(2, NRAM.base) + "SLOAD $3, #640\nSGET $4, #11\n"


def test_a_broadcast_is_written_in_every_core() -> None:
    machine = replace(chip(1, 4), technology=AT_45)
    body = "SLOAD $5, #0\nSEQ.i64 $6, $4, $5\nCBZ over, $6\nVCAST $2, $3, $1\nover: HALT"
    trace = launch(HEAD.replace("#11", "#10") + body, machine, (4, 1, 1), "UNION1")[1]
    assert (trace.opcode == 0x146).sum() == 1
    parts = spent(trace, machine)
    assert parts["NRAM"] == 4 * 640 * tech.memory_byte(machine.nram.size, 45, 64)
    assert parts["SRAM"] == 640 * tech.memory_byte(machine.sram.size, 45, 64)


def test_every_link_on_the_way_counts() -> None:
    machine = replace(chip(4, 1, "mesh"), technology=AT_45)
    body = "SGET $4, #8\nSLOAD $5, #0\nSEQ.i64 $6, $4, $5\nCBZ over, $6\nSLOAD $7, #3\n"
    body += "CDMA $1, $3, $1, $7\nover: HALT"
    trace = launch(HEAD + body, machine, (4, 1, 1), "UNION4")[1]
    parts = spent(trace, machine)
    assert parts["NoC"] == 640 // 2 * 2 * tech.operation("hop", 45)  # right, then down
    assert parts["SRAM"] == 2 * 640 * tech.memory_byte(machine.sram.size, 45, 64)
