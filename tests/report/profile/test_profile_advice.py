"""Each rule speaks about a kernel that has the fault, and not about the mended one.

Where both do the same work, the mended one is no faster than the bound said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from zhisuan.report.profile.advice import Advice, advise
from zhisuan.report.profile.profile import Profile

ProfileOf = Callable[..., Profile]
MLU270 = {"machine": "mlu270", "tasks": 16, "task_type": "UNION4"}


@dataclass(frozen=True)
class Case:
    """A kernel with a fault, what it is launched with, and what is to be said about which lines;
    the mended kernel with what is different in its launch.  `same`: they do the same work."""

    faulty: str
    mended: str
    options: dict[str, Any]
    lines: tuple[str, ...]
    said: str = ""
    changed: dict[str, Any] = field(default_factory=dict)
    same: bool = True


def kernel(body: str, declared: str = "", parameters: str = "float *out, float *in, int n") -> str:
    return f"{declared}\n__mlu_entry__ void k({parameters}) {{\n{body}\n}}\n"


def floats(out: int, into: int, n: int, **more: Any) -> dict[str, Any]:
    return {"out": f"f32[{out}]", "in": f"f32[{into}]", "n": str(n), **more}


TILES = """
  for (int i = 0; i < n; i++) {
    __memcpy(a, in + i * T, T * 4, GDRAM2NRAM);
    __bang_active_exp(b, a, T);
    __memcpy(out + i * T, b, T * 4, NRAM2GDRAM);
  }"""
PIPELINE = """
  for (int i = 0; i < n + 2; i++) {
    if (i < n) __memcpy_async(a + i % 2 * T, in + i * T, T * 4, GDRAM2NRAM);
    if (i >= 1 && i <= n) __bang_active_exp(b + i % 2 * T, a + (i - 1) % 2 * T, T);
    if (i >= 2) __memcpy_async(out + (i - 2) * T, b + (i - 1) % 2 * T, T * 4, NRAM2GDRAM);
    __sync();
  }"""
COMPUTING = "  for (int r = 0; r < 40; r++) __bang_active_exp(a, a, 8192);\n"
FILLED = "  __memcpy(a, in, 32768, GDRAM2NRAM);\n"
SHORT = """
  __memcpy(a, in, 65536, GDRAM2NRAM);
  for (int r = 0; r < n; r++)
    for (int i = 0; i < 16384; i += 32) __bang_add(a + i, a + i, a + i, 32);
  __memcpy(out, a, 65536, NRAM2GDRAM);"""
LONG = """
  __memcpy(a, in, 65536, GDRAM2NRAM);
  for (int r = 0; r < n; r++) __bang_add(a, a, a, 16384);
  __memcpy(out, a, 65536, NRAM2GDRAM);"""
LATE = """
  __memcpy(b, in, 16384, GDRAM2NRAM);
  __sync();
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 60; k++) __bang_add(b, b, b, 512);
    __memcpy_async(a, in + i * 32768, 131072, GDRAM2NRAM);
    __sync();
    __bang_add(c, a, b, 4096);
    __sync();
  }
  __memcpy(out, c, 16384, NRAM2GDRAM);"""
EARLY = LATE.replace("    __memcpy_async(a, in + i * 32768, 131072, GDRAM2NRAM);\n", "").replace(
    "    for (int k", "    __memcpy_async(a, in + i * 32768, 131072, GDRAM2NRAM);\n    for (int k"
)
PRODUCT = """
  __memcpy(x, in, sizeof(x), GDRAM2NRAM);
  __memcpy(w, in, sizeof(w), GDRAM2WRAM);
  for (int r = 0; r < n; r++) __bang_conv(y, x, w, CI, 34, 34, 3, 3, 1, 1, CO);
  __memcpy(out, y, 4096, NRAM2GDRAM);"""
CONV = """__nram__ half x[34 * 34 * CI];
__nram__ half y[32 * 32 * CO];
__wram__ half w[64 * 9 * CI];"""
HALVES = {"out": "f16[65536]", "in": "f16[524288]", "n": "20"}
TABLE = "__mlu_shared__ float table[32768];\n__nram__ float a[32768];\n__nram__ float b[32768];"
SHARED = """
  if (__is_mpu()) __memcpy(table, in, 131072, GDRAM2SRAM);
  __sync_cluster();
  for (int r = 0; r < n; r++) {
    %s
  }
  if (!__is_mpu()) __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);"""

CASES = {
    "double buffer": Case(
        kernel(TILES.replace("T", "8192"), "__nram__ float a[8192];\n__nram__ float b[8192];"),
        kernel(PIPELINE.replace("T", "8192"), "__nram__ float a[16384];\n__nram__ float b[16384];"),
        floats(131072, 131072, 16),
        ("GDRAM2NRAM", "NRAM2GDRAM"),
        "Double-buffer",
    ),
    "larger tiles": Case(
        kernel(TILES.replace("T", "256"), "__nram__ float a[256];\n__nram__ float b[256];"),
        kernel(TILES.replace("T", "32768"), "__nram__ float a[32768];\n__nram__ float b[32768];"),
        floats(131072, 131072, 512),
        ("GDRAM2NRAM", "NRAM2GDRAM"),
        "NRAM holds 2 KiB at most, of 640 KiB: the tile can grow",
        changed={"n": "4"},
    ),
    "small segments": Case(
        kernel("  for (int i = 0; i < n; i++)\n"
               "    __memcpy(a, in + i * 4, 16, GDRAM2NRAM, 16, 2048, 1023);\n"
               "  __memcpy(out, a, 16384, NRAM2GDRAM);", "__nram__ float a[4096];"),
        kernel("  for (int i = 0; i < n; i++)\n"
               "    __memcpy(a, in + i * 4096, 16384, GDRAM2NRAM);\n"
               "  __memcpy(out, a, 16384, NRAM2GDRAM);", "__nram__ float a[4096];"),
        floats(4096, 524288, 32),
        ("GDRAM2NRAM",),
        "segments of 16 B",
    ),
    "DRAM bandwidth": Case(
        kernel("  in += taskId * 8192; out += taskId * 8192;\n  for (int i = 0; i < n; i++) {\n"
               "  __memcpy(a, in, 32768, GDRAM2NRAM);\n"
               "  __memcpy(out, a, 32768, NRAM2GDRAM); }", "__nram__ float a[8192];"),
        kernel("  in += taskId * 8192; out += taskId * 8192;\n"
               "  __memcpy(a, in, 32768, GDRAM2NRAM);\n  for (int i = 0; i < n; i++) {\n"
               + COMPUTING + "  }\n  __memcpy(out, a, 32768, NRAM2GDRAM);",
               "__nram__ float a[8192];"),
        floats(131072, 131072, 12, **MLU270),
        ("GDRAM2NRAM", "NRAM2GDRAM"),
        "Only less traffic helps",
        same=False,
    ),
    "atomics": Case(
        kernel("  __memcpy(a, in, 4096, GDRAM2NRAM);\n"
               "  for (int i = 0; i < n; i++) __bang_atomic_add(old, out + i % 8, a[i]);",
               "__nram__ int a[1024];\n__nram__ int old[32];", "int *out, int *in, int n"),
        kernel("  __memcpy(a, in, 4096, GDRAM2NRAM);\n  int sums[8] = {};\n"
               "  for (int i = 0; i < n; i++) sums[i % 8] += a[i];\n"
               "  for (int i = 0; i < 8; i++) __bang_atomic_add(old, out + i, sums[i]);",
               "__nram__ int a[1024];\n__nram__ int old[32];", "int *out, int *in, int n"),
        {"out": "i32[8]", "in": "i32[1024]", "n": "1024"},
        ("__bang_atomic_add",),
        "1,024 on a core",
    ),
    "shared loads": Case(
        kernel("  for (int i = 0; i < n; i++) {\n"
               "  __memcpy(a, in + i * 8192, 32768, GDRAM2NRAM);\n"
               "  __bang_add(a, a, a, 8192); }\n"
               "  __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);", "__nram__ float a[8192];"),
        kernel("  for (int i = 0; i < n; i++) {\n"
               "  if (__is_mpu()) __memcpy(table, in + i * 8192, 32768, GDRAM2SRAM);\n"
               "  __sync_cluster();\n"
               "  if (!__is_mpu()) { __memcpy(a, table, 32768, SRAM2NRAM);\n"
               "  __bang_add(a, a, a, 8192); }\n  __sync_cluster(); }\n"
               "  if (!__is_mpu()) __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);",
               "__nram__ float a[8192];\n__mlu_shared__ float table[8192];"),
        floats(512, 131072, 16, **MLU270),
        ("GDRAM2NRAM",),
        "16 cores load the same data",
    ),
    "scalar loop": Case(
        kernel("  __memcpy(a, in, 16384, GDRAM2NRAM);\n"
               "  for (int i = 0; i < n; i++) a[i] = a[i] * 3.0f + 1.0f;\n"
               "  __memcpy(out, a, 16384, NRAM2GDRAM);", "__nram__ float a[4096];"),
        kernel("  __memcpy(a, in, 16384, GDRAM2NRAM);\n"
               "  __bang_mul_const(a, a, 3.0f, n); __bang_add_const(a, a, 1.0f, n);\n"
               "  __memcpy(out, a, 16384, NRAM2GDRAM);", "__nram__ float a[4096];"),
        floats(4096, 4096, 4096),
        ("a[i] * 3.0f",),
        "4,096 times",
    ),
    "scalar loads off the chip": Case(
        kernel("  float s = 0;\n  for (int i = 0; i < n; i++) s += in[i * 16];\n  out[0] = s;"),
        kernel("  __memcpy(a, in, 65536, GDRAM2NRAM);\n  float s = 0;\n"
               "  for (int i = 0; i < n; i++) s += a[i * 16];\n  out[0] = s;",
               "__nram__ float a[16384];"),
        floats(1, 16384, 1024),
        ("in[i * 16]",),
        "GDRAM2NRAM",
    ),
    "instruction fetch": Case(
        kernel("  __memcpy(a, in, 128, GDRAM2NRAM);\n" + "  __bang_add(a, a, a, 32);\n" * 60
               + "  __memcpy(out, a, 128, NRAM2GDRAM);", "__nram__ float a[32];"),
        kernel("  __memcpy(a, in, 128, GDRAM2NRAM);\n"
               "  for (int i = 0; i < 2000; i++) __bang_add(a, a, a, 32);\n"
               "  __memcpy(out, a, 128, NRAM2GDRAM);", "__nram__ float a[32];"),
        floats(32, 32, 1),
        (),
        "run for the first time",
        same=False,
    ),
    "launch overhead": Case(
        kernel("  __memcpy(a, in, 128, GDRAM2NRAM);\n  __memcpy(out, a, 128, NRAM2GDRAM);",
               "__nram__ float a[32];"),
        kernel("  for (int i = 0; i < 99; i++) {\n  __memcpy(a, in, 128, GDRAM2NRAM);\n"
               "  __memcpy(out, a, 128, NRAM2GDRAM); }", "__nram__ float a[32];"),
        floats(32, 32, 1),
        (),
        same=False,
    ),
    "short vectors": Case(
        kernel(SHORT, "__nram__ float a[16384];"),
        kernel(LONG, "__nram__ float a[16384];"),
        floats(16384, 16384, 20),
        ("__bang_add",),
        "more elements at once",
    ),
    "idle multipliers": Case(
        kernel(PRODUCT, "#define CI 64\n#define CO 8\n" + CONV, "half *out, half *in, int n"),
        kernel(PRODUCT, "#define CI 64\n#define CO 64\n" + CONV, "half *out, half *in, int n"),
        HALVES,
        ("__bang_conv",),
        "multiples of its 64 elements",
        same=False,
    ),
    "full queue": Case(
        kernel(LATE, "__nram__ float a[32768];\n__nram__ float b[4096];\n__nram__ float c[4096];"),
        kernel(EARLY, "__nram__ float a[32768];\n__nram__ float b[4096];\n__nram__ float c[4096];"),
        floats(4096, 524288, 16),
        ("k < 60",),
        "before the long run",
    ),
    "idle cores": Case(
        kernel("  for (int i = taskId; i < n; i += taskDim) {\n"
               "  __memcpy(a, in + i * 8192, 32768, GDRAM2NRAM);\n" + COMPUTING
               + "  __memcpy(out + i * 8192, a, 32768, NRAM2GDRAM); }", "__nram__ float a[8192];"),
        kernel("  for (int i = taskId; i < n; i += taskDim) {\n"
               "  __memcpy(a, in + i * 8192, 32768, GDRAM2NRAM);\n" + COMPUTING
               + "  __memcpy(out + i * 8192, a, 32768, NRAM2GDRAM); }", "__nram__ float a[8192];"),
        floats(262144, 262144, 32, machine="mlu270", tasks=4),
        (),
        "4 of 16 cores have a task",
        changed={"tasks": 16},
    ),
    "uneven tasks": Case(
        kernel(FILLED + "  for (int i = 0; i <= taskId; i++) {\n" + COMPUTING + "  }\n"
               "  __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);", "__nram__ float a[8192];"),
        kernel(FILLED + "  for (int i = 0; i < 17; i++) {\n"
               "  for (int r = 0; r < 20; r++) __bang_active_exp(a, a, 8192); }\n"
               "  __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);", "__nram__ float a[8192];"),
        floats(512, 8192, 1, **MLU270),
        (),
        "Share the work evenly",
    ),
    "barrier": Case(
        kernel(FILLED + "  for (int s = 0; s < n; s++) {\n  if (taskId == s) {\n" + COMPUTING
               + "  }\n  __sync_all(); }\n"
               "  __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);", "__nram__ float a[8192];"),
        kernel(FILLED + COMPUTING + "  __sync_all();\n"
               "  __memcpy(out + taskId * 32, a, 128, NRAM2GDRAM);", "__nram__ float a[8192];"),
        floats(512, 8192, 16, **MLU270),
        ("__sync_all",),
        "waits least",
    ),
    "shared memory": Case(
        kernel(SHARED % ("if (__is_mpu()) __memcpy_multicast(b, table, 131072, SRAM2NRAM);\n"
                         "else __memcpy(a, table, 131072, SRAM2NRAM);"), TABLE),
        kernel(SHARED % "if (!__is_mpu()) __memcpy(a, table, 131072, SRAM2NRAM);", TABLE),
        floats(512, 32768, 20, **MLU270),
        ("SRAM2NRAM",),
        "multicast",
        same=False,
    ),
}  # fmt: skip


def of_rule(found: Profile, rule: str) -> list[Advice]:
    return [advice for advice in advise(found) if advice.rule == rule]


@pytest.mark.parametrize("rule", CASES)
def test_the_fault_is_told_and_its_mending_not(profile_of: ProfileOf, rule: str) -> None:
    case = CASES[rule]
    faulty = profile_of(case.faulty, **case.options)
    (told,) = of_rule(faulty, rule) or [None]
    assert told is not None, [advice.rule for advice in advise(faulty)]
    assert case.said in f"{told.what} {told.how}"
    named = [faulty.text(line) for line in told.lines]
    for part in case.lines:
        assert any(part in text for text in named), (part, named)
    assert told.gain >= 1.05 and 0 < told.share <= 1
    mended = profile_of(case.mended, **{**case.options, **case.changed})
    assert of_rule(mended, rule) == []
    if case.same:
        assert 1.05 < faulty.total / mended.total <= told.gain * 1.02


def test_a_kernel_without_faults(profile_of: ProfileOf) -> None:
    case = CASES["double buffer"]
    big = floats(524288, 524288, 32)
    declared = "__nram__ float a[32768];\n__nram__ float b[32768];"
    found = profile_of(kernel(PIPELINE.replace("T", "16384"), declared), **big)
    assert [advice.rule for advice in advise(found)] == []
    assert case.same


def test_the_largest_bound_comes_first(profile_of: ProfileOf) -> None:
    case = CASES["larger tiles"]
    gains = [advice.gain for advice in advise(profile_of(case.faulty, **case.options))]
    assert len(gains) > 1
    assert gains == sorted(gains, reverse=True)
