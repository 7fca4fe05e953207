// What the kernels of the operator library share: packed operands, tiles, padded loads.
#pragma once
#include <bang.h>

typedef long long word;

enum PadMode { PAD_CONSTANT = 0, PAD_REFLECT = 1, PAD_EDGE = 2 };
enum Activation { ACT_NONE = 0, ACT_RELU = 1, ACT_SIGMOID = 2, ACT_TANH = 3 };

__mlu_func__ inline word pack2(int low, int high) {
  return (word)(unsigned)low | ((word)high << 32);
}

__mlu_func__ inline word pack4(int a, int b, int c, int d) {
  return (word)a | ((word)b << 16) | ((word)c << 32) | ((word)d << 48);
}

__mlu_func__ inline int smaller(int a, int b) { return a < b ? a : b; }
__mlu_func__ inline int larger(int a, int b) { return a > b ? a : b; }

__mlu_func__ inline word float_bits(float x) {
  unsigned bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

// A tile of the output, in pixels.
struct Tile {
  int y, x, rows, columns;
};

// How a picture is cut into tiles, and which of them are one task's: `count`, every `stride`-th
// from tile `first` on, row by row.
struct Tiling {
  int height, width, tile_h, tile_w, across, first, stride, count;
};

// How many of `total` pieces of work are a task's that takes every `stride`-th from `first` on.
__mlu_func__ inline int pieces_of(int total, int first, int stride) {
  return first < total ? (total - first + stride - 1) / stride : 0;
}

__mlu_func__ inline Tiling tiling(int height, int width, int tile_h, int tile_w, int first,
                                  int stride) {
  int across = (width + tile_w - 1) / tile_w;
  int down = (height + tile_h - 1) / tile_h;
  return {height, width, tile_h, tile_w, across, first, stride,
          pieces_of(down * across, first, stride)};
}

// The task's tiles when every task of the launch takes its turn.
__mlu_func__ inline Tiling tiling(int height, int width, int tile_h, int tile_w) {
  return tiling(height, width, tile_h, tile_w, taskId, taskDim);
}

// The tiles of all tasks.
__mlu_func__ inline int tiles_of(const Tiling &g) {
  return g.across * ((g.height + g.tile_h - 1) / g.tile_h);
}

// The task's tile number `i`.
__mlu_func__ inline Tile tile_at(const Tiling &g, int i) {
  int number = g.first + i * g.stride, down = number / g.across;
  int y = down * g.tile_h, x = (number - down * g.across) * g.tile_w;
  return {y, x, smaller(g.tile_h, g.height - y), smaller(g.tile_w, g.width - x)};
}

// A window of a channels-last image in DRAM, margins included: of every pixel, which are `apart`
// bytes from each other, the first `pixel` bytes from `image` on.
struct Window {
  const char *image;
  int height, width, pixel, apart;
  int mode;           // PadMode
  const char *margin;  // NRAM row of what lies outside, for PAD_CONSTANT
};

// Where row y of the padded image comes from; -1 for a row outside.
__mlu_func__ inline int source_row(const Window &w, int y) {
  if (y >= 0 && y < w.height) return y;
  if (w.mode == PAD_CONSTANT) return -1;
  if (w.mode == PAD_EDGE) return y < 0 ? 0 : w.height - 1;
  return y < 0 ? -y : 2 * (w.height - 1) - y;
}

// Loads columns [x, x + columns) of `rows` consecutive existing image rows, margins included.
__mlu_func__ inline void load_rows(const Window &w, char *tile, int pitch, int y, int rows, int x,
                                   int columns) {
  int left = smaller(columns, larger(0, -x));
  int right = smaller(columns - left, larger(0, x + columns - w.width));
  int inner = columns - left - right;
  int line = w.width * w.apart;
  const char *first = w.image + (word)y * line;
  if (inner > 0 && w.pixel == w.apart)
    __dlp_VLOAD3(tile + left * w.pixel, inner * w.pixel, first + (x + left) * w.pixel, pitch, line,
                 rows, 0, 1);
  else if (inner > 0)
    __dlp_VLOAD3(tile + left * w.pixel, w.pixel, first + (x + left) * w.apart, w.pixel, w.apart,
                 inner, pack2(pitch, line), rows);
  if (w.mode == PAD_CONSTANT) {
    if (left)
      __dlp_VMOVE3(tile, left * w.pixel, w.margin, pitch, 0, rows, 0, 1);
    if (right)
      __dlp_VMOVE3(tile + (left + inner) * w.pixel, right * w.pixel, w.margin, pitch, 0, rows, 0, 1);
    return;
  }
  // Margins mirror the image with a negative stride, or repeat its edge with stride zero.
  int back = w.mode == PAD_REFLECT ? -w.apart : 0;
  int left_from = w.mode == PAD_REFLECT ? -x : 0;
  int right_from = w.width - 1;
  if (w.mode == PAD_REFLECT) right_from = 2 * (w.width - 1) - (x + left + inner);
  if (left)
    __dlp_VLOAD3(tile, w.pixel, first + left_from * w.apart, pitch, line, rows,
                 pack2(w.pixel, back), left);
  if (right)
    __dlp_VLOAD3(tile + (left + inner) * w.pixel, w.pixel, first + right_from * w.apart, pitch,
                 line, rows, pack2(w.pixel, back), right);
}

// Loads the window of `rows` × `columns` pixels whose corner is (y, x) of the padded image.
__mlu_func__ inline void load_window(const Window &w, char *tile, int pitch, int y, int rows,
                                     int x, int columns) {
  int r = 0;
  while (r < rows) {
    int source = source_row(w, y + r);
    if (source < 0) {
      __dlp_VMOVE(tile + r * pitch, columns * w.pixel, w.margin);
      r++;
      continue;
    }
    int run = 1;  // rows inside the image go together
    if (y + r >= 0 && y + r < w.height) run = smaller(rows - r, w.height - (y + r));
    load_rows(w, tile + r * pitch, pitch, source, run, x, columns);
    r += run;
  }
}
