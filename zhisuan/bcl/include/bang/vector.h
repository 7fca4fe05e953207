// Arithmetic on vectors: NAME(dst, src…, elem_count).
#pragma once
#include "rules.h"

// ---- two vectors -----------------------------------------------------------------------
#define __DLP_PAIR(T, M, NAME, ROW)                                                          \
  __DLP_INLINE void NAME(T *dst, const T *src0, const T *src1, int elem_count) {             \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src0, src1));     \
    __dlp_##ROW##_##M(dst, elem_count, src0, src1);                                          \
  }
__DLP_NUMBERS(__DLP_PAIR, __bang_add, VAV)
__DLP_NUMBERS(__DLP_PAIR, __bang_sub, VSV)
__DLP_NUMBERS(__DLP_PAIR, __bang_mul, VMV)
__DLP_FLOATS(__DLP_PAIR, __bang_div, VDV)
__DLP_FLOATS(__DLP_PAIR, __bang_maxequal, VGTM)
__DLP_FLOATS(__DLP_PAIR, __bang_minequal, VLTM)
__DLP_SIGNED(__DLP_PAIR, __bang_maxequal, VGTM)
__DLP_SIGNED(__DLP_PAIR, __bang_minequal, VLTM)
__DLP_FLOATS(__DLP_PAIR, __bang_maximum, VGTM)
__DLP_FLOATS(__DLP_PAIR, __bang_minimum, VLTM)
__DLP_SIGNED(__DLP_PAIR, __bang_maximum, VGTM)
__DLP_SIGNED(__DLP_PAIR, __bang_minimum, VLTM)
__DLP_FLOATS(__DLP_PAIR, __bang_nan_maximum, VNMAX)
__DLP_FLOATS(__DLP_PAIR, __bang_nan_minimum, VNMIN)
#define __DLP_REM(T, M) __DLP_PAIR(T, M, __bang_rem, VREM)
__DLP_REM(short, i16) __DLP_REM(int, i32) __DLP_REM(unsigned short, u16) __DLP_REM(unsigned, u32)
#undef __DLP_REM
// src_addition is room that other machines need.
#define __DLP_DIV(T, M, ...)                                                                 \
  __DLP_INLINE void __bang_div(T *dst, const T *src0, const T *src1, T *, int elem_count) {  \
    __bang_div(dst, src0, src1, elem_count);                                                 \
  }
__DLP_FLOATS(__DLP_DIV, )
#undef __DLP_DIV

// ---- a vector and a number -------------------------------------------------------------
#define __DLP_SCALAR(T, M, NAME, ROW, SIGN)                                                  \
  __DLP_INLINE void NAME(T *dst, const T *src, T value, int elem_count) {                    \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_##ROW##_##M(dst, elem_count, src, __dlp_bits((T)(SIGN value)));                    \
  }
__DLP_NUMBERS(__DLP_SCALAR, __bang_add_scalar, VAS, +)
__DLP_NUMBERS(__DLP_SCALAR, __bang_sub_scalar, VAS, -)
__DLP_NUMBERS(__DLP_SCALAR, __bang_mul_scalar, VMS, +)
__DLP_NUMBERS(__DLP_SCALAR, __bang_add_const, VAS, +)
__DLP_NUMBERS(__DLP_SCALAR, __bang_sub_const, VAS, -)
__DLP_NUMBERS(__DLP_SCALAR, __bang_mul_const, VMS, +)
__DLP_FLOATS(__DLP_SCALAR, __bang_maxeq_scalar, VMAXS, +)
__DLP_SIGNED(__DLP_SCALAR, __bang_maxeq_scalar, VMAXS, +)
__DLP_FLOATS(__DLP_SCALAR, __bang_mineq_scalar, VMINS, +)
__DLP_SIGNED(__DLP_SCALAR, __bang_mineq_scalar, VMINS, +)
#define __DLP_SHIFT(T, M, NAME, ROW)                                                         \
  __DLP_INLINE void NAME(T *dst, const T *src, int bits, int elem_count) {                   \
    __dlp_##ROW##_##M(dst, elem_count, src, bits);                                           \
  }
__DLP_SHIFT(short, u16, __bang_srl, VSHRS) __DLP_SHIFT(unsigned short, u16, __bang_srl, VSHRS)
__DLP_SHIFT(int, u32, __bang_srl, VSHRS) __DLP_SHIFT(unsigned, u32, __bang_srl, VSHRS)
__DLP_SHIFT(short, i16, __bang_sra, VSHRS) __DLP_SHIFT(int, i32, __bang_sra, VSHRS)
__DLP_SHORTS(__DLP_SHIFT, __bang_sll, VSHLS)
__DLP_INTS(__DLP_SHIFT, __bang_sll, VSHLS)
#undef __DLP_SHIFT

// ---- a vector and a shorter one, over and over -----------------------------------------
#define __DLP_CYCLE(T, M, NAME, ROW)                                                         \
  __DLP_INLINE void NAME(T *dst, const T *src, const T *seg, int src_elem_count,             \
                         int seg_elem_count) {                                               \
    __dlp_rule_cycle(src_elem_count * (long long)sizeof(T),                                  \
                     seg_elem_count * (long long)sizeof(T), __dlp_places(dst, src, seg));    \
    __dlp_##ROW##_##M(dst, src_elem_count, src, seg, seg_elem_count);                        \
  }
__DLP_NUMBERS(__DLP_CYCLE, __bang_cycle_add, VCADD)
__DLP_NUMBERS(__DLP_CYCLE, __bang_cycle_sub, VCSUB)
__DLP_NUMBERS(__DLP_CYCLE, __bang_cycle_mul, VCMUL)
__DLP_FLOATS(__DLP_CYCLE, __bang_cycle_maxequal, VCGTM)
__DLP_FLOATS(__DLP_CYCLE, __bang_cycle_minequal, VCLTM)

// ---- functions of one vector -----------------------------------------------------------
#define __DLP_SINGLE(T, M, NAME, ROW)                                                        \
  __DLP_INLINE void NAME(T *dst, const T *src, int elem_count) {                             \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_##ROW##_##M(dst, elem_count, src);                                                 \
  }
#define __DLP_ACTIVE(NAME, ROW)                                                              \
  __DLP_FLOATS(__DLP_SINGLE, __bang_active_##NAME, ROW)                                      \
  __DLP_FLOATS(__DLP_SINGLE, __bang_##NAME, ROW)
__DLP_ACTIVE(relu, VRELU)
__DLP_ACTIVE(exp, VEXP)
__DLP_ACTIVE(log, VLOG)
__DLP_ACTIVE(sigmoid, VSIG)
__DLP_ACTIVE(tanh, VTANH)
__DLP_ACTIVE(sqrt, VSQRT)
__DLP_ACTIVE(recip, VRECIP)
__DLP_ACTIVE(abs, VABS)
__DLP_ACTIVE(gelu, VGELU)
__DLP_ACTIVE(sin, VSIN)
__DLP_ACTIVE(cos, VCOS)
__DLP_ACTIVE(sign, VSIGN)
__DLP_SIGNED(__DLP_SINGLE, __bang_abs, VABS)
__DLP_SIGNED(__DLP_SINGLE, __bang_relu, VRELU)
__DLP_FLOATS(__DLP_SINGLE, __bang_pow2, VEXP2)
__DLP_FLOATS(__DLP_SINGLE, __bang_log2, VLOG2)
// Rows have one precision: names that promise more, or a smaller domain, are the same.
__DLP_FLOATS(__DLP_SINGLE, __bang_active_exp_less_0, VEXP)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_exphp, VEXP)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_loghp, VLOG)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_gelup, VGELU)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_reciphp, VRECIP)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_recip_greater_1, VRECIP)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_sqrthp, VSQRT)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_pow2, VEXP2)
__DLP_FLOATS(__DLP_SINGLE, __bang_active_log2, VLOG2)
// Series of other machines, with the room that they need.
#define __DLP_SERIES(T, M, NAME, ROW)                                                        \
  __DLP_INLINE void __bang_taylor3_##NAME(T *dst, const T *src, T *, T *, int elem_count) {  \
    __dlp_##ROW##_##M(dst, elem_count, src);                                                 \
  }                                                                                          \
  __DLP_INLINE void __bang_taylor4_##NAME(T *dst, const T *src, T *, T *, int elem_count) {  \
    __dlp_##ROW##_##M(dst, elem_count, src);                                                 \
  }
__DLP_FLOATS(__DLP_SERIES, sin, VSIN)
__DLP_FLOATS(__DLP_SERIES, cos, VCOS)
__DLP_FLOATS(__DLP_SERIES, tanh, VTANH)
__DLP_FLOATS(__DLP_SERIES, sigmoid, VSIG)
#undef __DLP_SERIES

// ---- made of others --------------------------------------------------------------------
#define __DLP_MADE(T, M, ...)                                                                \
  __DLP_INLINE void __bang_square(T *dst, const T *src, int elem_count) {                    \
    __bang_mul(dst, src, src, elem_count);                                                   \
  }                                                                                          \
  __DLP_INLINE void __bang_neg(T *dst, const T *src, int elem_count) {                       \
    __bang_mul_scalar(dst, src, (T)-1, elem_count);                                          \
  }
__DLP_FLOATS(__DLP_MADE, )
__DLP_SIGNED(__DLP_MADE, )
#undef __DLP_MADE
#define __DLP_RSQRT(T, M, NAME)                                                              \
  __DLP_INLINE void NAME(T *dst, const T *src, int elem_count) {                             \
    __bang_sqrt(dst, src, elem_count);                                                       \
    __bang_recip(dst, dst, elem_count);                                                      \
  }
__DLP_FLOATS(__DLP_RSQRT, __bang_active_rsqrt)
__DLP_FLOATS(__DLP_RSQRT, __bang_active_rsqrthp)
__DLP_FLOATS(__DLP_RSQRT, __bang_rsqrt)
#undef __DLP_RSQRT
#define __DLP_ROUND(T, M, NAME, WAY)                                                         \
  __DLP_INLINE void NAME(T *dst, const T *src, int elem_count) {                             \
    __dlp_rule_vector(elem_count * (long long)sizeof(T), __dlp_places(dst, src));            \
    __dlp_VRND_##M##_##WAY(dst, elem_count, src);                                            \
  }
__DLP_FLOATS(__DLP_ROUND, __bang_floor, dn)
__DLP_FLOATS(__DLP_ROUND, __bang_ceil, up)
__DLP_FLOATS(__DLP_ROUND, __bang_trunc, tz)
__DLP_FLOATS(__DLP_ROUND, __bang_round, rd)
#undef __DLP_ROUND

// ---- 64 bits: no unit has such elements, so one after the other ------------------------
#define __DLP_LONG(T, NAME, OP)                                                              \
  __DLP_INLINE void __bang_##NAME(T *dst, const T *src0, const T *src1, int elem_count) {    \
    for (int i = 0; i < elem_count; i++) dst[i] = src0[i] OP src1[i];                        \
  }                                                                                          \
  __DLP_INLINE void __bang_##NAME##_scalar(T *dst, const T *src, T value, int elem_count) {  \
    for (int i = 0; i < elem_count; i++) dst[i] = src[i] OP value;                           \
  }
__DLP_LONG(int64_t, add, +) __DLP_LONG(int64_t, sub, -) __DLP_LONG(int64_t, mul, *)
__DLP_LONG(uint64_t, add, +) __DLP_LONG(uint64_t, sub, -) __DLP_LONG(uint64_t, mul, *)
#undef __DLP_LONG

// ---- two operations in one pass --------------------------------------------------------
// FUSION_FMS: multiply, then subtract, and so on.  Both round.
typedef enum {
  FUSION_FMA, FUSION_FMS, FUSION_FAM, FUSION_FSM, FUSION_FAA, FUSION_FAS, FUSION_FSA, FUSION_FSS
} mluFusionOpCode;
#define __DLP_FUSE_CASES(ROW, M, ...)                                                        \
  switch (op) {                                                                              \
    case FUSION_FMA: __dlp_##ROW##_ma_##M(__VA_ARGS__); break;                               \
    case FUSION_FMS: __dlp_##ROW##_ms_##M(__VA_ARGS__); break;                               \
    case FUSION_FAM: __dlp_##ROW##_am_##M(__VA_ARGS__); break;                               \
    case FUSION_FSM: __dlp_##ROW##_sm_##M(__VA_ARGS__); break;                               \
    case FUSION_FAA: __dlp_##ROW##_aa_##M(__VA_ARGS__); break;                               \
    case FUSION_FAS: __dlp_##ROW##_as_##M(__VA_ARGS__); break;                               \
    case FUSION_FSA: __dlp_##ROW##_sa_##M(__VA_ARGS__); break;                               \
    case FUSION_FSS: __dlp_##ROW##_ss_##M(__VA_ARGS__); break;                               \
  }
#define __DLP_STEP(T, FIRST, SECOND)                                                         \
  __DLP_INLINE bool FIRST(mluFusionOpCode op) { return SECOND; }
__DLP_STEP(, __dlp_first_is_m, op == FUSION_FMA || op == FUSION_FMS)
__DLP_STEP(, __dlp_first_is_a, op == FUSION_FAM || op == FUSION_FAA || op == FUSION_FAS)
__DLP_STEP(, __dlp_second_is_m, op == FUSION_FAM || op == FUSION_FSM)
__DLP_STEP(, __dlp_second_is_a, op == FUSION_FMA || op == FUSION_FAA || op == FUSION_FSA)
#undef __DLP_STEP
#define __DLP_FUSION(T, M, ...)                                                              \
  __DLP_INLINE void __dlp_second(mluFusionOpCode op, T *dst, T value, int n) {               \
    if (__dlp_second_is_m(op)) __bang_mul_scalar(dst, dst, value, n);                        \
    else if (__dlp_second_is_a(op)) __bang_add_scalar(dst, dst, value, n);                   \
    else __bang_sub_scalar(dst, dst, value, n);                                              \
  }                                                                                          \
  __DLP_INLINE void __bang_fusion(mluFusionOpCode op, T *dst, const T *src0, const T *src1,  \
                                  const T *src2, int n, int n1) {                            \
    for (int i = 0; i < n; i += n1)                                                          \
      __DLP_FUSE_CASES(VFUSE, M, dst + i, n1, src0 + i, src1, n1 == n ? src2 + i : src2)     \
  }                                                                                          \
  __DLP_INLINE void __bang_fusion(mluFusionOpCode op, T *dst, const T *src0, T src1,         \
                                  const T *src2, int n, int n2) {                            \
    for (int i = 0; i < n; i += n2)                                                          \
      __DLP_FUSE_CASES(VFUSES, M, dst + i, n2, src0 + i, __dlp_bits(src1), src2)             \
  }                                                                                          \
  __DLP_INLINE void __bang_fusion(mluFusionOpCode op, T *dst, const T *src0, const T *src1,  \
                                  T src2, int n, int n1) {                                   \
    if (__dlp_first_is_m(op)) __bang_cycle_mul(dst, src0, src1, n, n1);                      \
    else if (__dlp_first_is_a(op)) __bang_cycle_add(dst, src0, src1, n, n1);                 \
    else __bang_cycle_sub(dst, src0, src1, n, n1);                                           \
    __dlp_second(op, dst, src2, n);                                                          \
  }                                                                                          \
  __DLP_INLINE void __bang_fusion(mluFusionOpCode op, T *dst, const T *src0, T src1, T src2, \
                                  int n) {                                                   \
    if (__dlp_first_is_m(op)) __bang_mul_scalar(dst, src0, src1, n);                         \
    else if (__dlp_first_is_a(op)) __bang_add_scalar(dst, src0, src1, n);                    \
    else __bang_sub_scalar(dst, src0, src1, n);                                              \
    __dlp_second(op, dst, src2, n);                                                          \
  }
__DLP_FLOATS(__DLP_FUSION, )
#undef __DLP_FUSION
#undef __DLP_FUSE_CASES
