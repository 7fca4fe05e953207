// What all rungs agree on:  c[m][n] = scale · 2^position · Σ a[m][k] · b[n][k]
// a, b: quantised values; b lies by columns.  position: that of a plus that of b; scale: one over
// the product of their scales.  On the chip a row of a and a column of b fill whole lines of
// 64 bytes, and columns come in groups of 64: the rules of the MLU270's matrix unit.
#pragma once
#include "mlu.h"

#define LINE 64
#define TILE (128 * 1024)         // bytes of NRAM for some rows of a
#define SUMS (16 * 1024)          // results of these rows and some columns
#define WEIGHTS (1024 * 1024)     // bytes of WRAM for some columns of b
#define MOST_COLUMNS 1024
#define MOST_K (WEIGHTS / LINE)

__mlu_func__ int least(int x, int y) { return x < y ? x : y; }
__mlu_func__ int whole_lines(int x) { return (x + LINE - 1) / LINE * LINE; }

// How many columns a core takes at a time when `cores` of them share n, and how many rows.
__mlu_func__ int columns_at_once(int n, int k, int cores) {
  int room = least(MOST_COLUMNS, WEIGHTS / whole_lines(k) / LINE * LINE);
  return least(room, whole_lines((n + cores - 1) / cores));
}
__mlu_func__ int rows_at_once(int columns, int k) {
  return least(TILE / whole_lines(k), SUMS / columns);
}

// `count` columns of b from DRAM to WRAM, 64 at a time through two pieces of NRAM of TILE bytes.
__mlu_func__ void load_weights(int8_t *weights, const int8_t *b, int count, int k, int8_t *flat,
                               int8_t *laid) {
  const int line = whole_lines(k), most = TILE / 64;
  for (int i = 0; i < count; i += 64)
    for (int at = 0; at < line; at += most) {
      const int columns = least(count - i, 64), wide = least(line - at, most);
      const int there = least(k - at, wide);
      if (columns < 64 || there < wide) __bang_write_zero(flat, 64 * wide);
      __memcpy(flat, b + (long long)i * k + at, there, GDRAM2NRAM, wide, k, columns - 1);
      __bang_reshape_filter(laid, flat, 64, 1, 1, wide);
      __memcpy(weights + i * line + at * 64, laid, 64 * wide, NRAM2WRAM);
    }
}

// sums[rows][columns] from rows of a and columns of b; a pixel is a row, a channel a column.
__mlu_func__ void multiply(half *sums, const int8_t *tile, const int8_t *weights, int rows,
                           int columns, int k, int position, float scale) {
  __bang_conv(sums, tile, weights, whole_lines(k), 1, rows, 1, 1, 1, 1, columns, position);
  __bang_mul_const(sums, sums, (half)scale, rows * columns);
}
