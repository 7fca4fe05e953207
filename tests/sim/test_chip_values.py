"""Values on many cores: placing, barriers, shared memory, multicast, CDMA; both executors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chip_programs import SAME_BYTES, chip, launch

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM, NRAM, SRAM, WRAM
from zhisuan.sim.tasks import MEMORY_CORE, TASK_TYPES, jobs_of
from zhisuan.sim.trace import Trace

EXECUTORS = ("native", "reference")
HEAD = f"""
    SLOAD $40, #{GDRAM.base & 0xFFFFFFFF}
    SHIGH $40, #{GDRAM.base >> 32}
    SLOAD $41, #{NRAM.base}
    SLOAD $42, #{SRAM.base}
    SLOAD $43, #{WRAM.base}
    SGET $1, #0
    SGET $8, #8
    SGET $9, #9
    SGET $10, #10
    SGET $11, #11
    SGET $13, #13
    SGET $14, #14
    SGET $15, #15
    SADD.i64 $20, $11, $14
    SMUL.i64 $21, $20, $9
"""
"""$40 GDRAM, $41 NRAM, $42 SRAM, $43 WRAM; $1 taskId, $8.. special registers; $20 cores of the
cluster, $21 of the job."""


def longs(memory, offset: int, count: int) -> list[int]:  # type: ignore[no-untyped-def]
    return memory.read(GDRAM.base + offset, np.int64, count).tolist()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_task_runs_once_and_knows_which_it_is(executor: str) -> None:
    body = """
        SMUL.i64 $2, $1, #32
        SADD.i64 $2, $2, $40
        SGET $3, #1
        SGET $4, #2
        SGET $5, #3
        SSTORE.i64 $1, $2, #0
        SSTORE.i64 $3, $2, #8
        SSTORE.i64 $4, $2, #16
        SSTORE.i64 $5, $2, #24
        HALT
    """
    text = HEAD.replace("SGET $10, #10", "") + body
    for machine, task_type in (
        (chip(2, 2), "BLOCK"),
        (chip(2, 2), "UNION2"),
        (chip(1, 1), "BLOCK"),
    ):
        memory, trace = launch(text, machine, (4, 3, 2), task_type, executor=executor)
        found = np.array(longs(memory, 0, 4 * 24)).reshape(24, 4)
        wanted = [[(z * 3 + y) * 4 + x, x, y, z]
                  for z in range(2) for y in range(3) for x in range(4)]  # fmt: skip
        assert found.tolist() == wanted
        assert sorted(set(trace.task.tolist())) == list(range(24))
        assert not (trace.core == MEMORY_CORE).any()  # the kernel knows nothing of them


@pytest.mark.parametrize("executor", EXECUTORS)
def test_barriers_order_values(executor: str) -> None:
    """Each core reads what its neighbour wrote before the barrier, three times over."""
    exchange = """
        SMUL.i64 $2, $1, #8
        SADD.i64 $2, $2, $40
        SADD.i64 $4, $1, #1
        SREM.i64 $4, $4, $11
        SMUL.i64 $4, $4, #8
        SADD.i64 $4, $4, $40
        SLOAD $30, #0
        SADD.i64 $5, $1, #100
        SLOAD $31, #3
    again:
        SSTORE.i64 $5, $2, #0
        BARRIER $30, $13, $11
        SLOAD.i64 $5, $4, #0
        BARRIER $30, $13, $11
        SSUB.i64 $31, $31, #1
        SGT.i64 $6, $31, #0
        CB again, $6
        SSTORE.i64 $5, $2, #0
        HALT
    """
    text = HEAD.replace("SGET $10, #10", "") + exchange
    memory, trace = launch(text, chip(1, 4), (4, 1, 1), "UNION1", executor=executor)
    assert longs(memory, 0, 4) == [103, 100, 101, 102]
    barriers = trace.opcode == 0x3A
    assert np.bincount(trace.a[3, barriers]).tolist() == [4] * 6


THROUGH_SRAM = """
        SLOAD $2, #256
        SMUL.i64 $3, $8, #256
        SADD.i64 $3, $3, $40
        SMOVE $30, $8
        SLOAD $31, #64
        CBZ compute, $15
        GLOAD $42, $2, $3
        SYNC #2
        VCAST $41, $2, $42
        MCAST $43, $2, $42
        BARRIER $30, $13, $20
        BARRIER $30, $13, $20
        SLOAD $4, #4096
        SADD.i64 $3, $3, $4
        GSTORE $3, $2, $42
        HALT
    compute:
        BARRIER $30, $13, $20
        SMUL.i64 $5, $10, #64
        SADD.i64 $6, $41, $5
        SADD.i64 $7, $42, $5
        SSUB.i64 $12, $11, $10
        SSUB.i64 $12, $12, #1
        SMUL.i64 $12, $12, #64
        SADD.i64 $16, $41, $12
        SADD.i64 $17, $42, $12
        SADD.i64 $18, $43, $12
        SLOAD $19, #32
        VWRITE $7, $19, $16
        SADD.i64 $7, $7, #32
        MWRITE $7, $19, $18
        BARRIER $30, $13, $20
        HALT
"""
"""The memory core loads 256 bytes and multicasts them; core i puts piece n-1-i in place i, its
first half from NRAM and the same again from WRAM."""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_shared_memory_multicast_and_unicast(executor: str) -> None:
    data = np.random.default_rng(1).integers(0, 256, 512, np.uint8)
    memory, _ = launch(HEAD + THROUGH_SRAM, chip(2, 4), (8, 1, 1), "UNION2", executor=executor,
                       filled=data)  # fmt: skip
    pieces = data.reshape(2, 4, 64)[:, ::-1, :32]
    wanted = np.concatenate([pieces, pieces], axis=2)
    found = memory.read(GDRAM.base + 4096, np.uint8, 512)
    assert np.array_equal(found.reshape(2, 4, 64), wanted)


PING = """
        SLOAD $2, #64
        SLOAD $30, #0
        SMUL.i64 $3, $8, #64
        SADD.i64 $3, $3, $40
        SSUB.i64 $4, $9, $8
        SSUB.i64 $4, $4, #1
        SADD.i64 $5, $42, #128
        CBZ end, $15
        GLOAD $42, $2, $3
        SYNC #2
        CDMA $5, $2, $42, $4
    end:
        BARRIER $30, $13, $21
        CBZ done, $15
        SADD.i64 $3, $3, #1024
        GSTORE $3, $2, $5
    done:
        HALT
"""
"""Every cluster's memory core sends 64 bytes to the cluster opposite."""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_clusters_send_data_to_each_other(executor: str) -> None:
    data = np.arange(256).astype(np.uint8)
    memory, _ = launch(HEAD + PING, chip(4, 1), (4, 1, 1), "UNION4", executor=executor, filled=data)
    found = memory.read(GDRAM.base + 1024, np.uint8, 256)
    assert np.array_equal(found.reshape(4, 64), data.reshape(4, 64)[::-1])


def test_jobs_stay_apart() -> None:
    """Two jobs of one cluster each on two clusters, with the same barrier numbers."""
    data = np.arange(512).astype(np.uint8)
    memory, trace = launch(HEAD + PING, chip(2, 1), (2, 2, 1), "UNION1", filled=data,
                           checks=SAME_BYTES)  # fmt: skip
    found = memory.read(GDRAM.base + 1024, np.uint8, 64)
    assert np.array_equal(found, data[:64])
    assert sorted(set(trace.cluster.tolist())) == [0, 1]


@pytest.mark.parametrize("task_type", ["BLOCK", "UNION2"])
def test_same_trace_from_both_executors_and_twice(task_type: str) -> None:
    data = np.arange(512).astype(np.uint8)
    text = HEAD + (PING if task_type == "UNION2" else "SADD.i64 $1, $1, #1\nHALT")
    traces: list[Trace] = [
        launch(
            text,
            chip(2, 2),
            (4, 2, 1),
            task_type,
            executor=executor,
            filled=data,
            checks=SAME_BYTES,
        )[1]
        for executor in ("native", "reference", "native")
    ]
    assert len({trace.to_bytes() for trace in traces}) == 1


def test_a_trace_of_many_cores_is_read_back(tmp_path: Path) -> None:
    _, trace = launch(HEAD + PING, chip(4, 1), (4, 2, 1), "UNION4", checks=SAME_BYTES)
    trace.save(tmp_path / "a.trace")
    again = Trace.load(tmp_path / "a.trace")
    assert again.to_bytes() == trace.to_bytes()
    assert again.launches[0].dims == (4, 2, 1)
    swapped = replace(trace, cluster=trace.cluster[::-1].copy())
    swapped.save(tmp_path / "b.trace")
    with pytest.raises(ZhisuanError, match="damaged"):
        Trace.load(tmp_path / "b.trace")


@pytest.mark.parametrize(("body", "cores"), [(PING, 2), (THROUGH_SRAM, 4)])
def test_the_number_of_threads_changes_nothing(body: str, cores: int) -> None:
    data = np.random.default_rng(2).integers(0, 256, 1024, np.uint8)
    results = set()
    for threads in (1, 2, 8, 8):
        memory, trace = launch(HEAD + body, chip(4, cores), (4 * cores, 3, 1), "UNION4",
                               filled=data, threads=threads,
                               checks=SAME_BYTES)  # fmt: skip
        results.add((memory.bytes_of(GDRAM).tobytes(), trace.to_bytes()))
    assert len(results) == 1


def error_of(text: str, machine: Machine, dims: tuple[int, int, int], task_type: str) -> str:
    messages = set()
    for executor in EXECUTORS:
        with pytest.raises(ZhisuanError) as caught:
            launch(HEAD + text, machine, dims, task_type, executor=executor)
        messages.add(str(caught.value))
    assert len(messages) == 1
    return messages.pop()


def test_a_barrier_that_some_never_reach() -> None:
    text = "SLOAD $30, #7\nCB end, $15\nBARRIER $30, $13, $20\nend:\nHALT"
    assert error_of(text, chip(1, 2), (2, 1, 1), "UNION1") == (
        "error: synccheck: tasks wait for ever\n"
        "  where:    kernel 'main', test.dlps:19, pc 17, task 0 on cluster 0 core 0: "
        "BARRIER $30, $13, $20\n"
        "  expected: every barrier reached by as many cores as it waits for\n"
        "  found:    barrier 7: 2 of 3 came\n"
        "              task 0 on cluster 0 core 0 waits, test.dlps:19, pc 17\n"
        "              task 1 on cluster 0 core 1 waits, test.dlps:19, pc 17\n"
        "              for task 0 on cluster 0 memory core, which ended\n"
        "  try:      every core, and the memory core if the kernel asks for coreId, must reach the "
        "same __sync_cluster() and __sync_all() calls"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SADD.i64 $2, $20, $10\nBARRIER $1, $13, $2\nHALT", "disagree about how many they are"),
        ("SLOAD $2, #1\nVCAST $41, $2, $41\nHALT", "read of a memory that this instruction"),
        ("SLOAD $2, #64\nSLOAD $3, #2\nCDMA $42, $2, $42, $3\nHALT", "the job has no such cluster"),
        ("SLOAD.f32 $2, $41, #0\nHALT", "a memory core has no nram"),
    ],
)  # fmt: skip
def test_faults_of_clusters(text: str, expected: str) -> None:
    text = text.replace("BARRIER $1", "SLOAD $1, #0\nBARRIER $1")
    assert expected in error_of(text, chip(2, 2), (4, 1, 1), "UNION2")


def test_a_block_task_has_no_shared_memory() -> None:
    text = "SLOAD $2, #64\nVREAD $41, $2, $42\nHALT"
    assert "launch the kernel as UNION1" in error_of(text, chip(2, 2), (2, 1, 1), "BLOCK")


@pytest.mark.parametrize(
    ("dims", "task_type", "expected"),
    [
        ((3, 1, 1), "UNION1", "a first dimension that is a multiple of 2"),
        ((8, 1, 1), "UNION4", "UNION4 needs 4 clusters at once"),
        ((0, 1, 1), "BLOCK", "three positive numbers"),
        ((1, 1, 1), "UNION3", "no such task type"),
    ],
)
def test_launches_that_cannot_be_placed(
    dims: tuple[int, int, int], task_type: str, expected: str
) -> None:
    assert expected in error_of("HALT", chip(2, 2), dims, task_type)


def test_placing_uses_every_core_evenly() -> None:
    for task_type, width in TASK_TYPES.items():
        if width > 4:
            continue
        machine = chip(4, 2)
        dims = (max(width, 1) * 2, 8, 1)
        jobs = list(jobs_of(machine, dims, task_type, memory_cores=bool(width)))
        places = [(t.cluster, t.core) for job in jobs for t in job.tasks if t.core != MEMORY_CORE]
        assert len(places) == dims[0] * dims[1]
        counts = {place: places.count(place) for place in set(places)}
        assert len(counts) == 8
        assert len(set(counts.values())) == 1
        for job in jobs:
            assert job.clusters == tuple(range(job.clusters[0], job.clusters[0] + max(width, 1)))
            memory_cores = [t for t in job.tasks if t.core == MEMORY_CORE]
            assert len(memory_cores) == width
