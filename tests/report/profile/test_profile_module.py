"""Kernels called from Python, profiled."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.report.profile.modules import profile_of
from zhisuan.report.profile.text import to_json
from zhisuan.runtime.kernel_module import KernelModule

SOURCE = """#include <bang.h>
__nram__ float a[4096];
__mlu_entry__ void twice(float *out, const float *in, int n) {
  __memcpy(a, in, n * 4, GDRAM2NRAM);
  for (int i = 0; i < n; i++) a[i] = a[i] + a[i];
  __memcpy(out, a, n * 4, NRAM2GDRAM);
}
"""


def test_all_launches_of_a_module() -> None:
    module = KernelModule(SOURCE)
    x, y = np.ones(4096, np.float32), np.zeros(4096, np.float32)
    with pytest.raises(ZhisuanError, match="nothing to profile"):
        profile_of(module, SOURCE)
    for _ in range(3):
        module.twice[1](y, x, 4096)
    found = profile_of(module, SOURCE)
    told = to_json(found)
    assert told["title"] == "twice of kernels"
    assert told["cycles"] == sum(module.default_queue.cycles)
    assert told["lines"][0]["source"].startswith("for (int i = 0; i < n; i++)")
    assert told["lines"][0]["executed"] >= 3 * 4096
    assert [entry["rule"] for entry in told["advice"]] == ["scalar loop"]
    assert told["advice"][0]["lines"] == ["kernels.bcl:5"]
