// Atomics on GDRAM, in a defined order; the old elements go to dst in NRAM.
#pragma once
#include "copy.h"

#define __DLP_ATOMIC(T, M, NAME)                                                             \
  __DLP_INLINE void __bang_atomic_##NAME(T *dst, T *src1, T src2) {                          \
    __dlp_ordered_ATOM_##NAME##_##M(dst, src1, __dlp_bits(src2));                            \
  }                                                                                          \
  __DLP_INLINE void __bang_atomic_##NAME(T *dst, T *src1, const T *src2, int elem_count) {   \
    __dlp_ordered_ATOMV_##NAME##_##M(dst, elem_count, src1, src2);                           \
  }
// dst lies in GDRAM; src1 is a number for all elements, or as many numbers in NRAM.
#define __DLP_ATOMIC_REDUCE(T, M, NAME)                                                      \
  __DLP_INLINE void __bang_atomic_reduce_##NAME(T *dst, T src1, int size = 1) {              \
    T old[1];                                                                                \
    for (int i = 0; i < size; i++) __dlp_ordered_ATOM_##NAME##_##M(old, dst + i, __dlp_bits(src1)); \
  }                                                                                          \
  __DLP_INLINE void __bang_atomic_reduce_##NAME(T *dst, const T *src1, int elem_count) {     \
    __dlp_ordered_ATOMR_##NAME##_##M(elem_count, dst, src1);                                 \
  }
#define __DLP_WORDS(MACRO, ...)                                                              \
  MACRO(short, i16, __VA_ARGS__) MACRO(unsigned short, u16, __VA_ARGS__)                     \
  MACRO(int, i32, __VA_ARGS__) MACRO(unsigned, u32, __VA_ARGS__)
#define __DLP_ALL(MACRO, ...) __DLP_FLOATS(MACRO, __VA_ARGS__) __DLP_WORDS(MACRO, __VA_ARGS__)
__DLP_ALL(__DLP_ATOMIC, add)
__DLP_ALL(__DLP_ATOMIC, min)
__DLP_ALL(__DLP_ATOMIC, max)
__DLP_ALL(__DLP_ATOMIC, exch)
__DLP_WORDS(__DLP_ATOMIC, and)
__DLP_WORDS(__DLP_ATOMIC, or)
__DLP_WORDS(__DLP_ATOMIC, xor)
__DLP_WORDS(__DLP_ATOMIC, inc)
__DLP_WORDS(__DLP_ATOMIC, dec)
__DLP_ALL(__DLP_ATOMIC_REDUCE, add)
__DLP_ALL(__DLP_ATOMIC_REDUCE, min)
__DLP_ALL(__DLP_ATOMIC_REDUCE, max)
#define __DLP_CAS(T, M, ...)                                                                 \
  __DLP_INLINE void __bang_atomic_cas(T *dst, T *src1, T src2, T src3) {                     \
    __dlp_ordered_ACAS_exch_##M(dst, src1, __dlp_bits(src2), __dlp_bits(src3));              \
  }
__DLP_ALL(__DLP_CAS, )
#undef __DLP_CAS
#undef __DLP_ATOMIC
#undef __DLP_ATOMIC_REDUCE
#undef __DLP_ALL
#undef __DLP_WORDS

// Pieces of DRAM whose bit in the mask is set, side by side in NRAM; offsets in bytes.
__DLP_INLINE void __gather_async(void *dst, const void *src, const unsigned *offset,
                                 const void *bitmask, int size, mluMemcpyDirection_t dir,
                                 int dst_stride, int count) {
  for (int i = 0; i < count; i++)
    if (!bitmask || ((const unsigned char *)bitmask)[i / 8] >> i % 8 & 1)
      __memcpy_async((char *)dst + i * dst_stride, (const char *)src + offset[i], size, dir);
}
__DLP_INLINE void __gather(void *dst, const void *src, const unsigned *offset,
                           const void *bitmask, int size, mluMemcpyDirection_t dir,
                           int dst_stride, int count) {
  __gather_async(dst, src, offset, bitmask, size, dir, dst_stride, count);
  __dlp_SYNC(2);
}
__DLP_INLINE void __bang_gather_async(void *dst, const void *src, const unsigned *offset,
                                      const void *bitmask, int size, mluMemcpyDirection_t dir,
                                      int dst_stride, int count) {
  __gather_async(dst, src, offset, bitmask, size, dir, dst_stride, count);
}
