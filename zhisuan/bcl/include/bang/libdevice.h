// The library of whole vectors, __cn_vector_NAME_TYPE(n, dst, src…), and of one number, __cn_scalar_.
#pragma once
#include "convert.h"
#include "math.h"

// ---- vectors and vectors, vectors and numbers ------------------------------------------
#define __DLP_CN_PAIR(T, N, NAME, BANG, SUFFIX)                                              \
  __DLP_INLINE void __cn_vector_##NAME##_##N##SUFFIX(int n, T *y, const T *a, const T *b) {  \
    __bang_##BANG(y, a, b, n);                                                               \
  }
#define __DLP_CN_SCALAR(T, N, NAME, SUFFIX)                                                  \
  __DLP_INLINE void __cn_vector_##NAME##_scalar_##N##SUFFIX(int n, T *y, const T *a, T b) {  \
    __bang_##NAME##_scalar(y, a, b, n);                                                      \
  }
#define __DLP_CN_ARITHMETIC(T, N, SUFFIX)                                                    \
  __DLP_CN_PAIR(T, N, add, add, SUFFIX) __DLP_CN_SCALAR(T, N, add, SUFFIX)                   \
  __DLP_CN_PAIR(T, N, sub, sub, SUFFIX) __DLP_CN_SCALAR(T, N, sub, SUFFIX)                   \
  __DLP_CN_PAIR(T, N, mul, mul, SUFFIX) __DLP_CN_SCALAR(T, N, mul, SUFFIX)                   \
  __DLP_INLINE void __cn_scalar_sub_vector_##N##SUFFIX(int n, T *y, T a, const T *b) {       \
    __bang_mul_scalar(y, b, (T)-1, n);                                                       \
    __bang_add_scalar(y, y, a, n);                                                           \
  }
__DLP_CN_ARITHMETIC(float, f32, _rn)
__DLP_CN_ARITHMETIC(half, f16, _rn)
__DLP_CN_ARITHMETIC(int, s32, )
#undef __DLP_CN_ARITHMETIC
#undef __DLP_CN_SCALAR
#define __DLP_CN_FLOATS(T, N)                                                                \
  __DLP_CN_PAIR(T, N, div, div, _rn)                                                         \
  __DLP_CN_PAIR(T, N, max, maxequal, ) __DLP_CN_PAIR(T, N, min, minequal, )                  \
  __DLP_INLINE void __cn_scalar_div_vector_##N##_rn(int n, T *y, T a, const T *b) {          \
    __bang_recip(y, b, n);                                                                   \
    __bang_mul_scalar(y, y, a, n);                                                           \
  }
__DLP_CN_FLOATS(float, f32)
__DLP_CN_FLOATS(half, f16)
#undef __DLP_CN_FLOATS
__DLP_CN_PAIR(int, s32, max, maxequal, ) __DLP_CN_PAIR(int, s32, min, minequal, )
__DLP_CN_PAIR(int, s32, and, band, ) __DLP_CN_PAIR(int, s32, or, bor, )
__DLP_CN_PAIR(int, s32, xor, bxor, ) __DLP_CN_PAIR(int, s32, rem, rem, )
#undef __DLP_CN_PAIR
// No unit divides whole numbers: one after the other.
__DLP_INLINE void __cn_vector_div_s32(int n, int *y, const int *a, const int *b) {
  for (int i = 0; i < n; i++) y[i] = a[i] / b[i];
}
__DLP_INLINE void __cn_vector_abs_s32(int n, int *y, const int *a) { __bang_abs(y, a, n); }
__DLP_INLINE void __cn_vector_negate_s32(int n, int *y, const int *a) { __bang_neg(y, a, n); }

// ---- functions of one vector -----------------------------------------------------------
#define __DLP_CN_OF_ONE(NAME, BANG)                                                          \
  __DLP_INLINE void __cn_vector_##NAME##_f32(int n, float *y, const float *a) {              \
    __bang_##BANG(y, a, n);                                                                  \
  }                                                                                          \
  __DLP_INLINE void __cn_vector_##NAME##_f16(int n, half *y, const half *a) {                \
    __bang_##BANG(y, a, n);                                                                  \
  }
__DLP_CN_OF_ONE(abs, abs) __DLP_CN_OF_ONE(negate, neg) __DLP_CN_OF_ONE(sqrt, sqrt)
__DLP_CN_OF_ONE(rsqrt, rsqrt) __DLP_CN_OF_ONE(exp, active_exp) __DLP_CN_OF_ONE(exp2, pow2)
__DLP_CN_OF_ONE(log, active_log) __DLP_CN_OF_ONE(log2, log2) __DLP_CN_OF_ONE(sin, sin)
__DLP_CN_OF_ONE(cos, cos) __DLP_CN_OF_ONE(tanh, active_tanh)
__DLP_CN_OF_ONE(sigmoid, active_sigmoid) __DLP_CN_OF_ONE(floor, floor)
__DLP_CN_OF_ONE(ceil, ceil) __DLP_CN_OF_ONE(round, round) __DLP_CN_OF_ONE(trunc, trunc)
#undef __DLP_CN_OF_ONE
// Of these one element after the other.
#define __DLP_CN_EACH(NAME)                                                                  \
  __DLP_INLINE void __cn_vector_##NAME##_f32(int n, float *y, const float *a, const float *b) { \
    for (int i = 0; i < n; i++) y[i] = NAME##f(a[i], b[i]);                                  \
  }
__DLP_CN_EACH(pow) __DLP_CN_EACH(hypot) __DLP_CN_EACH(atan2) __DLP_CN_EACH(fmod)
#undef __DLP_CN_EACH
#define __DLP_CN_EACH(NAME)                                                                  \
  __DLP_INLINE void __cn_vector_##NAME##_f32(int n, float *y, const float *a) {              \
    for (int i = 0; i < n; i++) y[i] = NAME##f(a[i]);                                        \
  }
__DLP_CN_EACH(tan) __DLP_CN_EACH(atan) __DLP_CN_EACH(asin) __DLP_CN_EACH(acos)
__DLP_CN_EACH(erf) __DLP_CN_EACH(log1p) __DLP_CN_EACH(expm1) __DLP_CN_EACH(cbrt)
#undef __DLP_CN_EACH

// ---- other types -----------------------------------------------------------------------
#define __DLP_CN_CAST(NAME, TO, FROM, BANG)                                                  \
  __DLP_INLINE void __cn_vector_cast_##NAME(int n, TO *y, const FROM *a) { BANG(y, a, n); }
__DLP_CN_CAST(f16_to_f32, float, half, __bang_half2float)
__DLP_CN_CAST(f32_to_f16_rn, half, float, __bang_float2half_rn)
__DLP_CN_CAST(f32_to_s32_tz, int, float, __bang_float2int32_tz)
__DLP_CN_CAST(f32_to_s16_tz, short, float, __bang_float2int16_tz)
__DLP_CN_CAST(f32_to_s8_tz, signed char, float, __bang_float2int8_tz)
__DLP_CN_CAST(s32_to_f32, float, int, __bang_int322float)
__DLP_CN_CAST(s16_to_f32, float, short, __bang_int162float)
__DLP_CN_CAST(s8_to_f32, float, signed char, __bang_int82float)
__DLP_CN_CAST(s8_to_s32, int, signed char, __bang_int82int32)
__DLP_CN_CAST(s16_to_s32, int, short, __bang_int162int32)
#undef __DLP_CN_CAST

// ---- one number ------------------------------------------------------------------------
#define __DLP_CN_NUMBER(NAME)                                                                \
  __DLP_INLINE float __cn_scalar_##NAME##_f32(float x) { return NAME##f(x); }
__DLP_CN_NUMBER(sqrt) __DLP_CN_NUMBER(exp) __DLP_CN_NUMBER(log) __DLP_CN_NUMBER(sin)
__DLP_CN_NUMBER(cos) __DLP_CN_NUMBER(tan) __DLP_CN_NUMBER(atan) __DLP_CN_NUMBER(tanh)
__DLP_CN_NUMBER(floor) __DLP_CN_NUMBER(ceil) __DLP_CN_NUMBER(erf)
__DLP_INLINE float __cn_scalar_abs_f32(float x) { return fabsf(x); }
#undef __DLP_CN_NUMBER
