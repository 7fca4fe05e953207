"""Kernels at -O0: built-ins work, mistakes are found, the program's own code stays."""

from __future__ import annotations

import numpy as np
import pytest
from chip import run
from test_bcl_diagnostics import MESSAGES

from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError

KERNEL = """\
__nram__ float x[256];
__wram__ half w[64 * 64];
__mlu_entry__ void k(float *out, const float *in, float by, int n) {
  int never = 0;
  int steps = 0;
  for (int at = taskId * 256; at < n; at += taskDim * 256) {
    __memcpy(x, in + at, 1024, GDRAM2NRAM);
    __bang_mul_scalar(x, x, by, 256);
    __bang_active_relu(x, x, 256);
    __sync_compute();
    __memcpy_async(out + at, x, 512, NRAM2GDRAM);
    __memcpy(out + at + 128, x + 128, 256, NRAM2GDRAM, 256, 256, 1);
    __sync();
    steps++;
  }
  if (never) out[0] = steps;
}
"""


@pytest.mark.parametrize(("arch", "machine"), [(372, "mlu370"), (270, "mlu270")])
def test_builtins_take_what_is_passed_to_them(arch: int, machine: str) -> None:
    values = np.linspace(-3, 5, 1024, dtype=np.float32)
    out = np.zeros_like(values)
    run(KERNEL, out, values, 1.5, 1024, optimize=0, arch=arch, machine=machine, dims=(2, 1, 1))
    assert np.array_equal(out, np.maximum(values * np.float32(1.5), 0))


def test_what_the_source_says_is_not_folded() -> None:
    """A variable that never changes is still looked at; only the built-ins' own are not."""
    compiled = bcl.compile(KERNEL, "k.bcl", optimize=0)
    assert ".line k.bcl:16" in compiled.assembly
    lines = compiled.program.lines[:, 1].tolist()
    assert lines.count(16) > 4  # load, test, address, conversion, store
    assert lines.count(7) < 10  # one direction of a copy, not all of them


@pytest.mark.parametrize("name", MESSAGES)
def test_mistakes_are_the_same(name: str) -> None:
    source, expected = MESSAGES[name]
    with pytest.raises(ZhisuanError) as caught:
        bcl.compile(source, "k.bcl", optimize=0)
    assert str(caught.value) == expected
