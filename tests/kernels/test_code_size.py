"""How large and how fast the library's kernels are: one table, whose changes are read.

`pytest tests/kernels/test_code_size.py --update-golden` writes it again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from test_kernels_are_clean import CASES, ROOMY

from zhisuan.isa.encoding import decode
from zhisuan.isa.program import Program
from zhisuan.isa.registry import STACK_POINTER
from zhisuan.kernels import library
from zhisuan.lower import lower
from zhisuan.runtime.device import play
from zhisuan.sim.timing import replay

HEAD = """# Code size and cycles of the operator library

Compiled at -O2; run on dlp-s with the shapes of tests/kernels/test_kernels_are_clean.py, one
launch each. Stack: instructions that reach the stack. Scalar: scalar instructions executed.

| kernel | instructions | stack | shape | scalar | cycles |
|---|---:|---:|---|---:|---:|
"""


def stack_accesses(program: Program) -> int:
    """Loads and stores relative to the stack pointer."""
    found = 0
    for word in program.words:
        row = decode(int(word))
        if row.row.name in ("SLOAD", "SSTORE"):
            base = [operand.name for operand in row.row.operands].index("base")
            found += row.values[base] == STACK_POINTER
    return found


def lines(name: str) -> list[str]:
    program = library.compiled(name).program
    size = f"| {name} | {len(program.words)} | {stack_accesses(program)} |"
    found = []
    for case, graph in CASES[name].items():
        plan = lower(graph, {}, ROOMY)
        inputs = {b.name: np.ones(b.shape, np.float32) for b in plan.plan.by_role("input")}
        _, trace = play(plan.plan, plan.programs, plan.constants, inputs, ROOMY)
        timing = replay(trace, ROOMY)
        kernels = [launch.kernel for launch in trace.launches]
        at = kernels.index(name)
        scalar = timing.instructions[at, 0]
        found.append(f"{size} {case} | {scalar:,} | {timing.launch_cycles()[at]:,} |\n")
        size = "| | | |"
    return found


def test_code_size_and_cycles(golden: Callable[[str, str], None]) -> None:
    golden("kernels/code-size.md", HEAD + "".join(line for n in library.NAMES for line in lines(n)))
