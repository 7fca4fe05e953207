// Qualifiers, types, built-in variables, and how operands are packed.
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
#define __wram__                                                                             \
  __attribute__((shared)) __attribute__((annotate("wram"))) __attribute__((visibility("protected")))
#define __ldram__                                                                            \
  __attribute__((shared)) __attribute__((annotate("ldram"))) __attribute__((visibility("hidden")))
#define __mlu_shared__                                                                       \
  __attribute__((shared)) __attribute__((annotate("sram"))) __attribute__((aligned(256)))
#define __dlp_shared__ __mlu_shared__
#define __mlu_builtin__
#define __mlu_vector__ __device__
#define __DLP_INLINE_MEMBER __attribute__((device, host, always_inline))
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
typedef int8_t fix8;
typedef int16_t fix16;

// The upper half of a float.
struct bfloat16_t {
  uint16_t bits;
  bfloat16_t() = default;
  __DLP_INLINE_MEMBER bfloat16_t(float x) {
    const unsigned all = __builtin_bit_cast(unsigned, x);
    bits = x != x ? 0x7FC0 : (all + 0x7FFF + (all >> 16 & 1)) >> 16;
  }
  __DLP_INLINE_MEMBER operator float() const {
    return __builtin_bit_cast(float, (unsigned)bits << 16);
  }
};
typedef bfloat16_t bfloat16;

// ---- built-in variables ----------------------------------------------------------------
extern "C" {
extern __device__ const int taskId, taskIdX, taskIdY, taskIdZ;
extern __device__ const int taskDim, taskDimX, taskDimY, taskDimZ;
extern __device__ const int clusterId, clusterDim, coreId, coreDim;
}
__DLP_INLINE bool __is_mpu() { return coreId == 0x80; }
__DLP_INLINE bool __is_ipu() { return coreId != 0x80; }
// Whether an address is of DRAM: of GDRAM, or of the core's own LDRAM.
__DLP_INLINE bool __is_dram(const void *p) { return (unsigned long long)p >= 1ull << 32; }

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
#define __DLP_WHOLE_BITS(T) __DLP_INLINE long long __dlp_bits(T x) { return x; }
__DLP_WHOLE_BITS(char) __DLP_WHOLE_BITS(signed char) __DLP_WHOLE_BITS(unsigned char)
__DLP_WHOLE_BITS(short) __DLP_WHOLE_BITS(unsigned short)
__DLP_WHOLE_BITS(int) __DLP_WHOLE_BITS(unsigned)
#undef __DLP_WHOLE_BITS

// ---- types of elements -----------------------------------------------------------------
// MACRO(type in C, mode of rows, …) for every type of a group.
#define __DLP_FLOATS(MACRO, ...) MACRO(half, f16, __VA_ARGS__) MACRO(float, f32, __VA_ARGS__)
#define __DLP_BYTES(MACRO, ...)                                                              \
  MACRO(char, i8, __VA_ARGS__) MACRO(signed char, i8, __VA_ARGS__)                           \
  MACRO(unsigned char, i8, __VA_ARGS__)
#define __DLP_SHORTS(MACRO, ...)                                                             \
  MACRO(short, i16, __VA_ARGS__) MACRO(unsigned short, i16, __VA_ARGS__)
#define __DLP_INTS(MACRO, ...)                                                               \
  MACRO(int, i32, __VA_ARGS__) MACRO(unsigned, i32, __VA_ARGS__)
#define __DLP_WHOLE(MACRO, ...)                                                              \
  __DLP_BYTES(MACRO, __VA_ARGS__) __DLP_SHORTS(MACRO, __VA_ARGS__) __DLP_INTS(MACRO, __VA_ARGS__)
#define __DLP_SIGNED(MACRO, ...)                                                             \
  MACRO(char, i8, __VA_ARGS__) MACRO(signed char, i8, __VA_ARGS__)                           \
  MACRO(short, i16, __VA_ARGS__) MACRO(int, i32, __VA_ARGS__)
#define __DLP_NUMBERS(MACRO, ...) __DLP_FLOATS(MACRO, __VA_ARGS__) __DLP_WHOLE(MACRO, __VA_ARGS__)
