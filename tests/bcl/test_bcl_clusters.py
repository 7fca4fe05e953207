"""Kernels for many cores, compiled and run on the MLU270-class chip."""

from __future__ import annotations

import numpy as np
import pytest
from chip import run as chip_run

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.runtime.device import Device
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.tasks import MEMORY_CORE, Dims
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace

OUT = GDRAM.base + (1 << 19)
ROOM = 1 << 20

SLICES = """
#define N 1024
__mlu_entry__ void scale(float *out, float *in, int n, float factor) {
  __nram__ float x[N];
  for (int i = taskId * N; i < n; i += taskDim * N) {
    int count = n - i < N ? n - i : N;
    __memcpy(x, in + i, count * sizeof(float), GDRAM2NRAM);
    __bang_mul_const(x, x, factor, count);
    __memcpy(out + i, x, count * sizeof(float), NRAM2GDRAM);
  }
}
"""

MIRROR = """
__mlu_entry__ void mirror(float *out, float *in) {
  __mlu_shared__ float all[256];
  __nram__ float own[64];
  if (__is_mpu()) __memcpy(all, in + clusterId * 256, 1024, GDRAM2SRAM);
  __sync_cluster();
  if (__is_ipu()) {
    __memcpy(own, all + coreId * 64, 256, SRAM2NRAM);
    __sync_all_ipu_within_cluster();
    __bang_add_const(own, own, 1.0f, 64);
    __memcpy(all + (coreDim - 1 - coreId) * 64, own, 256, NRAM2SRAM);
  }
  __sync_all();
  if (__is_mpu()) __memcpy(out + (taskIdY * clusterDim + clusterId) * 256, all, 1024, SRAM2GDRAM);
}
"""

RING = """
__mlu_entry__ void ring(float *out, float *in) {
  __mlu_shared__ float mine[256], theirs[256];
  __nram__ float part[256];
  if (__is_mpu()) {
    __memcpy(mine, in + clusterId * 256, 1024, GDRAM2SRAM);
    __memcpy(theirs, mine, 1024, SRAM2SRAM, (clusterId + 1) % clusterDim);
  }
  __sync_all();
  if (__is_mpu()) __memcpy_multicast(part, theirs, 1024, SRAM2NRAM);
  __sync_cluster();
  if (__is_ipu())
    __memcpy(out + taskId * 256, part, 1024, NRAM2GDRAM);
}
"""


def run(
    source: str, kernel: str, data: np.ndarray, extra: dict[str, int | float], dims: Dims,
    task_type: str, count: int,
) -> tuple[np.ndarray, Trace]:  # fmt: skip
    """Launch once on the chip; `count` floats of the output."""
    device = Device(load("mlu270"))
    device.reserve(ROOM)
    device.memory.write(GDRAM.base, data)
    program = bcl.compile(source, "test.bcl").program
    args = {"out": OUT, "in": GDRAM.base, **extra}
    out = Allocation("out", OUT, GDRAM.base + ROOM - OUT)
    with device.checking([Allocation("in", GDRAM.base, data.nbytes, filled=True), out]):
        device.launch(program, kernel, args, "test", dims, task_type)
    return device.memory.read(OUT, np.float32, count), device.trace.build()


@pytest.mark.parametrize(
    ("dims", "task_type"),
    [((1, 1, 1), "BLOCK"), ((5, 1, 1), "BLOCK"), ((16, 2, 1), "BLOCK"), ((16, 1, 1), "UNION2")],
)
def test_each_task_takes_its_slices(dims: Dims, task_type: str) -> None:
    data = np.random.default_rng(0).normal(size=20_001).astype(np.float32)
    found, trace = run(SLICES, "scale", data, {"n": len(data), "factor": 3.0}, dims, task_type,
                       len(data))  # fmt: skip
    assert np.array_equal(found, data * np.float32(3))
    assert len(set(trace.task.tolist())) == dims[0] * dims[1] * dims[2]
    assert not (trace.core == MEMORY_CORE).any()


def test_more_cores_take_less_time() -> None:
    data = np.ones(1 << 16, np.float32)
    extra: dict[str, int | float] = {"n": len(data), "factor": 2.0}
    machine = load("mlu270")
    times = []
    for tasks in (1, 4, 16):
        _, trace = run(SLICES, "scale", data, extra, (tasks, 1, 1), "BLOCK", 1)
        times.append(replay(trace, machine).total)
    assert times[0] > 2 * times[1] > 2 * times[2]
    assert times[2] > 2 * data.nbytes / machine.dram_bytes_per_cycle


def test_cores_and_memory_core_work_through_shared_memory() -> None:
    data = np.arange(2048, dtype=np.float32)
    found, trace = run(MIRROR, "mirror", data, {}, (16, 2, 1), "UNION4", 2048)
    wanted = data[:1024].reshape(4, 4, 64)[:, ::-1].reshape(-1) + 1
    assert np.array_equal(found, np.tile(wanted, 2))
    assert (trace.core == MEMORY_CORE).any()


def test_clusters_pass_data_around() -> None:
    data = np.arange(1024, dtype=np.float32)
    found, _ = run(RING, "ring", data, {}, (16, 1, 1), "UNION4", 4096)
    clusters = np.roll(data.reshape(4, 256), 1, axis=0)
    assert np.array_equal(found.reshape(4, 4, 256), np.repeat(clusters[:, None], 4, axis=1))


def test_barriers_are_nothing_to_a_task_alone() -> None:
    source = """__mlu_entry__ void k(int *out, int *in) {
      __sync_cluster(); __sync_all(); __sync_all_ipu(); __sync_all_mpu(); out[taskId] = coreDim;
    }"""
    found, trace = run(source, "k", np.zeros(1, np.float32), {}, (3, 1, 1), "BLOCK", 3)
    assert found.view(np.int32).tolist() == [1, 1, 1]
    assert not (trace.opcode == 0x3A).any()


def test_a_barrier_left_out_by_the_memory_core() -> None:
    source = """__mlu_entry__ void k(float *out, float *in) {
      if (coreId == 0x80) return;
      __sync_cluster();
    }"""
    with pytest.raises(ZhisuanError) as caught:
        run(source, "k", np.zeros(1, np.float32), {}, (4, 1, 1), "UNION1", 1)
    text = str(caught.value)
    assert "synccheck: tasks wait for ever" in text
    assert "test.bcl:3" in text
    assert "for task 0 on cluster 0 memory core, which ended" in text


PIPELINE = """
#define DEAL 256
__nram__ float part[DEAL];
__mlu_shared__ float buffer[2 * 4 * DEAL];
__mlu_global__ void k(float *out, float *in, int rounds) {
  const int span = DEAL * taskDimX;
  in += taskIdY * rounds * span;
  out += taskIdY * rounds * span;
  for (int i = 0; i < rounds + 2; i++) {
    float *mine = buffer + ((i - 1) & 1) * span + taskIdX * DEAL;
    if (i >= 2)
      __memcpy_async(out + (i - 2) * span, buffer + (i & 1) * span, span * 4, SRAM2GDRAM);
    if (i < rounds)
      __memcpy_async(buffer + (i & 1) * span, in + i * span, span * 4, GDRAM2SRAM);
    if (i >= 1 && i <= rounds) {
      __memcpy_async(part, mine, DEAL * 4, SRAM2NRAM);
      __sync_move();
      __bang_mul_scalar(part, part, 2.0, DEAL);
      __sync_compute();
      __memcpy_async(mine, part, DEAL * 4, NRAM2SRAM);
    }
    __sync_cluster();
  }
}
"""


@pytest.mark.parametrize("executor", ["native", "reference"])
def test_a_pipeline_in_which_every_core_does_its_part(executor: str) -> None:
    values = np.arange(2 * 3 * 1024, dtype=np.float32)
    found = np.zeros_like(values)
    chip_run(PIPELINE, found, values, 3, machine="mlu370", dims=(4, 2, 1), task_type="UNION1",
             executor=executor)  # fmt: skip
    assert np.array_equal(found, 2 * values)


def test_a_copy_that_is_left_to_a_memory_core_that_does_not_reach_it() -> None:
    source = PIPELINE.replace("if (i < rounds)", "if (i < rounds && coreId == 0)")
    with pytest.raises(ZhisuanError) as caught:
        chip_run(source, np.zeros(3072, np.float32), np.zeros(3072, np.float32), 3,
                 machine="mlu370", dims=(4, 1, 1), task_type="UNION1")  # fmt: skip
    assert str(caught.value) == (
        "error: a copy between GDRAM and SRAM that no memory core makes\n"
        "  where:    kernel.bcl:14\n"
        "  expected: a line that memory cores reach: they make these copies\n"
        "  found:    only computing cores of cluster 0 reach it\n"
        "  try:      `if (__is_mpu())` around it, or no condition"
    )
