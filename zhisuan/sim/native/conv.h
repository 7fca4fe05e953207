/* CONV's operands, and the checks on them; see isa/matrix.py. */
#pragma once
#include "core.h"

typedef struct {
    i64 out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    i64 ci, co, taps, in_pitch, out_pitch, columns; /* columns: pixels of a line of neurons */
    i64 source, destination;                        /* bytes of an element */
    int accumulate;
    u64 src, dst;
    const u8 *bank; /* the weights in WRAM */
    float *weights; /* unpacked: [blocks of BANKS channels][taps][BANKS] */
} Conv;

enum { BANKS = WRAM_BANKS };

/* Neurons, weights and sums are integers of `source` bytes, exact, and INT32. */
int conv_integer(Core *core, const Conv *v, u64 weight);
