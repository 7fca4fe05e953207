// Printing.
#pragma once
#include "order.h"

// 64 bits and what they are, as PRINT takes them.
struct __dlp_argument { unsigned long long bits, kind; };
#define __DLP_ARGUMENT(T, BITS, KIND)                                                        \
  __DLP_INLINE __dlp_argument __dlp_argument_of(T x) {                                       \
    return {(unsigned long long)(BITS), KIND};                                               \
  }
__DLP_ARGUMENT(bool, x, 0)
__DLP_ARGUMENT(char, (long long)x, 0) __DLP_ARGUMENT(signed char, (long long)x, 0)
__DLP_ARGUMENT(unsigned char, x, 0)
__DLP_ARGUMENT(short, (long long)x, 0) __DLP_ARGUMENT(unsigned short, x, 0)
__DLP_ARGUMENT(int, (long long)x, 0) __DLP_ARGUMENT(unsigned, x, 0)
__DLP_ARGUMENT(long, x, 3) __DLP_ARGUMENT(unsigned long, x, 3)
__DLP_ARGUMENT(long long, x, 3) __DLP_ARGUMENT(unsigned long long, x, 3)
__DLP_ARGUMENT(float, __builtin_bit_cast(unsigned, x), 1)
__DLP_ARGUMENT(double, __builtin_bit_cast(unsigned, (float)x), 1)
__DLP_ARGUMENT(half, __builtin_bit_cast(unsigned, (float)x), 1)
__DLP_ARGUMENT(bfloat16_t, x.bits << 16, 1)
__DLP_ARGUMENT(const char *, x, 2)
__DLP_ARGUMENT(const void *, x, 3)
#undef __DLP_ARGUMENT

// A literal format and up to 16 arguments.  Texts come out when the launch is over, task by task.
template <typename... T> __DLP_INLINE void __bang_printf(const char *format, T... values) {
  static_assert(sizeof...(T) <= 16, "printf takes a format and at most 16 arguments");
  __dlp_argument all[sizeof...(T) + 1] = {__dlp_argument_of(values)...};
  __dlp_PRINT((long long)format, (long long)all, sizeof...(T));
}
template <typename... T> __DLP_INLINE void printf(const char *format, T... values) {
  __bang_printf(format, values...);
}

// ---- values where somebody looks for a mistake -----------------------------------------
__DLP_INLINE void __dlp_dump(float x) { __bang_printf("breakdump %g\n", x); }
__DLP_INLINE void __dlp_dump(half x) { __bang_printf("breakdump %g\n", x); }
template <typename T> __DLP_INLINE void __dlp_dump(T x) {
  __bang_printf("breakdump %lld\n", (long long)x);
}
// Numbers, one a line.
template <typename... T> __DLP_INLINE void __breakdump_scalar(T... values) {
  (__dlp_dump(values), ...);
}
// bytes of a memory of the core that scalar code reads: words in hexadecimal; bytes / 4 of them.
template <typename... T> __DLP_INLINE void __breakdump_vector(const void *src, int bytes, T...) {
  for (int i = 0; i < bytes / 4; i++)
    __bang_printf("breakdump [%d] 0x%08x\n", i, ((const unsigned *)src)[i]);
}
