/* CONV's operands, the shape of its loops, and its weights; see isa/matrix.py. */
#pragma once
#include "core.h"

typedef struct {
    i64 out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    i64 ci, co, taps, in_pitch, out_pitch, columns; /* columns: pixels of a line of neurons */
    i64 bits, destination;                          /* of a neuron or weight; bytes of a result */
    int accumulate;
    u64 src, dst;
    const u8 *bank; /* the weights in WRAM */
    float *weights; /* unpacked: [blocks of BANKS channels][taps or groups of them][BANKS] */
} Conv;

enum { BANKS = WRAM_BANKS };

/* The taps of a pixel as runs of neurons side by side: kernel_h lines of `runs` runs. */
typedef struct {
    i64 kernel_h, runs, length;
    i64 line_step, run_step; /* from one line, or run, to the next */
} Taps;

/* Steps in units of which a neuron is `size`, in lines that follow each other without a gap. */
INLINE Taps taps_of(const Conv *v, i64 size) {
    const int merged = v->dilation_w == 1; /* the taps of a kernel row lie side by side */
    return (Taps){
        .kernel_h = v->kernel_h,
        .runs = merged ? 1 : v->kernel_w,
        .length = merged ? v->kernel_w * v->ci : v->ci,
        .line_step = v->dilation_h * v->columns * v->ci * size,
        .run_step = v->dilation_w * v->ci * size,
    };
}

/* Lines of neurons from the first that is used to the last. */
INLINE i64 lines_of(const Conv *v) {
    return (v->out_h - 1) * v->stride_h + (v->kernel_h - 1) * v->dilation_h + 1;
}

INLINE i64 bytes_of(const Conv *v, i64 elements) { return (elements * v->bits + 7) / 8; }
INLINE i64 weights_in_line(const Conv *v) { return WRAM_LINE * 8 / v->bits; }
INLINE i64 weight_lines(const Conv *v) {
    return (v->taps + weights_in_line(v) - 1) / weights_in_line(v);
}

/* Whether core->weights holds these weights already, unpacked as `kind` says.  If not, they
 * count as unpacked from now on. */
INLINE int is_unpacked(Core *core, const Conv *v, u64 address, i64 kind) {
    const i64 key[5] = {(i64)address, v->taps, v->co, kind, core->wram_version};
    int same = core->weights_valid;
    for (int i = 0; i < 5; i++) same &= core->weights_key[i] == key[i];
    for (int i = 0; i < 5; i++) core->weights_key[i] = key[i];
    core->weights_valid = 1;
    return same;
}

/* Note of unpacked weights how many are not zero: per block of BANKS channels those of the slowest
 * channel, and all; counts[BANKS] are of a block. */
INLINE void note_block(Core *core, const Conv *v, i64 block, const i32 *counts) {
    i64 slowest = 0;
    for (i64 bank = 0; bank < BANKS && block * BANKS + bank < v->co; bank++) {
        core->nonzero += counts[bank];
        slowest = counts[bank] > slowest ? counts[bank] : slowest;
    }
    core->paced += slowest;
}

/* Neurons and weights are integers of `bits` bits, sums exact, saturated to INT32. */
void conv_integer(Core *core, const Conv *v, u64 weight);
