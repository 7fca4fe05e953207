"""Mathematics of one number under the names of C and C++, and the library of whole vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from builtin_cases import Case, calls, check
from chip import run

F, H, W = np.float32, np.float16, np.int32
X = np.array([0.3, 0.9, 0.04, -0.6, 0.5], F)
OF_ONE = {
    "sqrt(x * x)": abs, "exp(x)": math.exp, "exp2(x)": lambda x: 2**x, "expm1(x)": math.expm1,
    "log(x * x)": lambda x: math.log(x * x), "log2(x * x)": lambda x: math.log2(x * x),
    "log10(x * x)": lambda x: math.log10(x * x), "log1p(x)": math.log1p, "sin(x)": math.sin,
    "cos(x)": math.cos, "tan(x)": math.tan, "asin(x)": math.asin, "acos(x)": math.acos,
    "atan(x * 9)": lambda x: math.atan(x * 9), "sinh(x)": math.sinh, "cosh(x)": math.cosh,
    "tanh(x)": math.tanh, "erf(x * 2)": lambda x: math.erf(x * 2), "erfc(x)": math.erfc,
    "cbrt(x)": math.cbrt, "fabs(x)": abs, "rint(x * 5)": lambda x: round(x * 5),
    "rsqrt(x * x)": lambda x: 1 / abs(x), "nearbyintf(x * 3)": lambda x: round(x * 3),
    "pow(2, (int)(x * 11))": lambda x: 2.0 ** int(x * 11), "fmax(x, 0.1)": lambda x: max(x, 0.1),
    "fmin(x, 0.1)": lambda x: min(x, 0.1), "fmod(x, 0.25)": lambda x: math.fmod(x, 0.25),
    "atan2(x, -0.5)": lambda x: math.atan2(x, -0.5), "hypot(x, 2)": lambda x: math.hypot(x, 2),
    "copysign(3, x)": lambda x: math.copysign(3, x), "exp10f(x)": lambda x: 10**x,
    "fmaf(x, x, 1)": lambda x: x * x + 1, "lroundf(x * 7)": lambda x: math.floor(abs(x * 7) + 0.5)
    * (1 if x > 0 else -1), "std::sqrt(x * x) + std::abs(-2)": lambda x: abs(x) + 2,
    "std::pow(x * x, 0.5f)": abs, "std::exp(x)": math.exp, "std::max(x, 0.2f)":
    lambda x: max(x, 0.2), "max(x, 0)": lambda x: max(x, 0), "0.1 * x + 1.0": lambda x: 0.1 * x + 1,
    "isnan(x) + 2 * isinf(x / 0) + 4 * isfinite(x)": lambda x: 6,
    "(float)(hsin((half)0.5) + hcos((half)0.5) + htanh((half)0.5))": lambda x: 1.8184,
    "(float)(hexp2((half)3) + hlog2((half)8) + hlog10((half)100) + hrcp((half)4))": lambda x: 13.25,
    "(float)(hrsqrt((half)4) + habs((half)-1) + hfloor((half)1.5) + hceil((half)1.5))":
    lambda x: 4.5, "(float)(htrunc((half)-1.5) + hrint((half)2.5) + hround((half)2.5))":
    lambda x: 4, "(float)(hmax((half)1, (half)2) - hmin((half)1, (half)2))": lambda x: 1,
}  # fmt: skip

OF_ONE |= {
    f"{name}(fabsf(x))": lambda x, function=function: function(abs(x))
    for name, function in {
        "tanf": math.tan, "asinf": math.asin, "acosf": math.acos, "atanf": math.atan,
        "sinhf": math.sinh, "coshf": math.cosh, "erff": math.erf, "erfcf": math.erfc,
        "cbrtf": math.cbrt, "log10f": math.log10, "log1pf": math.log1p, "expm1f": math.expm1,
        "rintf": round, "rsqrtf": lambda x: x**-0.5,
    }.items()
}  # fmt: skip
OF_ONE |= {
    "atan2f(x, 0.5f)": lambda x: math.atan2(x, 0.5), "hypotf(x, 2)": lambda x: math.hypot(x, 2),
    "fmodf(x, 0.3f)": lambda x: math.fmod(x, float(F(0.3))),
    "copysignf(2, x)": lambda x: math.copysign(2, x),
}  # fmt: skip


@pytest.mark.parametrize("optimize", [0, 2])
def test_functions_of_c_and_cpp(optimize: int) -> None:
    lines = "\n".join(f"out[{i} * n + j] = {text};" for i, text in enumerate(OF_ONE))
    source = f"""#include <cmath>
    #include <algorithm>
    __mlu_entry__ void k(float *out, const float *in, int n) {{
      for (int j = 0; j < n; j++) {{ const float x = in[j]; {lines} }} }}"""
    found = np.zeros((len(OF_ONE), len(X)), F)
    run(source, found, X, len(X), optimize=optimize)
    for text, ours in zip(OF_ONE, found, strict=True):
        wanted = [OF_ONE[text](float(x)) for x in X]
        near = 2e-3 if "half" in text else 2e-6
        np.testing.assert_allclose(ours, wanted, rtol=near, err_msg=text)


def test_a_double_variable_keeps_its_digits() -> None:
    source = """__mlu_entry__ void k(float *p, int n) {
      double sum = p[0];
      for (int i = 0; i < n; i++) sum = sum + 1e-9f;
      p[1] = sum - p[0]; }"""
    p = np.array([1, 0], F)
    run(source, p, 100)
    assert abs(p[1] - 100 * float(F(1e-9))) < 1e-12


A, B = np.linspace(0.2, 0.9, 70).astype(F), np.linspace(-2, 3, 70).astype(F)
P, Q = np.arange(-35, 35, dtype=W) * 7, np.arange(70, dtype=W) % 5 + 1
CASES: list[Case] = []


def enter(name: str, expected: np.ndarray, *inputs: np.ndarray, extra: str = "") -> None:
    names = ", ".join("abc"[: len(inputs)])
    tolerance = 2e-3 if "f16" in name else 2e-6 if expected.dtype == F else 0
    CASES.append(Case(f"__cn_{name}(n, d, {names}{extra})", expected, inputs, tolerance))


for _name, _function in {"add": np.add, "sub": np.subtract, "mul": np.multiply}.items():
    enter(f"vector_{_name}_f32_rn", _function(A, B), A, B)
    enter(f"vector_{_name}_f16_rn", _function(A.astype(H), B.astype(H)), A.astype(H), B.astype(H))
    enter(f"vector_{_name}_s32", _function(P, Q), P, Q)
    enter(f"vector_{_name}_scalar_f32_rn", _function(A, F(3)), A, extra=", 3")
    enter(f"vector_{_name}_scalar_f16_rn", _function(A.astype(H), H(3)), A.astype(H), extra=", 3")
    enter(f"vector_{_name}_scalar_s32", _function(P, W(3)), P, extra=", 3")
for _name, _function in {"div": np.divide, "max": np.maximum, "min": np.minimum}.items():
    _end = "_rn" if _name == "div" else ""
    enter(f"vector_{_name}_f32{_end}", _function(B, A), B, A)
    enter(f"vector_{_name}_f16{_end}", _function(B.astype(H), A.astype(H)), B.astype(H),
          A.astype(H))  # fmt: skip
for _name, _function in {"max": np.maximum, "min": np.minimum, "and": np.bitwise_and,
                         "or": np.bitwise_or, "xor": np.bitwise_xor,
                         "rem": np.fmod}.items():  # fmt: skip
    enter(f"vector_{_name}_s32", _function(P, Q), P, Q)
enter("vector_div_s32", np.trunc(P / Q).astype(W), P, Q)
enter("vector_abs_s32", abs(P), P)
enter("vector_negate_s32", -P, P)
for _name, _function in {
    "abs": np.abs, "negate": np.negative, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x),
    "exp": np.exp, "exp2": np.exp2, "log": np.log, "log2": np.log2, "sin": np.sin, "cos": np.cos,
    "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "floor": np.floor, "ceil": np.ceil,
    "round": np.round, "trunc": np.trunc,
}.items():  # fmt: skip
    enter(f"vector_{_name}_f32", _function(A.astype(float)).astype(F), A)
    enter(f"vector_{_name}_f16", _function(A.astype(H).astype(float)).astype(H), A.astype(H))
for _name, _function in {"pow": np.power, "hypot": np.hypot, "atan2": np.arctan2,
                         "fmod": np.fmod}.items():  # fmt: skip
    enter(f"vector_{_name}_f32", _function(A, B), A, B)
for _name, _function in {
    "tan": np.tan, "atan": np.arctan, "asin": np.arcsin, "acos": np.arccos, "log1p": np.log1p,
    "expm1": np.expm1, "cbrt": np.cbrt, "erf": np.vectorize(math.erf, otypes=[F]),
}.items():  # fmt: skip
    enter(f"vector_{_name}_f32", _function(A.astype(float)).astype(F), A)
enter("vector_cast_f16_to_f32", A.astype(H).astype(F), A.astype(H))
enter("vector_cast_f32_to_f16_rn", A.astype(H), A)
for _to, _name in ((W, "s32"), (np.int16, "s16"), (np.int8, "s8")):
    enter(f"vector_cast_f32_to_{_name}_tz", np.trunc(B * 9).astype(_to), B * F(9))
    enter(f"vector_cast_{_name}_to_f32", (Q * 3).astype(F), (Q * 3).astype(_to))
enter("vector_cast_s8_to_s32", -Q, (-Q).astype(np.int8))
enter("vector_cast_s16_to_s32", -Q, (-Q).astype(np.int16))
for _name in ("sub", "div"):
    _all = 3 - A if _name == "sub" else 3 / A
    for _kind, _type in ((F, "f32"), (H, "f16")):
        CASES.append(
            Case(f"__cn_scalar_{_name}_vector_{_type}_rn(n, d, 3, a)",
                 (3 - A.astype(_kind) if _name == "sub" else 3 / A.astype(_kind)).astype(_kind),
                 (A.astype(_kind),), 2e-3 if _kind is H else 2e-6)
        )  # fmt: skip
CASES.append(Case("__cn_scalar_sub_vector_s32(n, d, 3, a)", 3 - P, (P,)))


@pytest.mark.parametrize("number", range(len(CASES)), ids=calls(CASES))
def test_the_library_of_vectors(number: int) -> None:
    check(CASES, number)


SCALARS = {
    "__cn_scalar_sqrt_f32": math.sqrt, "__cn_scalar_exp_f32": math.exp,
    "__cn_scalar_log_f32": math.log, "__cn_scalar_sin_f32": math.sin,
    "__cn_scalar_cos_f32": math.cos, "__cn_scalar_tan_f32": math.tan,
    "__cn_scalar_atan_f32": math.atan, "__cn_scalar_tanh_f32": math.tanh,
    "__cn_scalar_floor_f32": math.floor, "__cn_scalar_ceil_f32": math.ceil,
    "__cn_scalar_erf_f32": math.erf, "__cn_scalar_abs_f32": abs,
}  # fmt: skip


def test_the_library_of_numbers() -> None:
    lines = "".join(f"out[{i}] = {name}(x);" for i, name in enumerate(SCALARS))
    out = np.zeros(len(SCALARS), F)
    run(f"__mlu_entry__ void k(float *out, float x) {{ {lines} }}", out, 0.7)
    wanted = [function(float(F(0.7))) for function in SCALARS.values()]
    np.testing.assert_allclose(out, wanted, rtol=2e-6)
