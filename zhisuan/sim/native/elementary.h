/* Elementary functions, operation by operation as isa/elementary.py defines them. */
#pragma once
#include "floats.h"

INLINE float power_of_two(i32 n) { return float_of((u32)(n + 127) << 23); }

INLINE float exp_f32(float x) {
    float clipped = x < -104.0f ? -104.0f : x;
    clipped = clipped > 89.0f ? 89.0f : clipped;
    clipped = x != x ? 0.0f : clipped;
    float n = (clipped * EXP_LOG2E + 12582912.0f) - 12582912.0f; /* to the nearest integer */
    float r = (clipped - n * EXP_LN2_HIGH) - n * EXP_LN2_LOW;
    static const float c[] = EXP_COEFFICIENTS;
    float p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++) p = p * r + c[i];
    i32 whole = (i32)n, half = whole >> 1;
    float y = (p * power_of_two(half)) * power_of_two(whole - half);
    y = x > EXP_OVERFLOW ? float_of(0x7F800000) : y;
    y = x < EXP_UNDERFLOW ? 0.0f : y;
    return x != x ? x : y;
}

INLINE float log_f32(float x) {
    int tiny = x < 1.17549435e-38f;
    float scaled = tiny ? x * 8388608.0f : x;
    i32 bits = (i32)bits_of(scaled);
    i32 e = (bits >> 23) - 127;
    float m = float_of(((u32)bits & 0x7FFFFF) | 0x3F800000);
    int large = m > 1.41421356f;
    m = large ? m * 0.5f : m;
    float k = (float)(e + large - (tiny ? 23 : 0));
    float s = (m - 1.0f) / (m + 1.0f), z = s * s;
    static const float c[] = LOG_COEFFICIENTS;
    float p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++) p = p * z + c[i];
    float y = k * EXP_LN2_HIGH + (k * EXP_LN2_LOW + (s * z * p + (s + s)));
    y = x == 0.0f ? float_of(0xFF800000) : y;
    y = bits_of(x) == 0x7F800000 ? x : y;
    return x < 0.0f || x != x ? float_of(0x7FC00000) : y;
}

INLINE float sigmoid_f32(float x) { return 1.0f / (1.0f + exp_f32(-x)); }

INLINE float tanh_f32(float x) {
    float z = x * x;
    static const float c[] = TANH_COEFFICIENTS;
    float p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++) p = p * z + c[i];
    float near = x * (1.0f + z * p);
    u32 sign = bits_of(x) & 0x80000000u;
    float magnitude = float_of(bits_of(x) & 0x7FFFFFFF);
    float far = 1.0f - 2.0f / (1.0f + exp_f32(magnitude + magnitude));
    return magnitude < TANH_SMALL ? near : float_of((bits_of(far) & 0x7FFFFFFF) | sign);
}
