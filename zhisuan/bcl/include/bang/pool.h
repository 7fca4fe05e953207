// Pooling of [height][width][channel]: windows that leave the picture are dropped; without
// strides the stride is the window.
#pragma once
#include "logic.h"

__DLP_INLINE int __dlp_windows(int size, int window, int stride) {
  return size < window ? 0 : (size - window) / stride + 1;
}

#define __DLP_POOL(T, M, NAME, ROW, TO)                                                      \
  __DLP_INLINE void NAME(TO *dst, const T *src, int channel, int height, int width,          \
                         int kernel_height, int kernel_width, int stride_width,              \
                         int stride_height) {                                                \
    const int out_h = __dlp_windows(height, kernel_height, stride_height);                   \
    const int out_w = __dlp_windows(width, kernel_width, stride_width);                      \
    __dlp_rule_channels(channel * (long long)sizeof(T), __dlp_places(dst, src));             \
    __dlp_##ROW##_##M(dst, src, __dlp_pack4(out_h, out_w, kernel_height, kernel_width),      \
                      __dlp_pack4(stride_height, stride_width, 1, 1), channel,               \
                      __dlp_pack2(width * channel * (int)sizeof(T),                          \
                                  out_w * channel * (int)sizeof(TO)));                       \
  }                                                                                          \
  __DLP_INLINE void NAME(TO *dst, const T *src, int channel, int height, int width,          \
                         int kernel_height, int kernel_width) {                              \
    NAME(dst, src, channel, height, width, kernel_height, kernel_width, kernel_width,        \
         kernel_height);                                                                     \
  }
#define __DLP_POOLS(NAME, ROW)                                                               \
  __DLP_POOL(half, f16, NAME, ROW, half) __DLP_POOL(float, f32, NAME, ROW, float)
__DLP_POOLS(__bang_maxpool, VPMAX)
__DLP_POOLS(__bang_minpool, VPMIN)
__DLP_POOLS(__bang_sumpool, VPSUM)
__DLP_POOLS(__bang_avgpool, VPAVG)
__DLP_POOL(half, f16_u16, __bang_maxpool_index, VPMAXI, unsigned short)
__DLP_POOL(float, f32_u32, __bang_maxpool_index, VPMAXI, unsigned)
__DLP_POOL(half, f16_u16, __bang_minpool_index, VPMINI, unsigned short)
__DLP_POOL(float, f32_u32, __bang_minpool_index, VPMINI, unsigned)
#undef __DLP_POOLS
#undef __DLP_POOL

// ---- backwards -------------------------------------------------------------------------
// dst is the larger picture.  Of places that several windows cover, gradients add up
// (OVERLAP_ACC), or the last window's counts (OVERLAP_COVER).
typedef enum { OVERLAP_ACC, OVERLAP_COVER } mluPoolBPOverlap;

// Channels go in pieces, through the stack.
#define __DLP_POOL_BACK(T, M, I, IM)                                                         \
  /* every window's src goes where its index in the window says */                           \
  __DLP_INLINE void __bang_maxpool_bp(T *dst, const T *src, const I *mask, int channel,      \
                                      int height, int width, int kernel_height,              \
                                      int kernel_width, int stride_width, int stride_height, \
                                      mluPoolBPOverlap overlap = OVERLAP_ACC) {              \
    I hits[__DLP_PIECE];                                                                     \
    T truth[__DLP_PIECE], part[__DLP_PIECE];                                                 \
    const int out_h = __dlp_windows(height, kernel_height, stride_height);                   \
    const int out_w = __dlp_windows(width, kernel_width, stride_width);                      \
    __dlp_VSET_##M(dst, height * width * channel, 0);                                        \
    for (int y = 0; y < out_h; y++)                                                          \
      for (int x = 0; x < out_w; x++)                                                        \
        for (int k = 0; k < kernel_height * kernel_width; k++)                               \
          for (int c = 0; c < channel; c += __DLP_PIECE) {                                   \
            const int n = __dlp_least(channel - c, __DLP_PIECE);                             \
            const int from = (y * out_w + x) * channel + c;                                  \
            const int to = ((y * stride_height + k / kernel_width) * width +                 \
                            x * stride_width + k % kernel_width) * channel + c;              \
            __dlp_VES_##IM(hits, n, mask + from, k);                                         \
            __dlp_VCVT_##IM##_##M(truth, n, hits);                                           \
            __dlp_VAV_##M(part, n, src + from, dst + to);                                    \
            __dlp_VSEL_##M(dst + to, n, truth,                                               \
                           overlap == OVERLAP_ACC ? part : src + from, dst + to);            \
          }                                                                                  \
  }
__DLP_POOL_BACK(half, f16, short, i16)
__DLP_POOL_BACK(half, f16, unsigned short, i16)
__DLP_POOL_BACK(float, f32, int, i32)
__DLP_POOL_BACK(float, f32, unsigned, i32)
#undef __DLP_POOL_BACK

#define __DLP_POOL_SPREAD(T, M, ...)                                                         \
  /* every place of a window gets its share of src */                                        \
  __DLP_INLINE void __bang_avgpool_bp(T *dst, const T *src, int channel, int height,         \
                                      int width, int kernel_height, int kernel_width,        \
                                      int stride_x, int stride_y) {                          \
    T part[__DLP_PIECE];                                                                     \
    const int out_h = __dlp_windows(height, kernel_height, stride_y);                        \
    const int out_w = __dlp_windows(width, kernel_width, stride_x);                          \
    const T share = (T)(1.0f / (float)(kernel_height * kernel_width));                       \
    __dlp_VSET_##M(dst, height * width * channel, 0);                                        \
    for (int y = 0; y < out_h; y++)                                                          \
      for (int x = 0; x < out_w; x++)                                                        \
        for (int c = 0; c < channel; c += __DLP_PIECE) {                                     \
          const int n = __dlp_least(channel - c, __DLP_PIECE);                               \
          __dlp_VMS_##M(part, n, src + (y * out_w + x) * channel + c, __dlp_bits(share));    \
          for (int k = 0; k < kernel_height * kernel_width; k++) {                           \
            T *to = dst + ((y * stride_y + k / kernel_width) * width + x * stride_x +        \
                           k % kernel_width) * channel + c;                                  \
            __dlp_VAV_##M(to, n, to, part);                                                  \
          }                                                                                  \
        }                                                                                    \
  }                                                                                          \
  /* src goes to place `index` of every window, the rest is 0 */                             \
  __DLP_INLINE void __bang_unpool(T *dst, const T *src, int channel, int height, int width,  \
                                  int kernel_height, int kernel_width, int stride_x,         \
                                  int stride_y, int index) {                                 \
    const int out_h = __dlp_windows(height, kernel_height, stride_y);                        \
    const int out_w = __dlp_windows(width, kernel_width, stride_x);                          \
    __dlp_VSET_##M(dst, height * width * channel, 0);                                        \
    T *first = dst + ((index / kernel_width) * width + index % kernel_width) * channel;      \
    const int size = channel * (int)sizeof(T);                                               \
    __dlp_ordered_VMOVE3(first, size, src, stride_x * size, size, out_w,                     \
                         __dlp_pack2(stride_y * width * size, out_w * size), out_h);         \
  }
__DLP_FLOATS(__DLP_POOL_SPREAD, )
#undef __DLP_POOL_SPREAD
