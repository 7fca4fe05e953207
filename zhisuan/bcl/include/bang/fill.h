// Filling memories with one value.
#pragma once
#include "copy.h"

#define __DLP_FILL_NRAM(T, M, ...)                                                           \
  __DLP_INLINE void __bang_write_value(T *dst, int elem_count, T value) {                    \
    __dlp_rule_fill(elem_count * (long long)sizeof(T), __dlp_places(dst));                   \
    __dlp_VSET_##M(dst, elem_count, __dlp_bits(value));                                      \
  }                                                                                          \
  __DLP_INLINE void __bang_write_zero(T *dst, int elem_count) {                              \
    __dlp_rule_fill(elem_count * (long long)sizeof(T), __dlp_places(dst));                   \
    __dlp_VSET_##M(dst, elem_count, 0);                                                      \
  }                                                                                          \
  __DLP_INLINE void __nramset(T *dst, int elem_count, T value) {                             \
    __bang_write_value(dst, elem_count, value);                                              \
  }                                                                                          \
  __DLP_INLINE void __nramset_async(T *dst, int elem_count, T value) {                       \
    __bang_write_value(dst, elem_count, value);                                              \
  }                                                                                          \
  /* (iter1 + 1) · (iter2 + 1) pieces, strides in bytes */                                   \
  __DLP_INLINE void __bang_write_value(T *dst, int elem_count, T value, int stride0,         \
                                       int iter1, int stride1, int iter2) {                  \
    for (int j = 0; j <= iter2; j++)                                                         \
      for (int i = 0; i <= iter1; i++)                                                       \
        __dlp_VSET_##M((char *)dst + j * stride1 + i * stride0, elem_count,                  \
                       __dlp_bits(value));                                                   \
  }                                                                                          \
  __DLP_INLINE void __nramset(T *dst, int elem_count, T value, int stride0, int iter1,       \
                              int stride1, int iter2) {                                      \
    __bang_write_value(dst, elem_count, value, stride0, iter1, stride1, iter2);              \
  }
__DLP_NUMBERS(__DLP_FILL_NRAM, )
#undef __DLP_FILL_NRAM
// Memory of no type is filled with bytes.
__DLP_INLINE void __bang_write_value(void *dst, int elem_count, char value) {
  __bang_write_value((char *)dst, elem_count, value);
}
__DLP_INLINE void __bang_write_zero(void *dst, int elem_count) {
  __bang_write_zero((char *)dst, elem_count);
}
__DLP_INLINE void __bang_write_value(bfloat16_t *dst, int elem_count, bfloat16_t value) {
  __bang_write_value((unsigned short *)dst, elem_count, value.bits);
}
__DLP_INLINE void __nramset(void *dst, int elem_count, char value) {
  __bang_write_value((char *)dst, elem_count, value);
}
__DLP_INLINE void __memset_nram(void *dst, int elem_count, char value) {
  __bang_write_value((char *)dst, elem_count, value);
}
#define __DLP_TYPED(T, NAME)                                                                 \
  __DLP_INLINE void __nramset_##NAME(T *dst, int elem_count, T value) {                      \
    __bang_write_value(dst, elem_count, value);                                              \
  }
__DLP_TYPED(half, half) __DLP_TYPED(float, float) __DLP_TYPED(short, short) __DLP_TYPED(int, int)
__DLP_TYPED(unsigned short, ushort) __DLP_TYPED(unsigned, uint) __DLP_TYPED(char, char)
#undef __DLP_TYPED

// Other memories, through a piece of the stack that holds the value over and over.
#define __DLP_FILL_FAR(T, M, NAME, STORE)                                                    \
  __DLP_INLINE void NAME(T *dst, int elem_count, T value) {                                  \
    T piece[512 / sizeof(T)];                                                                \
    const int most = 512 / sizeof(T);                                                        \
    __dlp_VSET_##M(piece, elem_count < most ? elem_count : most, __dlp_bits(value));         \
    for (int i = 0; i < elem_count; i += most) {                                             \
      const int n = elem_count - i < most ? elem_count - i : most;                           \
      __dlp_ordered_##STORE(dst + i, n * (long long)sizeof(T), piece);                       \
    }                                                                                        \
  }
__DLP_NUMBERS(__DLP_FILL_FAR, __gdramset, VSTORE)
__DLP_NUMBERS(__DLP_FILL_FAR, __ldramset, VSTORE)
__DLP_NUMBERS(__DLP_FILL_FAR, __sramset, VWRITE)
#undef __DLP_FILL_FAR
#define __DLP_FILL_BYTES(NAME)                                                               \
  __DLP_INLINE void NAME(void *dst, int elem_count, char value) {                            \
    NAME((char *)dst, elem_count, value);                                                    \
  }
__DLP_FILL_BYTES(__gdramset) __DLP_FILL_BYTES(__ldramset) __DLP_FILL_BYTES(__sramset)
#undef __DLP_FILL_BYTES
