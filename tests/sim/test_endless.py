"""Kernels that never end: they stop at a limit, and the report says where each task was."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime.kernel_module import KernelModule
from zhisuan.sim import execute

SOURCE = """__nram__ int q[64];
__mlu_entry__ void scalar(volatile int *p, int n) {
  int x = n;
  while (p[1] == 0) {
    for (int i = 0; i < n; i++)
      x ^= x * 3 + i;
    p[0] = x;
  }
}
__mlu_entry__ void copies(int *p, int n) {
  while (n)
    __memcpy(q, p, 256, GDRAM2NRAM);
}
__mlu_entry__ void third(int *p, int n) {
  if (taskId == 0) return;
  if (taskId == 2)
    while (n) q[0] += n;
  __sync_cluster();
  p[0] = 1;
}
__mlu_entry__ void nothing(int *p, int n) { while (n == 10) { } }
__mlu_entry__ void one(int *p, int n) { p[0] = n; }
"""
HINT = "  try:      look for a loop that never ends, or raise the limit: ZHISUAN_LIMIT"


def said(kernel: str, tasks: int = 1, checks: tuple[str, ...] = ()) -> str:
    """What is expected and found when a kernel stops."""
    module = KernelModule(SOURCE, "k.mlu", machine="mlu270", checks=checks)
    with pytest.raises(ZhisuanError) as caught:
        module[kernel][tasks, "UNION1" if tasks > 1 else "BLOCK"](np.zeros(64, np.int32), 10)
    out = np.zeros(1, np.int32)
    module.one(out, 7)
    assert out[0] == 7
    text = str(caught.value).partition("\n\nuntil then, ")[0]
    assert text.startswith(f"error: the kernel does not end\n  where:    kernel '{kernel}', k.mlu:")
    assert text.endswith(HINT)
    return text[text.index("  expected:") : -len(HINT) - 1]


@pytest.fixture(params=["native", "reference"], autouse=True)
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_EXECUTOR", request.param)
    monkeypatch.setenv("ZHISUAN_LIMIT", "20000")
    monkeypatch.setattr(execute, "ROWS_OF_A_TASK", 100)


def test_a_scalar_loop() -> None:
    assert said("scalar") == (
        "  expected: HALT within 20000 instructions\n"
        "  found:    its next 2000 instructions stay in k.mlu:4-7"
    )
    assert "stay in k.mlu:21" in said("nothing")


def test_a_loop_of_copies_stops_before_its_trace_fills_the_host() -> None:
    assert said("copies") == (
        "  expected: HALT within 200 instructions that leave rows in the trace\n"
        "  found:    its next 2000 instructions stay in k.mlu:11-12"
    )


def test_a_loop_stops_before_the_notes_of_the_checks_fill_the_host() -> None:
    assert said("scalar", checks=("memcheck",)) == (
        "  expected: HALT within 50 scalar loads and stores, under checks\n"
        "  found:    its next 2000 instructions stay in k.mlu:4-7"
    )


def test_what_the_other_tasks_were_doing() -> None:
    assert said("third", 4) == (
        "  expected: HALT within 20000 instructions\n"
        "  found:    its next 2000 instructions stay in k.mlu:17\n"
        "            task 0: ended\n"
        "            task 1: waits at a barrier, k.mlu:18\n"
        "            task 2: stopped at k.mlu:17\n"
        "            task 3: not waited for"
    )


def test_tasks_that_take_turns_share_the_limit() -> None:
    assert said("scalar", 4) == (
        "  expected: HALT within 5000 instructions\n"
        "  found:    its next 2000 instructions stay in k.mlu:4-7\n"
        "            tasks 0-3: stopped at k.mlu:6"
    )
