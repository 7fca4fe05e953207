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

// Two things that every rung from the second on needs:
// TODO: columns of b from DRAM to WRAM, whole lines long, as __bang_reshape_filter orders them
// TODO: the product of some rows and some columns, scaled
