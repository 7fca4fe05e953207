"""One built-in on arrays in NRAM: a table of cases becomes one program, each case a kernel.

A case's call sees `d` (the result), `a`, `b`, `c` (the inputs, each a typed pointer into NRAM) and
`n`, the elements of the first input; `w` is the last input in WRAM instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from chip import run

TYPES = {
    "float16": "half", "float32": "float", "int8": "signed char", "uint8": "unsigned char",
    "int16": "short", "uint16": "unsigned short", "int32": "int", "uint32": "unsigned",
}  # fmt: skip
ROOM = 1 << 16
"""Bytes of NRAM for the result, and for each input."""


@dataclass
class Case:
    """`expected` is what the call leaves at d; `start` what lies there before."""

    call: str
    expected: np.ndarray
    inputs: tuple[np.ndarray, ...] = ()
    tolerance: float = 0
    in_wram: bool = False
    start: np.ndarray | None = None


def source_of(cases: Sequence[Case]) -> str:
    """A program with kernel k0 for the first case and so on."""
    head = f"extern __nram__ char arena[]; __wram__ char filters[{1 << 18}];\n"
    return head + "\n".join(_kernel(number, case) for number, case in enumerate(cases))


def _kernel(number: int, case: Case) -> str:
    result = TYPES[case.expected.dtype.name]
    names = ["a", "b", "c"][: len(case.inputs)]
    if case.in_wram:
        names[-1] = "w"
    parameters, body = [f"{result} *out"], [f"{result} *d = ({result} *)arena;"]
    body.append(f"__memcpy(d, out, {case.expected.nbytes}, GDRAM2NRAM);")
    for place, (name, values) in enumerate(zip(names, case.inputs, strict=True), 1):
        kind = TYPES[values.dtype.name]
        parameters.append(f"const {kind} *in_{name}")
        where = "filters" if name == "w" else f"(arena + {place * ROOM})"
        to = "WRAM" if name == "w" else "NRAM"
        body.append(f"{kind} *{name} = ({kind} *){where};")
        body.append(f"__memcpy({name}, in_{name}, {values.nbytes}, GDRAM2{to});")
    if case.inputs:
        body.append(f"const int n = {case.inputs[0].size};")
    body.append(f"{case.call};")
    body.append(f"__sync(); __memcpy(out, d, {case.expected.nbytes}, NRAM2GDRAM);")
    text = "\n  ".join(body)
    return f"__mlu_entry__ void k{number}({', '.join(parameters)}) {{\n  {text}\n}}"


def check(cases: Sequence[Case], number: int, arch: int = 372) -> None:
    """Run a case and compare; `tolerance` is relative, with as much absolute."""
    case = cases[number]
    found = np.zeros_like(case.expected) if case.start is None else case.start.copy()
    run(source_of(cases), found, *case.inputs, kernel=f"k{number}", arch=arch)
    if case.tolerance:
        np.testing.assert_allclose(
            found.astype(np.float64), case.expected.astype(np.float64),
            rtol=case.tolerance, atol=case.tolerance,
        )  # fmt: skip
    else:
        np.testing.assert_array_equal(found, case.expected)


def calls(cases: Sequence[Case]) -> list[str]:
    """Names of tests: the built-in and its number."""
    return [f"{number}-{case.call.split('(')[0]}" for number, case in enumerate(cases)]
