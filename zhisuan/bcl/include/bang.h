// BANG C on the DLP: qualifiers, types, built-in variables and built-ins.
// Included before every kernel; `#include <bang.h>`, "mlu.h" and "bcl.h" name it too.
// Every built-in is a thin inline over the functions generated from the instruction table
// (dlp_instructions.h), which kernels may also call directly.
#pragma once
#include <stddef.h>
#include <stdint.h>

// ---- qualifiers ------------------------------------------------------------------------
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __global__ __attribute__((global)) __attribute__((annotate("dlp_kernel")))
#define __mlu_entry__ __global__
#define __mlu_global__ __global__
#define __dlp_entry__ __global__
#define __dlp_global__ __global__
#define __mlu_device__ __device__
#define __mlu_func__ __device__
#define __dlp_device__ __device__
#define __dlp_func__ __device__
#define __mlu_host__ __host__
#define __dlp_host__ __host__
#define __mlu_const__ __attribute__((constant))
#define __dlp_const__ __attribute__((constant))
// clang drops annotations of `extern` arrays, so linkage tells the compiler their memory.
#define __nram__ __attribute__((shared)) __attribute__((annotate("nram")))
#define __wram__ \
  __attribute__((shared)) __attribute__((annotate("wram"))) __attribute__((visibility("protected")))
#define __ldram__ \
  __attribute__((shared)) __attribute__((annotate("ldram"))) __attribute__((visibility("hidden")))
#define __mlu_shared__ \
  __attribute__((shared)) __attribute__((annotate("sram"))) __attribute__((aligned(256)))
#define __dlp_shared__ __mlu_shared__
#define __mlu_builtin__
#define __DLP_INLINE static inline __attribute__((device, always_inline, unused))

// ---- types -----------------------------------------------------------------------------
typedef _Float16 half;
typedef int8_t int8;
typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;

// ---- built-in variables ----------------------------------------------------------------
extern "C" {
extern __device__ const int taskId, taskIdX, taskIdY, taskIdZ;
extern __device__ const int taskDim, taskDimX, taskDimY, taskDimZ;
extern __device__ const int clusterId, clusterDim, coreId, coreDim;
}
__DLP_INLINE bool __is_mpu() { return coreId == 0x80; }
__DLP_INLINE bool __is_ipu() { return coreId != 0x80; }

// ---- packing operands ------------------------------------------------------------------
// Two signed 32-bit halves, low first.
__DLP_INLINE long long __dlp_pack2(int low, int high) {
  return (long long)((unsigned long long)(unsigned)high << 32 | (unsigned)low);
}
// Four 16-bit fields, lowest first.
__DLP_INLINE long long __dlp_pack4(int a, int b, int c, int d) {
  return (long long)((unsigned long long)(d & 0xFFFF) << 48 |
                     (unsigned long long)(c & 0xFFFF) << 32 |
                     (unsigned long long)(b & 0xFFFF) << 16 | (unsigned long long)(a & 0xFFFF));
}
// The bits of a value as instructions take scalars.
__DLP_INLINE long long __dlp_bits(half x) { return __builtin_bit_cast(unsigned short, x); }
__DLP_INLINE long long __dlp_bits(float x) { return __builtin_bit_cast(unsigned, x); }

// ---- order -----------------------------------------------------------------------------
__DLP_INLINE void __sync() { __dlp_SYNC(7); }
__DLP_INLINE void __sync_compute() { __dlp_SYNC(1); }
__DLP_INLINE void __sync_io() { __dlp_SYNC(2); }
__DLP_INLINE void __sync_move() { __dlp_SYNC(4); }
__DLP_INLINE void __sync_io_move_compute() { __dlp_SYNC(7); }
// Barriers, no-ops for a task that has no cluster around it.  Special registers: 13 keeps jobs
// apart, 14 is the number of memory cores in each cluster, 15 says whether this is one.
__DLP_INLINE void __dlp_barrier(long long id, long long arrivals) {
  if (arrivals > 1) __dlp_BARRIER(id, __dlp_SGET(13), arrivals);
}
__DLP_INLINE void __sync_cluster() { __dlp_barrier(clusterId, coreDim + __dlp_SGET(14)); }
__DLP_INLINE void __sync_all() {
  __dlp_barrier(clusterDim, clusterDim * (coreDim + __dlp_SGET(14)));
}
__DLP_INLINE void __sync_all_ipu() {
  if (!__dlp_SGET(15)) __dlp_barrier(clusterDim + 1, clusterDim * coreDim);
}
__DLP_INLINE void __sync_all_mpu() {
  if (__dlp_SGET(15)) __dlp_barrier(clusterDim + 2, clusterDim * __dlp_SGET(14));
}
__DLP_INLINE void __sync_all_ipu_within_cluster() {
  if (!__dlp_SGET(15)) __dlp_barrier(clusterDim + 3 + clusterId, coreDim);
}

// ---- stopping --------------------------------------------------------------------------
__DLP_INLINE void __assert(bool holds) { if (!holds) __dlp_TRAP(1); }
__DLP_INLINE void __abort() { __dlp_TRAP(2); }

// ---- copies ----------------------------------------------------------------------------
typedef enum {
  GDRAM2NRAM, NRAM2GDRAM, LDRAM2NRAM, NRAM2LDRAM, GDRAM2WRAM, WRAM2GDRAM, LDRAM2WRAM,
  WRAM2LDRAM, NRAM2NRAM, NRAM2WRAM, WRAM2NRAM, GDRAM2SRAM, SRAM2GDRAM, LDRAM2SRAM, SRAM2LDRAM,
  SRAM2NRAM, NRAM2SRAM, SRAM2WRAM, WRAM2SRAM, GDRAM2GDRAM, GDRAM2LDRAM, LDRAM2GDRAM, SRAM2SRAM,
  LDRAM2LDRAM
} mluMemcpyDirection_t;

// A call that survives optimisation is a compile error that reads as its name.
#define __DLP_REFUSE(words) extern "C" __device__ void __dlp_refuse_##words()
__DLP_REFUSE(this_copy_direction_is_not_supported);
__DLP_REFUSE(only_SRAM2SRAM_takes_a_cluster);
__DLP_REFUSE(only_fix_position_0_is_supported);

#define __DLP_COPY(NAME, KIND)                                                               \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                        \
                         mluMemcpyDirection_t dir) {                                         \
    switch (dir) {                                                                           \
      case GDRAM2NRAM: case LDRAM2NRAM: KIND##VLOAD(dst, size, src); break;                  \
      case NRAM2GDRAM: case NRAM2LDRAM: KIND##VSTORE(dst, size, src); break;                 \
      case GDRAM2WRAM: case LDRAM2WRAM: KIND##MLOAD(dst, size, src); break;                  \
      case WRAM2GDRAM: case WRAM2LDRAM: KIND##MSTORE(dst, size, src); break;                 \
      case NRAM2NRAM: KIND##VMOVE(dst, size, src); break;                                    \
      case NRAM2WRAM: KIND##MMOVE(dst, size, src); break;                                    \
      case GDRAM2SRAM: case LDRAM2SRAM: KIND##GLOAD(dst, size, src); break;                  \
      case SRAM2GDRAM: case SRAM2LDRAM: KIND##GSTORE(dst, size, src); break;                 \
      case SRAM2NRAM: KIND##VREAD(dst, size, src); break;                                    \
      case NRAM2SRAM: KIND##VWRITE(dst, size, src); break;                                   \
      case SRAM2WRAM: KIND##MREAD(dst, size, src); break;                                    \
      case WRAM2SRAM: KIND##MWRITE(dst, size, src); break;                                   \
      case SRAM2SRAM: KIND##CDMA(dst, size, src, clusterId); break;                          \
      case GDRAM2GDRAM: case GDRAM2LDRAM: case LDRAM2GDRAM: case LDRAM2LDRAM:                \
        KIND##DMOVE(dst, size, src); break;                                                  \
      default: __dlp_refuse_this_copy_direction_is_not_supported();         \
    }                                                                                        \
  }                                                                                          \
  /* to the SRAM of another cluster of the job */                                           \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                        \
                         mluMemcpyDirection_t dir, int cluster) {                            \
    if (dir != SRAM2SRAM) __dlp_refuse_only_SRAM2SRAM_takes_a_cluster();                     \
    KIND##CDMA(dst, size, src, cluster);                                                     \
  }                                                                                          \
  /* n1 times n segments of size bytes; strides in bytes */                                  \
  __DLP_INLINE void NAME##_3d(void *dst, const void *src, long long size,                    \
                              mluMemcpyDirection_t dir, long long dst_stride,                \
                              long long src_stride, long long n, int dst_outer,              \
                              int src_outer, long long n1) {                                 \
    long long outer = __dlp_pack2(dst_outer, src_outer);                                     \
    switch (dir) {                                                                           \
      case GDRAM2NRAM: case LDRAM2NRAM:                                                      \
        KIND##VLOAD3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case NRAM2GDRAM: case NRAM2LDRAM:                                                      \
        KIND##VSTORE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;          \
      case GDRAM2WRAM: case LDRAM2WRAM:                                                      \
        KIND##MLOAD3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case WRAM2GDRAM: case WRAM2LDRAM:                                                      \
        KIND##MSTORE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;          \
      case NRAM2NRAM:                                                                        \
        KIND##VMOVE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case NRAM2WRAM:                                                                        \
        KIND##MMOVE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case GDRAM2SRAM: case LDRAM2SRAM:                                                      \
        KIND##GLOAD3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case SRAM2GDRAM: case SRAM2LDRAM:                                                      \
        KIND##GSTORE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;          \
      case SRAM2NRAM:                                                                        \
        KIND##VREAD3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case NRAM2SRAM:                                                                        \
        KIND##VWRITE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;          \
      case SRAM2WRAM:                                                                        \
        KIND##MREAD3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case WRAM2SRAM:                                                                        \
        KIND##MWRITE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;          \
      case GDRAM2GDRAM: case GDRAM2LDRAM: case LDRAM2GDRAM: case LDRAM2LDRAM:                \
        KIND##DMOVE3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      default: __dlp_refuse_this_copy_direction_is_not_supported();         \
    }                                                                                        \
  }                                                                                          \
  /* segnum + 1 segments of size bytes */                                                    \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                        \
                         mluMemcpyDirection_t dir, long long dst_stride,                     \
                         long long src_stride, long long segnum) {                           \
    NAME##_3d(dst, src, size, dir, dst_stride, src_stride, segnum + 1, 0, 0, 1);             \
  }
__DLP_COPY(__memcpy, __dlp_ordered_)
__DLP_COPY(__memcpy_async, __dlp_)
#undef __DLP_COPY
// From SRAM to the same place of NRAM or WRAM of every core of the cluster.
__DLP_INLINE void __memcpy_multicast(void *dst, const void *src, long long size,
                                     mluMemcpyDirection_t dir) {
  switch (dir) {
    case SRAM2NRAM: __dlp_ordered_VCAST(dst, size, src); break;
    case SRAM2WRAM: __dlp_ordered_MCAST(dst, size, src); break;
    default: __dlp_refuse_this_copy_direction_is_not_supported();
  }
}

// ---- vectors: half and float ---------------------------------------------------------------
#define __DLP_EACH_FLOAT(MACRO, ...) MACRO(half, f16, __VA_ARGS__) MACRO(float, f32, __VA_ARGS__)

#define __DLP_PAIR(T, M, NAME, ROW)                                                          \
  __DLP_INLINE void NAME(T *dst, const T *src0, const T *src1, int elem_count) {             \
    __dlp_##ROW##_##M(dst, elem_count, src0, src1);                                          \
  }
__DLP_EACH_FLOAT(__DLP_PAIR, __bang_add, VAV)
__DLP_EACH_FLOAT(__DLP_PAIR, __bang_sub, VSV)
__DLP_EACH_FLOAT(__DLP_PAIR, __bang_mul, VMV)
__DLP_EACH_FLOAT(__DLP_PAIR, __bang_div, VDV)
__DLP_EACH_FLOAT(__DLP_PAIR, __bang_maxequal, VGTM)
__DLP_EACH_FLOAT(__DLP_PAIR, __bang_minequal, VLTM)

#define __DLP_SCALAR(T, M, NAME, ROW, SIGN)                                                  \
  __DLP_INLINE void NAME(T *dst, const T *src, T value, int elem_count) {                    \
    __dlp_##ROW##_##M(dst, elem_count, src, __dlp_bits((T)(SIGN value)));                    \
  }
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_add_scalar, VAS, +)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_sub_scalar, VAS, -)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_mul_scalar, VMS, +)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_add_const, VAS, +)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_sub_const, VAS, -)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_mul_const, VMS, +)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_maxeq_scalar, VMAXS, +)
__DLP_EACH_FLOAT(__DLP_SCALAR, __bang_mineq_scalar, VMINS, +)

#define __DLP_CYCLE(T, M, NAME, ROW)                                                         \
  __DLP_INLINE void NAME(T *dst, const T *src, const T *seg, int src_elem_count,             \
                         int seg_elem_count) {                                               \
    __dlp_##ROW##_##M(dst, src_elem_count, src, seg, seg_elem_count);                        \
  }
__DLP_EACH_FLOAT(__DLP_CYCLE, __bang_cycle_add, VCADD)
__DLP_EACH_FLOAT(__DLP_CYCLE, __bang_cycle_sub, VCSUB)
__DLP_EACH_FLOAT(__DLP_CYCLE, __bang_cycle_mul, VCMUL)

#define __DLP_SINGLE(T, M, NAME, ROW)                                                        \
  __DLP_INLINE void NAME(T *dst, const T *src, int elem_count) {                             \
    __dlp_##ROW##_##M(dst, elem_count, src);                                                 \
  }
#define __DLP_ACTIVE(NAME, ROW)                                                              \
  __DLP_EACH_FLOAT(__DLP_SINGLE, __bang_active_##NAME, ROW)                                  \
  __DLP_EACH_FLOAT(__DLP_SINGLE, __bang_##NAME, ROW)
__DLP_ACTIVE(relu, VRELU)
__DLP_ACTIVE(exp, VEXP)
__DLP_ACTIVE(log, VLOG)
__DLP_ACTIVE(sigmoid, VSIG)
__DLP_ACTIVE(tanh, VTANH)
__DLP_ACTIVE(sqrt, VSQRT)
__DLP_ACTIVE(recip, VRECIP)
__DLP_ACTIVE(abs, VABS)
__DLP_EACH_FLOAT(__DLP_SINGLE, __bang_active_exp_less_0, VEXP)
__DLP_EACH_FLOAT(__DLP_SINGLE, __bang_active_exphp, VEXP)
__DLP_EACH_FLOAT(__DLP_SINGLE, __bang_active_reciphp, VRECIP)

#define __DLP_SQUARE(T, M, NAME)                                                             \
  __DLP_INLINE void NAME(T *dst, const T *src, int elem_count) {                             \
    __dlp_VMV_##M(dst, elem_count, src, src);                                                \
  }
__DLP_SQUARE(half, f16, __bang_square)
__DLP_SQUARE(float, f32, __bang_square)

// ---- filling ---------------------------------------------------------------------------
#define __DLP_FILL(T, M, BITS)                                                               \
  __DLP_INLINE void __bang_write_value(T *dst, int elem_count, T value) {                    \
    __dlp_VSET_##M(dst, elem_count, BITS(value));                                            \
  }                                                                                          \
  __DLP_INLINE void __bang_write_zero(T *dst, int elem_count) {                              \
    __dlp_VSET_##M(dst, elem_count, 0);                                                      \
  }                                                                                          \
  __DLP_INLINE void __nramset(T *dst, int elem_count, T value) {                             \
    __dlp_VSET_##M(dst, elem_count, BITS(value));                                            \
  }
__DLP_FILL(half, f16, __dlp_bits)
__DLP_FILL(float, f32, __dlp_bits)
__DLP_FILL(char, i8, (long long))
__DLP_FILL(signed char, i8, (long long))
__DLP_FILL(unsigned char, i8, (long long))
__DLP_FILL(short, f16, (long long))
__DLP_FILL(unsigned short, f16, (long long))
__DLP_FILL(int, i32, (long long))
__DLP_FILL(unsigned int, i32, (long long))
#undef __DLP_FILL
#define __nramset_half(dst, elem_count, value) __nramset((half *)(dst), elem_count, (half)(value))
#define __nramset_float(dst, elem_count, value) __nramset((float *)(dst), elem_count, (float)(value))
#define __nramset_int(dst, elem_count, value) __nramset((int *)(dst), elem_count, (int)(value))
#define __memset_nram(dst, elem_count, value) __nramset(dst, elem_count, value)

// ---- layout ----------------------------------------------------------------------------
#define __DLP_TRANSPOSE(T, M)                                                                \
  __DLP_INLINE void __bang_transpose(T *dst, const T *src, int height, int width) {          \
    __dlp_VTRANS_##M(dst, __dlp_pack2(height, width), src);                                  \
  }
__DLP_TRANSPOSE(half, i16)
__DLP_TRANSPOSE(short, i16)
__DLP_TRANSPOSE(unsigned short, i16)
__DLP_TRANSPOSE(float, i32)
__DLP_TRANSPOSE(int, i32)
__DLP_TRANSPOSE(unsigned int, i32)
__DLP_TRANSPOSE(char, i8)
__DLP_TRANSPOSE(signed char, i8)
__DLP_TRANSPOSE(unsigned char, i8)
#undef __DLP_TRANSPOSE

// ---- conversion: to nearest, ties to even; the machine has no other rounding yet -------------
#define __DLP_CONVERT(NAME, TO, FROM, MODE)                                                  \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count) {                         \
    __dlp_VCVT_##MODE(dst, elem_count, src);                                                 \
  }
__DLP_CONVERT(__bang_half2float, float, half, f16_f32)
__DLP_CONVERT(__bang_float2half, half, float, f32_f16)
__DLP_CONVERT(__bang_float2half_rn, half, float, f32_f16)
__DLP_CONVERT(__bang_float2half_rd, half, float, f32_f16)
__DLP_CONVERT(__bang_uchar2half, half, unsigned char, u8_f16)
__DLP_CONVERT(__bang_uchar2float, float, unsigned char, u8_f32)

#define __DLP_FIX(NAME, TO, FROM, MODE)                                                      \
  __DLP_INLINE void NAME(TO *dst, const FROM *src, int elem_count, int fix_position = 0) {   \
    if (fix_position != 0) __dlp_refuse_only_fix_position_0_is_supported();                  \
    __dlp_VCVT_##MODE(dst, elem_count, src);                                                 \
  }
#define __DLP_FIXED(INTEGER, T, I)                                                           \
  __DLP_FIX(__bang_##INTEGER##2half, half, T, I##_f16)                                       \
  __DLP_FIX(__bang_##INTEGER##2float, float, T, I##_f32)                                     \
  __DLP_FIX(__bang_half2##INTEGER, T, half, f16_##I)                                         \
  __DLP_FIX(__bang_half2##INTEGER##_rd, T, half, f16_##I)                                    \
  __DLP_FIX(__bang_half2##INTEGER##_rn, T, half, f16_##I)                                    \
  __DLP_FIX(__bang_float2##INTEGER, T, float, f32_##I)                                       \
  __DLP_FIX(__bang_float2##INTEGER##_rd, T, float, f32_##I)                                  \
  __DLP_FIX(__bang_float2##INTEGER##_rn, T, float, f32_##I)
__DLP_FIXED(int8, int8_t, i8)
__DLP_FIXED(int16, int16_t, i16)
__DLP_FIXED(int32, int32_t, i32)
#undef __DLP_FIXED
#undef __DLP_FIX

// ---- scalar functions ----------------------------------------------------------------------
__DLP_INLINE float __half2float(half x) { return (float)x; }
__DLP_INLINE half __float2half(float x) { return (half)x; }
__DLP_INLINE half __float2half_rn(float x) { return (half)x; }
__DLP_INLINE float expf(float x) { return __dlp_SEXP_f32(x); }
__DLP_INLINE float logf(float x) { return __dlp_SLOG_f32(x); }
__DLP_INLINE float sqrtf(float x) { return __dlp_SSQRT_f32(x); }
__DLP_INLINE float fabsf(float x) { return __builtin_fabsf(x); }
__DLP_INLINE float floorf(float x) { return __builtin_floorf(x); }
__DLP_INLINE float ceilf(float x) { return __builtin_ceilf(x); }
__DLP_INLINE float roundf(float x) { return __builtin_roundf(x); }
__DLP_INLINE float truncf(float x) { return __builtin_truncf(x); }
__DLP_INLINE float fminf(float x, float y) { return __builtin_fminf(x, y); }
__DLP_INLINE float fmaxf(float x, float y) { return __builtin_fmaxf(x, y); }
