/* Elementary functions, operation by operation as isa/elementary.py defines them. */
#pragma once
#include "elementwise.h"

INLINE float power_of_two(i32 n) { return float_of((u32)(n + 127) << 23); }

INLINE float exp_near_0(float r, float n) {
    static const float c[] = EXP_COEFFICIENTS;
    float p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++) p = p * r + c[i];
    i32 whole = (i32)n, half = whole >> 1;
    return (p * power_of_two(half)) * power_of_two(whole - half);
}

INLINE float exp2_f32(float x) {
    float clipped = x < -152.0f ? -152.0f : x;
    clipped = clipped > 129.0f ? 129.0f : clipped;
    clipped = x != x ? 0.0f : clipped;
    float n = (clipped + 12582912.0f) - 12582912.0f; /* to the nearest integer */
    float y = exp_near_0((clipped - n) * LN2, n);
    return x != x ? x : y;
}

INLINE float exp_f32(float x) {
    float clipped = x < -104.0f ? -104.0f : x;
    clipped = clipped > 89.0f ? 89.0f : clipped;
    clipped = x != x ? 0.0f : clipped;
    float n = (clipped * EXP_LOG2E + 12582912.0f) - 12582912.0f; /* to the nearest integer */
    float r = (clipped - n * EXP_LN2_HIGH) - n * EXP_LN2_LOW;
    float y = exp_near_0(r, n);
    y = x > EXP_OVERFLOW ? float_of(0x7F800000) : y;
    y = x < EXP_UNDERFLOW ? 0.0f : y;
    return x != x ? x : y;
}

/* x = m * 2^e: e, and the logarithm of m. */
typedef struct { float e, near; } LogParts;
INLINE LogParts log_parts(float x) {
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
    return (LogParts){k, s * z * p + (s + s)};
}

INLINE float log_edges(float x, float y) {
    y = x == 0.0f ? float_of(0xFF800000) : y;
    y = bits_of(x) == 0x7F800000 ? x : y;
    return x < 0.0f || x != x ? float_of(0x7FC00000) : y;
}

INLINE float log_f32(float x) {
    const LogParts l = log_parts(x);
    return log_edges(x, l.e * EXP_LN2_HIGH + (l.e * EXP_LN2_LOW + l.near));
}

INLINE float log2_f32(float x) {
    const LogParts l = log_parts(x);
    return log_edges(x, l.e + l.near * EXP_LOG2E);
}

/* sin(x + turn * pi / 2) */
INLINE float quadrant_f32(float x, int turn) {
    const int known = __builtin_fabsf(x) < MOST_ANGLE;
    const double wide = known ? (double)x : 0.0;
    const double n = nearest(wide * TWO_OVER_PI);
    const double r = (wide - n * HALF_PI_HIGH) - n * HALF_PI_LOW, z = r * r;
    static const double sines[] = SIN_COEFFICIENTS, cosines[] = COS_COEFFICIENTS;
    double s = sines[0], c = cosines[0];
    for (unsigned i = 1; i < sizeof sines / sizeof *sines; i++) {
        s = s * z + sines[i];
        c = c * z + cosines[i];
    }
    const i32 quarter = (i32)n + turn;
    double y = quarter & 1 ? 1.0 + z * c : r + r * z * s;
    y = quarter & 2 ? -y : y;
    return known ? (float)y : float_of(0x7FC00000);
}

INLINE float gelu_f32(float x) {
    double magnitude = (double)__builtin_fabsf(x);
    magnitude = magnitude > MOST_TAIL ? MOST_TAIL : magnitude;
    magnitude = x != x ? 0.0 : magnitude;
    const double w = magnitude * magnitude * 0.5;
    const float near = (float)w;
    const double e = (double)exp_f32(-near) * (1.0 - (w - (double)near));
    const double t = 1.0 / (1.0 + magnitude * TAIL_STEP);
    static const double c[] = TAIL_COEFFICIENTS;
    double q = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++) q = q * t + c[i];
    const double tail = 0.5 * q * e;
    const double y = x >= 0 ? (double)x * (1.0 - tail) : -magnitude * tail;
    return x != x ? x : (float)y;
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
