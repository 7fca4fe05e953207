// Copies between memories, and filling DRAM and SRAM.
#pragma once
#include "rules.h"

// ---- copies ----------------------------------------------------------------------------
typedef enum {
  GDRAM2NRAM, NRAM2GDRAM, LDRAM2NRAM, NRAM2LDRAM, GDRAM2WRAM, WRAM2GDRAM, LDRAM2WRAM,
  WRAM2LDRAM, NRAM2NRAM, NRAM2WRAM, WRAM2NRAM, GDRAM2SRAM, SRAM2GDRAM, LDRAM2SRAM, SRAM2LDRAM,
  SRAM2NRAM, NRAM2SRAM, SRAM2WRAM, WRAM2SRAM, GDRAM2GDRAM, GDRAM2LDRAM, LDRAM2GDRAM, SRAM2SRAM,
  LDRAM2LDRAM
} mluMemcpyDirection_t;

// A call that survives optimisation is a compile error that reads as its name.
#define __DLP_REFUSE(words) extern "C" __device__ void __dlp_refuse_##words()
__DLP_REFUSE(only_SRAM2SRAM_takes_a_cluster);
// A direction is a constant as a rule; one that is not is looked at when it is used.
#define __DLP_NO_COPY(DIR)                                                                   \
  if (__builtin_constant_p(DIR)) __dlp_refuse_this_copy_direction_is_not_supported();        \
  else __dlp_TRAP(__dlp_rule_this_copy_direction_is_not_supported);

// Whole copies; strided ones may be of any size.
__DLP_INLINE void __dlp_rule_wram(long long size, const void *place) {
  __DLP_MUST_200(a_copy_to_or_from_WRAM_must_be_a_multiple_of_64_bytes, size % 64 == 0);
  __DLP_MUST_200(WRAM_addresses_must_be_aligned_to_8_bytes, ((long long)place & 7) == 0);
#if __BANG_ARCH__ >= 300
  if (__builtin_constant_p(size) && size % 16)
    __dlp_refuse_a_copy_to_or_from_WRAM_must_be_a_multiple_of_16_bytes();
#endif
}
__DLP_INLINE void __dlp_rule_copy(void *dst, const void *src, long long size,
                                  mluMemcpyDirection_t dir) {
  switch (dir) {
    case GDRAM2WRAM: case LDRAM2WRAM: case NRAM2WRAM: case SRAM2WRAM:
      __dlp_rule_wram(size, dst); break;
    case WRAM2GDRAM: case WRAM2LDRAM: case WRAM2NRAM: case WRAM2SRAM:
      __dlp_rule_wram(size, src); break;
    case NRAM2NRAM:
      __DLP_MUST_200(a_copy_within_NRAM_must_be_a_multiple_of_128_bytes, size % 128 == 0);
      __DLP_MUST_200(NRAM_operands_must_be_aligned_to_64_bytes,
                     (__dlp_places(dst, src) & 63) == 0);
      break;
    default: break;
  }
}

// Copies between GDRAM and SRAM are the memory cores': others pass over them, and say so to the
// launch, which complains of one that no memory core makes.
#define __DLP_OF_MEMORY_CORE(COPY)                                                           \
  do {                                                                                       \
    if (coreId == 0x80 || !__dlp_SGET(14)) { COPY; } else { __dlp_SYNC(0); }                 \
  } while (0)

// A direction that only the running program knows says nothing of the pointers.
__DLP_INLINE const void *__dlp_unknown(const void *place) {
  long long address = (long long)place;
  __asm__("" : "+r"(address));
  return (const void *)address;
}
#define __DLP_IF_UNKNOWN(dir)                                                                \
  if (!__builtin_constant_p(dir)) {                                                          \
    dst = (void *)__dlp_unknown(dst);                                                        \
    src = __dlp_unknown(src);                                                                \
  }

#define __DLP_COPY(NAME, KIND)                                                               \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                         \
                         mluMemcpyDirection_t dir) {                                         \
    __dlp_rule_copy(dst, src, size, dir);                                                    \
    __DLP_IF_UNKNOWN(dir)                                                                    \
    switch (dir) {                                                                           \
      case GDRAM2NRAM: case LDRAM2NRAM: KIND##VLOAD(dst, size, src); break;                  \
      case NRAM2GDRAM: case NRAM2LDRAM: KIND##VSTORE(dst, size, src); break;                 \
      case GDRAM2WRAM: case LDRAM2WRAM: KIND##MLOAD(dst, size, src); break;                  \
      case WRAM2GDRAM: case WRAM2LDRAM: KIND##MSTORE(dst, size, src); break;                 \
      case NRAM2NRAM: KIND##VMOVE(dst, size, src); break;                                    \
      case NRAM2WRAM: KIND##MMOVE(dst, size, src); break;                                    \
      case GDRAM2SRAM: __DLP_OF_MEMORY_CORE(KIND##GLOAD(dst, size, src)); break;             \
      case SRAM2GDRAM: __DLP_OF_MEMORY_CORE(KIND##GSTORE(dst, size, src)); break;            \
      case LDRAM2SRAM: KIND##GLOAD(dst, size, src); break;                                   \
      case SRAM2LDRAM: KIND##GSTORE(dst, size, src); break;                                  \
      case SRAM2NRAM: KIND##VREAD(dst, size, src); break;                                    \
      case NRAM2SRAM: KIND##VWRITE(dst, size, src); break;                                   \
      case SRAM2WRAM: KIND##MREAD(dst, size, src); break;                                    \
      case WRAM2SRAM: KIND##MWRITE(dst, size, src); break;                                   \
      case SRAM2SRAM: KIND##CDMA(dst, size, src, clusterId); break;                          \
      case GDRAM2GDRAM: case GDRAM2LDRAM: case LDRAM2GDRAM: case LDRAM2LDRAM:                \
        KIND##DMOVE(dst, size, src); break;                                                  \
      default: __DLP_NO_COPY(dir)                                                            \
    }                                                                                        \
  }                                                                                          \
  /* to the SRAM of another cluster of the job */                                            \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                         \
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
    __DLP_IF_UNKNOWN(dir)                                                                    \
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
      case GDRAM2SRAM:                                                                       \
        __DLP_OF_MEMORY_CORE(                                                                \
            KIND##GLOAD3(dst, size, src, dst_stride, src_stride, n, outer, n1)); break;      \
      case SRAM2GDRAM:                                                                       \
        __DLP_OF_MEMORY_CORE(                                                                \
            KIND##GSTORE3(dst, size, src, dst_stride, src_stride, n, outer, n1)); break;     \
      case LDRAM2SRAM:                                                                       \
        KIND##GLOAD3(dst, size, src, dst_stride, src_stride, n, outer, n1); break;           \
      case SRAM2LDRAM:                                                                       \
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
      default: __DLP_NO_COPY(dir)                                                            \
    }                                                                                        \
  }                                                                                          \
  /* segnum + 1 segments of size bytes */                                                    \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                         \
                         mluMemcpyDirection_t dir, long long dst_stride,                     \
                         long long src_stride, long long segnum) {                           \
    NAME##_3d(dst, src, size, dir, dst_stride, src_stride, segnum + 1, 0, 0, 1);             \
  }                                                                                          \
  /* both sides run through segnum1 + 1 segments, segnum2 + 1 times, each in its own way */  \
  __DLP_INLINE void NAME(void *dst, const void *src, long long size,                         \
                         mluMemcpyDirection_t dir, int dst_stride0, int dst_segnum1,         \
                         int dst_stride1, int dst_segnum2, int src_stride0, int src_segnum1, \
                         int src_stride1, int src_segnum2) {                                 \
    const int n = dst_segnum1 + 1, m = src_segnum1 + 1, all = n * (dst_segnum2 + 1);         \
    if (n == m) {                                                                            \
      NAME##_3d(dst, src, size, dir, dst_stride0, src_stride0, n, dst_stride1, src_stride1,  \
                dst_segnum2 + 1);                                                            \
      return;                                                                                \
    }                                                                                        \
    for (int i = 0; i < all; i++)                                                            \
      NAME##_3d((char *)dst + i % n * dst_stride0 + i / n * dst_stride1,                     \
                (const char *)src + i % m * src_stride0 + i / m * src_stride1, size, dir, 0, \
                0, 1, 0, 0, 1);                                                              \
  }
__DLP_COPY(__memcpy, __dlp_ordered_)
__DLP_COPY(__memcpy_async, __dlp_)
#undef __DLP_COPY
#undef __DLP_OF_MEMORY_CORE
#undef __DLP_IF_UNKNOWN
__DLP_INLINE void __memcpy_nram_to_nram(void *dst, const void *src, long long size) {
  __memcpy(dst, src, size, NRAM2NRAM);
}
// From SRAM to the same place of NRAM or WRAM of every core of the cluster.
__DLP_INLINE void __memcpy_multicast(void *dst, const void *src, long long size,
                                     mluMemcpyDirection_t dir) {
  switch (dir) {
    case SRAM2NRAM: __dlp_ordered_VCAST(dst, size, src); break;
    case SRAM2WRAM: __dlp_ordered_MCAST(dst, size, src); break;
    default: __DLP_NO_COPY(dir)
  }
}
