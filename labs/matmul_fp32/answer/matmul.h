// What the rungs from the second on agree on:  c[m][n] = Σ a[m][k] · b[n][k],  all float.
// b lies by columns, as the matrix unit reads it.  Sizes are free; tiles are cut to fit.
#pragma once
#include "bang.h"

#define TILE (32 * 1024)     // floats of NRAM for some rows of a
#define SUMS (16 * 1024)     // results of these rows and some columns
#define WEIGHTS (256 * 1024) // floats of WRAM for some columns of b
#define MOST_COLUMNS 512
#define MOST_K TILE

__mlu_func__ int least(int x, int y) { return x < y ? x : y; }
__mlu_func__ int parts(int whole, int most) { return (whole + most - 1) / most; }

// How many columns fit WRAM at a time, and how many rows of a beside their results.
__mlu_func__ int columns_at_once(int n, int k) {
  return least(n, least(MOST_COLUMNS, WEIGHTS / k / 4 * 4));
}
// Of `all` pieces of columns, how many lie on different cores: a power of two divides the cores.
__mlu_func__ int ways_of(int all) { return all < 4 ? least(all, 2) : 4; }
__mlu_func__ int rows_at_once(int columns, int k) { return least(TILE / k, SUMS / columns); }

// `count` floats of b to WRAM, which takes 16 bytes at a time: the last ones go through `four`.
__mlu_func__ void load_weights(float *weights, const float *b, long long count, float *four) {
  const long long most = count / 4 * 4, rest = count - most;
  if (most) __memcpy(weights, b, most * sizeof(float), GDRAM2WRAM);
  if (rest) {
    __bang_write_zero(four, 4);
    __memcpy(four, b + most, rest * sizeof(float), GDRAM2NRAM);
    __memcpy(weights + most, four, 4 * sizeof(float), NRAM2WRAM);
  }
  __sync();  // else every product waits for all copies, in case these are still on their way
}
