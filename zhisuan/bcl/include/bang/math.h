// Functions of one number.
#pragma once
#include "rules.h"

__DLP_INLINE float sqrtf(float x) { return __dlp_SSQRT_f32(x); }
__DLP_INLINE float expf(float x) { return __dlp_SEXP_f32(x); }
__DLP_INLINE float logf(float x) { return __dlp_SLOG_f32(x); }
__DLP_INLINE float fabsf(float x) { return __builtin_fabsf(x); }
__DLP_INLINE float floorf(float x) { return __builtin_floorf(x); }
__DLP_INLINE float ceilf(float x) { return __builtin_ceilf(x); }
__DLP_INLINE float roundf(float x) { return __builtin_roundf(x); }
__DLP_INLINE float truncf(float x) { return __builtin_truncf(x); }
__DLP_INLINE float fminf(float x, float y) { return __builtin_fminf(x, y); }
__DLP_INLINE float fmaxf(float x, float y) { return __builtin_fmaxf(x, y); }

// Of these the vector unit computes a vector of one element, on the stack.
#define __DLP_OF_ONE(NAME, ROW)                                                              \
  __DLP_INLINE float NAME(float x) {                                                         \
    float y[1] = {x};                                                                        \
    __dlp_##ROW##_f32(y, 1, y);                                                              \
    return y[0];                                                                             \
  }
__DLP_OF_ONE(sinf, VSIN)
__DLP_OF_ONE(cosf, VCOS)
__DLP_OF_ONE(tanhf, VTANH)
__DLP_OF_ONE(log2f, VLOG2)
__DLP_OF_ONE(exp2f, VEXP2)
#undef __DLP_OF_ONE

// Whole exponents multiply; others go through exp and log.
__DLP_INLINE float powf(float x, float y) {
  const float whole = __builtin_truncf(y), size = __builtin_fabsf(y);
  if (whole == y && size <= 1024.0f) {
    float result = 1.0f, factor = x;
    for (int n = (int)size; n; n >>= 1) {
      if (n & 1) result *= factor;
      factor *= factor;
    }
    return y < 0 ? 1.0f / result : result;
  }
  if (x == 0.0f) return y > 0 ? 0.0f : __builtin_inff();
  const float result = exp2f(y * log2f(__builtin_fabsf(x)));
  if (x > 0) return result;
  if (whole != y) return __builtin_nanf("");
  return __builtin_truncf(y * 0.5f) * 2.0f == y ? result : -result;
}

// ---- made of others --------------------------------------------------------------------
__DLP_INLINE float tanf(float x) { return sinf(x) / cosf(x); }
__DLP_INLINE float rsqrtf(float x) { return 1.0f / sqrtf(x); }
__DLP_INLINE float log10f(float x) { return log2f(x) * 0.30102999566f; }
__DLP_INLINE float exp10f(float x) { return exp2f(x * 3.32192809489f); }
__DLP_INLINE float cbrtf(float x) {
  return x == 0 ? x : __builtin_copysignf(exp2f(log2f(__builtin_fabsf(x)) * 0.33333333333f), x);
}
__DLP_INLINE float hypotf(float x, float y) {
  const float a = fmaxf(__builtin_fabsf(x), __builtin_fabsf(y));
  const float b = fminf(__builtin_fabsf(x), __builtin_fabsf(y));
  if (a == 0 || a > 3.4028234e38f) return a;
  return a * sqrtf(1.0f + (b / a) * (b / a));
}
__DLP_INLINE float fmodf(float x, float y) { return __builtin_fmodf(x, y); }
__DLP_INLINE float copysignf(float x, float y) { return __builtin_copysignf(x, y); }
__DLP_INLINE float rintf(float x) { return __builtin_rintf(x); }
__DLP_INLINE float nearbyintf(float x) { return __builtin_rintf(x); }
__DLP_INLINE long lroundf(float x) { return (long)__builtin_roundf(x); }
__DLP_INLINE float fmaf(float x, float y, float z) {
  return (float)((double)x * (double)y + (double)z);
}
// Near zero e^x − 1 and log(1 + x) lose digits: series.
__DLP_INLINE float expm1f(float x) {
  if (__builtin_fabsf(x) > 0.25f) return expf(x) - 1.0f;
  return x * (1.0f + x * (0.5f + x * (1.0f / 6 + x * (1.0f / 24 + x * (1.0f / 120 + x / 720)))));
}
__DLP_INLINE float log1pf(float x) {
  const float all = 1.0f + x, lost = x - (all - 1.0f);
  return all == 1.0f ? x : logf(all) + lost / all;
}
__DLP_INLINE float sinhf(float x) { return 0.5f * (expm1f(x) - expm1f(-x)); }
__DLP_INLINE float coshf(float x) { return 0.5f * (expf(x) + expf(-x)); }
// Halved angles bring the argument below tan(π / 16), where the odd series has six terms.
__DLP_INLINE float atanf(float x) {
  const float size = __builtin_fabsf(x);
  float y = size > 1.0f ? 1.0f / size : size;
  y = y / (1.0f + sqrtf(1.0f + y * y));
  y = y / (1.0f + sqrtf(1.0f + y * y));
  const float s = y * y;
  float angle = 4.0f * y * (1.0f - s * (1.0f / 3 - s * (0.2f - s * (1.0f / 7 - s * (1.0f / 9)))));
  if (size > 1.0f) angle = 1.57079632679f - angle;
  return __builtin_copysignf(angle, x);
}
__DLP_INLINE float atan2f(float y, float x) {
  if (x == 0 && y == 0) return __builtin_copysignf(__builtin_signbit(x) ? 3.14159265359f : 0, y);
  const float angle = atanf(__builtin_fabsf(y) / __builtin_fabsf(x));
  return __builtin_copysignf(x < 0 ? 3.14159265359f - angle : angle, y);
}
__DLP_INLINE float asinf(float x) { return atan2f(x, sqrtf((1.0f - x) * (1.0f + x))); }
__DLP_INLINE float acosf(float x) { return atan2f(sqrtf((1.0f - x) * (1.0f + x)), x); }
// 1 − (polynomial in 1 / (1 + x / 2)) e^(−x²): relative error below 1.2e-7 (Numerical Recipes).
__DLP_INLINE float erfcf(float x) {
  const float t = 1.0f / (1.0f + 0.5f * __builtin_fabsf(x));
  float p = 0.17087277f;
  p = -0.82215223f + t * p;
  p = 1.48851587f + t * p;
  p = -1.13520398f + t * p;
  p = 0.27886807f + t * p;
  p = -0.18628806f + t * p;
  p = 0.09678418f + t * p;
  p = 0.37409196f + t * p;
  p = 1.00002368f + t * p;
  p = -1.26551223f + t * p;
  const float y = t * expf(p - x * x);
  return x >= 0 ? y : 2.0f - y;
}
__DLP_INLINE float erff(float x) {
  const float s = x * x;
  if (s > 0.25f) return 1.0f - erfcf(x);
  return 1.12837916710f * x * (1.0f - s * (1.0f / 3 - s * (0.1f - s * (1.0f / 42 - s / 216))));
}

// ---- half, and numbers of every type ---------------------------------------------------
#define __DLP_HALF(NAME, SINGLE) __DLP_INLINE half NAME(half x) { return (half)SINGLE((float)x); }
__DLP_HALF(hsqrt, sqrtf) __DLP_HALF(hexp, expf) __DLP_HALF(hlog, logf)
__DLP_HALF(hsin, sinf) __DLP_HALF(hcos, cosf) __DLP_HALF(htanh, tanhf)
__DLP_HALF(hexp2, exp2f) __DLP_HALF(hlog2, log2f) __DLP_HALF(hlog10, log10f)
__DLP_HALF(hrsqrt, rsqrtf) __DLP_HALF(hrcp, 1.0f /) __DLP_HALF(habs, fabsf)
__DLP_HALF(hfloor, floorf) __DLP_HALF(hceil, ceilf) __DLP_HALF(htrunc, truncf)
__DLP_HALF(hrint, rintf) __DLP_HALF(hround, roundf)
__DLP_INLINE half hmax(half x, half y) { return x > y ? x : y; }
__DLP_INLINE half hmin(half x, half y) { return x < y ? x : y; }

// The names of C++: the operand's type decides; whole numbers and double become float.  <cmath>
// has them in std, too.
#define __DLP_ANY(NAME)                                                                      \
  __DLP_INLINE float NAME(float x) { return NAME##f(x); }                                    \
  __DLP_INLINE half NAME(half x) { return (half)NAME##f((float)x); }                         \
  template <typename T> __DLP_INLINE float NAME(T x) { return NAME##f((float)x); }
__DLP_ANY(sqrt) __DLP_ANY(exp) __DLP_ANY(exp2) __DLP_ANY(expm1)
__DLP_ANY(log) __DLP_ANY(log2) __DLP_ANY(log10) __DLP_ANY(log1p)
__DLP_ANY(sin) __DLP_ANY(cos) __DLP_ANY(tan) __DLP_ANY(asin) __DLP_ANY(acos) __DLP_ANY(atan)
__DLP_ANY(sinh) __DLP_ANY(cosh) __DLP_ANY(tanh) __DLP_ANY(erf) __DLP_ANY(erfc) __DLP_ANY(cbrt)
__DLP_ANY(floor) __DLP_ANY(ceil) __DLP_ANY(round) __DLP_ANY(trunc) __DLP_ANY(rint)
__DLP_ANY(fabs) __DLP_ANY(rsqrt)
#undef __DLP_ANY
#define __DLP_ANY_TWO(NAME)                                                                  \
  __DLP_INLINE float NAME(float x, float y) { return NAME##f(x, y); }                        \
  __DLP_INLINE half NAME(half x, half y) { return (half)NAME##f((float)x, (float)y); }       \
  template <typename T, typename U> __DLP_INLINE float NAME(T x, U y) {                      \
    return NAME##f((float)x, (float)y);                                                      \
  }
__DLP_ANY_TWO(pow) __DLP_ANY_TWO(fmax) __DLP_ANY_TWO(fmin) __DLP_ANY_TWO(fmod)
__DLP_ANY_TWO(atan2) __DLP_ANY_TWO(hypot) __DLP_ANY_TWO(copysign)
#undef __DLP_ANY_TWO
__DLP_INLINE int abs(int x) { return x < 0 ? -x : x; }
__DLP_INLINE long abs(long x) { return x < 0 ? -x : x; }
__DLP_INLINE long long abs(long long x) { return x < 0 ? -x : x; }
__DLP_INLINE float abs(float x) { return __builtin_fabsf(x); }
__DLP_INLINE half abs(half x) { return (half)__builtin_fabsf((float)x); }
__DLP_INLINE bool isnan(float x) { return x != x; }
__DLP_INLINE bool isinf(float x) { return __builtin_fabsf(x) > 3.4028234e38f; }
__DLP_INLINE bool isfinite(float x) { return __builtin_fabsf(x) <= 3.4028234e38f; }
// Less special than a program's own functions of these names, so that those win.
template <typename T, typename U> __DLP_INLINE auto max(T x, U y) { return x > y ? x : y; }
template <typename T, typename U> __DLP_INLINE auto min(T x, U y) { return x < y ? x : y; }

// The end of a task: 0 is a good one.
__DLP_INLINE void exit(int status) {
  __dlp_SYNC(7);
  if (status) __dlp_TRAP(2);
  __dlp_HALT();
}
