// Products on the matrix unit and the pass that ends them, for each pair of element types: FP16
// summed in FP32, INT8 summed in INT32.
#pragma once
#include "tile.h"

enum Types { HALF_TO_HALF = 0, INT8_TO_INT8 = 1, INT8_TO_HALF = 2 };
__mlu_func__ inline int in_size(int types) { return types == HALF_TO_HALF ? 2 : 1; }
__mlu_func__ inline int out_size(int types) { return types == INT8_TO_INT8 ? 1 : 2; }

// sums = products, or sums += products; operands as CONV takes them.
__mlu_func__ inline void multiply(int types, bool more, void *sums, const void *src,
                                  const void *weight, word geometry, word channels, word steps,
                                  word pitches) {
  if (types == HALF_TO_HALF) {
    if (more)
      __dlp_CONV_f16_f32_acc(sums, src, weight, geometry, channels, steps, pitches);
    else
      __dlp_CONV_f16_f32(sums, src, weight, geometry, channels, steps, pitches);
  } else if (more)
    __dlp_CONV_i8_i32_acc(sums, src, weight, geometry, channels, steps, pitches);
  else
    __dlp_CONV_i8_i32(sums, src, weight, geometry, channels, steps, pitches);
}

// out[i] = activation(sums[i] · scale[i mod channels] + shift[i mod channels]).
__mlu_func__ inline void finish(int types, int activation, void *out, int count, const void *sums,
                                const float *scale, const float *shift, int channels) {
  bool relu = activation == ACT_RELU;
  switch (types) {
    case HALF_TO_HALF:
      if (relu)
        __dlp_VAFFINE_f32_f16_relu(out, count, sums, scale, shift, channels);
      else
        __dlp_VAFFINE_f32_f16(out, count, sums, scale, shift, channels);
      break;
    case INT8_TO_INT8:
      if (relu)
        __dlp_VAFFINE_i32_i8_relu(out, count, sums, scale, shift, channels);
      else
        __dlp_VAFFINE_i32_i8(out, count, sums, scale, shift, channels);
      break;
    case INT8_TO_HALF:
      if (relu)
        __dlp_VAFFINE_i32_f16_relu(out, count, sums, scale, shift, channels);
      else
        __dlp_VAFFINE_i32_f16(out, count, sums, scale, shift, channels);
      break;
  }
  if (activation == ACT_SIGMOID) __dlp_VSIG_f16(out, count, out);
  if (activation == ACT_TANH) __dlp_VTANH_f16(out, count, out);
}
