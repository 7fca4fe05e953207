"""Kernels compiled from BCL do what they say: copies, vectors, matrices, memory, control."""

from __future__ import annotations

import numpy as np
import pytest
from chip import instructions, mnemonics, run

from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.matrix import pack_weights

SCALE = """#include "bang.h"
extern __nram__ char arena[];
__mlu_entry__ void scale(half *dst, const half *src, int n, int tile, float factor) {
  half *buf = (half *)arena;
  for (int i = 0; i < n; i += tile) {
    int m = n - i < tile ? n - i : tile;
    __memcpy(buf, src + i, m * sizeof(half), GDRAM2NRAM);
    __bang_mul_scalar(buf, buf, (half)factor, m);
    __memcpy(dst + i, buf, m * sizeof(half), NRAM2GDRAM);
  }
}
"""
MOVES = ("VLOAD", "VSTORE", "VMS", "VMOVE", "SYNC")


def test_a_vector_is_scaled_tile_by_tile() -> None:
    x = np.linspace(-3, 3, 1000).astype(np.float16)
    y = np.zeros_like(x)
    run(SCALE, y, x, 1000, 96, 0.37)
    assert (y == x * np.float16(0.37)).all()


def test_ordered_copies_wait_for_what_they_depend_on_and_nothing_else() -> None:
    assert mnemonics(SCALE, MOVES) == ["VLOAD", "SYNC #2", "VMS", "SYNC #1", "VSTORE"]


def test_unordered_copies_wait_for_nothing() -> None:
    source = SCALE.replace("__memcpy", "__memcpy_async")
    assert mnemonics(source, MOVES) == ["VLOAD", "VMS", "VSTORE"]


def test_explicit_syncs_are_kept_and_satisfy_what_follows() -> None:
    source = SCALE.replace("GDRAM2NRAM);", "GDRAM2NRAM); __sync_io();")
    assert mnemonics(source, MOVES) == ["VLOAD", "SYNC #2", "VMS", "SYNC #1", "VSTORE"]


def test_pending_work_of_both_branches_is_waited_for_once() -> None:
    source = """__nram__ half a[64], b[64];
__mlu_entry__ void k(half *p, int n) {
  if (n > 3) __memcpy(a, p, 128, GDRAM2NRAM);
  else __memcpy(a, b, 128, NRAM2NRAM);
  __bang_mul_scalar(a, a, (half)2, 64);
}"""
    assert mnemonics(source, MOVES)[-2:] == ["SYNC #6", "VMS"]


def test_scalar_access_to_nram_waits_and_to_the_stack_does_not() -> None:
    source = """__nram__ int a[64];
__mlu_entry__ void k(int *p, int n) {
  volatile int local = n;
  __memcpy(a, p, 256, GDRAM2NRAM);
  int b = local;
  p[70] = b + a[n];
}"""
    found = instructions(source)
    load, sync = found.index("SYNC #2"), next(i for i, x in enumerate(found) if "VLOAD" in x)
    assert sync < load
    between = found[sync + 1 : load]
    assert any("SLOAD.i32" in line and "$63" in line for line in between)


def test_stack_arrays_that_tensor_operations_reach_are_waited_for() -> None:
    source = """__mlu_entry__ void k(int *p, int n) {
  int a[64];
  __memcpy(a, p, 256, GDRAM2NRAM);
  p[70] = a[n];
}"""
    found = mnemonics(source, ("VLOAD", "SYNC", "SLOAD", "SSTORE"))
    assert found[-3:] == ["SYNC #2", "SLOAD", "SSTORE"]


def test_scalar_reads_of_dram_wait_only_for_writes_of_dram() -> None:
    read = "__nram__ int a[64]; __mlu_entry__ void k(int *p, int *q, int n) {"
    after_read = read + " __memcpy(a, p, 256, GDRAM2NRAM); int x = q[n]; __sync(); p[0] = x; }"
    after_write = read + " __memcpy(p, a, 256, NRAM2GDRAM); int x = q[n]; __sync(); p[0] = x; }"
    assert mnemonics(after_read, ("SYNC",)) == ["SYNC #7"]
    assert mnemonics(after_write, ("SYNC",)) == ["SYNC #2", "SYNC #7"]


def test_calls_leave_nothing_pending() -> None:
    source = """__nram__ half a[64];
__mlu_func__ __attribute__((noinline)) void twice(half *x) { __bang_add(x, x, x, 64); }
__mlu_entry__ void k(half *p) {
  __memcpy(a, p, 128, GDRAM2NRAM);
  twice(a);
  __memcpy(p, a, 128, NRAM2GDRAM);
}"""
    names = ("VLOAD", "VSTORE", "VAV", "SYNC", "CALL", "JUMPR")
    order = ["VLOAD", "SYNC #2", "CALL", "VSTORE", "VAV", "SYNC #1", "JUMPR"]
    found = mnemonics(source, names)
    assert sorted(found) == sorted(order)
    assert found.index("SYNC #2") < found.index("CALL")
    assert found.index("VAV") < found.index("SYNC #1") < found.index("JUMPR")


def test_convolution_with_strided_copies() -> None:
    random = np.random.default_rng(3)
    image = random.standard_normal((6, 8, 16)).astype(np.float16)
    filters = random.standard_normal((9 * 16, 64)).astype(np.float16)
    packed = pack_weights(filters)
    out = np.zeros((4, 4, 64), np.float32)
    source = """__nram__ half in[6 * 6 * 16]; __nram__ float out[4 * 4 * 64];
__wram__ half w[9 * 16 * 64 + 1024];  // whole lines: 288 bytes of each channel take 5
__mlu_entry__ void conv(float *dst, const half *src, const half *weights, int bytes) {
  __memcpy(w, weights, bytes, GDRAM2WRAM);
  __memcpy(in, src, 6 * 16 * 2, GDRAM2NRAM, 6 * 16 * 2, 8 * 16 * 2, 5);
  __sync_io();
  __dlp_CONV_f16_f32(out, in, w, __dlp_pack4(4, 4, 3, 3), __dlp_pack2(16, 64),
                     __dlp_pack4(1, 1, 1, 1), __dlp_pack2(6 * 16 * 2, 4 * 64 * 4));
  __memcpy(dst, out, sizeof(out), NRAM2GDRAM);
}"""
    run(source, out, image, packed, packed.nbytes)
    wide = image.astype(np.float64)
    expected = np.zeros(out.shape)
    for y in range(4):
        for x in range(4):
            patch = wide[y : y + 3, x : x + 3].reshape(-1)
            expected[y, x] = patch @ filters.astype(np.float64)
    assert np.abs(out - expected).max() < 1e-3


def test_on_chip_arrays_lie_one_after_another_and_the_arena_after_them() -> None:
    source = """__nram__ char a[100]; __nram__ int b[3]; __wram__ char w[10]; __ldram__ int l[4];
extern __nram__ char arena[];
__mlu_entry__ void k(long *p) {
  __nram__ short local[5];
  p[0] = (long)a; p[1] = (long)b; p[2] = (long)local; p[3] = (long)w; p[4] = (long)arena;
  l[p[6]] = 7; p[5] = l[p[6]];
}"""
    found = np.zeros(7, np.int64)
    run(source, found)
    offsets = [value - NRAM.base for value in found[[0, 1, 2]]]
    assert sorted(offsets) == [0, 128, 256]
    assert found[3] == WRAM.base and found[5] == 7
    assert found[4] - NRAM.base == max(offsets) + 128
    kernel = bcl.compile(source, "kernel.bcl").program.kernels["k"]
    assert 256 + 10 <= kernel.nram_bytes <= 256 + 100
    assert kernel.wram_bytes == 10


def test_sixty_arguments_of_all_kinds() -> None:
    kinds = [
        ("char", "i8", -5), ("unsigned char", "u8", 250), ("short", "i16", -300),
        ("unsigned short", "u16", 65000), ("int", "i32", -70000), ("unsigned", "u32", 4000000000),
        ("long long", "i64", -(2**40)), ("unsigned long", "u64", 2**63 + 5), ("bool", "u8", 1),
        ("float", "f32", 1.5), ("half", "f16", -2.5),
    ]  # fmt: skip
    chosen = [kinds[i % len(kinds)] for i in range(59)]
    parameters = ", ".join(f"{c} a{i}" for i, (c, _, _) in enumerate(chosen))
    body = " ".join(f"out[{i}] = (long long)a{i};" for i in range(59))
    source = f"__mlu_entry__ void k(long long *out, {parameters}) {{ {body} }}"
    found = np.zeros(59, np.int64)
    run(source, found, *(value for _, _, value in chosen))
    wrapped = [int(value) - 2**64 if value >= 2**63 else int(value) for _, _, value in chosen]
    assert found.tolist() == wrapped
    declared = bcl.compile(source, "kernel.bcl").program.kernels["k"].parameters
    assert [p.kind for p in declared] == ["ptr"] + [kind for _, kind, _ in chosen]
    assert declared[3].name == "a2"


@pytest.mark.parametrize("optimize", [0, 2])
def test_recursion_function_pointers_and_tables(optimize: int) -> None:
    source = """
__mlu_func__ int ackermann(int m, int n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
__mlu_func__ int add(int a, int b) { return a + b; }
__mlu_func__ int mul(int a, int b) { return a * b; }
typedef int (*Operation)(int, int);
__mlu_const__ Operation table[3] = {add, mul, ackermann};
__mlu_const__ const char *words[2] = {"no", "yes"};
__mlu_entry__ void k(int *p) {
  for (int i = 0; i < 3; i++) p[i] = table[p[4] + i](2, 3);
  p[3] = words[p[4] + 1][0];
}"""
    found = np.zeros(5, np.int32)
    run(source, found, optimize=optimize)
    assert found.tolist() == [5, 6, 9, ord("y"), 0]


def test_a_hundred_live_values_survive_in_stack_slots() -> None:
    count = 100
    loads = "\n".join(f"  long long v{i} = p[{i}] * {i + 1};" for i in range(count))
    mixed = "\n".join(f"    v{i} += v{(i * 7 + 3) % count} ^ n;" for i in range(count))
    stores = "\n".join(f"  p[{i}] = v{i};" for i in range(count))
    body = f"{loads}\n  for (int n = 0; n < rounds; n++) {{\n{mixed}\n  }}\n{stores}"
    source = f"__mlu_entry__ void k(long long *p, int rounds) {{\n{body}\n}}"
    found = np.arange(count, dtype=np.int64) * 31 - 7
    expected = [int(x) * (i + 1) for i, x in enumerate(found)]
    for n in range(5):
        for i in range(count):
            total = expected[i] + (expected[(i * 7 + 3) % count] ^ n)
            expected[i] = (total + 2**63) % 2**64 - 2**63
    run(source, found, 5)
    assert found.tolist() == expected
    assert any("SSTORE.i64" in x and "$63" in x for x in instructions(source))


def test_many_arguments_and_a_structure_go_through_the_stack() -> None:
    source = """
struct Big { long long a[5]; half b; };
__mlu_func__ __attribute__((noinline)) Big change(Big x, int k) { x.a[k] += 1; x.b *= 2; return x; }
__mlu_func__ __attribute__((noinline)) int sum(int a, int b, int c, int d, int e, int f, int g,
    int h, int i, int j, int k, int l, int m, int n, int o, int p, int q, int r, int s) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k +
         12 * l + 13 * m + 14 * n + 15 * o + 16 * p + 17 * q + 18 * r + 19 * s;
}
__mlu_entry__ void k(int *p) {
  p[0] = sum(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12],
             p[13], p[14], p[15], p[16], p[17], p[18]);
  Big x = {{1, 2, 3, 4, 5}, 3};
  x = change(change(x, 2), p[20]);
  p[1] = x.a[2] * 100 + x.a[4] * 10 + (int)x.b;
}"""
    found = np.arange(1, 22, dtype=np.int32)
    found[20] = 4
    run(source, found)
    assert found[0] == sum((i + 1) ** 2 for i in range(19))
    assert found[1] == 400 + 60 + 12


def test_long_and_overlapping_block_copies() -> None:
    source = """__mlu_entry__ void k(char *p, int n, int m) {
  __builtin_memcpy(p, p + 1000, 300);
  __builtin_memmove(p + 500, p + 503, n);
  __builtin_memmove(p + 703, p + 700, n);
  __builtin_memset(p + 900, m, n);
  __builtin_memset(p + 1200, 7, 200);
}"""
    data = np.arange(1500).astype(np.uint8)
    expected = data.copy()
    expected[:300] = expected[1000:1300]
    expected[500:550] = expected[503:553].copy()
    expected[703:753] = expected[700:750].copy()
    expected[900:950] = 0x1A5 & 255
    expected[1200:1400] = 7
    run(source, data, 50, 0x1A5)
    assert (data == expected).all()


@pytest.mark.parametrize("optimize", [0, 2])
def test_rounding_functions_keep_every_bit(optimize: int) -> None:
    names = ("floor", "ceil", "trunc", "rint", "round", "sqrt", "fabs")
    calls = "".join(f"out[{i} * n + j] = __builtin_{f}f(in[j]);" for i, f in enumerate(names))
    source = (
        "__mlu_entry__ void k(float *out, const float *in, int n) {"
        f" for (int j = 0; j < n; j++) {{ {calls} }} }}"
    )
    random = np.random.default_rng(1)
    x = np.concatenate([
        random.standard_normal(60) * 10, [0.5, -0.5, 1.5, -1.5, 2.5, 0.0, -0.0, -0.3],
        [8388607.5, -8388607.5, 8388608, 1e30, np.inf, -np.inf, 0.49999997],
    ]).astype(np.float32)  # fmt: skip
    found = np.zeros((len(names), len(x)), np.float32)
    run(source, found, x, len(x), optimize=optimize)
    away = np.copysign(np.floor(np.abs(x.astype(np.float64)) + 0.5), x).astype(np.float32)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(x)
    expected = np.stack([np.floor(x), np.ceil(x), np.trunc(x), np.rint(x), away, root, np.abs(x)])
    number = ~np.isnan(expected)
    assert (found.view(np.int32) == expected.view(np.int32))[number].all()
    assert (np.isnan(found) == np.isnan(expected)).all()


def test_saturating_and_bit_builtins() -> None:
    source = """__mlu_entry__ void k(unsigned *p, int a, int b, unsigned u) {
  p[0] = __builtin_elementwise_add_sat(a, b);
  p[1] = __builtin_elementwise_sub_sat(-a, b);
  p[2] = __builtin_elementwise_add_sat(u, u);
  p[3] = __builtin_elementwise_sub_sat(5u, u);
  p[4] = __builtin_bitreverse32(u);
  p[5] = __builtin_rotateleft32(u, p[0]);
  p[6] = __builtin_rotateright8((unsigned char)u, 3);
  p[7] = __builtin_elementwise_max((short)a, (short)b);
  long long wide = 0x7fffffffffffff00LL + (a & 15);
  p[8] = __builtin_elementwise_add_sat(wide, (long long)b) >> 32;
  p[9] = __builtin_elementwise_sub_sat(-wide, (long long)b) >> 32;
  p[10] = __builtin_elementwise_sub_sat((long long)b, wide) >> 32;
  long long rest;
  p[11] = __builtin_sub_overflow(-wide, (long long)b, &rest);
  p[12] = __builtin_sub_overflow((long long)b, wide, &rest);
}"""
    found = np.zeros(13, np.uint32)
    u = 0xDEADBEEF
    run(source, found, 2**31 - 9, 1000, u)
    reverse = int(f"{u:032b}"[::-1], 2)
    rotated = (u << 31 | u >> 1) & 0xFFFFFFFF
    low = u & 255
    assert found.tolist() == [
        2**31 - 1, 2**31, 2**32 - 1, 0, reverse, rotated, (low >> 3 | low << 5) & 255, 1000,
        0x7FFFFFFF, 0x80000000, 0x80000000, 1, 0,
    ]  # fmt: skip


def test_instructions_carry_the_line_of_the_users_source() -> None:
    program = bcl.compile(SCALE, "scale.bcl").program
    text = [program.place(pc) for pc in range(len(program.words))]
    rows = [word & 0x3FF for word in program.words.tolist()]
    assert text[rows.index(0x209)] == "scale.bcl:8"  # VMS
    assert text[rows.index(0x100)] == "scale.bcl:7"  # VLOAD
    assert "scale.bcl:9" in text


def test_built_in_variables_and_conditions_that_stop() -> None:
    source = "__mlu_entry__ void k(int *p) { p[0] = taskDim + 10 * taskId; __assert(p[1] == 0); }"
    found = np.array([9, 0], np.int32)
    run(source, found)
    assert found[0] == 1
    with pytest.raises(ZhisuanError, match="assertion failed"):
        run(source, np.array([9, 1], np.int32))


def test_templates_overloads_and_host_code_in_one_file() -> None:
    source = """
template <typename T> __mlu_func__ T twice(T x) { return x + x; }
template <typename T, int N> __mlu_func__ void fill(T *p) {
  for (int i = 0; i < N; i++) p[i] = twice(p[i]);
}
__mlu_entry__ void k(float *p) { fill<float, 4>(p); }
int main() { return 0; }
"""
    found = np.array([1, 2, 3, 4, 5], np.float32)
    run(source, found)
    assert found.tolist() == [2, 4, 6, 8, 5]


def test_wide_sums_in_closed_form() -> None:
    source = """__mlu_entry__ void k(long long *p, long long n) {
  long long total = 0;
  for (long long i = 0; i < n; i++) total += i * i;
  p[0] = total;
  unsigned __int128 x = (unsigned __int128)p[1] * p[2];
  p[3] = x >> 64; p[4] = (x << p[5]) >> 70; p[6] = x > ((unsigned __int128)p[2] << 60);
}"""
    a, b = 2**62 + 12345, 2**61 + 999
    found = np.array([0, a, b, 0, 0, 9, 0], np.int64)
    run(source, found, 100000)
    x = a * b
    assert found[0] == sum(i * i for i in range(100000))
    assert found[3] == x >> 64
    assert found[4] == ((x << 9) % 2**128) >> 70
    assert found[6] == int(x > b << 60)


VECTORS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "maxequal": np.maximum,
    "minequal": np.minimum,
}


@pytest.mark.parametrize("kind", ["half", "float"])
def test_vector_builtins_mean_what_numpy_means(kind: str) -> None:
    dtype = np.float16 if kind == "half" else np.float32
    calls = "".join(
        f"__bang_{name}(c, a, b, 64); __memcpy(out + {64 * i}, c, 64 * sizeof({kind}), NRAM2GDRAM);"
        for i, name in enumerate(VECTORS)
    )
    source = f"""__nram__ {kind} a[64], b[64], c[64];
__mlu_entry__ void k({kind} *out, const {kind} *x, const {kind} *y) {{
  __memcpy(a, x, sizeof(a), GDRAM2NRAM);
  __memcpy(b, y, sizeof(b), GDRAM2NRAM);
  {calls}
}}"""
    random = np.random.default_rng(5)
    x, y = (random.standard_normal(64).astype(dtype) for _ in range(2))
    out = np.zeros((len(VECTORS), 64), dtype)
    run(source, out, x, y)
    expected = np.stack([meaning(x, y) for meaning in VECTORS.values()])
    assert (out == expected).all()


def test_filling_cycling_transposing_converting() -> None:
    source = """__nram__ half a[64], t[64]; __nram__ float f[64]; __nram__ signed char c[64];
__mlu_entry__ void k(half *out, const half *x, float *wide, int8_t *small) {
  __memcpy(a, x, sizeof(a), GDRAM2NRAM);
  __bang_transpose(t, a, 4, 16);
  __bang_cycle_add(t, t, a, 64, 4);
  __bang_sub_scalar(t, t, (half)0.5f, 64);
  __memcpy(out, t, sizeof(t), NRAM2GDRAM);
  __bang_half2float(f, a, 64);
  __bang_write_value(f + 60, 4, 7.25f);
  __memcpy(wide, f, sizeof(f), NRAM2GDRAM);
  __bang_half2int8_rd(c, a, 64, 0);
  __nramset(c, 3, (signed char)-1);
  __memcpy(small, c, sizeof(c), NRAM2GDRAM);
}"""
    x = (np.arange(64) / 4).astype(np.float16)
    out, wide, small = np.zeros_like(x), np.zeros(64, np.float32), np.zeros(64, np.int8)
    run(source, out, x, wide, small)
    turned = x.reshape(4, 16).T.reshape(-1)
    assert (out == turned + np.tile(x[:4], 16) - np.float16(0.5)).all()
    assert wide[:60].tolist() == x[:60].tolist() and (wide[60:] == 7.25).all()
    assert small[:3].tolist() == [-1] * 3 and (small[3:] == np.floor(x[3:] + np.float16(0.5))).all()


def test_values_exchanged_round_a_loop() -> None:
    source = """__mlu_entry__ void k(long long *p, int n) {
  long long a = p[0], b = p[1], c = p[2], x = p[3], y = p[4];
  for (int i = 0; i < n; i++) {
    long long t = a; a = b; b = c; c = t;
    t = x; x = y; y = t;
  }
  p[0] = a; p[1] = b; p[2] = c; p[3] = x; p[4] = y;
}"""
    found = np.array([1, 2, 3, 4, 5], np.int64)
    run(source, found, 7)
    assert found.tolist() == [2, 3, 1, 5, 4]


COMPARISONS = {
    "plain": ("a < b", "a <= b", "a > b", "a >= b", "a == b", "a != b"),
    "negated": ("!(a < b)", "!(a <= b)", "!(a > b)", "!(a >= b)"),
    "unordered or different": ("a != a || b != b", "a < b || a > b"),
    "ordered or equal": ("a == a && b == b", "!(a < b || a > b)"),
}


@pytest.mark.parametrize("group", COMPARISONS)
@pytest.mark.parametrize("kind", ["float", "half"])
def test_comparisons_with_nan(kind: str, group: str) -> None:
    tests = COMPARISONS[group]  # groups apart, or LLVM makes one from the other
    body = " ".join(f"out[{i}] = {test};" for i, test in enumerate(tests))
    source = f"""__mlu_entry__ void k(int *out, const {kind} *x, int n) {{
  for (int i = 0; i < n; i++) for (int j = 0; j < n; j++, out += {len(tests)}) {{
    {kind} a = x[i], b = x[j];
    {body}
  }}
}}"""
    x = np.array([-1, 0, -0.0, 2, np.inf, np.nan], np.float16 if kind == "half" else np.float32)
    found = np.zeros((36, len(tests)), np.int32)
    run(source, found, x, 6)
    expected = []
    for a in x.tolist():
        for b in x.tolist():
            less, more, nan = a < b, a > b, a != a or b != b
            values = {
                "plain": (less, a <= b, more, a >= b, a == b, a != b),
                "negated": (not less, not a <= b, not more, not a >= b),
                "unordered or different": (nan, less or more),
                "ordered or equal": (not nan, not (less or more)),
            }
            expected.append([int(value) for value in values[group]])
    assert found.tolist() == expected


def test_signed_integers_of_odd_and_of_great_width() -> None:
    source = """typedef _BitInt(19) few_bits;
__mlu_entry__ void k(long long *p, __int128 *wide, _BitInt(100) *odd, few_bits *few) {
  odd[1] = odd[0] >> (int)p[2];
  odd[1] = odd[1] - p[0];
  p[3] = odd[1] < odd[0];
  p[4] = (long long)(odd[1] >> 3);
  wide[1] = (wide[0] >> 70) * p[1];
  p[5] = wide[1] > wide[0];
  p[6] = (_BitInt(128))odd[1] == wide[1];
  few[1] = few[0] / (few_bits)p[2] - (few[0] % 7);
  p[7] = few[1] >> 2;
  p[8] = (unsigned _BitInt(19))few[1];
}"""
    p = np.array([12345, -3, 5, 0, 0, 0, 0, 0, 0], np.int64)
    big, odd, few = -(2**120) + 98765, -(2**97) + 4321, -123456

    def words(value: int) -> list[int]:
        return [value & (2**64 - 1), value >> 64 & (2**64 - 1)]

    wide_data = np.array([*words(big), 0, 0], np.uint64)
    odd_data = np.array([*words(odd & (2**100 - 1)), 0, 0], np.uint64)
    few_data = np.array([few & 0x7FFFF, 0], np.uint32)
    run(source, p, wide_data, odd_data, few_data)
    second = (odd >> 5) - 12345
    product = (big >> 70) * -3
    quotient = -(123456 // 5) + 123456 % 7
    assert int(odd_data[2]) | (int(odd_data[3]) & (2**36 - 1)) << 64 == second & (2**100 - 1)
    assert [int(word) for word in wide_data[2:]] == words(product)
    assert p[3:].tolist() == [
        int(second < odd), (second >> 3 & (2**64 - 1)) - 2**64 * (second >> 3 >> 63 & 1),
        int(product > big), int(second == product), quotient >> 2, quotient & 0x7FFFF,
    ]  # fmt: skip
