"""`zhisuan profile`: from a kernel, a whole program, a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

KERNEL = """#include "bang.h"
__nram__ float a[1024];
__mlu_entry__ void scale(float *out, float *in, int n) {
  for (int i = 0; i < n; i++) {
    __memcpy(a, in + i * 1024, 4096, GDRAM2NRAM);
    __bang_mul_const(a, a, 3.0f, 1024);
    __memcpy(out + i * 1024, a, 4096, NRAM2GDRAM);
  }
}
"""
PROGRAM = """#include <bang.h>
#include "cnrt.h"
__nram__ float a[64];
__mlu_global__ void fill(float *out, float v) {
  __bang_write_value(a, 64, v);
  __memcpy(out + taskId * 64, a, 256, NRAM2GDRAM);
}
int main(int count, char **words) {
  if (count > 1) return 3;
  float *out;
  cnrtMalloc((void **)&out, 16 * 256);
  cnrtQueue_t queue;
  cnrtQueueCreate(&queue);
  cnrtDim3_t dim = {16, 1, 1};
  fill<<<dim, CNRT_FUNC_TYPE_BLOCK, queue>>>(out, 2.0f);
  cnrtQueueSync(queue);
}
"""
ARGUMENTS = ("--arg", "out=f32[8192]", "--arg", "in=f32[8192]", "--arg", "n=8")


def test_a_kernel(zhisuan: Callable, here: Path) -> None:
    (here / "k.bcl").write_text(KERNEL)
    done = zhisuan("profile", "k.bcl", *ARGUMENTS, "--perfetto", "k.perfetto-trace",
                   "--report", "k.html")  # fmt: skip
    assert done.code == 0, done.err
    first = next(line for line in done.out.splitlines() if line.startswith("k.bcl")).split()
    assert first[0] == "k.bcl:5"
    assert "IO-DMA" in first and "GDRAM2NRAM);" not in first  # cut at 80 columns
    assert (here / "k.perfetto-trace").stat().st_size > 1000
    assert "<h1>scale of k</h1>" in (here / "k.html").read_text()
    assert "perfetto trace  k.perfetto-trace" in done.out


def test_as_json(zhisuan: Callable, here: Path) -> None:
    (here / "k.bcl").write_text(KERNEL)
    done = zhisuan("profile", "k.bcl", *ARGUMENTS, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["lines"][0]["line"] == "k.bcl:5"
    assert abs(sum(line["cycles"] for line in told["lines"]) - told["cycles"]) < 1e-6


def test_a_trace_with_its_program(zhisuan: Callable, here: Path) -> None:
    (here / "k.bcl").write_text(KERNEL)
    assert zhisuan("run", "k.bcl", *ARGUMENTS, "--trace", "k.trace").code == 0
    with_lines = zhisuan("profile", "k.trace", "--program", "k.bcl")
    assert with_lines.code == 0, with_lines.err
    assert "k.bcl:5" in with_lines.out and "__memcpy(a, in" in with_lines.out
    without = zhisuan("profile", "k.trace")
    assert without.code == 0
    assert "k+" in without.out and "k.bcl:" not in without.out


def test_a_whole_program(zhisuan: Callable, here: Path) -> None:
    (here / "p.mlu").write_text(PROGRAM)
    done = zhisuan("profile", "p.mlu", "--machine", "mlu270")
    assert done.code == 0, done.err
    assert "p.mlu:6" in done.out and "16 of 20 cores took part" in done.out
    failed = zhisuan("profile", "p.mlu", "word")
    assert failed.code == 1
    assert "there is nothing to profile" in failed.err and "status 3" in failed.err


def test_options_that_mean_nothing(zhisuan: Callable, here: Path) -> None:
    (here / "k.bcl").write_text(KERNEL)
    refused = zhisuan("profile", "k.bcl", "--plan", "x.plan")
    assert refused.code == 1
    assert refused.err == (
        "error: --plan means nothing for a .bcl file\n"
        "  where:    k.bcl\n"
        "  expected: --kernel, --arg, --tasks, --type\n"
        "  found:    --plan\n"
    )
