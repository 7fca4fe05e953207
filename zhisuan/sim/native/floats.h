/* Float formats: FP16 <-> FP32 exact, canonical NaN, fused multiply-add with one rounding.
 *
 * FP16 arithmetic is FP32 arithmetic on exact values rounded to FP16: for + - * / and square
 * root the second rounding changes nothing (24 >= 2 * 11 + 2 bits).
 */
#pragma once
#include "core.h"

#if defined(__F16C__) || defined(__AVX512F__) || defined(__aarch64__)
#define HAS_HALF 1
#else
#define HAS_HALF 0
#endif
#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
#define HAS_FMA 1
#else
#define HAS_FMA 0
#endif

INLINE u32 bits_of(float value) {
    union { float f; u32 u; } both = {.f = value};
    return both.u;
}

INLINE float float_of(u32 bits) {
    union { u32 u; float f; } both = {.u = bits};
    return both.f;
}

#if HAS_HALF
INLINE float from_half(u16 bits) {
    union { u16 u; _Float16 h; } both = {.u = bits};
    return (float)both.h;
}

INLINE u16 to_half(float value) {
    union { _Float16 h; u16 u; } both = {.h = (_Float16)value};
    return both.u;
}
#else
INLINE float from_half(u16 bits) {
    u32 sign = (u32)(bits & 0x8000) << 16, rest = bits & 0x7FFF;
    if (rest >= 0x7C00) return float_of(sign | 0x7F800000 | (rest & 0x3FF) << 13);
    if (rest >= 0x400) return float_of(sign | ((rest << 13) + (112 << 23)));
    return float_of(sign | bits_of((float)(i32)rest * 0x1p-24f)); /* subnormal: exact */
}

INLINE u16 to_half(float value) {
    u32 bits = bits_of(value);
    u16 sign = bits >> 16 & 0x8000;
    u32 rest = bits & 0x7FFFFFFF;
    if (rest > 0x7F800000) return sign | 0x7E00;
    if (rest >= 0x477FF000) return sign | 0x7C00; /* 65520 and more round to infinity */
    if (rest >= 0x38800000) return sign | (u16)((rest - (112 << 23) + 0xFFF + (rest >> 13 & 1)) >> 13);
    /* subnormal: adding 0.5 leaves round(value / 2^-24) in the low bits, ties to even */
    return sign | (u16)(bits_of(float_of(rest) + 0.5f) - 0x3F000000);
}
#endif

/* Results as bits, every NaN the canonical one.  In integers, because compilers take all NaNs
 * for equal and may remove a choice between them. */
INLINE u32 result_f32(float value) {
    u32 bits = bits_of(value);
    return (bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC00000 : bits;
}

INLINE u16 result_f16(float value) {
    u16 bits = to_half(value);
    return (bits & 0x7FFF) > 0x7C00 ? 0x7E00 : bits;
}

#if HAS_FMA
INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
/* The product is exact in double; the sum is rounded to odd, so that rounding it to float
 * gives the correctly rounded result. */
INLINE float fused(float a, float b, float c) {
    double product = (double)a * (double)b, wide = (double)c;
    double total = product + wide, back = total - product;
    double error = (product - (total - back)) + (wide - back);
    union { double d; i64 i; } bits = {.d = total};
    int finite = (bits.i >> 52 & 0x7FF) != 0x7FF;
    if (finite && error != 0 && !(bits.i & 1)) {
        if (total == 0) bits.i = error > 0 ? 1 : (i64)0x8000000000000001ull;
        else bits.i += (error > 0) == (total > 0) ? 1 : -1;
    }
    return (float)bits.d;
}
#endif

/* Sixteen floats; the compiler splits them where registers are narrower. */
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_unaligned __attribute__((vector_size(64), aligned(4)));

INLINE f32x16 load16(const float *p) { return *(const f32x16_unaligned *)p; }
INLINE void store16(float *p, f32x16 v) { *(f32x16_unaligned *)p = v; }
/* As bits: 0.0f + v would lose the sign of a zero. */
INLINE f32x16 splat16(float v) {
    typedef u32 u32x16 __attribute__((vector_size(64)));
    return (f32x16)((u32x16){} + bits_of(v));
}

INLINE f32x16 load16_half(const u16 *p) {
#if HAS_HALF
    typedef _Float16 half16 __attribute__((vector_size(32), aligned(2)));
    return __builtin_convertvector(*(const half16 *)p, f32x16);
#else
    f32x16 v;
    for (int i = 0; i < 16; i++) v[i] = from_half(p[i]);
    return v;
#endif
}
