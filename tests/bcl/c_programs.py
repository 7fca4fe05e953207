"""Hypothesis strategies for C functions without undefined behaviour, as host and kernel source.

The same text compiles as C for the host and as C++ for the DLP.  Every function takes one
parameter of each scalar type and returns one of them; what could be undefined (overflow of signed
numbers, shifts, divisions, float to integer, array indices) is guarded in the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

BITS = {"i8": 8, "u8": 8, "i16": 16, "u16": 16, "i32": 32, "u32": 32, "i64": 64, "u64": 64}
INTEGERS = tuple(BITS)
FLOATS = ("f16", "f32")
TYPES = INTEGERS + FLOATS
FLOAT_LIMIT = {8: 100, 16: 10000, 32: 60000, 64: 60000}

PRELUDE = """
typedef signed char i8; typedef unsigned char u8; typedef short i16; typedef unsigned short u16;
typedef int i32; typedef unsigned u32; typedef long long i64; typedef unsigned long long u64;
typedef float f32; typedef _Float16 f16; typedef unsigned __int128 u128;
struct S { i8 a; u32 b; i16 c; i64 d; f32 e; u8 g[3]; };
#ifdef __CUDA__
#define FUNC static __attribute__((device))
#define OUTLINE static __attribute__((device, noinline))
#define ENTRY __attribute__((global)) __attribute__((annotate("dlp_kernel")))
#else
#define FUNC static
#define OUTLINE static __attribute__((noinline))
#define ENTRY
#endif
FUNC f32 f32_of(i64 x) { u32 b = (u32)x; f32 r; __builtin_memcpy(&r, &b, 4); return r; }
FUNC f16 f16_of(i64 x) { u16 b = (u16)x; f16 r; __builtin_memcpy(&r, &b, 2); return r; }
FUNC i64 i64_of_f32(f32 x) { if (x != x) return -1; u32 b; __builtin_memcpy(&b, &x, 4); return b; }
FUNC i64 i64_of_f16(f16 x) { if (x != x) return -1; u16 b; __builtin_memcpy(&b, &x, 2); return b; }
"""
PARAMETERS = ", ".join(f"{kind} p_{kind}" for kind in TYPES)


@dataclass
class Scope:
    """Names in reach while a function is written."""

    draw: st.DrawFn
    callable: list[tuple[str, str]]
    variables: dict[str, list[str]] = field(default_factory=dict)
    loops: int = 0
    counter: int = 0

    def pick(self, choices):  # type: ignore[no-untyped-def]
        return choices[self.draw(st.integers(0, len(choices) - 1))]

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def fresh(self) -> str:
        self.counter += 1
        return f"v{self.counter}"


def _unsigned(kind: str) -> str:
    return "u64" if BITS[kind] == 64 else "u32"


def constant(s: Scope, kind: str) -> str:
    if kind in FLOATS:
        return f"({kind}){s.pick(('0.0f', '1.0f', '-2.5f', '0.1f', '1000.0f', '3.0e-5f'))}"
    bits = BITS[kind]
    edge = s.pick((0, 1, 2, 7, 100, (1 << (bits - 1)) - 1, 1 << (bits - 1), (1 << bits) - 1))
    return f"({kind}){edge}ull"


def expression(s: Scope, kind: str, depth: int) -> str:
    """An expression of exactly type `kind`."""
    if depth <= 0 or s.number(0, 9) == 0:
        if s.number(0, 3) == 0:
            return constant(s, kind)
        return s.pick(s.variables[kind])
    if s.number(0, 9) == 9:
        condition = truth(s, depth - 1)
        return f"({condition} ? {expression(s, kind, depth - 1)} : {expression(s, kind, 0)})"
    if kind in FLOATS:
        return _float_expression(s, kind, depth)
    return _integer_expression(s, kind, depth)


def _float_expression(s: Scope, kind: str, depth: int) -> str:
    form = s.number(0, 7)
    if form == 0:
        other = s.pick([x for x in TYPES if x != kind])
        return f"(({kind}){expression(s, other, depth - 1)})"
    if form == 1:
        return f"(-{expression(s, kind, depth - 1)})"
    if form == 2 and kind == "f32":
        return f"__builtin_fabsf({expression(s, kind, depth - 1)})"
    a, b = expression(s, kind, depth - 1), expression(s, kind, depth - 1)
    return f"({kind})({a} {s.pick('+-*/')} {b})"


def _integer_expression(s: Scope, kind: str, depth: int) -> str:
    form = s.number(0, 13)
    wide = _unsigned(kind)
    a = expression(s, kind, depth - 1)
    if form <= 4:
        b = expression(s, kind, depth - 1)
        return f"({kind})(({wide}){a} {s.pick('+-*&|^')} ({wide}){b})"
    if form == 5:
        return f"({kind})({a} {s.pick(('<<', '>>'))} ({expression(s, 'u8', 1)} & {BITS[kind] - 1}))"
    if form == 6:
        return _division(s, kind, a, depth)
    if form == 7:
        other = s.pick([x for x in INTEGERS if x != kind])
        return f"(({kind}){expression(s, other, depth - 1)})"
    if form == 8:
        return _from_float(s, kind, depth)
    if form == 9:
        return f"(({kind}){truth(s, depth - 1)})"
    if form == 10:
        return f"({kind})({s.pick(('~', '-'))}({wide}){a})"
    if form == 11:
        return _bit_trick(s, kind, a)
    if form == 12:
        width = s.pick((1, 7, 17, 24, 33, 63))
        odd = f"unsigned _BitInt({width})"
        op = s.pick(("+", "*", "^", ">"))
        return f"({kind})(({odd}){a} {op} ({odd}){expression(s, 'i64', depth - 1)})"
    return _high_product(s, kind, a)


def _division(s: Scope, kind: str, a: str, depth: int) -> str:
    b = expression(s, kind, depth - 1)
    x, y = s.fresh(), s.fresh()
    op = s.pick(("/", "%"))
    guard = f"{y} == 0"
    if kind[0] == "i":
        guard += f" || {y} == ({kind})-1"
    body = f"{kind} {x} = {a}; {kind} {y} = {b}; ({guard}) ? {x} : ({kind})({x} {op} {y});"
    return f"({{ {body} }})"


def _from_float(s: Scope, kind: str, depth: int) -> str:
    source = s.pick(FLOATS)
    x = s.fresh()
    low = "-0.5f" if kind[0] == "u" else f"-{FLOAT_LIMIT[BITS[kind]]}.0f"
    test = f"{x} > {low} && {x} < {FLOAT_LIMIT[BITS[kind]]}.0f"
    return f"({{ {source} {x} = {expression(s, source, depth - 1)}; ({test}) ? ({kind}){x} : ({kind})7; }})"  # noqa: E501


def _bit_trick(s: Scope, kind: str, a: str) -> str:
    forms = (
        f"__builtin_clzll((u64){a} | 1)",
        f"__builtin_ctz((u32){a} | 0x80000000u)",
        f"__builtin_popcountll((u64){a})",
        f"__builtin_bswap32((u32){a})",
        f"__builtin_bswap64((u64){a})",
        f"((u32){a} << 7 | (u32){a} >> 25)",
        f"({{ i32 r_; __builtin_add_overflow((i32){a}, (i32)0x7fffff00, &r_) ? 5 : r_; }})",
        f"({{ i64 r_; __builtin_mul_overflow((i64){a}, (i64)0x123456789LL, &r_) ? 5 : r_; }})",
    )
    return f"({kind})({s.pick(forms)})"


def _high_product(s: Scope, kind: str, a: str) -> str:
    b = expression(s, "i64", 0)
    shift = s.pick((1, 63, 64, 70))
    forms = (
        f"(u64)(((u128)(u64){a} * (u64){b}) >> {shift})",
        f"(u64)(((__int128)(i64){a} * {b}) >> {shift})",
        f"((__int128)(i64){a} * {b} < ((__int128){b} << 5))",
        f"(u64)((((_BitInt(100))(i64){a} << 33) - {b}) >> {shift})",
        f"((_BitInt(100))(i64){a} * 3 >= (_BitInt(100)){b} * 5)",
    )
    return f"({kind}){s.pick(forms)}"


def truth(s: Scope, depth: int) -> str:
    kind = s.pick(TYPES)
    op = s.pick(("<", "<=", ">", ">=", "==", "!="))
    plain = f"({expression(s, kind, depth)} {op} {expression(s, kind, depth)})"
    if s.number(0, 5) == 0:
        return f"({plain} {s.pick(('&&', '||'))} !{truth(s, 0)})"
    return plain


def assigned(s: Scope, kind: str) -> str:
    """A local variable, an array element or a struct member that can be written."""
    form = s.number(0, 5)
    if form == 0 and kind == "i32":
        return f"array[{expression(s, 'u32', 1)} % 7]"
    if form == 1 and kind == "i64":
        return "box.d"
    if form == 2 and kind == "u8":
        return f"box.g[{expression(s, 'u32', 1)} % 3]"
    return s.pick([name for name in s.variables[kind] if name.startswith("l_")])


def statements(s: Scope, count: int, depth: int) -> list[str]:
    return [line for _ in range(count) for line in statement(s, depth)]


def statement(s: Scope, depth: int) -> list[str]:
    form = s.number(0, 9)
    kind = s.pick(TYPES)
    if form <= 3 or depth <= 0:
        return [f"{assigned(s, kind)} = {expression(s, kind, 3)};"]
    if form == 4:
        inside, other = statements(s, 2, depth - 1), statements(s, 1, depth - 1)
        return [f"if ({truth(s, 2)}) {{", *inside, "} else {", *other, "}"]
    if form == 5 and s.loops < 2:
        return _loop(s, depth)
    if form == 6:
        return _switch(s, depth)
    if form == 7 and s.callable:
        name, returns = s.pick(s.callable)
        arguments = ", ".join(expression(s, kind, 1) for kind in TYPES)
        return [f"{assigned(s, returns)} = {name}({arguments});"]
    if form == 8:
        return [
            f"struct S {(copy := s.fresh())} = box;",
            f"{copy}.c = {expression(s, 'i16', 2)};",
            f"if ({truth(s, 1)}) box = {copy};",
        ]
    return [f"{{ i32 *q = array + {s.number(0, 6)}; *q += 3; {assigned(s, 'i64')} = q - array; }}"]


def _loop(s: Scope, depth: int) -> list[str]:
    s.loops += 1
    index = f"n{s.loops}"
    s.variables["i32"].append(index)
    inside = statements(s, 2, depth - 1)
    leave = s.pick(("", f"if ({truth(s, 1)}) break;", f"if ({truth(s, 1)}) continue;"))
    s.variables["i32"].remove(index)
    s.loops -= 1
    start, end, step = s.number(-3, 3), s.number(0, 9), s.number(1, 3)
    head = f"for (i32 {index} = {start}; {index} < {end}; {index} += {step}) {{"
    return [head, *inside[:1], leave, *inside[1:], "}"]


def _switch(s: Scope, depth: int) -> list[str]:
    kind = s.pick(("i32", "u8", "i64"))
    cases = sorted({s.pick((0, 1, 2, 3, 5, 9, 50, 51, 127)) for _ in range(s.number(1, 8))})
    lines = [f"switch ({expression(s, kind, 2)} & 127) {{"]
    for case in cases:
        lines += [f"case {case}: {{", *statements(s, 1, 0), "}", s.pick(("break;", ""))]
    return [*lines, "default: break; }"]


@st.composite
def functions(draw: st.DrawFn, count: int) -> str:
    """`count` functions, each able to call those before it, and an entry that runs them all."""
    texts, known = [PRELUDE], []
    for index in range(count):
        s = Scope(draw, list(known))
        s.variables = {kind: [f"p_{kind}", f"l_{kind}"] for kind in TYPES}
        s.variables["i32"].append("array[3]")
        s.variables["i64"].append("box.d")
        s.variables["f32"].append("box.e")
        returns = s.pick(TYPES)
        name = f"f{index}"
        body = statements(s, s.number(2, 5), 3)
        final = expression(s, returns, 2)
        texts.append(_function(s, name, returns, body, final))
        known.append((name, returns))
    texts.append(_entry(known))
    return "\n".join(texts)


def _function(s: Scope, name: str, returns: str, body: list[str], final: str) -> str:
    keyword = s.pick(("FUNC", "OUTLINE"))
    plain = [f"{kind} l_{kind} = p_{kind};" for kind in TYPES]
    setup = [
        "i32 array[7] = {1, -2, 3, p_i32, 5, 6, 7};",
        "struct S box = {1, 2, 3, 4, 5.0f, {1}};",
    ]
    code = "\n  ".join([*setup, *plain, *body, f"return {final};"])
    return f"{keyword} {returns} {name}({PARAMETERS}) {{\n  {code}\n}}"


def _entry(known: list[tuple[str, str]]) -> str:
    loads = []
    for position, kind in enumerate(TYPES):
        value = f"in[{position}]"
        loads.append(f"{kind}_of({value})" if kind in FLOATS else f"({kind}){value}")
    arguments = ", ".join(loads)
    lines = []
    for position, (name, returns) in enumerate(known):
        call = f"{name}({arguments})"
        result = f"i64_of_{returns}({call})" if returns in FLOATS else f"(i64){call}"
        lines.append(f"    out[{position}] = {result};")
    head = "ENTRY void run(const i64 *in, i64 *out, i32 cases) {"
    loop = f"  for (i32 n = 0; n < cases; n++, in += {len(TYPES)}, out += {len(known)}) {{"
    return "\n".join([head, loop, *lines, "  }", "}"])
