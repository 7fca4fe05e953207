"""Random kernels of ordered operations never run ahead of what they depend on.

The trace tells what the queues held: whenever an ordered instruction or a SYNC is decoded, no
other queue may hold ordered work that no SYNC has waited for.
"""

from __future__ import annotations

from chip import run_traced
from hypothesis import given, settings
from hypothesis import strategies as st

from zhisuan.isa.registry import SYNC_ALL, Queue
from zhisuan.isa.table import BY_OPCODE

OPERATIONS = (
    "__memcpy(a, p, 128, GDRAM2NRAM);",
    "__memcpy(p + 64, b, 128, NRAM2GDRAM);",
    "__memcpy(b, a, 128, NRAM2NRAM);",
    "__bang_add(a, b, b, 64);",
    "__bang_active_relu(b, a, 64);",
    "__sync_io();",
    "__sync();",
    "helper(a);",
    "count += (int)a[count & 7];",
)


@st.composite
def kernels(draw: st.DrawFn) -> str:
    """A kernel of copies, vector operations, loops, branches and calls."""

    def body(depth: int) -> str:
        lines = []
        for _ in range(draw(st.integers(1, 4))):
            form = draw(st.integers(0, 5))
            if form == 0 and depth:
                lines.append(f"if (n & {draw(st.sampled_from((1, 2, 4)))}) {{ {body(depth - 1)} }}")
            elif form == 1 and depth:
                other = f"else {{ {body(depth - 1)} }}"
                lines.append(f"if (count & 1) {{ {body(depth - 1)} }} {other}")
            elif form == 2 and depth:
                lines.append(f"for (int i{depth} = 0; i{depth} < n; i{depth}++) {{ count += n;"
                             f" {body(depth - 1)} }}")  # fmt: skip
            else:
                lines.append(draw(st.sampled_from(OPERATIONS)))
        return " ".join(lines)

    return f"""__nram__ half a[64], b[64];
__mlu_func__ __attribute__((noinline)) void helper(half *x) {{
  __memcpy(x, x, 128, NRAM2NRAM);
  __bang_add(x, x, x, 64);
}}
__mlu_entry__ void k(half *p, int n) {{ int count = n; {body(3)} p[200] = count; }}"""


@settings(max_examples=40)
@given(source=kernels(), n=st.integers(0, 3))
def test_no_queue_runs_ahead(source: str, n: int) -> None:
    trace = run_traced(source, n)
    pending = 0
    for opcode, mask in zip(trace.opcode.tolist(), trace.a[0].tolist(), strict=True):
        if opcode == 0:
            continue
        row = BY_OPCODE[opcode]
        if row.name == "SYNC":
            pending &= ~mask
            continue
        queue = row.unit.queue
        assert isinstance(queue, Queue)
        assert not pending & ~queue.value & SYNC_ALL, f"{row.name} ran ahead\n{source}"
        pending |= queue.value
