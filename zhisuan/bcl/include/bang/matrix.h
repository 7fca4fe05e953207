// The matrix unit: convolution, fully connected layers, matrix products.
// Sums of floats are floats; sums of integers are scaled by 2^fix_position and rounded once.
#pragma once
#include "convert.h"

// src [height][width][ci], kernel as __bang_reshape_filter orders it, dst [out_h][out_w][co].
#define __DLP_CONV_SHAPE                                                                     \
  int channel_input, int height, int width, int kernel_height, int kernel_width,             \
      int stride_width, int stride_height, int channel_output
#define __DLP_CONV_NAMES                                                                     \
  channel_input, height, width, kernel_height, kernel_width, stride_width, stride_height,    \
      channel_output
#define __DLP_CONV_RULES(FROM)                                                               \
  __DLP_MUST_200(input_channels_times_their_size_must_be_a_multiple_of_64_bytes,             \
                 channel_input * sizeof(FROM) % 64 == 0);                                    \
  __DLP_MUST_200(output_channels_must_be_a_multiple_of_64, channel_output % 64 == 0);        \
  __DLP_MUST_200(the_kernel_must_be_aligned_to_32_bytes, ((long long)kernel & 31) == 0);     \
  const int out_h =                                                                          \
      __dlp_windows(height, (kernel_height - 1) * dilation_height + 1, stride_height);       \
  const int out_w =                                                                          \
      __dlp_windows(width, (kernel_width - 1) * dilation_width + 1, stride_width);           \
  const long long steps =                                                                    \
      __dlp_pack4(stride_height, stride_width, dilation_height, dilation_width);             \
  const int line = width * channel_input * (int)sizeof(FROM)

#define __DLP_CONV_FLOAT(TO, FROM, MODE)                                                     \
  __DLP_INLINE void __bang_conv(TO *dst, const FROM *src, const FROM *kernel,                \
                                __DLP_CONV_SHAPE, int dilation_width = 1,                    \
                                int dilation_height = 1) {                                   \
    __DLP_CONV_RULES(FROM);                                                                  \
    __dlp_CONV_##MODE(dst, src, kernel,                                                      \
                      __dlp_pack4(out_h, out_w, kernel_height, kernel_width),                \
                      __dlp_pack2(channel_input, channel_output), steps,                     \
                      __dlp_pack2(line, out_w * channel_output * (int)sizeof(TO)));          \
  }                                                                                          \
  __DLP_INLINE void __bang_conv(TO *dst, const FROM *src, const FROM *kernel,                \
                                const TO *bias, __DLP_CONV_SHAPE) {                          \
    __bang_conv(dst, src, kernel, __DLP_CONV_NAMES);                                         \
    const int pixels = __dlp_windows(height, kernel_height, stride_height) *                 \
                       __dlp_windows(width, kernel_width, stride_width);                     \
    __bang_cycle_add(dst, dst, bias, pixels * channel_output, channel_output);               \
  }
__DLP_CONV_FLOAT(float, float, f32_f32)
__DLP_CONV_FLOAT(float, half, f16_f32)
__DLP_CONV_FLOAT(half, half, f16_f16)
#undef __DLP_CONV_FLOAT

// Sums go through the stack, some pixels at a time, or some groups of channels of one.
#define __DLP_SUMS 1024
#define __DLP_CONV_FIX(TO, TO_MODE, FROM, MODE)                                              \
  __DLP_INLINE void __bang_conv(TO *dst, const FROM *src, const FROM *kernel,                \
                                __DLP_CONV_SHAPE, int fix_position, int dilation_width = 1,  \
                                int dilation_height = 1) {                                   \
    int sums[__DLP_SUMS];                                                                    \
    __DLP_CONV_RULES(FROM);                                                                  \
    __dlp_rule_position(fix_position);                                                       \
    float scale[1] = {__dlp_two_to(fix_position)}, none[1] = {0};                            \
    const int taps = kernel_height * kernel_width * channel_input * (int)sizeof(FROM);       \
    const int bank = (taps + 63) / 64 * 64;                                                  \
    const int channels = __dlp_least(channel_output, __DLP_SUMS);                            \
    const int pixels = channels < channel_output ? 1 : __DLP_SUMS / channels;                \
    for (int y = 0; y < out_h; y++)                                                          \
      for (int x = 0; x < out_w; x += pixels)                                                \
        for (int c = 0; c < channel_output; c += channels) {                                 \
          const int count = __dlp_least(out_w - x, pixels);                                  \
          const int now = __dlp_least(channel_output - c, channels);                         \
          __dlp_CONV_##MODE##_i32(                                                           \
              sums, src + (y * stride_height * width + x * stride_width) * channel_input,    \
              (const char *)kernel + (long long)c * bank,                                    \
              __dlp_pack4(1, count, kernel_height, kernel_width),                            \
              __dlp_pack2(channel_input, now), steps, __dlp_pack2(line, 0));                 \
          __dlp_VAFFINE_i32_##TO_MODE(dst + (y * out_w + x) * channel_output + c,            \
                                      count * now, sums, scale, none, 1);                    \
        }                                                                                    \
  }                                                                                          \
  __DLP_INLINE void __bang_conv(TO *dst, const FROM *src, const FROM *kernel,                \
                                const TO *bias, __DLP_CONV_SHAPE, int fix_position,          \
                                int dilation_width = 1, int dilation_height = 1) {           \
    __bang_conv(dst, src, kernel, __DLP_CONV_NAMES, fix_position, dilation_width,            \
                dilation_height);                                                            \
    const int pixels =                                                                       \
        __dlp_windows(height, (kernel_height - 1) * dilation_height + 1, stride_height) *    \
        __dlp_windows(width, (kernel_width - 1) * dilation_width + 1, stride_width);         \
    __dlp_VCADD_##TO_MODE(dst, pixels * channel_output, dst, bias, channel_output);          \
  }
#define __DLP_FIX_TYPES(MACRO)                                                               \
  MACRO(half, f16, int8_t, i8) MACRO(float, f32, int8_t, i8) MACRO(int16_t, i16, int8_t, i8) \
  MACRO(half, f16, int16_t, i16) MACRO(float, f32, int16_t, i16)                             \
  MACRO(int16_t, i16, int16_t, i16)
__DLP_FIX_TYPES(__DLP_CONV_FIX)
#undef __DLP_CONV_FIX
#undef __DLP_CONV_RULES
#undef __DLP_CONV_NAMES
#undef __DLP_CONV_SHAPE

// ---- matrix products -------------------------------------------------------------------
// left [m][k] in NRAM; right in WRAM by columns: [n][k]; dst [m][n].
#define __DLP_MATMUL_FLOAT(TO, FROM, MODE)                                                   \
  __DLP_INLINE void __bang_matmul(TO *dst, const FROM *left, const FROM *right, int m, int k, \
                                  int n) {                                                   \
    for (int i = 0; i < m; i++) __dlp_MMV_##MODE(dst + i * n, n, right, left + i * k, k);    \
  }
__DLP_MATMUL_FLOAT(float, float, f32_f32)
__DLP_MATMUL_FLOAT(float, half, f16_f32)
__DLP_MATMUL_FLOAT(half, half, f16_f16)
#undef __DLP_MATMUL_FLOAT
#define __DLP_MATMUL_FIX(TO, TO_MODE, FROM, MODE)                                            \
  __DLP_INLINE void __bang_matmul(TO *dst, const FROM *left, const FROM *right, int m, int k, \
                                  int n, int fix_position) {                                 \
    int sums[__DLP_SUMS];                                                                    \
    __dlp_rule_position(fix_position);                                                       \
    float scale[1] = {__dlp_two_to(fix_position)}, none[1] = {0};                            \
    for (int i = 0; i < m; i++)                                                              \
      for (int j = 0; j < n; j += __DLP_SUMS) {                                              \
        const int now = __dlp_least(n - j, __DLP_SUMS);                                      \
        __dlp_MMV_##MODE##_i32(sums, now, right + (long long)j * k, left + i * k, k);        \
        __dlp_VAFFINE_i32_##TO_MODE(dst + i * n + j, now, sums, scale, none, 1);             \
      }                                                                                      \
  }
__DLP_FIX_TYPES(__DLP_MATMUL_FIX)
#undef __DLP_MATMUL_FIX

// A fully connected layer: dst[height] = weight [height][width] in WRAM · src[width] + bias.
#define __DLP_MLP_RULES(FROM)                                                                \
  __DLP_MUST_200(height_must_be_a_multiple_of_64, height % 64 == 0);                         \
  __DLP_MUST_200(width_times_the_size_must_be_a_multiple_of_64_bytes,                        \
                 width * sizeof(FROM) % 64 == 0)
#define __DLP_MLP_FLOAT(TO, FROM, MODE)                                                      \
  __DLP_INLINE void __bang_mlp(TO *dst, const FROM *src, const TO *bias, const FROM *weight, \
                               int height, int width) {                                      \
    __DLP_MLP_RULES(FROM);                                                                   \
    __bang_matmul(dst, src, weight, 1, width, height);                                       \
    __bang_add(dst, dst, bias, height);                                                      \
  }
__DLP_MLP_FLOAT(float, float, f32)
__DLP_MLP_FLOAT(half, half, f16)
#undef __DLP_MLP_FLOAT
#define __DLP_MLP_FIX(TO, TO_MODE, FROM, MODE)                                               \
  __DLP_INLINE void __bang_mlp(TO *dst, const FROM *src, const TO *bias, const FROM *weight, \
                               int height, int width, int fix_position) {                    \
    __DLP_MLP_RULES(FROM);                                                                   \
    __bang_matmul(dst, src, weight, 1, width, height, fix_position);                         \
    __dlp_VAV_##TO_MODE(dst, height, dst, bias);                                             \
  }                                                                                          \
  __DLP_INLINE void __bang_mlp(TO *dst, const FROM *src, const FROM *weight, int height,     \
                               int width, int fix_position) {                                \
    __DLP_MLP_RULES(FROM);                                                                   \
    __bang_matmul(dst, src, weight, 1, width, height, fix_position);                         \
  }
__DLP_FIX_TYPES(__DLP_MLP_FIX)
#undef __DLP_MLP_FIX
#undef __DLP_MLP_RULES
#undef __DLP_FIX_TYPES
