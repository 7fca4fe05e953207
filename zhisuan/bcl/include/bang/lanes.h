// Vectors in registers, of 256 bytes each: vv_uint32 and its kin, and operations on them.
#pragma once
#include "rules.h"

#define __DLP_LANES_BYTES 256
__DLP_INLINE unsigned __vv_get_length() { return __DLP_LANES_BYTES; }

#define __DLP_LANES(VV, T, M)                                                                \
  struct VV { T lane[__DLP_LANES_BYTES / sizeof(T)]; };                                      \
  enum { __dlp_lanes_##VV = __DLP_LANES_BYTES / sizeof(T) };                                 \
  __DLP_INLINE void __vv_move(VV &dst, T value) {                                            \
    __dlp_VSET_##M(dst.lane, __dlp_lanes_##VV, __dlp_bits(value));                           \
  }                                                                                          \
  __DLP_INLINE void __vv_move(VV &dst, const VV &src) {                                      \
    __dlp_ordered_VMOVE(dst.lane, __DLP_LANES_BYTES, src.lane);                              \
  }                                                                                          \
  __DLP_INLINE void __vv_store(T *dst, const VV &src, int elem_count = __dlp_lanes_##VV) {   \
    __dlp_ordered_VMOVE(dst, elem_count * (long long)sizeof(T), src.lane);                   \
  }                                                                                          \
  __DLP_INLINE void __vv_load(VV &dst, const T *src, int elem_count = __dlp_lanes_##VV) {    \
    __dlp_ordered_VMOVE(dst.lane, elem_count * (long long)sizeof(T), src);                   \
  }                                                                                          \
  /* base, base + step, … */                                                                 \
  __DLP_INLINE void __vv_index(VV &dst, T base, T step) {                                    \
    __dlp_VSEQ_##M(dst.lane, __dlp_lanes_##VV, __dlp_bits(base), __dlp_bits(step));          \
  }                                                                                          \
  __DLP_LANES_OPERATION(VV, T, M, __vv_add, VAV, VAS, +)                                     \
  __DLP_LANES_OPERATION(VV, T, M, __vv_mul, VMV, VMS, +)
#define __DLP_LANES_OPERATION(VV, T, M, NAME, ROW, WITH_SCALAR, SIGN)                        \
  __DLP_INLINE void NAME(VV &dst, const VV &a, const VV &b) {                                \
    __dlp_##ROW##_##M(dst.lane, __dlp_lanes_##VV, a.lane, b.lane);                           \
  }                                                                                          \
  __DLP_INLINE void NAME(VV &dst, const VV &a, T b) {                                        \
    __dlp_##WITH_SCALAR##_##M(dst.lane, __dlp_lanes_##VV, a.lane, __dlp_bits((T)(SIGN b)));  \
  }
__DLP_LANES(vv_uint32, unsigned, i32)
__DLP_LANES(vv_int32, int, i32)
__DLP_LANES(vv_float, float, f32)
__DLP_LANES(vv_half, half, f16)
__DLP_LANES_OPERATION(vv_float, float, f32, __vv_sub, VSV, VAS, -)
__DLP_LANES_OPERATION(vv_half, half, f16, __vv_sub, VSV, VAS, -)
__DLP_LANES_OPERATION(vv_int32, int, i32, __vv_sub, VSV, VAS, -)
#undef __DLP_LANES_OPERATION
#undef __DLP_LANES

// ---- whole numbers ---------------------------------------------------------------------
#define __DLP_LANES_WHOLE(VV, T, U)                                                          \
  /* the upper halves of the products */                                                     \
  __DLP_INLINE void __vv_mulh(VV &dst, const VV &a, const VV &b) {                           \
    __dlp_VMULH_##U(dst.lane, __dlp_lanes_##VV, a.lane, b.lane);                             \
  }                                                                                          \
  __DLP_INLINE void __vv_mulh(VV &dst, const VV &a, T b) {                                   \
    VV all;                                                                                  \
    __vv_move(all, b);                                                                       \
    __vv_mulh(dst, a, all);                                                                  \
  }                                                                                          \
  __DLP_INLINE void __vv_xor(VV &dst, const VV &a, const VV &b) {                            \
    __dlp_VBXOR_i8(dst.lane, __DLP_LANES_BYTES, a.lane, b.lane);                             \
  }                                                                                          \
  __DLP_INLINE void __vv_xor(VV &dst, const VV &a, T b) {                                    \
    __dlp_VBXORS_i32(dst.lane, __dlp_lanes_##VV, a.lane, b);                                 \
  }                                                                                          \
  /* a xor b xor c */                                                                        \
  __DLP_INLINE void __vv_trixor(VV &dst, const VV &a, const VV &b, const VV &c) {            \
    VV both;                                                                                 \
    __vv_xor(both, a, b);                                                                    \
    __vv_xor(dst, both, c);                                                                  \
  }
__DLP_LANES_WHOLE(vv_uint32, unsigned, u32)
__DLP_LANES_WHOLE(vv_int32, int, i32)
#undef __DLP_LANES_WHOLE
