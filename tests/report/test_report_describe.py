"""What a trace row is, in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from zhisuan.report.describe import describe
from zhisuan.report.model import RunReport

POOL = """#include "bang.h"
__nram__ half x[8 * 8 * 64];
__nram__ half y[4 * 4 * 64];
__mlu_entry__ void k(half *out, half *in) {
  __memcpy(x, in, sizeof(x), GDRAM2NRAM);
  __bang_maxpool(y, x, 64, 8, 8, 2, 2, 2, 2);
  __memcpy(out, y, sizeof(y), NRAM2GDRAM);
}"""


@pytest.fixture(scope="module")
def run() -> Callable[[str], RunReport]:
    from zhisuan import bcl
    from zhisuan.cli.launch import launch

    def launched(source: str) -> RunReport:
        program = bcl.compile(source, "k.bcl").program
        return launch(program, None, ["out=f16[1024]", "in=f16[4096]"], None).report

    return launched


def test_a_pooling_has_windows_and_channels(run: Callable[[str], RunReport]) -> None:
    texts, _ = describe(run(POOL).trace)
    assert "VPMAX.f16 4×4 pixels, 2×2 kernel, 64 channels" in texts
    assert "VLOAD 8,192 B" in texts
