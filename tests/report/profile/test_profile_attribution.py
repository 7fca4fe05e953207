"""Every cycle is charged once, to the line that took it; every instruction is counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zhisuan.report.model import RunReport
from zhisuan.report.profile.blame import KINDS
from zhisuan.report.profile.charges import KIND_NAMES, VIEWS
from zhisuan.report.profile.lines import by_line
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.trace import SCALAR_RUN

ProfileOf = Callable[..., Profile]
LineWith = Callable[[Profile, str], int]

SERIAL = """
__nram__ float a[1024];
__nram__ float b[1024];
__mlu_entry__ void k(float *out, float *in, int n) {
  for (int i = 0; i < n; i++) {
    __memcpy(a, in + i * 1024, 4096, GDRAM2NRAM);
    __bang_active_exp(b, a, 1024);
    __memcpy(out + i * 1024, b, 4096, NRAM2GDRAM);
  }
}
"""
SIZES = {"out": "f32[16384]", "in": "f32[16384]"}

CALLS = """
typedef float (*function)(float);
__nram__ float a[64];
__mlu_func__ __attribute__((noinline)) float twice(float x) {
  for (int i = 0; i < (int)x % 5; i++) x += a[i];
  return x * 2;
}
__mlu_func__ __attribute__((noinline)) float thrice(float x) { return x > 50 ? 1 : x * 3; }
__mlu_entry__ void k(float *out, float *in, int n) {
  function f[2] = {twice, thrice};
  float s = 1;
  __memcpy(a, in, 256, GDRAM2NRAM);
  for (int i = 0; i < n; i++) {
    s = f[i * i % 3 == 1](s + in[i]);
    if (s > 100) s = twice(s) - 100;
    if (i % 7 == 2) { __bang_add_const(a, a, s, 64); continue; }
    while (s > 10) s = s / 3;
  }
  out[0] = s;
}
"""

CLUSTER = """
__mlu_shared__ float table[256];
__nram__ float a[256];
__mlu_entry__ void k(float *out, float *in) {
  if (__is_mpu()) __memcpy(table, in, 1024, GDRAM2SRAM);
  __sync_cluster();
  if (__is_mpu()) return;
  __memcpy(a, table, 1024, SRAM2NRAM);
  for (int i = 0; i <= taskId; i++) __bang_add_const(a, a, 1.0f, 256);
  __memcpy(out + taskId * 256, a, 1024, NRAM2GDRAM);
}
"""

CASES = {
    "serial": (SERIAL, {**SIZES, "n": "16"}),
    "calls": (CALLS, {"out": "f32[1]", "in": "f32[64]", "n": "60"}),
    "cluster": (CLUSTER, {"out": "f32[4096]", "in": "f32[256]", "machine": "mlu270", "tasks": 16,
                          "task_type": "UNION2"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_core_and_view_adds_up(profile_of: ProfileOf, case: str) -> None:
    source, options = CASES[case]
    found = profile_of(source, **options)
    charges, total = found.charges, found.total
    for view in VIEWS:
        for place in range(len(found.report.timing.cores)):
            lines = by_line(charges, found.table, view, np.array([place]))
            assert lines.sum() == pytest.approx(total, abs=1e-6), (view, place)
            assert (lines >= 0).all()


@pytest.mark.parametrize("case", CASES)
def test_views_of_units_are_the_accounts_of_the_timing(profile_of: ProfileOf, case: str) -> None:
    source, options = CASES[case]
    found = profile_of(source, **options)
    for number, unit in enumerate(found.report.timing.units):
        lines = by_line(found.charges, found.table, unit)
        assert KIND_NAMES[unit] == found.report.timing.causes
        assert lines.sum(axis=0) == pytest.approx(found.report.timing.cycles[:, number].sum(axis=0))


@pytest.mark.parametrize("case", CASES)
def test_every_instruction_is_counted(profile_of: ProfileOf, case: str) -> None:
    source, options = CASES[case]
    found = profile_of(source, **options)
    trace = found.report.trace
    runs = trace.opcode == SCALAR_RUN
    (counted,) = found.charges.executed.values()
    assert counted.sum() == trace.a[:, runs].sum() + (~runs).sum()
    assert (counted >= 0).all()
    queued = np.bincount(trace.pc[~runs], minlength=counted.shape[1])
    words = found.charges.words[trace.launches[0].program]
    own_rows = [pc for pc, word in enumerate(words) if word.row and word.row.is_queued]
    assert np.array_equal(counted.sum(axis=0)[own_rows], queued[own_rows])


def test_waiting_is_charged_to_what_is_waited_for(
    profile_of: ProfileOf, line_with: LineWith
) -> None:
    source, options = CASES["serial"]
    found = profile_of(source, **options)
    timing, trace = found.report.timing, found.report.trace
    exp = found.time[line_with(found, "__bang_active_exp")]
    vector = timing.cycles[:, timing.units.index("vfu"), timing.causes.index("busy")].sum()
    waits = exp[KINDS.index("vfu")]
    assert vector <= waits <= vector + 16 * found.report.machine.vector.latency
    load = found.time[line_with(found, "GDRAM2NRAM")]
    assert load[KINDS.index("io")] > 0.95 * load.sum()
    assert len(trace.launches) == 1


def test_loops_are_counted_by_line(profile_of: ProfileOf, line_with: LineWith) -> None:
    source = """
    __mlu_entry__ void k(int *out, int n) {
      int s = n;
      for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
          s = s * 3 + (s >> 2);
      out[0] = s;
    }"""
    few, many = (profile_of(source, out="i32[1]", n=str(n)) for n in (10, 100))
    body = [found.executed[line_with(found, "s * 3")] for found in (few, many)]
    assert body[0] % 55 == body[1] % 5050 == 0
    assert body[0] // 55 == body[1] // 5050 > 0


def test_a_trace_without_its_program_has_its_words(run_of: Callable[..., RunReport]) -> None:
    from dataclasses import replace

    from zhisuan.report.profile.profile import profile

    report = run_of(SERIAL, **CASES["serial"][1])
    found = profile(replace(report, programs={}))
    assert found.time.sum() == pytest.approx(found.total)
    assert all(line.number == 0 for line in found.table.lines)
    assert any(line.file.startswith("k+") for line in found.table.lines)
