"""printf: what comes out, in which order, and what is refused, on both executors."""

from __future__ import annotations

import numpy as np
import pytest
from chip import run

from zhisuan.base.errors import ZhisuanError

SOURCE = """#include <bang.h>
__mlu_entry__ void k(float *p, int n) {
  half h = (half)0.5f;
  printf("%s %d: %5.2f|%-4d|%x %c 100%%\\n", "task", taskId, p[0], n, 255u, 'q');
  __bang_printf("%g %lld %u %x\\n", h, -5ll, (unsigned char)200, -1);
}"""


def wanted(task: int) -> str:
    return f"task {task}:  1.25|-7  |ff q 100%\n0.5 -5 200 ffffffff\n"


@pytest.mark.parametrize("executor", ["native", "reference"])
def test_texts_come_out_task_by_task(capsys: pytest.CaptureFixture[str], executor: str) -> None:
    p = np.array([1.25], np.float32)
    run(SOURCE, p, -7, dims=(6, 1, 1), machine="mlu370", executor=executor)
    assert capsys.readouterr().out == "".join(wanted(task) for task in range(6))


def test_what_was_printed_before_a_stop_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    source = """__mlu_entry__ void k(int *p) {
      printf("before\\n"); __assert(p[0] != 0); printf("after\\n"); }"""
    with pytest.raises(ZhisuanError, match="assertion failed"):
        run(source, np.zeros(1, np.int32))
    assert capsys.readouterr().out == "before\n"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ('printf("%d %d", 1)', "fewer arguments than the format asks for"),
        ('printf("%d", 1.5f)', "%d of a float"),
        ('printf("%s", 1)', "%s of an argument that is no text"),
    ],
)
def test_formats_that_do_not_fit_stop_the_program(call: str, reason: str) -> None:
    with pytest.raises(ZhisuanError, match=reason):
        run(f"__mlu_entry__ void k(int *p) {{ {call}; }}", np.zeros(1, np.int32))
