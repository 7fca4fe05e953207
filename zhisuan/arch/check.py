"""What makes a machine possible: the rules, and the numbers without a source.

Comes in: a `Machine`.  Goes out: the rules it breaks, each with the key to mend.  It never
reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zhisuan.arch.machine import (
    FLATTEN,
    MATRIX_KINDS,
    SKIPS,
    TOPOLOGIES,
    Channels,
    Icache,
    Llc,
    Machine,
)
from zhisuan.arch.technology import NODES, dram_kinds

MOST = 1 << 50
"""No size, rate or latency is larger; a petabyte, a thousand times the fastest clock."""
MOST_PICOSECONDS = 10**9
"""No time of a DRAM is longer than a millisecond."""
MOST_BANKS = 1 << 16
"""Of all channels together."""
MOST_LINES = 1 << 22
"""Of a cache."""
MOST_SKIPPING = 64
"""Elements that can skip weights: traces count them by groups of as many channels."""
WRAM_LINE = 64
"""Bytes of a line of WRAM; a bank of every element holds whole lines."""
MAY_BE_ZERO = (
    "latency", "segment_cycles", "overhead", "stack", "sram.size", "static_microwatts_per_mm2",
    "lanes_i4", "lanes_i8", "lanes_i16", "lanes_f16", "lanes_f32", "_ps",
    "miss_cycles", "refill_lines", "controllers",
    "shift_cycles", "index_bits",
)  # fmt: skip
"""Endings of the keys that may be 0, as those of [scalar]; other numbers are at least 1."""
CHOICES = {
    "noc.topology": TOPOLOGIES,
    "matrix.flatten": FLATTEN,
    "matrix.kind": MATRIX_KINDS,
    "sparsity.skip": SKIPS,
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
        "matrix.shift_cycles",
        "an adder tree shifts no tiles of weights in",
        lambda m: m.matrix.kind == "systolic" or not m.matrix.shift_cycles,
        lambda m: '0, or matrix.kind = "systolic"',
    ),
    Rule(
        "sparsity.skip",
        "this matrix unit cannot skip weights",
        lambda m: (
            not m.skips_weights
            or (m.matrix.kind == "adder tree" and m.matrix.elements <= MOST_SKIPPING)
        ),
        lambda m: (
            f'"nothing", or matrix.kind = "adder tree" with {MOST_SKIPPING} elements at most, '
            "a bank of WRAM each"
        ),
    ),
    Rule(
        "sram.stack",
        "the stack must leave room in SRAM",
        lambda m: m.sram.stack < max(m.sram.size, 1),
        lambda m: f"less than sram.size, {m.sram.size}" if m.sram.size else "0, as sram.size is",
    ),
    Rule(
        "noc.controllers",
        "there are more memory controllers than clusters",
        lambda m: m.noc.controllers <= m.chip.clusters,
        lambda m: f"at most chip.clusters, {m.chip.clusters}",
    ),
    Rule(
        "technology.node_nm",
        "the technology tables do not reach this node",
        lambda m: m.technology is None or m.technology.node_nm in range(NODES[0], NODES[1] + 1),
        lambda m: f"{NODES[0]} to {NODES[1]}",
    ),
)


def _channel_rules(c: Channels) -> tuple[Rule, ...]:
    return (
        Rule(
            "channels.interleave_bytes",
            "channels must be interleaved in a power of two, of whole accesses",
            lambda m: (
                _power_of_two(c.interleave_bytes) and c.interleave_bytes % m.dram.access_bytes == 0
            ),
            lambda m: f"such as {max(m.dram.access_bytes, 256)}",
        ),
        Rule(
            "channels.turn_bytes",
            "a turn must be whole pieces of the interleaving",
            lambda _: c.turn_bytes % max(c.interleave_bytes, 1) == 0,
            lambda _: f"a multiple of channels.interleave_bytes, {c.interleave_bytes}",
        ),
        Rule(
            "channels.row_bytes",
            "a row must hold whole accesses",
            lambda m: c.row_bytes % max(m.dram.access_bytes, 1) == 0,
            lambda m: f"a multiple of dram.access_bytes, {m.dram.access_bytes}",
        ),
        Rule(
            "channels.count",
            "there are too many banks",
            lambda _: c.count * c.banks <= MOST_BANKS,
            lambda _: f"channels.count × channels.banks at most {MOST_BANKS}",
        ),
        Rule(
            "channels.row_cycle_ps",
            "a row cycle must have time to open and close the row",
            lambda _: c.row_cycle_ps >= c.precharge_ps + c.activate_ps,
            lambda _: f"at least precharge_ps + activate_ps, {c.precharge_ps + c.activate_ps}",
        ),
        Rule(
            "channels.refresh_ps",
            "refresh must leave time for transfers",
            lambda _: c.refresh_ps < c.refresh_interval_ps,
            lambda _: f"less than channels.refresh_interval_ps, {c.refresh_interval_ps}",
        ),
    )


def _cache_rules(machine: Machine) -> Iterator[Rule]:
    for name, cache, least in (("llc", machine.llc, 64), ("icache", machine.icache, 8)):
        if cache is not None:
            yield from _sets_rules(name, cache, least)
    tlb = machine.tlb
    if tlb is not None:
        yield Rule(
            "tlb.page_bytes",
            "a page must be a power of two",
            lambda _: _power_of_two(tlb.page_bytes) and tlb.page_bytes >= 4096,
            lambda _: "such as 65536, and not less than 4096",
        )
        yield Rule(
            "tlb.entries",
            "the TLB is too large",
            lambda _: tlb.entries <= MOST_LINES,
            lambda _: f"at most {MOST_LINES}",
        )


def _sets_rules(name: str, cache: Llc | Icache, least: int) -> tuple[Rule, ...]:
    whole = cache.line_bytes * cache.ways
    return (
        Rule(
            f"{name}.line_bytes",
            "a line must be a power of two",
            lambda _: _power_of_two(cache.line_bytes) and cache.line_bytes >= least,
            lambda _: f"such as 64, and not less than {least}",
        ),
        Rule(
            f"{name}.size",
            "a cache must be whole sets of lines",
            lambda _: cache.size >= whole > 0 and cache.size % whole == 0,
            lambda _: f"a multiple of line_bytes × ways, {whole}",
        ),
        Rule(
            f"{name}.size",
            "the cache has too many lines",
            lambda _: cache.size <= MOST_LINES * max(cache.line_bytes, 1),
            lambda _: f"at most {MOST_LINES} lines",
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
        if key.endswith("_ps") and value > MOST_PICOSECONDS:
            yield Broken(key, f"{key} is too large", "at most a millisecond, 10^9", str(value))
        elif value > MOST:
            yield Broken(key, f"{key} is too large", f"at most {MOST} (2^50)", str(value))
    rules = [*RULES, *_cache_rules(machine)]
    rules += _channel_rules(machine.channels) if machine.channels is not None else ()
    for rule in rules:
        if not rule.holds(machine):
            value = dict(values(machine))[rule.key]
            yield Broken(rule.key, rule.what, rule.expected(machine), f"{rule.key} = {value}")


def check(machine: Machine) -> list[str]:
    """Keys of the values whose source the machine file does not name, in file order."""
    return [key for key, _ in values(machine) if not machine.sources.get(key)]
