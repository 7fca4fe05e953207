// Vectors to one number, places, sequences and random numbers.
#pragma once
#include "logic.h"

// dst: the number, then its index: 16 bits after a half, 32 bits at byte 4 after every type.
#define __DLP_EXTREME(T, M, NAME, ROW)                                                       \
  __DLP_INLINE void NAME(T *dst, const T *src, int elem_count) {                             \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_rule_apart(dst, 128, src, elem_count * (long long)sizeof(T));                      \
    __dlp_##ROW##_##M(dst, elem_count, src);                                                 \
  }
__DLP_FLOATS(__DLP_EXTREME, __bang_max, VMAX)
__DLP_FLOATS(__DLP_EXTREME, __bang_min, VMIN)
__DLP_FLOATS(__DLP_EXTREME, __bang_argmax, VMAX)
__DLP_FLOATS(__DLP_EXTREME, __bang_argmin, VMIN)
#undef __DLP_EXTREME

#define __DLP_REDUCTION(T, M, ...)                                                           \
  /* of every 128 bytes: the sum in the first element, the others 0 */                       \
  __DLP_INLINE void __bang_reduce_sum(T *dst, const T *src, int elem_count) {                \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_VGSUM_##M(dst, elem_count, src);                                                   \
  }                                                                                          \
  __DLP_INLINE T __bang_sum(const T *src, int elem_count) {                                  \
    T total[1];                                                                              \
    __dlp_VSUM_##M##_##M(total, elem_count, src);                                            \
    return total[0];                                                                         \
  }                                                                                          \
  __DLP_INLINE void __bang_findfirst1(unsigned *dst, const T *src, int elem_count) {         \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(src));                 \
    __dlp_VFIRST_##M(dst, elem_count, src);                                                  \
  }                                                                                          \
  __DLP_INLINE unsigned __bang_findfirst1(const T *src, int elem_count) {                    \
    unsigned found[1];                                                                       \
    __dlp_VFIRST_##M(found, elem_count, src);                                                \
    return found[0];                                                                         \
  }                                                                                          \
  __DLP_INLINE void __bang_findlast1(unsigned *dst, const T *src, int elem_count) {          \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(src));                 \
    __dlp_VLAST_##M(dst, elem_count, src);                                                   \
  }                                                                                          \
  __DLP_INLINE unsigned __bang_findlast1(const T *src, int elem_count) {                     \
    unsigned found[1];                                                                       \
    __dlp_VLAST_##M(found, elem_count, src);                                                 \
    return found[0];                                                                         \
  }
__DLP_FLOATS(__DLP_REDUCTION, )
#undef __DLP_REDUCTION

// 0, 1, 2 and so on.
#define __DLP_SEQUENCE(T, M, ...)                                                            \
  __DLP_INLINE void __bang_incseq(T *dst, int elem_count) {                                  \
    __dlp_VSEQ_##M(dst, elem_count, __dlp_bits((T)0), __dlp_bits((T)1));                     \
  }
__DLP_FLOATS(__DLP_SEQUENCE, )
__DLP_SHORTS(__DLP_SEQUENCE, )
__DLP_INTS(__DLP_SEQUENCE, )
#undef __DLP_SEQUENCE

// Other numbers for every task, and every time: the seed counts instructions.
__DLP_INLINE void __bang_rand(short *dst, int elem_count) {
  __dlp_rule_vector(elem_count * 2ll, __dlp_places(dst));
  __dlp_RV_i16(dst, elem_count, (long long)taskId << 40 | __dlp_SGET(12));
}
