"""Which architecture of BANG C a machine is, and what its headers know of the machine.

In: a machine, or its name.  Out: the value of `__BANG_ARCH__`, and macros with the sizes of the
presets.  Numbers of machines stay in their files.
"""

from __future__ import annotations

from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine

PRESETS = {270: "mlu270", 372: "mlu370"}
"""The machine that stands for each architecture; public guides name them by these numbers."""
DEFAULT = 372
OLD = 300
"""Below it the rules of the MLU270 class hold."""
_KIB = 1024


def architecture_of(machine: Machine) -> int:
    """`__BANG_ARCH__` for a machine; those that no guide names take programs of the default."""
    return {name: number for number, name in PRESETS.items()}.get(machine.name, DEFAULT)


def defined_for(machine: Machine) -> dict[str, object]:
    """The macro to compile with for a machine; none for the default, which the headers know."""
    number = architecture_of(machine)
    return {} if number == DEFAULT else {"__BANG_ARCH__": number}


def macros() -> list[str]:
    """`__BANG_ARCH__` where nobody gave it, and the sizes in KiB that go with it."""
    lines = ["#ifndef __BANG_ARCH__", f"#define __BANG_ARCH__ {DEFAULT}", "#endif"]
    old, new = (load(PRESETS[number]) for number in (270, 372))
    lines += [f"#if __BANG_ARCH__ < {OLD}", *_sizes(old), "#else", *_sizes(new), "#endif"]
    return lines


def _sizes(machine: Machine) -> list[str]:
    sizes = {"NRAM": machine.nram.size, "WRAM": machine.wram.size, "SRAM": machine.sram.size}
    return [f"#define __MLU_{name}_SIZE__ {size // _KIB}" for name, size in sizes.items()]
