"""Built-ins on single numbers, DRAM and vectors in registers, and what stops a program."""

from __future__ import annotations

import numpy as np
import pytest
from chip import run

from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl.architecture import architecture_of

F = np.float32
X = np.array([0.3, 1.7, 2.5, -0.8, 9.0, -3.5], F)
FUNCTIONS = {
    "sqrtf(x * x)": lambda x: np.sqrt(x * x),
    "expf(x)": np.exp,
    "logf(fabsf(x))": lambda x: np.log(np.abs(x)),
    "sinf(x)": np.sin,
    "cosf(x)": np.cos,
    "tanhf(x)": np.tanh,
    "log2f(x * x)": lambda x: np.log2(x * x),
    "floorf(x)": np.floor,
    "exp2f(x)": np.exp2,
    "(float)(half)(float)(hexp((half)1) + hlog((half)1) + hsqrt((half)4))": lambda x: (
        x * 0 + 4.71875
    ),
    "ceilf(x)": np.ceil,
    "truncf(x)": np.trunc,
    "roundf(x)": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
    "fmaxf(x, 1.0f)": lambda x: np.maximum(x, 1),
    "fminf(x, 1.0f)": lambda x: np.minimum(x, 1),
    "powf(x, 3.0f)": lambda x: x**3,
    "powf(x, -2.0f)": lambda x: x**-2.0,
    "powf(fabsf(x), 0.7f)": lambda x: np.abs(x) ** 0.7,
    "(float)floor((half)x)": np.floor,
    "(float)ceil((half)x)": np.ceil,
    "(float)round((half)x)": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
    "(float)max((int)x, 2)": lambda x: np.maximum(np.trunc(x), 2),
    "(float)min((unsigned short)(x + 4), (unsigned short)3)": lambda x: np.minimum(
        np.trunc(x + 4), 3
    ),
    "(float)abs((int)x)": lambda x: np.abs(np.trunc(x)),
}


def test_functions_of_one_number() -> None:
    lines = "\n".join(f"out[{i} * n + i0] = {text};" for i, text in enumerate(FUNCTIONS))
    source = f"""__mlu_entry__ void k(float *out, const float *in, int n) {{
      for (int i0 = 0; i0 < n; i0++) {{ const float x = in[i0]; {lines} }} }}"""
    found = np.zeros((len(FUNCTIONS), len(X)), F)
    run(source, found, X, len(X))
    exact = [function(X.astype(np.float64)) for function in FUNCTIONS.values()]
    for text, ours, theirs in zip(FUNCTIONS, found, exact, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, err_msg=text)


KINDS = {"short": np.int16, "unsigned short": np.uint16, "int": np.int32, "unsigned": np.uint32,
         "half": np.float16, "float": F}  # fmt: skip
ATOMICS = {
    "__bang_atomic_add": lambda old, new: old + new,
    "__bang_atomic_min": np.minimum,
    "__bang_atomic_max": np.maximum,
    "__bang_atomic_exch": lambda old, new: new,
    "__bang_atomic_and": lambda old, new: old & new,
    "__bang_atomic_or": lambda old, new: old | new,
    "__bang_atomic_xor": lambda old, new: old ^ new,
    "__bang_atomic_inc": lambda old, new: 0 if old >= new else old + 1,
    "__bang_atomic_dec": lambda old, new: new if old == 0 or old > new else old - 1,
}


@pytest.mark.parametrize("kind", KINDS)
def test_atomics(kind: str) -> None:
    names = [n for n in ATOMICS if kind not in ("half", "float") or n in list(ATOMICS)[:4]]
    calls = "".join(f"{n}(old + {i}, p + {i}, ({kind})5);\n" for i, n in enumerate(names))
    source = f"""__nram__ {kind} old[64], more[64];
    __mlu_entry__ void k({kind} *p, {kind} *out, {kind} *sums) {{
      __nramset(old, 64, ({kind})0);
      {calls}
      __bang_atomic_cas(old + 10, p + 10, ({kind})7, ({kind})5);
      __bang_atomic_cas(old + 11, p + 11, ({kind})8, ({kind})5);
      __memcpy(out, old, 12 * sizeof({kind}), NRAM2GDRAM);
      __bang_write_value(more, 4, ({kind})3);
      __bang_atomic_reduce_add(sums, more, 4);
      __bang_atomic_reduce_add(sums, ({kind})2);
      __bang_atomic_reduce_max(sums + 1, ({kind})9, 2);
      __bang_atomic_reduce_min(sums + 3, more, 1);
      __bang_atomic_add(old, sums + 4, more, 2);
    }}"""
    p = np.full(12, 7, KINDS[kind])
    out, sums = np.zeros_like(p), np.full(6, 6, KINDS[kind])
    run(source, p, out, sums)
    wanted = [ATOMICS[n](p.dtype.type(7), p.dtype.type(5)) for n in names]
    assert p[: len(names)].tolist() == [float(w) for w in wanted]
    assert p[10:].tolist() == [5, 7]
    assert out[: len(names)].tolist() == [7] * len(names) and out[10:].tolist() == [7, 7]
    assert sums.tolist() == [11, 9, 9, 3, 9, 9]


def test_vectors_in_registers() -> None:
    source = """__nram__ unsigned out_n[64 * 7]; __nram__ float out_f[128];
    __mlu_vector__ void ramp(float *dst, float start, unsigned len) {
      vv_float now, step;
      const unsigned block = __vv_get_length() / sizeof(float);
      __vv_index(now, start, 1.0f);
      __vv_move(step, (float)block);
      for (unsigned i = 0; i < len / block; i++) {
        __vv_store(dst + i * block, now);
        __vv_add(now, now, step);
      }
    }
    __mlu_entry__ void k(unsigned *out, float *floats, unsigned seed) {
      vv_uint32 a, b, c;
      __vv_index(a, 0, 1);
      __vv_move(b, seed);
      __vv_add(c, a, b);
      __vv_store(out_n, c, 64);
      __vv_mul(c, c, b);
      __vv_store(out_n + 64, c, 64);
      __vv_mulh(c, c, 0xD2511F53u);
      __vv_store(out_n + 128, c, 64);
      __vv_xor(c, a, 0xFFu);
      __vv_store(out_n + 192, c, 64);
      __vv_xor(c, a, b);
      __vv_store(out_n + 256, c, 64);
      __vv_trixor(c, a, b, c);
      __vv_store(out_n + 320, c, 64);
      __vv_mulh(c, b, b);
      __vv_load(a, out_n, 64);
      vv_int32 d, e;
      __vv_move(d, 3); __vv_sub(e, d, 1);
      __vv_sub(e, e, d);
      if (e.lane[5] == -1) __vv_store(out_n + 384, c);
      __memcpy(out, out_n, sizeof(out_n), NRAM2GDRAM);
      ramp(out_f, 2.0f, 128);
      __memcpy(floats, out_f, sizeof(out_f), NRAM2GDRAM);
    }"""
    found, floats, seed = np.zeros((7, 64), np.uint32), np.zeros(128, F), 0x9E3779B9
    run(source, found, floats, seed)
    i = np.arange(64, dtype=np.uint64)
    product = (i + seed) % 2**32 * seed % 2**32
    wanted = [(i + seed) % 2**32, product, product * 0xD2511F53 >> 32, i ^ 0xFF, i ^ seed,
              i * 0, i * 0 + (seed * seed >> 32)]  # fmt: skip
    assert (found == np.array(wanted)).all()
    assert (floats == np.arange(128) + 2).all()


def test_filling_every_memory_and_copies_in_three_dimensions() -> None:
    source = """__nram__ int got[64]; __ldram__ int far[16]; __mlu_shared__ int near[64];
    __mlu_entry__ void k(int *out, short *shorts, const int *in) {
      __ldramset(far, 16, 5);
      __sramset(near, 64, 6);
      __nramset_int(got, 64, 1);
      __memcpy(got, far, 64, LDRAM2NRAM);
      __memcpy(got + 16, near, 64, SRAM2NRAM);
      __memcpy_3d(got + 32, in, 4, GDRAM2NRAM, 8, 16, 2, 32, 4, 2);
      __memcpy_async_3d(got + 48, in, 4, GDRAM2NRAM, 8, 16, 2, 32, 4, 2);
      __sync_io_move_compute();
      __memcpy_async(out, got, 256, NRAM2GDRAM);
      __sync_move(); __sync_compute(); __sync();
      __nramset_short((short *)got, 2, 7);
      __nramset_ushort((unsigned short *)got + 2, 2, 8);
      __nramset_char((char *)got + 8, 4, 1);
      __nramset_uint((unsigned *)got + 3, 2, 0x50005);
      __bang_lock(0, 0); __bang_unlock(0, 0);
      __memcpy(shorts, got, 20, NRAM2GDRAM);
      if (in[0] == 99) __abort();
    }"""
    out, shorts, x = np.zeros(64, np.int32), np.zeros(10, np.int16), np.arange(8, dtype=np.int32)
    run(source, out, shorts, x, machine="mlu370", dims=(4, 1, 1), task_type="UNION1", checks=())
    block = [0, 1, 4, 1, 1, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1]
    assert out.tolist() == [5] * 16 + [6] * 16 + block + block
    assert shorts.tolist() == [7, 7, 8, 8, 257, 257, 5, 5, 5, 5]


def test_filling_dram_and_gathering() -> None:
    source = """__nram__ int got[64]; __nram__ unsigned char bits[8]; __nram__ unsigned offsets[8];
    __mlu_entry__ void k(int *p, half *h, const int *q, int *out) {
      __gdramset(p, 300, 7);
      __gdramset(h, 3, (half)1.5f);
      for (int i = 0; i < 8; i++) offsets[i] = 4 * (7 - i);
      bits[0] = 0xA5;
      __nramset(got, 64, -1);
      __gather_async(got, q, offsets, bits, 4, GDRAM2NRAM, 4, 8);
      __sync();
      __gather(got + 17, q, offsets, bits, 4, GDRAM2NRAM, 4, 8);
      __bang_gather_async(got + 8, q, offsets, 0, 4, GDRAM2NRAM, 4, 8);
      __sync();
      got[16] = __is_dram(p) * 10 + __is_dram(got);
      __memcpy(out, got, 17 * 4, NRAM2GDRAM);
    }"""
    p, h = np.zeros(301, np.int32), np.zeros(4, np.float16)
    q, out = np.arange(100, 108, dtype=np.int32), np.zeros(17, np.int32)
    run(source, p, h, q, out)
    assert p.tolist() == [7] * 300 + [0] and h.tolist() == [1.5] * 3 + [0]
    assert out[:8].tolist() == [q[7 - i] if 0xA5 >> i & 1 else -1 for i in range(8)]
    assert out[8:].tolist() == [*q[::-1], 10]


def test_exit_ends_a_task_and_an_assertion_stops_it() -> None:
    source = """__mlu_entry__ void k(int *p) { p[0] = 1; if (p[1] == 0) exit(0);
      if (p[1] == 1) __assert_fail("x", "f", 1, "g"); exit(3); }"""
    found = np.array([0, 0], np.int32)
    run(source, found)
    assert found[0] == 1
    for code, text in ((1, "assertion failed"), (2, "abort")):
        with pytest.raises(ZhisuanError, match=text):
            run(source, np.array([0, code], np.int32))


PLACES = (
    "__nram__ half a[4096], b[4096]; __nram__ signed char c[4096]; __wram__ signed char w[8192];"
)
BROKEN = {
    "__bang_add(a, a, b, {n})": (64, 65, "elements times their size must be a positive multiple of"
                                 " 128 bytes"),
    "__bang_mul_scalar(a, b + {n}, (half)2, 64)": (32, 8, "NRAM operands must be aligned to 64 "
                                                   "bytes"),
    "__bang_cycle_add(a, a, b, 192, {n})": (64, 128, "the elements of src must be a multiple of "
                                            "those of seg"),
    "__bang_max(a, a + {n}, 64)": (64, 32, "dst and src must not overlap"),
    "__bang_gt_bitindex(a, b, b, {n})": (1024, 512, "the elements must be a multiple of 1024"),
    "__bang_transpose(a, b, 64, {n})": (64, 32, "height and width times the size must be multiples "
                                        "of 128 bytes"),
    "__bang_maxpool(a, b, {n}, 2, 2, 2, 2)": (64, 32, "channels times their size must be a multiple"
                                              " of 128 bytes"),
    "__bang_write_zero(a, {n})": (32, 33, "elements times their size must be a positive multiple of"
                                  " 64 bytes"),
    "__bang_half2float((float *)a, b, {n})": (64, 60, "the elements must be a multiple of 64"),
    "__bang_conv(a, c, w, {n}, 2, 2, 1, 1, 1, 1, 64, 0)": (64, 32, "input channels times their size"
                                                           " must be a multiple of 64 bytes"),
    "__bang_conv(a, c, w, 64, 2, 2, 1, 1, 1, 1, {n}, 0)": (64, 65, "output channels must be a "
                                                           "multiple of 64"),
    "__memcpy(w, c, {n}, NRAM2WRAM)": (64, 32, "a copy to or from WRAM must be a multiple of 64 "
                                       "bytes"),
    "__memcpy(a, b, {n}, NRAM2NRAM)": (128, 64, "a copy within NRAM must be a multiple of 128 "
                                       "bytes"),
    "__bang_half2int8_rd(c, a, 64, {n})": (-127, 128, "fix position must lie between minus 127 and "
                                           "127"),
    "__bang_mlp(a, c, b, w, {n}, 64, 0)": (64, 65, "height must be a multiple of 64"),
    "__bang_mlp(a, c, b, w, 64, {n}, 0)": (64, 65, "width times the size must be a multiple of 64 "
                                           "bytes"),
}  # fmt: skip


def test_rules_hold_where_they_are_kept_and_stop_programs_that_break_them() -> None:
    """At run time: the number is an argument."""
    kernels = "".join(
        f"__mlu_entry__ void k{i}(int n) {{ {call.format(n='n')}; }}\n"
        for i, call in enumerate(BROKEN)
    )
    for number, (good, bad, rule) in enumerate(BROKEN.values()):
        run(PLACES + kernels, good, kernel=f"k{number}", arch=270, checks=())
        with pytest.raises(ZhisuanError, match=rule):
            run(PLACES + kernels, bad, kernel=f"k{number}", arch=270, checks=())


@pytest.mark.parametrize("call", BROKEN)
def test_a_broken_rule_is_a_compile_error_where_sizes_are_constants(call: str) -> None:
    _, bad, rule = BROKEN[call]
    source = f"{PLACES}\n__mlu_entry__ void k() {{\n  {call.format(n=bad)};\n}}"
    if "+" in call:  # addresses are known when a program runs
        return
    with pytest.raises(ZhisuanError) as caught:
        run(source, arch=270)
    assert caught.value.what == rule and "kernel.bcl:3" in str(caught.value)


def test_later_machines_copy_16_bytes_to_wram() -> None:
    source = PLACES + "__mlu_entry__ void k() {{ __memcpy(w, c, {}, NRAM2WRAM); }}"
    run(source.format(16), checks=())
    with pytest.raises(ZhisuanError, match="WRAM must be a multiple of 16 bytes"):
        run(source.format(24))


def test_later_machines_take_any_size() -> None:
    source = PLACES + "__mlu_entry__ void k() { __bang_add(a, a + 1, b, 7); }"
    run(source, checks=())


@pytest.mark.parametrize(("arch", "machine"), [(270, "mlu270"), (372, "mlu370")])
def test_the_architecture_is_a_machine_s(arch: int, machine: str) -> None:
    source = """__mlu_entry__ void k(int *p) { p[0] = __BANG_ARCH__; p[1] = __MLU_NRAM_SIZE__;
      p[2] = __MLU_WRAM_SIZE__; p[3] = __MLU_SRAM_SIZE__; }"""
    found, chip = np.zeros(4, np.int32), load(machine)
    run(source, found, arch=arch)
    sizes = [size // 1024 for size in (chip.nram.size, chip.wram.size, chip.sram.size)]
    assert found.tolist() == [arch, *sizes] and architecture_of(chip) == arch
