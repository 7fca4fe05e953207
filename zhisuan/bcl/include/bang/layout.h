// Other orders of the same elements.
#pragma once
#include "rules.h"

#define __DLP_LAYOUTS(T, M, ...)                                                             \
  __DLP_INLINE void __bang_move(T *dst, const T *src, int size) {                            \
    __dlp_ordered_VMOVE(dst, size, src);                                                     \
  }                                                                                          \
  /* [height][width] → [width][height] */                                                    \
  __DLP_INLINE void __bang_transpose(T *dst, const T *src, int height, int width) {          \
    const long long size = (long long)height * width * (int)sizeof(T);                       \
    __DLP_MUST_200(height_and_width_times_the_size_must_be_multiples_of_128_bytes,           \
                   height * sizeof(T) % 128 == 0 && width * sizeof(T) % 128 == 0);           \
    __dlp_rule_apart(dst, size, src, size);                                                  \
    __dlp_VTRANS_##M(dst, __dlp_pack2(height, width), src);                                  \
  }                                                                                          \
  /* elements one by one: every row and column in any direction */                           \
  __DLP_INLINE void __dlp_elements(T *dst, const T *src, int rows, int columns, int down,    \
                                   int right) {                                              \
    __dlp_ordered_VMOVE3(dst, sizeof(T), src, sizeof(T), right * (int)sizeof(T), columns,    \
                         __dlp_pack2(columns * (int)sizeof(T), down * (int)sizeof(T)), rows); \
  }                                                                                          \
  /* clockwise */                                                                            \
  __DLP_INLINE void __bang_rotate90(T *dst, const T *src, int height, int width) {           \
    __dlp_elements(dst, src + (height - 1) * width, width, height, 1, -width);               \
  }                                                                                          \
  __DLP_INLINE void __bang_rotate180(T *dst, const T *src, int height, int width) {          \
    __dlp_elements(dst, src + height * width - 1, height, width, -width, -1);                \
  }                                                                                          \
  __DLP_INLINE void __bang_rotate270(T *dst, const T *src, int height, int width) {          \
    __dlp_elements(dst, src + width - 1, width, height, -1, width);                          \
  }                                                                                          \
  /* left and right exchanged */                                                             \
  __DLP_INLINE void __bang_mirror(T *dst, const T *src, int height, int width) {             \
    __dlp_elements(dst, src + width - 1, height, width, width, -1);                          \
  }                                                                                          \
  /* zeros around [height][width][channel] */                                                \
  __DLP_INLINE void __bang_pad(T *dst, const T *src, int channel, int height, int width,     \
                               int pad_top, int pad_bottom, int pad_left, int pad_right) {   \
    const int line = width * channel * (int)sizeof(T);                                       \
    const int wide = (width + pad_left + pad_right) * channel;                               \
    const int bytes = wide * (height + pad_top + pad_bottom) * (int)sizeof(T);               \
    __dlp_VSET_i8(dst, bytes, 0);                                                            \
    __dlp_ordered_VMOVE3(dst + pad_top * wide + pad_left * channel, line, src,               \
                         wide * (long long)sizeof(T), line, height, 0, 1);                   \
  }                                                                                          \
  __DLP_INLINE void __bang_pad(T *dst, const T *src, int channel, int height, int width,     \
                               int pad_height, int pad_width) {                              \
    __bang_pad(dst, src, channel, height, width, pad_height, pad_height, pad_width,          \
               pad_width);                                                                   \
  }                                                                                          \
  __DLP_INLINE void __bang_reshape_nchw2nhwc(T *dst, const T *src, int n, int h, int w,      \
                                             int c) {                                        \
    for (int i = 0; i < n; i++)                                                              \
      __dlp_VTRANS_##M(dst + i * h * w * c, __dlp_pack2(c, h * w), src + i * h * w * c);     \
  }                                                                                          \
  __DLP_INLINE void __bang_reshape_nhwc2nchw(T *dst, const T *src, int n, int h, int w,      \
                                             int c) {                                        \
    for (int i = 0; i < n; i++)                                                              \
      __dlp_VTRANS_##M(dst + i * h * w * c, __dlp_pack2(h * w, c), src + i * h * w * c);     \
  }                                                                                          \
  /* [n][h][w][c] as the matrix unit reads filters: channel i in bank i mod 64, in lines of  \
     64 bytes; a last line and a last group of banks are filled up with zeros */             \
  __DLP_INLINE void __bang_reshape_filter(T *dst, const T *src, int n, int h, int w, int c) { \
    const int taps = h * w * c * (int)sizeof(T), lines = taps / 64, rest = taps % 64;        \
    const int group = 64 * 64 * (lines + (rest != 0));                                       \
    if (rest || n % 64) __dlp_VSET_i8(dst, (n + 63) / 64 * group, 0);                        \
    for (int i = 0; i < n; i += 64) {                                                        \
      const int banks = n - i < 64 ? n - i : 64;                                             \
      const char *from = (const char *)src + i * taps;                                       \
      char *to = (char *)dst + i / 64 * group;                                               \
      __dlp_ordered_VMOVE3(to, 64, from, 64, taps, banks, __dlp_pack2(64 * 64, 64), lines);  \
      if (rest)                                                                              \
        __dlp_ordered_VMOVE3(to + 64 * 64 * lines, rest, from + 64 * lines, 64, taps, banks, \
                             0, 1);                                                          \
    }                                                                                        \
  }
__DLP_LAYOUTS(half, i16)
__DLP_LAYOUTS(float, i32)
__DLP_WHOLE(__DLP_LAYOUTS, )
#undef __DLP_LAYOUTS
__DLP_INLINE void __bang_move(void *dst, const void *src, int size) {
  __dlp_ordered_VMOVE(dst, size, src);
}
