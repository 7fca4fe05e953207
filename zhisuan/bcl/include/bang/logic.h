// Comparison, logic, selection: truth is 1 and falsehood 0 in the type of the elements.
#pragma once
#include "vector.h"

__DLP_INLINE int __dlp_least(int a, int b) { return a < b ? a : b; }

// ---- comparison ------------------------------------------------------------------------
// Bit masks are made in pieces, through a vector of 1 and 0 on the stack.
#define __DLP_PIECE 256
#define __DLP_BITINDEX(T, M, NAME, ROW)                                                      \
  __DLP_INLINE void NAME(T *dst, const T *src0, const T *src1, int elem_count) {             \
    T truth[__DLP_PIECE];                                                                    \
    __DLP_MUST_200(the_elements_must_be_a_multiple_of_1024, elem_count % 1024 == 0);         \
    for (int i = 0; i < elem_count; i += __DLP_PIECE) {                                      \
      const int n = __dlp_least(elem_count - i, __DLP_PIECE);                                \
      __dlp_##ROW##_##M(truth, n, src0 + i, src1 + i);                                       \
      __dlp_VTOBITS_##M((char *)dst + i / 8, n, truth);                                      \
    }                                                                                        \
  }
#define __DLP_COMPARISON(NAME, ROW, CYCLIC)                                                  \
  __DLP_FLOATS(__DLP_PAIR, __bang_##NAME, ROW)                                               \
  __DLP_SIGNED(__DLP_PAIR, __bang_##NAME, ROW)                                               \
  __DLP_FLOATS(__DLP_SCALAR, __bang_##NAME##_scalar, ROW##S, +)                              \
  __DLP_SIGNED(__DLP_SCALAR, __bang_##NAME##_scalar, ROW##S, +)                              \
  __DLP_FLOATS(__DLP_SCALAR, __bang_##NAME##_const, ROW##S, +)                               \
  __DLP_FLOATS(__DLP_CYCLE, __bang_cycle_##NAME, CYCLIC)                                     \
  __DLP_FLOATS(__DLP_BITINDEX, __bang_##NAME##_bitindex, ROW)
__DLP_COMPARISON(gt, VGT, VCGT)
__DLP_COMPARISON(ge, VGE, VCGE)
__DLP_COMPARISON(lt, VLT, VCLT)
__DLP_COMPARISON(le, VLE, VCLE)
__DLP_COMPARISON(eq, VE, VCE)
__DLP_COMPARISON(ne, VNE, VCNE)
#undef __DLP_COMPARISON
#undef __DLP_BITINDEX

// ---- logic -----------------------------------------------------------------------------
#define __DLP_LOGIC(NAME, ROW, CYCLIC)                                                       \
  __DLP_FLOATS(__DLP_PAIR, __bang_##NAME, ROW)                                               \
  __DLP_WHOLE(__DLP_PAIR, __bang_##NAME, ROW)                                                \
  __DLP_FLOATS(__DLP_CYCLE, __bang_cycle_##NAME, CYCLIC)
__DLP_LOGIC(and, VAND, VCAND)
__DLP_LOGIC(or, VOR, VCOR)
__DLP_LOGIC(xor, VXOR, VCXOR)
#undef __DLP_LOGIC
__DLP_FLOATS(__DLP_SINGLE, __bang_not, VNOT)
__DLP_WHOLE(__DLP_SINGLE, __bang_not, VNOT)

// ---- bit by bit ------------------------------------------------------------------------
#define __DLP_BITWISE(T, M, NAME, ROW, OP, OF_BYTES)                                         \
  __DLP_INLINE void __bang_b##NAME(T *dst, const T *src0, const T *src1, int elem_count) {   \
    const long long bytes = elem_count * (long long)sizeof(T);                               \
    __dlp_rule_vector(bytes, __dlp_places(dst, src0, src1));                                 \
    __dlp_##ROW##_i8(dst, bytes, src0, src1);                                                \
  }                                                                                          \
  __DLP_INLINE void __bang_cycle_b##NAME(T *dst, const T *src, const T *seg,                 \
                                         int src_elem_count, int seg_elem_count) {           \
    const long long bytes = src_elem_count * (long long)sizeof(T);                           \
    const long long segment = seg_elem_count * (long long)sizeof(T);                         \
    __dlp_rule_cycle(bytes, segment, __dlp_places(dst, src, seg));                           \
    __dlp_VCB_##OF_BYTES##_i8(dst, bytes, src, seg, segment);                                \
  }                                                                                          \
  __DLP_INLINE void __bang_b##NAME##_scalar(T *dst, const T *src, T value, int elem_count) { \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_##ROW##S_##M(dst, elem_count, src, __dlp_bits(value));                             \
  }
#define __DLP_ALIKE(MACRO, ...)                                                              \
  MACRO(half, i16, __VA_ARGS__) MACRO(float, i32, __VA_ARGS__) __DLP_WHOLE(MACRO, __VA_ARGS__)
__DLP_ALIKE(__DLP_BITWISE, and, VBAND, &, and)
__DLP_ALIKE(__DLP_BITWISE, or, VBOR, |, or)
__DLP_ALIKE(__DLP_BITWISE, xor, VBXOR, ^, xor)
#define __DLP_INVERT(T, M, ...)                                                              \
  __DLP_INLINE void __bang_bnot(T *dst, const T *src, int elem_count) {                      \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_VBNOT_i8(dst, elem_count * (long long)sizeof(T), src);                             \
  }
__DLP_ALIKE(__DLP_INVERT, )
#undef __DLP_INVERT
#undef __DLP_BITWISE

// ---- choosing elements -----------------------------------------------------------------
#define __DLP_COUNT(T, M, ...)                                                               \
  __DLP_INLINE void __bang_count(unsigned *dst, const T *src, int elem_count) {              \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(src));                 \
    __dlp_VCOUNT_##M(dst, elem_count, src);                                                  \
  }                                                                                          \
  __DLP_INLINE unsigned __bang_count(const T *src, int elem_count) {                         \
    unsigned found[1];                                                                       \
    __dlp_VCOUNT_##M(found, elem_count, src);                                                \
    return found[0];                                                                         \
  }                                                                                          \
  /* what a filter gives: the number of elements, counted only where somebody asks */        \
  struct __dlp_filtered_##M {                                                                \
    const T *mask;                                                                           \
    int elem_count, found;                                                                   \
    __attribute__((device, always_inline)) operator int() const {                            \
      return mask ? (int)__bang_count(mask, elem_count) : found;                             \
    }                                                                                        \
  };
__DLP_FLOATS(__DLP_COUNT, )
#undef __DLP_COUNT
// select: 128 bytes that begin with the number of elements, then the elements, then zeros.
#define __DLP_CHOOSE(T, M, ...)                                                              \
  __DLP_INLINE void __bang_collect(T *dst, const T *src, const T *mask, int elem_count) {    \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src, mask));      \
    __dlp_VCOLLECT_##M(dst, elem_count, src, mask);                                          \
  }                                                                                          \
  __DLP_INLINE __dlp_filtered_##M __bang_filter(T *dst, const T *src, const T *mask,         \
                                                int elem_count) {                            \
    if ((void *)dst != (void *)mask) {                                                       \
      __bang_collect(dst, src, mask, elem_count);                                            \
      return {mask, elem_count, 0};                                                          \
    }                                                                                        \
    const int found = __bang_count(mask, elem_count);                                        \
    __bang_collect(dst, src, mask, elem_count);                                              \
    return {0, 0, found};                                                                    \
  }                                                                                          \
  __DLP_INLINE void __bang_select(T *dst, const T *src, const T *mask, int elem_count) {     \
    const long long bytes = elem_count * (long long)sizeof(T);                               \
    __dlp_rule_vector(bytes, __dlp_places(dst, src, mask));                                  \
    __dlp_rule_apart(dst, 128 + bytes, src, bytes);                                          \
    __dlp_VSET_i8(dst, 128 + bytes, 0);                                                      \
    __dlp_VCOUNT_##M(dst, elem_count, mask);                                                 \
    __dlp_VCOLLECT_##M((char *)dst + 128, elem_count, src, mask);                            \
  }                                                                                          \
  __DLP_INLINE void __bang_maskmove(T *dst, const T *src, const T *mask, int elem_count) {   \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src, mask));      \
    __dlp_VSEL_##M(dst, elem_count, mask, src, dst);                                         \
  }
__DLP_FLOATS(__DLP_CHOOSE, )
#undef __DLP_CHOOSE

// The same by a bit mask, which is made a vector of 1 and 0 piece by piece.
#define __DLP_BY_BITS(T, M, ...)                                                             \
  __DLP_INLINE int __dlp_collect_bits(T *dst, const T *src, const void *bits, int n) {       \
    T truth[__DLP_PIECE];                                                                    \
    unsigned found[1];                                                                       \
    int at = 0;                                                                              \
    __DLP_MUST_200(the_elements_must_be_a_multiple_of_1024, n % 1024 == 0);                  \
    for (int i = 0; i < n; i += __DLP_PIECE) {                                               \
      const int piece = __dlp_least(n - i, __DLP_PIECE);                                     \
      __dlp_VOFBITS_##M(truth, piece, (const char *)bits + i / 8);                           \
      __dlp_VCOLLECT_##M(dst + at, piece, src + i, truth);                                   \
      __dlp_VCOUNT_##M(found, piece, truth);                                                 \
      at += found[0];                                                                        \
    }                                                                                        \
    return at;                                                                               \
  }                                                                                          \
  __DLP_INLINE void __bang_collect_bitindex(T *dst, const T *src, const void *bitmask,       \
                                            int elem_count) {                                \
    __dlp_collect_bits(dst, src, bitmask, elem_count);                                       \
  }                                                                                          \
  __DLP_INLINE int __bang_filter_bitindex(T *dst, const T *src, const void *bitmask,         \
                                          int elem_count) {                                  \
    return __dlp_collect_bits(dst, src, bitmask, elem_count);                                       \
  }                                                                                          \
  __DLP_INLINE void __bang_select_bitindex(T *dst, const T *src, const void *bitindex,       \
                                           int elem_count) {                                 \
    __dlp_VSET_i8(dst, 128 + elem_count * (long long)sizeof(T), 0);                          \
    const int found = __dlp_collect_bits((T *)((char *)dst + 128), src, bitindex, elem_count); \
    *(unsigned *)dst = found;                                                                \
  }                                                                                          \
  __DLP_INLINE void __bang_maskmove_bitindex(T *dst, const T *src, const void *bitmask,      \
                                             int elem_count) {                               \
    T truth[__DLP_PIECE];                                                                    \
    for (int i = 0; i < elem_count; i += __DLP_PIECE) {                                      \
      const int n = __dlp_least(elem_count - i, __DLP_PIECE);                                \
      __dlp_VOFBITS_##M(truth, n, (const char *)bitmask + i / 8);                            \
      __dlp_VSEL_##M(dst + i, n, truth, src + i, dst + i);                                   \
    }                                                                                        \
  }                                                                                          \
  /* ones among elem_count bits */                                                           \
  __DLP_INLINE void __bang_count_bitindex(unsigned *dst, const T *src, int elem_count) {     \
    T truth[__DLP_PIECE];                                                                    \
    unsigned found[1], total = 0;                                                            \
    for (int i = 0; i < elem_count; i += __DLP_PIECE) {                                      \
      const int n = __dlp_least(elem_count - i, __DLP_PIECE);                                \
      __dlp_VOFBITS_##M(truth, n, (const char *)src + i / 8);                                \
      __dlp_VCOUNT_##M(found, n, truth);                                                     \
      total += found[0];                                                                     \
    }                                                                                        \
    *dst = total;                                                                            \
  }
__DLP_FLOATS(__DLP_BY_BITS, )
#undef __DLP_BY_BITS

// ---- looking up ------------------------------------------------------------------------
#define __DLP_LOOK_UP(T, M, NAME)                                                            \
  __DLP_INLINE void NAME(T *dst, const T *src, const T *table, int elem_count,               \
                         int table_elem_count) {                                             \
    __dlp_VLUT_##M(dst, elem_count, src, table, table_elem_count);                           \
  }
__DLP_LOOK_UP(int, u32, __bang_lut) __DLP_LOOK_UP(unsigned, u32, __bang_lut)
__DLP_LOOK_UP(short, u16, __bang_lut) __DLP_LOOK_UP(unsigned short, u16, __bang_lut)
__DLP_LOOK_UP(int, u32, __bang_lut_s32) __DLP_LOOK_UP(short, u16, __bang_lut_s16)
#undef __DLP_LOOK_UP
