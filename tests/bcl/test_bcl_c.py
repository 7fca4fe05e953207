"""C as it is: variables, double, wide division, arrays of run-time length, libc's memory functions.

Every program is also compiled for the host; both must hand over the same numbers.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
import pytest

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.base import clang
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import TraceBuilder

ENTRY = '__attribute__((annotate("dlp_kernel"))) void run(unsigned long *out) { program(out); }\n'
COUNT = 16

PROGRAMS = {
    "variables outside functions and static ones": """
        int counter = 5, zeros[3];
        static struct { char c; short *p; int a[3]; } s = { 'x', 0, { 1, 2 } };
        short target = -7;
        short *pointer = &target;
        const char *text = "chip";
        static int next(void) { static int n = 40; return ++n; }
        void program(unsigned long *out) {
          zeros[1] += counter++; s.p = pointer; next();
          out[0] = counter; out[1] = zeros[1]; out[2] = *s.p; out[3] = next();
          out[4] = text[2]; out[5] = s.a[1] + s.a[2];
        }""",
    "double in software": """
        __attribute__((noinline)) double half(double x) { return x / 2 + 0.125; }
        static volatile double third = 1.0 / 3, big = 1e300, tiny = 5e-324;
        static volatile float f = 0.1f;
        static volatile long n = -1234567890123;
        static double bits(double x) { return x; }
        void program(unsigned long *out) {
          double x = half(third), y = f * x - n, z = big * big, u = tiny / 2;
          __builtin_memcpy(out + 0, &x, 8); __builtin_memcpy(out + 1, &y, 8);
          __builtin_memcpy(out + 2, &z, 8); __builtin_memcpy(out + 3, &u, 8);
          out[4] = x < y; out[5] = y != y; out[6] = (long)y; out[7] = (unsigned char)(x * 100);
          float g = (float)(third * big / 1e299); __builtin_memcpy(out + 8, &g, 4);
          out[9] = !(z < third) && z > third; out[10] = (unsigned long)(third * 3e19);
        }""",
    "arrays of a length known at run time": """
        static volatile int length = 37;
        static int sum(int n) {
          int total = 0;
          for (int round = 1; round < 4; round++) {
            int a[n * round];
            for (int i = 0; i < n * round; i++) a[i] = i ^ n;
            for (int i = 0; i < n * round; i++) total += a[i];
          }
          return total + (n > 30 ? sum(n - 3) : 0);
        }
        void program(unsigned long *out) { out[0] = sum(length); out[1] = length; }""",
    "memory and string functions": """
        #include <string.h>
        static char a[64], b[64];
        void program(unsigned long *out) {
          strcpy(a, "tensor"); strcat(a, " processor"); memmove(a + 3, a, 10);
          memcpy(b, a, sizeof b); memset(b + 20, 7, 3);
          out[0] = strlen(a); out[1] = strcmp(a, b); out[2] = strchr(a, 'n') - a;
          out[3] = strstr(b, "ten") - b; out[4] = memcmp(a, "tent", 4) > 0; out[5] = b[21];
          out[6] = strspn(a, "nest"); out[7] = strrchr(b, 't') - b;
        }""",
    "short vectors": """
        typedef int v4 __attribute__((vector_size(16)));
        typedef unsigned char v8 __attribute__((vector_size(8)));
        typedef float f2 __attribute__((vector_size(8)));
        static v4 a = { 1, -2, 3, 4 }, b = { 10, 20, 30, 40 };
        static volatile int at = 2;
        __attribute__((noinline)) static v4 mixed(v4 x, v4 y) { return (x < y) & (x * y) | x; }
        void program(unsigned long *out) {
          v4 c = mixed(a, b) << 1; c[at] = 99; f2 f = { at, 0.5f }; f = f * f + 1;
          v8 d = (v8)(f2)f; v4 e = __builtin_shufflevector(a, c, 7, 0, 5, 2);
          out[0] = c[0]; out[1] = c[at]; out[2] = c[3]; out[3] = d[3]; out[4] = d[7];
          out[5] = e[0]; out[6] = e[at]; out[7] = __builtin_reduce_add(e); out[8] = f[1] * 100;
        }""",
    "packed structures and bit-fields": """
        struct __attribute__((packed)) P { char c; long l; int i; short s; };
        struct B { unsigned a : 3; int b : 17; long c : 40; unsigned char d : 1; };
        static struct P p = { 1, -2, 3, -4 }, q;
        static struct B f = { 5, -60000, 1L << 38, 1 };
        static volatile int k = 3;
        static struct P changed(struct P x) { x.l *= k; x.s++; return x; }
        void program(unsigned long *out) {
          q = changed(p); struct P *r = &q; f.b -= k; f.c = -f.c;
          out[0] = r->l; out[1] = r->i; out[2] = r->s; out[3] = f.a; out[4] = f.b; out[5] = f.c;
          out[6] = f.d; out[7] = sizeof(struct P);
        }""",
}  # fmt: skip


WIDE = """
    static volatile __int128 a = ((__int128)-987654321 << 70) + 12345, b = 1000003;
    static volatile unsigned __int128 c = ~(unsigned __int128)0, d = (unsigned __int128)7 << 66;
    void program(unsigned long *out) {
      __int128 q = a / b, r = a % b; unsigned __int128 s = c / d, t = c % d;
      out[0] = q; out[1] = q >> 64; out[2] = r; out[3] = r >> 64;
      out[4] = s; out[5] = s >> 64; out[6] = t; out[7] = t >> 64;
      out[8] = (a < 0 ? -a : a) >> 60; out[9] = (float)d == 7.0f * (1ul << 33) * (1ul << 33);
      out[10] = (__int128)(float)b;
      __int128 p; unsigned __int128 u;
      out[11] = __builtin_mul_overflow(a, b, &p); out[12] = __builtin_mul_overflow(b, b, &p);
      out[13] = __builtin_add_overflow(c, d, &u); out[14] = __builtin_sub_overflow(b, a, &p);
      out[15] = __builtin_mul_overflow(a, b << 30, &p);
    }"""


def wide_results() -> list[int]:
    a, b, c, d = (-987654321 << 70) + 12345, 1000003, 2**128 - 1, 7 << 66
    q, r, s, t = -(-a // b), -(-a % b), c // d, c % d
    over = [not -(2**127) <= a * b < 2**127, 0, 1, 0, 1]
    words = [q, q >> 64, r, r >> 64, s, s >> 64, t, t >> 64, -a >> 60, 1, b, *over]
    return [word % 2**64 for word in words] + [0] * (COUNT - len(words))


@cache  # a library that is loaded keeps its variables
def on_host(source: str) -> list[int]:
    if "#include" in source:  # the host's own library, without its headers
        source = source.replace(
            "#include <string.h>",
            """
            extern char *strcpy(char *, const char *), *strcat(char *, const char *);
            extern char *strchr(const char *, int), *strrchr(const char *, int);
            extern char *strstr(const char *, const char *);
            extern int strcmp(const char *, const char *), memcmp(const void *, const void *, long);
            extern void *memmove(void *, const void *, long), *memset(void *, int, long);
            extern void *memcpy(void *, const void *, long);
            extern unsigned long strlen(const char *), strspn(const char *, const char *);""",
        )
    library = ctypes.CDLL(str(clang.build_shared({"program.c": source})))
    out = np.zeros(COUNT, np.uint64)
    library.program(out.ctypes.data_as(ctypes.c_void_p))
    return out.tolist()


def on_chip(source: str, optimize: int) -> list[int]:
    program = bcl.compile(source + "\n" + ENTRY, "k.c", optimize=optimize, language="c").program
    memory = Memory(load("mlu270"))
    memory.reserve(GDRAM.base + 8 * COUNT)
    for _ in range(2):  # variables start anew each time
        execute(program, "run", [GDRAM.base], memory, TraceBuilder(), label="run")
    return memory.read(GDRAM.base, np.uint64, COUNT).tolist()


@pytest.mark.parametrize("optimize", [0, 2])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_c_program_computes_what_it_does_on_the_host(name: str, optimize: int) -> None:
    assert on_chip(PROGRAMS[name], optimize) == on_host(PROGRAMS[name])


@pytest.mark.parametrize("optimize", [0, 2])
def test_integers_of_128_bits_divide(optimize: int) -> None:
    assert on_chip(WIDE, optimize) == wide_results()


def test_kernels_have_static_variables_and_wide_division() -> None:
    source = """
        __mlu_func__ int next() { static int n = 40; return ++n; }
        __mlu_entry__ void k(__int128 *p, int *out) {
          next();
          int a[out[0]];
          for (int i = 0; i < out[0]; i++) a[i] = i;
          *out = next() + a[out[0] - 1] + (int)(p[0] / p[1]);
        }"""
    program = bcl.compile(source, "k.bcl").program
    memory = Memory(load("mlu270"))
    memory.reserve(GDRAM.base + 64)
    memory.write(GDRAM.base, np.array([0, 6, 0, 2], np.int64))
    memory.write(GDRAM.base + 32, np.array([9], np.int32))
    execute(program, "k", [GDRAM.base, GDRAM.base + 32], memory, TraceBuilder(), label="k")
    assert memory.read(GDRAM.base + 32, np.int32, 1)[0] == 42 + 8 + 3


def test_a_variable_that_nothing_defines_is_refused() -> None:
    with pytest.raises(ZhisuanError) as caught:
        bcl.compile("extern int missing;\n" + ENTRY.replace("program(out)", "*out = missing"),
                    "k.c", language="c")  # fmt: skip
    assert str(caught.value) == (
        "error: 'missing' is declared, but nothing defines it\n"
        "  where:    k.c:2:79\n"
        '    __attribute__((annotate("dlp_kernel"))) void run(unsigned long *out) '
        "{ *out = missing; }\n"
        "                                                                                  ^\n"
        "  try:      define it in this file, or give it a memory: __nram__, __wram__ or __ldram__"
    )
