/* CONV on integers: exact sums, saturated to INT32.
 *
 * INT8: weights are unpacked once, GROUP taps of a channel side by side, so that one machine
 * instruction multiplies and adds a group for 16 channels; a pixel's neurons are gathered in the
 * order of the taps.  Sums fit 32 bits up to SAFE_TAPS.  INT16, and more taps: 64-bit sums.
 */
#include "conv.h"
#include "floats.h"

typedef i32 i32x16 __attribute__((vector_size(64)));
typedef i32 i32x16_unaligned __attribute__((vector_size(64), aligned(4)));
typedef i16 i16x32 __attribute__((vector_size(64)));
enum { VECTORS = BANKS / 16, SAFE_TAPS = (1 << 17) - 1 };

/* How groups are multiplied.  VNNI takes one factor without sign: 128 is added to the weights, and
 * 128 times the sum of a pixel's neurons taken off again (BIAS). */
#if defined(__AVX512VNNI__)
enum { GROUP = 4, PIXELS = 6, BIAS = 128 };
typedef u8 Weight;
typedef i8 Neuron;
INLINE i32x16 add_group(i32x16 sum, i32x16 weights, i32x16 neurons) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(neurons));
    return sum;
}
#else
enum { GROUP = 2, PIXELS = 4, BIAS = 0 };
typedef i16 Weight;
typedef i16 Neuron;
INLINE i32x16 add_group(i32x16 sum, i32x16 weights, i32x16 neurons) {
#if defined(__AVX512BW__)
    return sum + (i32x16)__builtin_ia32_pmaddwd512((i16x32)weights, (i16x32)neurons);
#else
    return sum + (weights << 16 >> 16) * (neurons << 16 >> 16) + (weights >> 16) * (neurons >> 16);
#endif
}
#endif

INLINE i64 groups_of(const Conv *v) { return (v->taps + GROUP - 1) / GROUP; }
INLINE int is_wide(const Conv *v) { return v->source != 1 || v->taps > SAFE_TAPS || !v->taps; }

INLINE i16 weight_at(const Conv *v, i64 block, i64 bank, i64 tap) {
    const i64 per_line = WRAM_LINE / v->source, lines = (v->taps + per_line - 1) / per_line;
    const u8 *line = v->bank + ((block * lines + tap / per_line) * BANKS + bank) * WRAM_LINE;
    const u8 *cell = line + tap % per_line * v->source;
    return v->source == 1 ? *(const i8 *)cell : *(const i16 *)cell;
}

/* core->weights as [blocks of BANKS channels][groups of taps][BANKS][GROUP] Weight, or, wide, as
 * [blocks][taps][BANKS] INT16; nothing to do if they are there from the last CONV. */
static void unpack(Core *core, const Conv *v, u64 address) {
    const i64 key[5] = {(i64)address, v->taps, v->co, -v->source, core->wram_version};
    int same = core->weights_valid;
    for (int i = 0; i < 5; i++) same &= core->weights_key[i] == key[i];
    if (same) return;
    Weight *to = (Weight *)v->weights;
    i16 *wide = (i16 *)v->weights;
    for (i64 block = 0; block * BANKS < v->co; block++) {
        for (i64 tap = 0; tap < v->taps && is_wide(v); tap++)
            for (i64 bank = 0; bank < BANKS; bank++) *wide++ = weight_at(v, block, bank, tap);
        for (i64 group = 0; group < groups_of(v) && !is_wide(v); group++)
            for (i64 bank = 0; bank < BANKS; bank++)
                for (i64 tap = group * GROUP; tap < (group + 1) * GROUP; tap++)
                    *to++ = (Weight)(BIAS + (tap < v->taps ? weight_at(v, block, bank, tap) : 0));
    }
    for (int i = 0; i < 5; i++) core->weights_key[i] = key[i];
    core->weights_valid = 1;
}

/* The neurons of an output pixel in the order of the taps, zeros after them up to a whole group. */
#define GATHER(NAME, FROM, TO)                                                               \
    static void NAME(const Conv *v, const u8 *corner, TO *to) {                              \
        const Conv conv = *v; /* stores through `to` cannot change this one */               \
        const int merged = conv.dilation_w == 1; /* a kernel row's taps lie side by side */  \
        const i64 runs = merged ? 1 : conv.kernel_w, length = conv.ci * (merged ? conv.kernel_w : 1); \
        for (i64 ky = 0; ky < conv.kernel_h; ky++)                                           \
            for (i64 run = 0; run < runs; run++, to += length) {                             \
                const FROM *p = (const FROM *)(corner + ky * conv.dilation_h * conv.in_pitch) + \
                                run * conv.dilation_w * conv.ci;                             \
                for (i64 c = 0; c < length; c++) to[c] = p[c];                               \
            }                                                                                \
        for (int i = 0; i < GROUP; i++) to[i] = 0;                                           \
    }
GATHER(gather, i8, Neuron)
GATHER(gather_i8_wide, i8, i16)
GATHER(gather_i16_wide, i16, i16)

INLINE i32 sum_of(const Neuron *neurons, i64 count) {
    i32 sum = 0;
    for (i64 i = 0; i < count; i++) sum += neurons[i];
    return sum;
}

/* PIXELS pixels x BANKS channels; patches are `step` neurons apart. */
static void block(const Neuron *patches, i64 step, const Weight *weights, i64 groups,
                  i32 sums[PIXELS][BANKS]) {
    i32x16 sum[PIXELS][VECTORS] = {};
    for (i64 k = 0; k < groups; k++, weights += GROUP * BANKS) {
        i32x16 w[VECTORS];
        _Pragma("clang loop unroll(full)") for (int j = 0; j < VECTORS; j++)
            w[j] = *(const i32x16_unaligned *)(weights + 16 * GROUP * j);
        _Pragma("clang loop unroll(full)") for (int p = 0; p < PIXELS; p++) {
            i32 group;
            memcpy(&group, patches + p * step + GROUP * k, 4);
            const i32x16 neurons = (i32x16){} + group;
            _Pragma("clang loop unroll(full)") for (int j = 0; j < VECTORS; j++)
                sum[p][j] = add_group(sum[p][j], w[j], neurons);
        }
    }
    _Pragma("clang loop unroll(full)") for (int p = 0; p < PIXELS; p++)
        _Pragma("clang loop unroll(full)") for (int j = 0; j < VECTORS; j++)
            *(i32x16_unaligned *)(sums[p] + 16 * j) = sum[p][j];
}

typedef struct {
    u8 *dst;
    const u8 *src, *before; /* neurons, and NRAM at dst, as they were before the instruction */
} Place;

/* Bytes from dst to an output pixel. */
INLINE i64 offset(const Conv *v, i64 pixel) {
    return pixel / v->out_w * v->out_pitch + pixel % v->out_w * v->co * 4;
}

INLINE const u8 *corner(const Conv *v, const u8 *src, i64 pixel) {
    const i64 y = pixel / v->out_w * v->stride_h, x = pixel % v->out_w * v->stride_w;
    return src + y * v->in_pitch + x * v->ci * v->source;
}

/* `count` pixels from `first` on, all channels.  Sums wrap, which changes nothing: the true ones
 * fit 32 bits. */
static void narrow(Core *core, const Conv *v, const Place *at, i64 first, i64 count) {
    Neuron *patches = (Neuron *)core->neurons;
    const i64 step = (groups_of(v) + 1) * GROUP;
    i32 bias[PIXELS] = {};
    for (i64 p = 0; p < count; p++) {
        gather(v, corner(v, at->src, first + p), patches + p * step);
        if (BIAS) bias[p] = sum_of(patches + p * step, v->taps);
    }
    const Weight *weights = (const Weight *)v->weights;
    for (i64 channel = 0; channel < v->co; channel += BANKS, weights += groups_of(v) * GROUP * BANKS) {
        const i64 channels = v->co - channel < BANKS ? v->co - channel : BANKS;
        i32 sums[PIXELS][BANKS];
        block(patches, step, weights, groups_of(v), sums);
        for (i64 p = 0; p < count; p++) {
            const i64 place = offset(v, first + p) + channel * 4;
            i32 *to = (i32 *)(at->dst + place);
            const i32 *start = (const i32 *)(at->before + place), less = BIAS * bias[p];
            if (v->accumulate)
                for (i64 c = 0; c < channels; c++) to[c] = saturated((i64)start[c] + (sums[p][c] - less));
            else
                for (i64 c = 0; c < channels; c++) to[c] = sums[p][c] - less;
        }
    }
}

/* The same for one pixel, in 64 bits. */
static void wide(Core *core, const Conv *v, const Place *at, i64 pixel) {
    i16 *patch = (i16 *)core->neurons;
    if (v->source == 1) gather_i8_wide(v, corner(v, at->src, pixel), patch);
    else gather_i16_wide(v, corner(v, at->src, pixel), patch);
    const i16 *weights = (const i16 *)v->weights;
    for (i64 channel = 0; channel < v->co; channel += BANKS) {
        const i64 channels = v->co - channel < BANKS ? v->co - channel : BANKS;
        const i64 place = offset(v, pixel) + channel * 4;
        i64 sums[BANKS] = {};
        for (i64 tap = 0; tap < v->taps; tap++, weights += BANKS)
            for (int c = 0; c < BANKS; c++) sums[c] += (i64)patch[tap] * weights[c];
        for (i64 c = 0; c < channels; c++) {
            const i64 start = v->accumulate ? ((const i32 *)(at->before + place))[c] : 0;
            ((i32 *)(at->dst + place))[c] = saturated(start + sums[c]);
        }
    }
}

INLINE int rows_apart(const Conv *v) { return v->out_h == 1 || v->out_pitch >= v->out_w * v->co * 4; }

/* Whether an output may be written before it, or a neuron there, is read. */
static int overlaps(const Conv *v, i64 src, i64 dst) {
    const i64 rows = (v->out_h - 1) * v->stride_h + (v->kernel_h - 1) * v->dilation_h;
    const i64 src_end = src + rows * v->in_pitch + v->columns * v->ci * v->source;
    const i64 dst_end = dst + (v->out_h - 1) * v->out_pitch + v->out_w * v->co * 4;
    return v->in_pitch < 0 || !rows_apart(v) || (v->taps && src < dst_end && dst < src_end);
}

int conv_integer(Core *core, const Conv *v, u64 weight) {
    unpack(core, v, weight);
    u8 *nram = core->space_data[SPACE_nram];
    const i64 dst = (i64)(v->dst - core->space_base[SPACE_nram]);
    const i64 src = v->taps ? (i64)(v->src - core->space_base[SPACE_nram]) : 0;
    const u8 *before = nram;
    if (overlaps(v, src, dst)) {
        memcpy(core->nram_copy, nram, core->space_size[SPACE_nram]);
        before = core->nram_copy;
    }
    const Place at = {nram + dst, before + src, before + dst};
    const i64 total = v->out_h * v->out_w;
    for (i64 first = 0, count; first < total; first += count) {
        const i64 most = is_wide(v) ? 1 : PIXELS, in_row = v->out_w - first % v->out_w;
        count = total - first < most ? total - first : most;
        if (!rows_apart(v) && count > in_row) count = in_row; /* rows are written in their order */
        if (is_wide(v)) wide(core, v, &at, first);
        else narrow(core, v, &at, first, count);
    }
    return 1;
}
