"""Kernels with one mistake each, by the name of the mistake.

COMPILING: the compiler refuses them.  RUNNING: they stop, or a launch is refused; each with the
number that the kernel `k(half *p, int n)` is given as n.  OLD: by the rules of the MLU270 class.
"""

from __future__ import annotations

ARRAYS = (
    "__nram__ half a[256], b[256];\n__nram__ float f[64];\n__wram__ half w[256];\n"
    "__mlu_shared__ half s[256];\n"
)


def kernel(body: str, parameters: str = "half *p, int n") -> str:
    return f"{ARRAYS}__mlu_entry__ void k({parameters}) {{\n  {body}\n}}\n"


_LAUNCH = '#include "cnrt.h"\nvoid h(int *) {}\nint main() {\n  LAUNCH;\n}\n'


def launch(how: str) -> str:
    """A host program that launches `k(int *)`, or tries to."""
    return "__mlu_entry__ void k(int *p) { *p = 1; }\n" + _LAUNCH.replace("LAUNCH", how)


_ONE = "<<<cnrtDim3_t{1, 1, 1}, cnrtFuncTypeBlock, nullptr>>>"
COMPILING = {
    # names
    "missing built-in": kernel("__bang_soft_max(a, a, n);"),
    "built-in of another spelling": kernel("__memcpyasync(a, p, 64, GDRAM2NRAM);"),
    "direction of another spelling": kernel("__memcpy(a, p, 64, GDRAM2NARM);"),
    "name of CUDA": kernel("p[threadIdx.x] = 1;"),
    "missing header": '#include "bang_kernel.h"\n' + kernel("p[0] = 1;"),
    "missing function": "extern __mlu_func__ int helper(int);\n" + kernel("p[0] = helper(n);"),
    "missing variable": "extern __mlu_device__ half table[4];\n" + kernel("p[0] = table[n];"),
    # built-ins
    "types that no overload has": kernel("__bang_active_exp((int *)a, (int *)b, 64);"),
    "types that differ": kernel("__bang_add(a, f, a, 64);"),
    "too many arguments": kernel("__bang_active_relu(a, a, 64, 1);"),
    "wrong memory": kernel("__bang_add(a, s, a, 64);"),
    "direction mismatch": kernel("__memcpy_async(a, p, 128, NRAM2GDRAM);"),
    "scalar read of WRAM": kernel("p[0] = w[n];"),
    "scalar write of WRAM": kernel("w[n] = 3;"),
    "too much to print": kernel('printf("%d", n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n);'),
    # qualifiers
    "two memories": "__nram__ __wram__ half q[64];\n" + kernel("p[0] = q[n];"),
    "memory of a function": "__nram__ __mlu_func__ int q() { return 1; }\n" + kernel("p[0] = q();"),
    "variable without a memory": "half q[64];\n" + kernel("p[0] = q[n];"),
    "first value on the chip": "__nram__ half q[2] = {1, 2};\n" + kernel("p[0] = q[n];"),
    "function of the host": "int h(int n) { return n; }\n" + kernel("p[0] = h(n);"),
    "kernel that returns": "__mlu_entry__ int k(half *p) { return 1; }\n",
    "no kernel": "__mlu_func__ int f() { return 1; }\n",
    # C++
    "kernel called": kernel("p[0] = 1;") + "__mlu_entry__ void m(half *p) { k(p, 1); }\n",
    "heap": kernel("half *q = new half[n]; q[0] = 1; p[0] = q[n - 1];"),
    "function of C's library": "#include <stdlib.h>\n" + kernel("p[0] = rand();"),
    "exception": kernel("if (n) throw 1;"),
    "constant division by zero": kernel("p[0] = n / 0;"),
    # launches
    "launch of no kernel": launch(f"h{_ONE}(nullptr)"),
    "launch with too few arguments": launch(f"k{_ONE}()"),
    "launch with a wrong type": launch(f"k{_ONE}(1.5f)"),
    "launch of nothing known": launch(f"kk{_ONE}(nullptr)"),
    "unknown function of the runtime": launch("cnrtQueueSynchronise(nullptr)"),
}  # fmt: skip
OLD = {
    "size that is no multiple": kernel("__bang_add(a, a, b, 63);"),
    "misaligned": kernel("__bang_add(a + 1, a, b, 64);"),
}
_CALLS = "__attribute__((noinline)) __mlu_func__ int deep(int n) {\n  int x[8];\n" \
    "  x[n & 7] = n;\n  return n ? deep(n + 1) + x[n & 3] + deep(n + 2) : x[1];\n}\n"  # fmt: skip
_ANY = "__attribute__((noinline)) __mlu_func__ void add(half *d, half *q) {\n" \
    "  __bang_add(d, q, q, 64);\n}\n"  # fmt: skip
RUNNING = {
    "wrong memory": (_ANY + kernel("add(n ? p : a, a);"), 1),
    "direction mismatch": (kernel("__memcpy(n ? p : a, p, 128, GDRAM2NRAM);"), 1),
    "misaligned": (kernel("__bang_active_relu(f, (float *)((char *)f + n), 4);"), 2),
    "null pointer": (kernel("__memcpy(a, (half *)nullptr + n, 128, GDRAM2NRAM);"), 8),
    "copy too long": (kernel("__memcpy(a, p, n, GDRAM2NRAM);"), 4096),
    "copy of less than nothing": (kernel("__memcpy(a, p, n, GDRAM2NRAM);"), -4),
    "shared memory of a lone task": (kernel("__memcpy(s, p, n, GDRAM2SRAM);"), 128),
    "recursion that never ends": (_CALLS + kernel("p[0] = deep(n);"), 1),
    "division by zero": (kernel("p[0] = 7 / (n - 3);"), 3),
    "remainder by zero": (kernel("p[0] = 7 % (n - 3);"), 3),
    "assertion": ("#include <assert.h>\n" + kernel("assert(n == 3);\n  p[0] = 1;"), 1),
    "abort": (kernel("if (n) __abort();"), 1),
    "unknown direction": (kernel("__memcpy(a, p, 64, (mluMemcpyDirection_t)n);"), 99),
    "text of a number": (kernel('printf("%s\\n", n);'), 1),
    "NRAM too small": (
        "__nram__ half big[300000];\n__nram__ float tile[120000];\n"
        + kernel("big[n] = 1;\n  tile[n] = 2;\n  p[0] = big[0] + tile[0];"), 1,
    ),
    "WRAM too small": (
        "__wram__ half filters[600000];\n"
        + kernel("__memcpy(filters, p, 128, GDRAM2WRAM);"), 1,
    ),
}  # fmt: skip
OLD_RUNNING = {
    "size that is no multiple": (kernel("__bang_add(a, a, b, n);"), 63),
    "misaligned": (kernel("__bang_add(a + n, a, b, 64);"), 1),
}
