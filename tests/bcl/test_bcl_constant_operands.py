"""Products, quotients and remainders with constants: the chip's values are Python's."""

from __future__ import annotations

import numpy as np
import pytest
from chip import mnemonics, run

SMALL = [2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 25, 60, 64, 100, 125]
LARGE = [128, 255, 641, 1000, 10007, 1 << 14, 32767]
HUGE = [65535, 65537, 1 << 20, 1000003, 10**9, (1 << 31) - 1]
WIDEST = [(1 << 31) + 1, 10**10, (1 << 32) + 1, 1 << 40, (1 << 61) - 1, 10**18, (1 << 63) - 1]


def divisors(kind: type) -> list[int]:
    limits = np.iinfo(kind)
    found = [d for d in (*SMALL, *LARGE, *HUGE, *WIDEST) if d <= limits.max]
    above = [d for d in (limits.max, limits.max - 1, limits.max // 2 + 1) if d > 2]
    return [*found, *above, *(-d for d in found if limits.min < 0)]


def numbers(kind: type, by: list[int]) -> np.ndarray:
    """Where quotients change, and the ends."""
    limits = np.iinfo(kind)
    found = {limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, 2}
    for d in by:
        most = limits.max // abs(d)
        for q in (1, 2, most, most // 2):
            found |= {sign * q * abs(d) + more for sign in (1, -1) for more in (-1, 0, 1)}
    return np.array(sorted(x for x in found if limits.min <= x <= limits.max), kind)


def quotient(x: int, d: int) -> int:
    return abs(x) // abs(d) * (1 if (x < 0) == (d < 0) else -1)


TYPES = {
    "char": np.int8, "unsigned char": np.uint8, "short": np.int16, "unsigned short": np.uint16,
    "int": np.int32, "unsigned": np.uint32, "long": np.int64, "unsigned long": np.uint64,
}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("operation", ["*", "/", "%"])
def test_constants_work_as_python_does(name: str, operation: str) -> None:
    kind = TYPES[name]
    by = divisors(kind)
    suffix = "ul" if np.iinfo(kind).min == 0 else "l"
    lines = [
        f"out[{len(by)} * i + {j}] = ({name})(x[i] {operation} ({name}){d}{suffix});"
        for j, d in enumerate(by)
    ]
    source = f"__mlu_entry__ void k({name} *out, const {name} *x, int n) {{\n" \
             f"  for (int i = 0; i < n; i++) {{\n    {chr(10).join(lines)}\n  }}\n}}"  # fmt: skip
    x = numbers(kind, by)
    out = np.zeros((len(x), len(by)), kind)
    run(source, out, x, len(x), checks=())
    for row, a in zip(out.tolist(), x.tolist(), strict=True):
        for found, d in zip(row, by, strict=True):
            q = quotient(a, d)
            wanted = {"*": a * d, "/": q, "%": a - q * d}[operation]
            assert (found - wanted) % (1 << 8 * x.itemsize) == 0, f"{a} {operation} {d} as {name}"


def test_loops_do_not_divide_by_constants() -> None:
    loop = "__mlu_entry__ void k(int *out, int n) { for (int i = 0; i < n; i++) out[i] *= 5; }"
    assert mnemonics(loop, ("SMUL",)) == []
    body = "out[i] = x[i] / 7 + x[i] % 10 + (unsigned)x[i] / 1000u;"
    loop = f"__mlu_entry__ void k(int *out, int *x, int n) {{ for (int i = 0; i < n; i++) {body} }}"
    assert mnemonics(loop, ("SDIV", "SREM")) == []
    once = "__mlu_entry__ void k(int *out, int n) { *out = n / 7; }"
    assert mnemonics(once, ("SDIV",)) == ["SDIV"]  # one instruction to fetch instead of five
