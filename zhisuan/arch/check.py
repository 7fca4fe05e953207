"""What makes a machine possible: the rules, and the numbers without a source.

Comes in: a `Machine`.  Goes out: the rules it breaks, each with the key to mend.  It never
reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zhisuan.arch.machine import FLATTEN, TOPOLOGIES, Machine
from zhisuan.arch.technology import NODES, dram_kinds

MOST = 1 << 50
"""No size, rate or latency is larger; a petabyte, a thousand times the fastest clock."""
WRAM_LINE = 64
"""Bytes of a line of WRAM; a bank of every element holds whole lines."""
MAY_BE_ZERO = (
    "latency", "segment_cycles", "overhead", "stack", "sram.size", "static_milliwatts",
    "lanes_i4", "lanes_i8", "lanes_i16", "lanes_f16", "lanes_f32",
)  # fmt: skip
"""Endings of the keys that may be 0, as those of [scalar]; other numbers are at least 1."""
CHOICES = {
    "noc.topology": TOPOLOGIES,
    "matrix.flatten": FLATTEN,
    "technology.dram": dram_kinds(),
}
"""The texts that a key may have."""


@dataclass(frozen=True)
class Broken:
    """A rule that a machine breaks, at `key`; `expected` and `found` are for the message."""

    key: str
    what: str
    expected: str
    found: str


@dataclass(frozen=True)
class Rule:
    """`holds(machine)`, or the number at `key` is wrong; expected(machine) says what would do."""

    key: str
    what: str
    holds: Callable[[Machine], bool]
    expected: Callable[[Machine], str]


MATRIX_TYPES = ("i4", "i8", "i16", "f16", "f32")
"""Types the matrix unit may multiply; each has its `lanes_` key."""


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


RULES = (
    Rule(
        "dram.access_bytes",
        "the DRAM access unit must be a power of two",
        lambda m: _power_of_two(m.dram.access_bytes),
        lambda m: f"such as {1 << max(m.dram.access_bytes.bit_length() - 1, 0)}",
    ),
    Rule(
        "nram.stack",
        "the stack must leave room in NRAM",
        lambda m: m.nram.stack < m.nram.size,
        lambda m: f"less than nram.size, {m.nram.size}",
    ),
    Rule(
        "wram.size",
        "WRAM must be whole lines in the bank of every processing element",
        lambda m: m.wram.size % (m.matrix.elements * WRAM_LINE) == 0,
        lambda m: (
            f"a multiple of {m.matrix.elements * WRAM_LINE} "
            f"(matrix.elements {m.matrix.elements} × {WRAM_LINE} bytes)"
        ),
    ),
    Rule(
        "matrix.lanes_f16",
        "the matrix unit multiplies nothing",
        lambda m: any(getattr(m.matrix, f"lanes_{kind}") for kind in MATRIX_TYPES),
        lambda m: "one of matrix.lanes_" + ", lanes_".join(MATRIX_TYPES) + " above 0",
    ),
    Rule(
        "sram.stack",
        "the stack must leave room in SRAM",
        lambda m: m.sram.stack < max(m.sram.size, 1),
        lambda m: f"less than sram.size, {m.sram.size}" if m.sram.size else "0, as sram.size is",
    ),
    Rule(
        "technology.node_nm",
        "the technology tables do not reach this node",
        lambda m: m.technology is None or m.technology.node_nm in range(NODES[0], NODES[1] + 1),
        lambda m: f"{NODES[0]} to {NODES[1]}",
    ),
)


def values(machine: Machine) -> Iterator[tuple[str, int | str]]:
    """Every number and text of the machine as (`section.key`, value), in the order of the file."""
    yield "clock.hz", machine.clock_hz
    for name, section in vars(machine).items():
        if hasattr(section, "__dataclass_fields__"):
            for key, value in vars(section).items():
                yield f"{name}.{key}", value


def broken(machine: Machine) -> Iterator[Broken]:
    """The rules `machine` breaks; numbers of the wrong size first."""
    for key, value in values(machine):
        if isinstance(value, str):
            if value not in CHOICES.get(key, (value,)):
                wanted = ", ".join(CHOICES[key])
                yield Broken(key, f"{key} names something unknown", wanted, repr(value))
            continue
        least = 0 if key.endswith(MAY_BE_ZERO) or key.startswith("scalar.") else 1
        if value < least:
            wanted = "zero or more" if least == 0 else "one or more"
            yield Broken(key, f"{key} is too small", f"a whole number, {wanted}", str(value))
        if value > MOST:
            yield Broken(key, f"{key} is too large", f"at most {MOST} (2^50)", str(value))
    for rule in RULES:
        if not rule.holds(machine):
            value = dict(values(machine))[rule.key]
            yield Broken(rule.key, rule.what, rule.expected(machine), f"{rule.key} = {value}")


def check(machine: Machine) -> list[str]:
    """Keys of the values whose source the machine file does not name, in file order."""
    return [key for key, _ in values(machine) if not machine.sources.get(key)]
