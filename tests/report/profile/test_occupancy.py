"""What fills the memories, worked out by hand for kernels of a few instructions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zhisuan.report.profile.occupancy import Occupancy, occupancy
from zhisuan.report.profile.profile import Profile
from zhisuan.report.profile.touches import Touches

ProfileOf = Callable[..., Profile]
NRAM, WRAM, SRAM = range(3)


class Times:
    """A timing with nothing but starts and ends of rows."""

    def __init__(self, found: Profile, rows: list[tuple[int, int]]) -> None:
        self.machine = found.report.machine
        self.start, self.end = (np.array(column) for column in zip(*rows, strict=True))


@pytest.fixture(scope="module")
def small(profile_of: ProfileOf) -> Profile:
    return profile_of("__mlu_entry__ void k(int *out) { out[0] = 1; }", out="i32[1]")


def filled(
    small: Profile, rows: list[tuple[int, int]], accesses: list[tuple[int, int, int, bool]]
) -> Occupancy:
    """Of accesses (row, low, high, writes) by rows [start, end)."""
    row, low, high, writes = (np.array(column) for column in zip(*accesses, strict=True))
    zero = np.zeros(len(row), np.int64)
    touched = Touches(row, zero, zero, low, high, writes)

    def named(_: int, addresses: np.ndarray, writers: np.ndarray) -> np.ndarray:
        return writers

    launches = np.zeros(len(rows), np.int64)
    return occupancy(touched, Times(small, rows), launches, NRAM, 0, named)  # type: ignore[arg-type]


def steps(found: Occupancy) -> list[tuple[int, int]]:
    """(cycle, bytes) where it changes."""
    total = found.total
    changed = np.append(True, np.diff(total) != 0)
    return list(zip(found.moments[changed].tolist(), total[changed].tolist(), strict=True))


def test_from_the_write_to_the_last_read(small: Profile) -> None:
    rows = [(10, 20), (30, 40), (50, 60)]
    found = filled(small, rows, [(0, 0, 256, True), (1, 0, 256, False), (2, 0, 128, False)])
    assert steps(found) == [(10, 256), (40, 128), (60, 0)]
    assert found.owners.tolist() == [0]


def test_dead_between_the_last_read_and_the_next_write(small: Profile) -> None:
    rows = [(10, 20), (30, 40), (50, 60), (70, 80)]
    found = filled(
        small, rows,
        [(0, 0, 128, True), (1, 0, 128, False), (2, 0, 128, True), (3, 0, 128, False)],
    )  # fmt: skip
    assert steps(found) == [(10, 128), (40, 0), (50, 128), (80, 0)]
    assert found.owners.tolist() == [0, 2]


def test_a_partial_write_keeps_the_rest_alive(small: Profile) -> None:
    rows = [(10, 20), (30, 40), (50, 60)]
    found = filled(small, rows, [(0, 0, 128, True), (1, 0, 64, True), (2, 0, 128, False)])
    assert steps(found) == [(10, 128), (60, 0)]
    assert found.owners.tolist() == [0]


def test_what_is_never_read_counts_while_it_is_written(small: Profile) -> None:
    found = filled(small, [(10, 20), (30, 45)], [(0, 0, 128, True), (1, 0, 128, True)])
    assert steps(found) == [(10, 128), (20, 0), (30, 128), (45, 0)]


def test_reading_what_nobody_wrote_holds_nothing(small: Profile) -> None:
    found = filled(small, [(10, 20), (30, 40)], [(0, 0, 128, False), (1, 256, 384, True)])
    assert steps(found) == [(30, 128), (40, 0)]


def test_two_buffers_by_name(profile_of: ProfileOf) -> None:
    source = """
    __nram__ float ping[1024];
    __nram__ float pong[1024];
    __mlu_entry__ void k(float *out, float *in) {
      __memcpy(ping, in, 4096, GDRAM2NRAM);
      __memcpy(pong, in + 1024, 4096, GDRAM2NRAM);
      __bang_add(ping, ping, pong, 1024);
      __memcpy(out, ping, 4096, NRAM2GDRAM);
    }"""
    found = profile_of(source, out="f32[1024]", **{"in": "f32[2048]"})
    nram = found.memories.of(NRAM, 0)
    names = [found.memories.holders[number].name for number in nram.owners]
    assert sorted(names) == ["ping", "pong"]
    assert nram.most == 8192 == nram.held[:, nram.peak].sum()
    timing = found.report.timing
    held = dict(zip(names, nram.held, strict=True))
    add = np.flatnonzero(found.work.kind == 1)[0]
    assert nram.moments[held["pong"] > 0].max() < timing.end[add] <= nram.moments[-1]
    assert nram.moments[-1] == timing.end.max()
    assert held["pong"][nram.moments >= timing.end[add]].max() == 0


def test_an_arena_is_named_by_line_and_sram_by_cluster(profile_of: ProfileOf) -> None:
    source = """
    extern __nram__ char arena[];
    __mlu_shared__ float table[256];
    __mlu_entry__ void k(float *out, float *in) {
      if (__is_mpu()) __memcpy(table, in, 1024, GDRAM2SRAM);
      __sync_cluster();
      if (__is_mpu()) return;
      __memcpy(arena + 2048, table, 1024, SRAM2NRAM);
      __memcpy(out + taskId * 256, arena + 2048, 1024, NRAM2GDRAM);
    }"""
    found = profile_of(source, machine="mlu270", tasks=8, task_type="UNION2", out="f32[2048]",
                       **{"in": "f32[256]"})  # fmt: skip
    for cluster in range(2):
        shared = found.memories.of(SRAM, cluster)
        assert [found.memories.holders[n].name for n in shared.owners] == ["table"]
        assert shared.most == 1024
    for place in found.active.tolist():
        own = found.memories.of(NRAM, place)
        if found.report.timing.cores[place][1] == 0x80:
            assert own.most == 0
            continue
        assert own.most == 1024
        (holder,) = [found.memories.holders[n] for n in own.owners]
        assert holder.name == "written at k.bcl:9"


def test_a_multicast_fills_all_cores(profile_of: ProfileOf) -> None:
    source = """
    __mlu_shared__ float table[256];
    __nram__ float a[256];
    __mlu_entry__ void k(float *out, float *in) {
      if (__is_mpu()) {
        __memcpy(table, in, 1024, GDRAM2SRAM);
        __memcpy_multicast(a, table, 1024, SRAM2NRAM);
      }
      __sync_cluster();
      if (__is_mpu()) return;
      __memcpy(out + taskId * 256, a, 1024, NRAM2GDRAM);
    }"""
    found = profile_of(source, machine="mlu270", tasks=4, task_type="UNION1", out="f32[1024]",
                       **{"in": "f32[256]"})  # fmt: skip
    cores = [p for p in found.active.tolist() if found.report.timing.cores[p][1] != 0x80]
    assert [found.memories.of(NRAM, place).most for place in cores] == [1024] * 4
