"""What public kernels take for granted: how memory is filled, counted, copied and waited for."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_cases import Case, calls, check
from chip import run

from zhisuan.bcl import compile

B, S, F, H, W = np.int8, np.int16, np.float32, np.float16, np.int32
CASES: list[Case] = []


def enter(call: str, expected: object, *inputs: np.ndarray, tolerance: float = 0,
          start: np.ndarray | None = None) -> None:  # fmt: skip
    CASES.append(Case(call, np.asarray(expected), inputs, tolerance, start=start))


X, Y = np.linspace(-3, 3, 96).astype(F), np.arange(96, dtype=W) * 37 - 900
# The value's type is what is written, whatever the pointer says.
enter("__bang_write_value(d, 12, 0x3f800000)", np.ones(12, F))
enter("__bang_write_value((float *)d, 8, (signed char)0x5A)", np.full(8, 0x5A, B))
enter("__bang_write_value(d, 9, 2.5)", np.full(9, 2.5, F))
enter("__bang_write_value(d, 9, 1ll)", np.ones(9, F))
enter("__bang_write_value((void *)d, 8, true)", np.ones(8, B))
enter("__nramset(d, 8, 7u)", np.full(8, 7, np.uint32))
enter("__nramset_async(d, 8, (half)3)", np.full(8, 3, H))
enter("__memset_nram(d, 10, (float)1.5)", np.full(10, 1.5, F))
enter("__bang_write_value(d, 2, 7, 16, 1, 64, 1)",
      np.array(([7, 7, 0, 0] * 2 + [0] * 8) * 2, W), start=np.zeros(32, W))  # fmt: skip
enter("d[0] = 100 + __bang_filter(d + 1, a, b, n); __bang_filter(d + 50, a, b, n)",
      np.concatenate([[148], X[48:], [0], X[48:]]).astype(F), X, (X > 0).astype(F),
      start=np.zeros(98, F))  # fmt: skip
enter("int got = __bang_filter(b, a, b, n); d[0] = got", [48.0], X, (X > 0).astype(F))
CASES[-1].expected = CASES[-1].expected.astype(F)
enter("b[0] = 1; __bang_ge_const(d, a, 0.5, n)", (X >= 0.5).astype(F), X, X)
for _name, _function in {"sin": np.sin, "cos": np.cos, "tanh": np.tanh,
                         "sigmoid": lambda x: 1 / (1 + np.exp(-x))}.items():  # fmt: skip
    for _terms in (3, 4):
        enter(f"__bang_taylor{_terms}_{_name}(d, a, b, b, n)", _function(X), X, X, tolerance=1e-6)
enter("__bang_active_pow2(d, a, n)", np.exp2(X), X, tolerance=1e-6)
enter("__bang_active_log2(d, a, n)", np.log2(abs(X)), abs(X), tolerance=1e-6)
enter("__bang_active_rsqrthp(d, a, n)", 1 / np.sqrt(abs(X)), abs(X), tolerance=1e-6)
for _relation, _function in {"gt": np.greater, "lt": np.less, "le": np.less_equal, "eq": np.equal,
                             "ne": np.not_equal}.items():  # fmt: skip
    enter(f"__bang_{_relation}_const(d, a, 0, n)", _function(X, 0).astype(F), X)
for _end, _function in {
    "": np.round, "_rn": np.round, "_tz": np.trunc, "_up": np.ceil, "_dn": np.floor,
    "_oz": lambda x: np.copysign(np.ceil(abs(x)), x),
    "_rd": lambda x: np.copysign(np.floor(abs(x) + 0.5), x),
}.items():  # fmt: skip
    enter(f"__bang_float2int{_end}(d, a, n, 0)", _function(X).astype(W), X)
    enter(f"__bang_half2int{_end}(d, a, n, 0)", _function(X.astype(H)).astype(W), X.astype(H))
enter("__bang_int2float(d, a, n, 0)", Y.astype(F), Y)
enter("__bang_int2half(d, a, n, 0)", Y.astype(H), Y)
_bytes = np.arange(96, dtype=np.uint8) + 100
enter("__bang_uchar2int16(d, a, n, 0)", _bytes.astype(S), _bytes)
enter("__bang_uchar2int32(d, a, n)", _bytes.astype(W), _bytes)
_cut = (X.view(np.uint32) & 0xFFFF0000).view(F)
enter("__bang_half2bfloat16((bfloat16_t *)b, a, n); __bang_bfloat162float(d, (bfloat16_t *)b, n)",
      _cut.astype(H).astype(F), _cut.astype(H), X)  # fmt: skip
enter("__bang_float2bfloat16((bfloat16_t *)b, a, n); __bang_bfloat162half(d, (bfloat16_t *)b, n)",
      _cut.astype(H), _cut, X)  # fmt: skip
_a, _b = (np.array([1, -1, 2**24, 0.1, -3, 5, 0, 7], F), np.array([1e-8, -1e-8, 1, 0.2, 3, -1e-9, 0,
          2**-22], F))  # fmt: skip
_sum = _a.astype(np.float64) + _b
_near = _sum.astype(F)
_cut_sum = np.where(abs(_near.astype(np.float64)) > abs(_sum), np.nextafter(_near, F(0)), _near)
enter("__bang_add_tz(d, a, b, n)", _cut_sum, _a, _b)
enter("__bang_cycle_add_tz(d, a, b, n, 4)", _cut_sum[:4], _a[:4].copy(), _b[:4].copy())
enter("__bang_add_tz(d, a, b, n)", np.array([1, -1, 0.0999], H), np.array([1, -1, 0.1], H),
      np.array([1e-4, -1e-4, -2e-5], H))  # fmt: skip
_long = "int64_t *l = (int64_t *)b; for (int i = 0; i < n; i++) l[i] = a[i] + (1ll << 40);"
_end = "for (int i = 0; i < n; i++) d[i] = (l[i] & 0xFFFF) + (l[i] >> 40 == 2)"
enter(f"{_long} __bang_add(l, l, l, n); __bang_sub_scalar(l, l, 2, n);"
      f" __bang_mul_scalar(l, l, 1, n); __bang_add_scalar(l, l, 1, n); {_end}",
      (2 * np.arange(24) - 1) % 65536 + (np.arange(24) > 0), np.arange(24, dtype=W),
      np.zeros(48, W))  # fmt: skip
CASES[-1].expected = CASES[-1].expected.astype(W)
# [2][3][4] → [3][2][4] with equal rows, then rows of 3 into rows of 2
_cube = np.arange(24, dtype=W)
enter("__memcpy(d, a, 16, NRAM2NRAM, 32, 2, 16, 1, 16, 2, 48, 1)",
      _cube.reshape(2, 3, 4).transpose(1, 0, 2).reshape(-1), _cube)  # fmt: skip
enter("__memcpy_async(d, a, 4, NRAM2NRAM, 8, 1, 16, 2, 4, 2, 40, 1); __sync_move()",
      [0, -1, 1, -1, 2, -1, 10, -1, 11, -1, 12], _cube, start=np.full(11, -1))  # fmt: skip
CASES[-1].expected = CASES[-1].expected.astype(W)
CASES[-1].start = np.full(11, -1, W)
enter("__memcpy_nram_to_nram(d, a, 96); __sync_copy()", _cube, _cube)


@pytest.mark.parametrize("number", range(len(CASES)), ids=calls(CASES))
def test_builtin(number: int) -> None:
    check(CASES, number)


def test_memsets_of_the_old_generation_convert() -> None:
    source = """__nram__ half a[64]; __mlu_entry__ void k(half *out) {
      __nramset(a, 64, 1); __memcpy(out, a, 128, NRAM2GDRAM); }"""
    out = np.zeros(64, H)
    run(source, out, arch=270)
    assert (out == 1).all()


def test_waiting_by_assembly_and_with_flags() -> None:
    source = """__nram__ float a[64], b[64];
    __mlu_entry__ void k(float *p) {
      __memcpy_async(a, p, 256, GDRAM2NRAM);
      __asm__ volatile("sync;");
      __bang_add_scalar(b, a, 1, 64);
      __sync_io_move_compute(false, false, true, true, false, false);
      __memcpy_async(p, b, 256, NRAM2GDRAM);
      asm volatile("sync;\\n\\t" ::: "memory");
    }"""
    p = np.arange(64, dtype=F)
    run(source, p, checks=("all",))
    assert (p == np.arange(64) + 1).all()
    assert compile(source, "k.bcl").assembly.count("SYNC            #7") == 2


def test_a_program_may_have_its_own_min_and_max() -> None:
    source = """template <typename scalar_t>
    __mlu_func__ inline scalar_t min(scalar_t a, scalar_t b) { return a < b ? a : b; }
    template <typename T> __mlu_func__ T max(T a, T b) { return a > b ? a : b; }
    __mlu_entry__ void k(int *p) { p[0] = min(p[0], 3) + max(p[1], 9) + max(1u, 2ll); }"""
    p = np.array([5, 2], W)
    run(source, p)
    assert p[0] == 14


def test_a_direction_that_only_the_running_program_knows() -> None:
    source = """__nram__ int8_t tile[64]; __mlu_shared__ int8_t near[64];
    __mlu_entry__ void k(int8_t *out, const int8_t *in, int onchip) {
      mluMemcpyDirection_t from = onchip ? SRAM2NRAM : GDRAM2NRAM;
      __memcpy(tile, in, 64, from);
      __memcpy(out, tile, 32, NRAM2GDRAM, 32, 32, 1);
    }"""
    out, given = np.zeros(64, B), np.arange(64, dtype=B)
    run(source, out, given, 0)
    assert (out == given).all()


def test_types_of_the_host_need_no_header() -> None:
    source = """__mlu_entry__ void k(float *out, cnrtDataType_t type) {
      switch (type) { case CNRT_FLOAT32: out[0] = 32; break; default: out[0] = fabs(-1); } }
    void launch(cnrtDim3_t dim, cnrtFunctionType_t type, cnrtQueue_t queue, float *p) {
      if (fabs(-2.0) > 1) k<<<dim, type, queue>>>(p, CNRT_FLOAT16); }"""
    out = np.zeros(1, F)
    run(source, out, 0x13)
    assert out[0] == 32


def test_breakdumps_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    source = """__nram__ unsigned a[4]; __mlu_entry__ void k(int *p) {
      a[0] = 7; a[1] = 0xBEEF; __breakdump_scalar(p[0], 1.5f, (half)-2);
      __breakdump_vector(a, 8, NRAM); }"""
    run(source.replace(", NRAM)", ")"), np.array([-3], W))
    assert capsys.readouterr().out == (
        "breakdump -3\nbreakdump 1.5\nbreakdump -2\n"
        "breakdump [0] 0x00000007\nbreakdump [1] 0x0000beef\n"
    )
