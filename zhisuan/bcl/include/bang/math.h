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

// ---- half, and numbers of every type ---------------------------------------------------
#define __DLP_HALF(NAME, SINGLE) __DLP_INLINE half NAME(half x) { return (half)SINGLE((float)x); }
__DLP_HALF(floor, floorf) __DLP_HALF(ceil, ceilf) __DLP_HALF(round, roundf)
__DLP_HALF(trunc, truncf) __DLP_HALF(fabs, fabsf)
__DLP_HALF(hsqrt, sqrtf) __DLP_HALF(hexp, expf) __DLP_HALF(hlog, logf)
#undef __DLP_HALF
__DLP_INLINE float floor(float x) { return floorf(x); }
__DLP_INLINE float ceil(float x) { return ceilf(x); }
__DLP_INLINE float round(float x) { return roundf(x); }
__DLP_INLINE float trunc(float x) { return truncf(x); }
__DLP_INLINE int abs(int x) { return x < 0 ? -x : x; }
__DLP_INLINE float abs(float x) { return __builtin_fabsf(x); }
__DLP_INLINE half abs(half x) { return (half)__builtin_fabsf((float)x); }
// Templates, so that a program's own functions of these names win.
template <typename T> __DLP_INLINE T max(T x, T y) { return x > y ? x : y; }
template <typename T> __DLP_INLINE T min(T x, T y) { return x < y ? x : y; }

// The end of a task: 0 is a good one.
__DLP_INLINE void exit(int status) {
  __dlp_SYNC(7);
  if (status) __dlp_TRAP(2);
  __dlp_HALT();
}
