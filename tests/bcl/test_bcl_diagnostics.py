"""Every mistake a kernel's author can make: the whole message."""

from __future__ import annotations

import pytest

from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError


def message(source: str) -> str:
    with pytest.raises(ZhisuanError) as caught:
        bcl.compile(source, "k.bcl")
    return str(caught.value)


def kernel(statement: str) -> str:
    return f"__mlu_entry__ void k(float *p, int n) {{\n  {statement}\n}}\n"


def test_clang_speaks_for_itself() -> None:
    assert message(kernel("p[0] = q;")) == (
        "error: use of undeclared identifier 'q'\n"
        "  where:    k.bcl:2:10\n"
        "  found:    k.bcl:2:10: error: use of undeclared identifier 'q'\n"
        "                2 |   p[0] = q;\n"
        "                  |          ^"
    )


def test_a_missing_include_is_named() -> None:
    assert message('#include "nothere.h"\n' + kernel("")) == (
        "error: 'nothere.h' file not found\n"
        "  where:    k.bcl:1:10\n"
        "  expected: a file in one of these, in this order:\n"
        "            .\n"
        "            Zhisuan's headers: bang.h, bcl.h, cnrt.h, dlp_runtime.h, mlu.h\n"
        "            the headers of C and C++\n"
        "  found:    k.bcl:1:10: fatal error: 'nothere.h' file not found\n"
        '                1 | #include "nothere.h"\n'
        "                  |          ^~~~~~~~~~~"
    )


def test_a_misspelt_builtin_gets_a_hint() -> None:
    text = message(kernel("__bang_transpos((half *)p, (half *)p, n, n);"))
    first = (
        "error: use of undeclared identifier '__bang_transpos'; did you mean '__bang_transpose'?"
    )
    assert text.split("\n")[:2] == [first, "  where:    k.bcl:2:3"]


MESSAGES = {
    "__builtin_printf_missing": (
        "extern __mlu_func__ int helper(int);\n" + kernel("p[0] = helper(n);"),
        "error: function 'helper' has no body that a kernel could call\n"
        "  where:    k.bcl:3:10\n"
        "      p[0] = helper(n);\n"
        "             ^",
    ),
    "an instruction that does not exist": (
        'extern "C" __mlu_func__ void __dlp_VAV_f61(void *, long long, void *, void *);\n'
        + kernel("__dlp_VAV_f61(p, n, p, p);"),
        "error: function '__dlp_VAV_f61' has no body that a kernel could call\n"
        "  where:    k.bcl:3:3\n"
        "      __dlp_VAV_f61(p, n, p, p);\n"
        "      ^\n"
        "  try:      did you mean '__dlp_VAV_f16'?",
    ),
    "a double parameter": (
        "__mlu_entry__ void k(int *p, double q) { *p = (int)q; }\n",
        "error: a kernel cannot take a double: arguments are half or float\n"
        "  where:    k.bcl:1\n"
        "    __mlu_entry__ void k(int *p, double q) { *p = (int)q; }\n"
        "  try:      write float; inside, double works, in software",
    ),
    "a structure as parameter": (
        "struct P { int a, b; };\n__mlu_entry__ void k(int *p, P q) { *p = q.a; }\n",
        "error: parameter 'q.coerce' of kernel 'k' has a type that a launch cannot pass\n"
        "  where:    k.bcl:2\n"
        "    __mlu_entry__ void k(int *p, P q) { *p = q.a; }\n"
        "  try:      use a pointer, a number, or a structure of more than 16 bytes",
    ),
    "no kernel": (
        "int f() { return 1; }\n",
        "error: there is no kernel in this source\n"
        "  where:    k.bcl\n"
        "  expected: a function marked __mlu_entry__ (or __mlu_global__, __dlp_entry__)",
    ),
    "two kernels of one name": (
        kernel("p[0] = 1;") + "__mlu_entry__ void k(int *p) { *p = 1; }\n",
        "error: two kernels are called 'k'\n"
        "  where:    k.bcl:4\n"
        "    __mlu_entry__ void k(int *p) { *p = 1; }\n"
        "  try:      a launch names a kernel without its parameter types: rename one of them",
    ),
    "a copy that no unit can do": (
        kernel("__memcpy(p, p, n, WRAM2NRAM);"),
        "error: this copy direction is not supported\n"
        "  where:    k.bcl:2:3\n"
        "      __memcpy(p, p, n, WRAM2NRAM);\n"
        "      ^",
    ),
    "a variable outside functions": (
        "__mlu_device__ int counter;\n" + kernel("counter += n; p[0] = counter;"),
        "error: 'counter' is a variable outside all functions, which a kernel cannot write\n"
        "  where:    k.bcl:1\n"
        "    __mlu_device__ int counter;\n"
        "  expected: const data, or a memory named: __nram__, __wram__ or __ldram__",
    ),
    "a fused multiply-add": (
        kernel("p[0] = __builtin_fmaf(p[1], p[2], p[3]);"),
        "error: the scalar unit has no fused multiply-add\n"
        "  where:    k.bcl:2:10\n"
        "      p[0] = __builtin_fmaf(p[1], p[2], p[3]);\n"
        "             ^\n"
        "  try:      write a * b + c, which rounds twice",
    ),
    "an atomic operation": (
        kernel("__atomic_fetch_add((int *)p, n, 5);"),
        "error: atomic memory operations are not supported\n"
        "  where:    k.bcl:2:3\n"
        "      __atomic_fetch_add((int *)p, n, 5);\n"
        "      ^",
    ),
    "inline assembly": (
        kernel('__asm__("nop");'),
        "error: this inline assembly is not supported\n"
        "  where:    k.bcl:2:3\n"
        '      __asm__("nop");\n'
        "      ^\n"
        '  try:      the only statement here is "sync;"',
    ),
    "a constant operand that varies": (
        kernel("p[0] = (float)__dlp_SGET(n);"),
        "error: operand 'index' of __dlp_SGET must be a constant\n"
        "  where:    k.bcl:2:17\n"
        "      p[0] = (float)__dlp_SGET(n);\n"
        "                    ^",
    ),
}


ARRAYS = "__nram__ half a[256];\n__wram__ half w[256];\n"
WRONG_MEMORIES = {
    "__bang_add((half *)p, a, a, 64);": (
        "error: this built-in cannot write such a memory\n"
        "  where:    k.bcl:4:3\n"
        "      __bang_add((half *)p, a, a, 64);\n"
        "      ^\n"
        "  expected: an address in nram for 'dst' of VAV\n"
        "  found:    'p', a parameter of the kernel, lies in gdram"
    ),
    "__bang_relu(a, w + 64, 64);": (
        "error: this built-in cannot read such a memory\n"
        "  where:    k.bcl:4:3\n"
        "      __bang_relu(a, w + 64, 64);\n"
        "      ^\n"
        "  expected: an address in nram for 'a' of VRELU\n"
        "  found:    'w' lies in wram"
    ),
    "__memcpy(a, p, 512, NRAM2GDRAM);": (
        "error: the direction of this copy does not match its destination\n"
        "  where:    k.bcl:4:3\n"
        "      __memcpy(a, p, 512, NRAM2GDRAM);\n"
        "      ^\n"
        "  expected: an address in ldram or gdram for 'dst' of VSTORE\n"
        "  found:    'a' lies in nram"
    ),
    "__memcpy(a, w, 512, GDRAM2NRAM);": (
        "error: the direction of this copy does not match its source\n"
        "  where:    k.bcl:4:3\n"
        "      __memcpy(a, w, 512, GDRAM2NRAM);\n"
        "      ^\n"
        "  expected: an address in ldram or gdram or param or const for 'src' of VLOAD\n"
        "  found:    'w' lies in wram"
    ),
    "p[0] = w[n];": (
        "error: scalar code cannot read 'w', which lies in wram\n"
        "  where:    k.bcl:4:10\n"
        "      p[0] = w[n];\n"
        "             ^\n"
        "  try:      copy it to an __nram__ array first"
    ),
}


@pytest.mark.parametrize("statement", WRONG_MEMORIES)
def test_operands_in_the_wrong_memory_are_refused(statement: str) -> None:
    assert message(ARRAYS + kernel(statement)) == WRONG_MEMORIES[statement]


@pytest.mark.parametrize("name", MESSAGES)
def test_our_own_messages(name: str) -> None:
    source, expected = MESSAGES[name]
    assert message(source) == expected
