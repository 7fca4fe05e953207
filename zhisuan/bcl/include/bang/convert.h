// Conversion: NAME(dst, src, elem_count).  Suffixes: rn to nearest even, also without; tz toward
// zero; oz away from zero; up, dn; rd to nearest, ties away from zero.
// fix_position p: an integer q stands for q · 2^p; to it: x / 2^p rounded and saturated.
#pragma once
#include "logic.h"

#define __DLP_WAYS(MACRO, NAME, TO, FROM, ROW, ...)                                          \
  MACRO(NAME, TO, FROM, ROW, ##__VA_ARGS__) MACRO(NAME##_rn, TO, FROM, ROW, ##__VA_ARGS__)   \
  MACRO(NAME##_tz, TO, FROM, ROW##_tz, ##__VA_ARGS__)                                        \
  MACRO(NAME##_oz, TO, FROM, ROW##_oz, ##__VA_ARGS__)                                        \
  MACRO(NAME##_up, TO, FROM, ROW##_up, ##__VA_ARGS__)                                        \
  MACRO(NAME##_dn, TO, FROM, ROW##_dn, ##__VA_ARGS__)                                        \
  MACRO(NAME##_rd, TO, FROM, ROW##_rd, ##__VA_ARGS__)

// ---- without a position; segnum + 1 segments, strides in bytes -------------------------
#define __DLP_CONVERT(NAME, TO, FROM, ROW)                                                   \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count) {                         \
    __dlp_rule_convert(elem_count, __dlp_places(dst, src));                                  \
    __dlp_##ROW(dst, elem_count, src);                                                       \
  }                                                                                          \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count, int dst_stride,           \
                         int src_stride, int segnum) {                                       \
    for (int i = 0; i <= segnum; i++)                                                        \
      NAME((TO *)((char *)dst + i * dst_stride),                                             \
           (const FROM *)((const char *)src + i * src_stride), elem_count);                  \
  }
__DLP_CONVERT(__bang_half2float, float, half, VCVT_f16_f32)
__DLP_WAYS(__DLP_CONVERT, __bang_float2half, half, float, VCVT_f32_f16)
__DLP_WAYS(__DLP_CONVERT, __bang_half2short, short, half, VCVT_f16_i16)
__DLP_WAYS(__DLP_CONVERT, __bang_float2short, short, float, VCVT_f32_i16)
__DLP_WAYS(__DLP_CONVERT, __bang_half2char, signed char, half, VCVT_f16_i8)
__DLP_WAYS(__DLP_CONVERT, __bang_half2uchar, unsigned char, half, VCVT_f16_u8)
__DLP_WAYS(__DLP_CONVERT, __bang_half2uchar, signed char, half, VCVT_f16_u8)
__DLP_WAYS(__DLP_CONVERT, __bang_float2uchar, unsigned char, float, VCVT_f32_u8)
__DLP_CONVERT(__bang_uchar2half, half, unsigned char, VCVT_u8_f16)
__DLP_CONVERT(__bang_uchar2float, float, unsigned char, VCVT_u8_f32)
__DLP_CONVERT(__bang_char2half, half, signed char, VCVT_i8_f16)
__DLP_CONVERT(__bang_short2half, half, short, VCVT_i16_f16)
__DLP_CONVERT(__bang_short2float, float, short, VCVT_i16_f32)
#define __DLP_BY_FLOAT(NAME, TO, FROM, FIRST, SECOND)                                        \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count, int = 0) {                \
    float wide[__DLP_PIECE];                                                                 \
    for (int i = 0; i < elem_count; i += __DLP_PIECE) {                                      \
      const int n = __dlp_least(elem_count - i, __DLP_PIECE);                                \
      __dlp_##FIRST(wide, n, src + i);                                                       \
      __dlp_##SECOND(dst + i, n, wide);                                                      \
    }                                                                                        \
  }
__DLP_BY_FLOAT(__bang_uchar2int16, int16_t, unsigned char, VCVT_u8_f32, VCVT_f32_i16)
__DLP_BY_FLOAT(__bang_uchar2int32, int32_t, unsigned char, VCVT_u8_f32, VCVT_f32_i32)
__DLP_BY_FLOAT(__bang_half2bfloat16, bfloat16_t, half, VCVT_f16_f32, VBF_f32_bf16)
__DLP_BY_FLOAT(__bang_bfloat162half, half, bfloat16_t, VBF_bf16_f32, VCVT_f32_f16)
#undef __DLP_BY_FLOAT
// src_addition is room that other machines need.
#define __DLP_WITH_ROOM(T)                                                                   \
  __DLP_INLINE void __bang_half2uchar_dn(T *dst, const half *src, half *, int elem_count) {  \
    __bang_half2uchar_dn(dst, src, elem_count);                                              \
  }
__DLP_WITH_ROOM(unsigned char) __DLP_WITH_ROOM(signed char)
#undef __DLP_WITH_ROOM

// ---- with a position -------------------------------------------------------------------
__DLP_INLINE float __dlp_two_to(int n) {
  return __builtin_bit_cast(float, n >= -126 ? (unsigned)(n + 127) << 23 : 1u << (n + 149));
}
#define __DLP_SCALED_half(to, n, from, scale)                                                \
  (__dlp_VCVT_f16_f32(to, n, from), __dlp_VMS_f32(to, n, to, __dlp_bits(scale)))
#define __DLP_SCALED_float(to, n, from, scale) __dlp_VMS_f32(to, n, from, __dlp_bits(scale))
#define __DLP_STRIDED(NAME, TO, FROM)                                                        \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count, int fix_position,         \
                         int dst_stride, int src_stride, int segnum) {                       \
    for (int i = 0; i <= segnum; i++)                                                        \
      NAME((TO *)((char *)dst + i * dst_stride),                                             \
           (const FROM *)((const char *)src + i * src_stride), elem_count, fix_position);    \
  }
// Scaled in float, which loses nothing, and rounded once.
#define __DLP_TO_FIX(NAME, TO, FROM, ROW, FROM_FLOAT)                                        \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count, int fix_position = 0) {   \
    float scaled[__DLP_PIECE];                                                               \
    __dlp_rule_convert(elem_count, __dlp_places(dst, src));                                  \
    __dlp_rule_position(fix_position);                                                       \
    if (fix_position == 0) {                                                                 \
      __dlp_##ROW(dst, elem_count, src);                                                     \
      return;                                                                                \
    }                                                                                        \
    for (int i = 0; i < elem_count; i += __DLP_PIECE) {                                      \
      const int n = __dlp_least(elem_count - i, __DLP_PIECE);                                \
      __DLP_SCALED_##FROM(scaled, n, src + i, __dlp_two_to(-fix_position));                  \
      __dlp_##FROM_FLOAT(dst + i, n, scaled);                                                \
    }                                                                                        \
  }                                                                                          \
  __DLP_STRIDED(NAME, TO, FROM)
#define __DLP_TO_FIX_WAYS(FROM, M, INTEGER, TO, I)                                           \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER, TO, FROM, VCVT_##M##_##I, VCVT_f32_##I)            \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER##_rn, TO, FROM, VCVT_##M##_##I, VCVT_f32_##I)       \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER##_tz, TO, FROM, VCVT_##M##_##I##_tz, VCVT_f32_##I##_tz) \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER##_oz, TO, FROM, VCVT_##M##_##I##_oz, VCVT_f32_##I##_oz) \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER##_up, TO, FROM, VCVT_##M##_##I##_up, VCVT_f32_##I##_up) \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER##_dn, TO, FROM, VCVT_##M##_##I##_dn, VCVT_f32_##I##_dn) \
  __DLP_TO_FIX(__bang_##FROM##2##INTEGER##_rd, TO, FROM, VCVT_##M##_##I##_rd, VCVT_f32_##I##_rd)
#define __DLP_OF_FIX(NAME, TO, FROM, I)                                                      \
  __DLP_INLINE void NAME(half *dst, const FROM *src, int elem_count, int fix_position = 0) { \
    float wide[__DLP_PIECE];                                                                 \
    __dlp_rule_convert(elem_count, __dlp_places(dst, src));                                  \
    __dlp_rule_position(fix_position);                                                       \
    if (fix_position == 0) {                                                                 \
      __dlp_VCVT_##I##_f16(dst, elem_count, src);                                            \
      return;                                                                                \
    }                                                                                        \
    for (int i = 0; i < elem_count; i += __DLP_PIECE) {                                      \
      const int n = __dlp_least(elem_count - i, __DLP_PIECE);                                \
      __dlp_VCVT_##I##_f32(wide, n, src + i);                                                \
      __dlp_VMS_f32(wide, n, wide, __dlp_bits(__dlp_two_to(fix_position)));                  \
      __dlp_VCVT_f32_f16(dst + i, n, wide);                                                  \
    }                                                                                        \
  }                                                                                          \
  __DLP_STRIDED(NAME, half, FROM)
#define __DLP_OF_FIX_FLOAT(NAME, FROM, I)                                                    \
  __DLP_INLINE void NAME(float *dst, const FROM *src, int elem_count, int fix_position = 0) { \
    __dlp_rule_convert(elem_count, __dlp_places(dst, src));                                  \
    __dlp_rule_position(fix_position);                                                       \
    __dlp_VCVT_##I##_f32(dst, elem_count, src);                                              \
    if (fix_position)                                                                        \
      __dlp_VMS_f32(dst, elem_count, dst, __dlp_bits(__dlp_two_to(fix_position)));           \
  }                                                                                          \
  __DLP_STRIDED(NAME, float, FROM)
#define __DLP_FIXED(INTEGER, T, I)                                                           \
  __DLP_TO_FIX_WAYS(half, f16, INTEGER, T, I)                                                \
  __DLP_TO_FIX_WAYS(float, f32, INTEGER, T, I)                                               \
  __DLP_OF_FIX(__bang_##INTEGER##2half, half, T, I)                                          \
  __DLP_OF_FIX_FLOAT(__bang_##INTEGER##2float, T, I)
__DLP_FIXED(int8, int8_t, i8)
__DLP_FIXED(int16, int16_t, i16)
__DLP_FIXED(int32, int32_t, i32)
__DLP_FIXED(int, int32_t, i32)
__DLP_OF_FIX(__bang_fix82half, half, fix8, i8)
// Numbers beyond 2^24 round to nearest even whatever the name says.
__DLP_OF_FIX_FLOAT(__bang_int322float_rn, int32_t, i32)
__DLP_OF_FIX_FLOAT(__bang_int322float_rd, int32_t, i32)
#undef __DLP_FIXED
#undef __DLP_OF_FIX
#undef __DLP_OF_FIX_FLOAT
#undef __DLP_TO_FIX_WAYS
#undef __DLP_TO_FIX
#undef __DLP_STRIDED

// ---- between integers: src · 2^(src_position - dst_position), to nearest, saturated -----
#define __DLP_INTEGERS(NAME, TO, FROM, MODE)                                                 \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count, int dst_position = 0,     \
                         int src_position = 0) {                                             \
    const int shift = dst_position - src_position;                                           \
    __dlp_VREQ_##MODE(dst, elem_count, src, shift < 0 ? 1 << -shift : 1, shift < 0 ? 0 : shift); \
  }
__DLP_INTEGERS(__bang_int322int16, int16_t, int32_t, i32_i16)
__DLP_INTEGERS(__bang_int322int8, int8_t, int32_t, i32_i8)
__DLP_INTEGERS(__bang_int162int8, int8_t, int16_t, i16_i8)
__DLP_INTEGERS(__bang_int162int32, int32_t, int16_t, i16_i32)
__DLP_INTEGERS(__bang_int82int16, int16_t, int8_t, i8_i16)
__DLP_INTEGERS(__bang_int82int32, int32_t, int8_t, i8_i32)
#undef __DLP_INTEGERS

// ---- bfloat16 --------------------------------------------------------------------------
__DLP_CONVERT(__bang_bfloat162float, float, bfloat16_t, VBF_bf16_f32)
__DLP_CONVERT(__bang_float2bfloat16, bfloat16_t, float, VBF_f32_bf16)
__DLP_CONVERT(__bang_float2bfloat16_rn, bfloat16_t, float, VBF_f32_bf16)
__DLP_INLINE void __bang_float2bfloat16_tz(bfloat16_t *dst, const float *src, int elem_count) {
  float cut[__DLP_PIECE];
  for (int i = 0; i < elem_count; i += __DLP_PIECE) {
    const int n = __dlp_least(elem_count - i, __DLP_PIECE);
    __dlp_VBANDS_i32(cut, n, src + i, (int)0xFFFF0000);
    __dlp_VBF_f32_bf16(dst + i, n, cut);
  }
}
#undef __DLP_CONVERT

// ---- one number, converted by the vector unit ------------------------------------------
#define __DLP_CONVERT_ONE(NAME, TO, FROM, ROW)                                               \
  __DLP_INLINE TO NAME(FROM value) {                                                         \
    FROM x[1] = {value};                                                                     \
    TO y[1];                                                                                 \
    __dlp_##ROW(y, 1, x);                                                                    \
    return y[0];                                                                             \
  }
__DLP_INLINE float __half2float(half x) { return (float)x; }
__DLP_INLINE float __bfloat162float(bfloat16_t x) { return (float)x; }
__DLP_INLINE bfloat16_t __float2bfloat16(float x) { return bfloat16_t(x); }
__DLP_INLINE bfloat16_t __float2bfloat16_rn(float x) { return bfloat16_t(x); }
__DLP_WAYS(__DLP_CONVERT_ONE, __float2half, half, float, VCVT_f32_f16)
__DLP_WAYS(__DLP_CONVERT_ONE, __float2int, int, float, VCVT_f32_i32)
__DLP_WAYS(__DLP_CONVERT_ONE, __float2int32, int, float, VCVT_f32_i32)
__DLP_WAYS(__DLP_CONVERT_ONE, __float2short, short, float, VCVT_f32_i16)
__DLP_WAYS(__DLP_CONVERT_ONE, __half2int, int, half, VCVT_f16_i32)
__DLP_WAYS(__DLP_CONVERT_ONE, __half2int32, int, half, VCVT_f16_i32)
__DLP_WAYS(__DLP_CONVERT_ONE, __half2short, short, half, VCVT_f16_i16)
#undef __DLP_CONVERT_ONE
#undef __DLP_WAYS

// ---- addition that rounds toward zero --------------------------------------------------
// The nearest sum, one step smaller where what it lost has the other sign.
__DLP_INLINE void __bang_add_tz(float *dst, const float *src0, const float *src1, int elem_count) {
  float sum[__DLP_PIECE], part[__DLP_PIECE], lost[__DLP_PIECE];
  int step[__DLP_PIECE];
  for (int i = 0; i < elem_count; i += __DLP_PIECE) {
    const int n = __dlp_least(elem_count - i, __DLP_PIECE);
    __dlp_VAV_f32(sum, n, src0 + i, src1 + i);
    __dlp_VSV_f32(part, n, sum, src0 + i);
    __dlp_VSV_f32(lost, n, sum, part);
    __dlp_VSV_f32(lost, n, src0 + i, lost);
    __dlp_VSV_f32(part, n, src1 + i, part);
    __dlp_VAV_f32(lost, n, lost, part);
    __dlp_VSIGN_f32(lost, n, lost);
    __dlp_VSIGN_f32(part, n, sum);
    __dlp_VMV_f32(lost, n, lost, part);
    __dlp_VLTS_f32(lost, n, lost, 0);
    __dlp_VCVT_f32_i32(step, n, lost);
    __dlp_VSV_i32(dst + i, n, sum, step);
  }
}
__DLP_INLINE void __bang_add_tz(half *dst, const half *src0, const half *src1, int elem_count) {
  float a[__DLP_PIECE], b[__DLP_PIECE];
  for (int i = 0; i < elem_count; i += __DLP_PIECE) {
    const int n = __dlp_least(elem_count - i, __DLP_PIECE);
    __dlp_VCVT_f16_f32(a, n, src0 + i);
    __dlp_VCVT_f16_f32(b, n, src1 + i);
    __bang_add_tz(a, a, b, n);
    __dlp_VCVT_f32_f16_tz(dst + i, n, a);
  }
}
#define __DLP_CYCLE_TZ(T, M, ...)                                                            \
  __DLP_INLINE void __bang_cycle_add_tz(T *dst, const T *src, const T *seg,                  \
                                        int src_elem_count, int seg_elem_count) {            \
    for (int i = 0; i < src_elem_count; i += seg_elem_count)                                 \
      __bang_add_tz(dst + i, src + i, seg, seg_elem_count);                                  \
  }
__DLP_FLOATS(__DLP_CYCLE_TZ, )
#undef __DLP_CYCLE_TZ
