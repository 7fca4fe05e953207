"""What arithmetic, memories and silicon cost at a process node: technology.toml, interpolated.

Comes in: a `Machine` with a [technology].  Goes out: whole femtojoules, and square millimetres.
It knows nothing of programs; sim.energy counts what they do.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from math import exp, log
from pathlib import Path
from typing import Any

from zhisuan.arch.machine import Machine, Technology
from zhisuan.base.errors import ZhisuanError

FILE = Path(__file__).parent / "technology.toml"

NODES = (5, 90)
"""Nanometres of the smallest and the largest node that the tables are carried on to."""


@cache
def tables() -> dict[str, Any]:
    """The sections of technology.toml: entries are { value, source }, by name or by node."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def dram_kinds() -> tuple[str, ...]:
    """The kinds of DRAM whose energy is known."""
    return tuple(tables()["dram"])


def technology_of(machine: Machine, wanted: str) -> Technology:
    """The machine's technology; without one, an error that says why `wanted` needs it."""
    if machine.technology is None:
        raise ZhisuanError(
            f"the {wanted} of {machine.name} is unknown",
            expected="[technology] with node_nm, dram, static_microwatts_per_mm2",
            found="a machine without [technology]",
            hint="copy the section from a preset, such as dlp-s",
        )
    return machine.technology


def log_line(points: Mapping[int, float], x: int) -> float:
    """The value at `x` on the log-log line through the nearest two of `points`."""
    if x in points or len(points) == 1:
        return points.get(x, next(iter(points.values())))
    ordered = sorted(points)
    above = next((i for i, key in enumerate(ordered) if key > x), len(ordered) - 1)
    left, right = ordered[max(above, 1) - 1], ordered[max(above, 1)]
    part = log(x / left) / log(right / left)
    return points[left] * exp(part * log(points[right] / points[left]))


def _at_node(entries: Mapping[str, Any], node_nm: int) -> float:
    return log_line({int(node): entry["value"] for node, entry in entries.items()}, node_nm)


def operation(name: str, node_nm: int) -> int:
    """Femtojoules of one operation of the table, such as `multiply_f16`."""
    return round(_at_node(tables()["energy"][name], node_nm))


def multiply_add(dtype: str, node_nm: int) -> int:
    """Femtojoules of a multiplication of `dtype` and its accumulation in 32 bits."""
    add = "add_f32" if dtype.startswith("f") else "add_i32"
    return operation(f"multiply_{dtype}", node_nm) + operation(add, node_nm)


WORD = 8
"""Bytes of an access in the table of SRAMs."""


def memory_byte(size: int, node_nm: int, width: int = WORD) -> int:
    """Femtojoules of reading or writing a byte of an SRAM of `size` bytes, `width` at a time.

    A memory below the smallest of the table costs as much as that one.  A wider access shares
    decoder, word line and control: `width_exponent` says how its energy grows.
    """
    word = {int(at): _at_node(entries, node_nm) for at, entries in tables()["sram"].items()}
    growth = tables()["share"]["width_exponent"]["value"] / 100
    access = log_line(word, max(size, min(word))) * (width / WORD) ** growth
    return round(access / width)


def dram_byte(kind: str) -> int:
    """Femtojoules of moving a byte from or to DRAM."""
    return 8 * tables()["dram"][kind]["value"]


def memory_area(size: int, node_nm: int) -> float:
    """Square millimetres of an SRAM of `size` bytes."""
    bit = _at_node(tables()["area"]["bit"], node_nm) * 1e-9
    return 8 * size * bit * 100 / tables()["share"]["cells_of_memory"]["value"]


def unit_area(kind: str, node_nm: int) -> float:
    """Square millimetres of one multiplier-adder of a type, or of the `scalar` core."""
    bits = tables()["area"]["bit"]
    shrink = _at_node(bits, node_nm) / bits["45"]["value"]
    return tables()["unit"][kind]["value"] * 1e-6 * shrink
