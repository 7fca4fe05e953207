"""A machine as rows to show: key, value, unit, source; and a variant of it by keys.

Comes in: a `Machine`.  Goes out: rows for a table, or another `Machine`.  It never prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from zhisuan.arch.check import broken, values
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError, did_you_mean

UNITS = {
    "clock.hz": "Hz",
    "bytes_per_second": "bytes/s",
    "bytes_per_cycle": "bytes/cycle",
    "controllers": "controllers",
    "channels.count": "channels",
    "interleave_bytes": "bytes",
    "turn_bytes": "bytes",
    "row_bytes": "bytes",
    "banks": "banks",
    "_ps": "ps",
    "write_batch": "bursts",
    "line_bytes": "bytes",
    "page_bytes": "bytes",
    "ways": "ways",
    "tlb.entries": "pages",
    "miss_cycles": "cycles",
    "refill_lines": "lines",
    "size": "bytes",
    "access_bytes": "bytes",
    "stack": "bytes",
    "latency": "cycles",
    "segment_cycles": "cycles/segment",
    "divide_passes": "passes",
    "transcendental_passes": "passes",
    "elements": "elements",
    "lanes_i4": "MAC/cycle/element",
    "lanes_i8": "MAC/cycle/element",
    "lanes_i16": "MAC/cycle/element",
    "lanes_f16": "MAC/cycle/element",
    "lanes_f32": "MAC/cycle/element",
    "flatten": "",
    "matrix.kind": "",
    "shift_cycles": "cycles/tile",
    "sparsity.skip": "",
    "sparsity.window": "neurons",
    "index_bits": "bits",
    "topology": "",
    "technology.dram": "",
    "node_nm": "nm",
    "static_microwatts_per_mm2": "µW/mm²",
    "clusters": "clusters",
    "cores_per_cluster": "cores",
    "queues.window": "instructions",
    "queues": "entries",
    "scalar": "cycles",
    "launch.overhead": "cycles",
}
"""Unit of a number by its `section.key`, or the end of the key, or the section."""


def unit(key: str) -> str:
    """The unit of the number at `section.key`."""
    if key in UNITS:
        return UNITS[key]
    ending = next((end for end in UNITS if key.endswith(end)), None)
    return UNITS[ending or key.split(".")[0]]


def describe(machine: Machine) -> list[tuple[str, int | str, str, str]]:
    """Every value as (key, value, unit, source); the source is empty where none is named."""
    return [(key, value, unit(key), machine.sources.get(key, "")) for key, value in values(machine)]


def differences(first: Machine, second: Machine) -> list[tuple[str, int | str, int | str, str]]:
    """(key, value of the first, value of the second, unit) where they differ; "–" for no value."""
    a, b = dict(values(first)), dict(values(second))
    rows = ((key, a.get(key, "–"), b.get(key, "–"), unit(key)) for key in a | b)
    return [row for row in rows if row[1] != row[2]]


def shown(value: int | str) -> str:
    """A value as people read it: thousands apart, texts as they are."""
    return value if isinstance(value, str) else f"{value:,}"


def vary(machine: Machine, changes: Mapping[str, int | str], source: str = "a variant") -> Machine:
    """`machine` with other values, by `section.key`; a wrong key or value is an error."""
    known = dict(values(machine))
    varied = machine
    for key, value in changes.items():
        if key not in known:
            raise ZhisuanError(f"no machine has a number '{key}'", where=machine.name,
                               expected="a section.key of the machine file",
                               hint=did_you_mean(key, known))  # fmt: skip
        section, name = key.split(".")
        if isinstance(value, str) != isinstance(known[key], str):
            raise ZhisuanError(f"{key} has the wrong form", where=machine.name,
                               expected="a text" if isinstance(known[key], str) else "a number",
                               found=repr(value))  # fmt: skip
        if key == "clock.hz":
            varied = replace(varied, clock_hz=value)
        else:
            part = replace(getattr(varied, section), **{name: value})
            varied = replace(varied, **{section: part})
    varied = replace(varied, sources={**machine.sources, **dict.fromkeys(changes, source)})
    for fault in broken(varied):
        raise ZhisuanError(fault.what, where=machine.name, expected=fault.expected,
                           found=fault.found)  # fmt: skip
    return varied
