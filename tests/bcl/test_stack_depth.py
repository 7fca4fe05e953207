"""Arrays may lie where the stack would, if the kernel's stack leaves the room."""

from __future__ import annotations

import numpy as np
import pytest
from chip import run

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import compile
from zhisuan.sim.stack_depth import stack_bytes

ARRAY = "__nram__ signed char a[__MLU_NRAM_SIZE__ * 1024 - 62 * 1024];\n"


def depth(source: str) -> int | None:
    program = compile(source, "k.bcl").program
    return stack_bytes(program.words.astype(np.uint64).tobytes(), program.kernels["k"].entry)


def test_frames_add_up_along_calls() -> None:
    inner = "__attribute__((noinline)) __mlu_func__ int f(int *p) { int x[64]; x[p[0] & 63] = 1;" \
            " return x[p[1] & 63]; }\n"  # fmt: skip
    outer = (
        "__mlu_entry__ void k(int *p) { int y[128]; y[p[0] & 127] = f(p); p[2] = y[p[1] & 127]; }"
    )
    found = depth(inner + outer)
    assert found is not None and 256 + 512 <= found < 1200
    assert depth("__mlu_entry__ void k(int *p) { p[0] = 1; }") == 0


def test_what_the_code_does_not_tell() -> None:
    assert (
        depth("__mlu_entry__ void k(int *p, int n) { int x[n]; x[p[0]] = 1; p[1] = x[p[2]]; }")
        is None
    )
    pointer = "__attribute__((noinline)) __mlu_func__ void f(int *p) { *p = 1; }\n" \
              "__attribute__((noinline)) __mlu_func__ void g(int *p) { *p = 2; }\n"  # fmt: skip
    assert depth(pointer + "__mlu_entry__ void k(int *p) { (p[0] ? f : g)(p); }") is None


def test_an_array_in_the_place_of_a_small_stack() -> None:
    p = np.zeros(64, np.int8)
    run(ARRAY + """__mlu_entry__ void k(signed char *p, int n) {
      signed char *end = a + sizeof(a) - n;
      __memcpy(end, p, n, GDRAM2NRAM);
      for (int i = 0; i < n; i++) end[i] += 1;
      __memcpy(p, end, n, NRAM2GDRAM); }""", p, 64, machine="mlu370")  # fmt: skip
    assert (p == 1).all()


def test_an_array_in_the_way_of_a_large_stack() -> None:
    source = ARRAY + """__mlu_entry__ void k(signed char *p, int n) {
      int x[20000]; x[n] = a[n]; p[0] = x[p[1]]; }"""  # fmt: skip
    with pytest.raises(ZhisuanError, match="does not fit machine 'mlu370'"):
        run(source, np.zeros(64, np.int8), 5, machine="mlu370")
