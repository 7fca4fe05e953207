"""Plans whose launches are of many tasks: their text, and what they do."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.runtime import plan as plans
from zhisuan.runtime.device import play
from zhisuan.runtime.plan import Buffer, Launch, Plan

SOURCE = """
__mlu_entry__ void add(float *out, float *in, int n) {
  __nram__ float x[64];
  __memcpy(x, in + taskId * n, n * sizeof(float), GDRAM2NRAM);
  __bang_add_const(x, x, 1.0f, n);
  __memcpy(out + taskId * n, x, n * sizeof(float), NRAM2GDRAM);
}
"""


def plan_of(tasks: int, task_type: str) -> Plan:
    size = 4 * 64 * tasks
    shape = (64 * tasks,)
    buffers = tuple(
        Buffer(name, role, "f32", shape, "flat", GDRAM.base + offset, size, 0, 1)
        for name, role, offset in (("in", "input", 0), ("out", "output", size))
    )
    args: dict[str, int | float] = {"out": GDRAM.base + size, "in": GDRAM.base, "n": 64}
    launch = Launch("p", "add", "add", "add", "Add", 0, args, (tasks, 1, 1), task_type)
    return Plan("p", "mlu270", 2 * size, buffers, (launch,), {"p": "p.dlp"}, "p.safetensors")


@pytest.mark.parametrize(("tasks", "task_type"), [(1, "BLOCK"), (5, "BLOCK"), (16, "UNION2")])
def test_a_plan_of_tasks_reads_back_and_runs(tasks: int, task_type: str) -> None:
    plan = plan_of(tasks, task_type)
    text = plans.dumps(plan)
    assert ("dims" in text) == ("task_type" in text) == (tasks > 1)
    assert plans.loads(text) == plan
    program = bcl.compile(SOURCE, "add.bcl").program
    values = np.arange(64 * tasks, dtype=np.float32)
    outputs, trace = play(plans.loads(text), {"p": program}, {}, {"in": values}, load("mlu270"))
    assert np.array_equal(outputs["out"], values + 1)
    assert len(np.unique(trace.task)) == tasks


@pytest.mark.parametrize(
    ("old", "new"), [('"BLOCK"', '"GRID"'), ("[5, 1, 1]", "[5, 1]"), ("[5, 1, 1]", '["a", 1, 1]')]
)
def test_damaged_tasks(old: str, new: str) -> None:
    text = plans.dumps(plan_of(5, "BLOCK"))
    assert old in text
    with pytest.raises(ZhisuanError, match="not a plan, or a damaged one"):
        plans.loads(text.replace(old, new))
