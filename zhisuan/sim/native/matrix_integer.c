/* CONV on integers: exact sums, saturated to INT32.
 *
 * Weights are unpacked to INT16 once, two taps of a channel side by side, so that one machine
 * instruction multiplies pairs and adds the products; a pixel's neurons are gathered in the
 * order of the taps.  Sums of INT8 products fit 32 bits up to 2^17 taps; everything else is
 * summed in 64 bits.
 */
#include "conv.h"
#include "floats.h"

typedef i32 i32x16 __attribute__((vector_size(64)));
typedef i32 i32x16_unaligned __attribute__((vector_size(64), aligned(4)));
typedef i16 i16x32 __attribute__((vector_size(64)));
enum { PIXELS = 4, VECTORS = BANKS / 16, SAFE_TAPS = (1 << 17) - 1 };

INLINE i64 pairs_of(const Conv *v) { return (v->taps + 1) / 2; }

/* core->weights as [blocks of BANKS channels][pairs of taps][BANKS][2] INT16. */
static void unpack(Core *core, const Conv *v, u64 address) {
    const i64 key[5] = {(i64)address, v->taps, v->co, -v->source, core->wram_version};
    int same = core->weights_valid;
    for (int i = 0; i < 5; i++) same &= core->weights_key[i] == key[i];
    if (same) return;
    const i64 per_line = WRAM_LINE / v->source, lines = (v->taps + per_line - 1) / per_line;
    i16 *to = (i16 *)core->weights;
    for (i64 block = 0; block * BANKS < v->co; block++)
        for (i64 pair = 0; pair < pairs_of(v); pair++)
            for (i64 bank = 0; bank < BANKS; bank++)
                for (i64 tap = 2 * pair; tap < 2 * pair + 2; tap++) {
                    const i64 line = (block * lines + tap / per_line) * BANKS + bank;
                    const u8 *cell = v->bank + line * WRAM_LINE + tap % per_line * v->source;
                    const i16 weight = v->source == 1 ? *(const i8 *)cell : *(const i16 *)cell;
                    *to++ = tap < v->taps ? weight : 0;
                }
    for (int i = 0; i < 5; i++) core->weights_key[i] = key[i];
    core->weights_valid = 1;
}

/* The neurons of an output pixel as INT16, in the order of the taps; zero after the last. */
static void gather(const Conv *v, const u8 *src, i64 y, i64 x, i16 *to) {
    const u8 *corner = src + y * v->stride_h * v->in_pitch + x * v->stride_w * v->ci * v->source;
    for (i64 ky = 0; ky < v->kernel_h; ky++)
        for (i64 kx = 0; kx < v->kernel_w; kx++) {
            const u8 *p = corner + ky * v->dilation_h * v->in_pitch + kx * v->dilation_w * v->ci * v->source;
            if (v->source == 1) for (i64 c = 0; c < v->ci; c++) *to++ = ((const i8 *)p)[c];
            else for (i64 c = 0; c < v->ci; c++) *to++ = ((const i16 *)p)[c];
        }
    *to = 0;
}

/* Sums of products of pairs, added to `sum`. */
INLINE i32x16 add_pairs(i32x16 sum, i32x16 weights, i32x16 neurons) {
#if defined(__AVX512BW__)
    return sum + (i32x16)__builtin_ia32_pmaddwd512((i16x32)weights, (i16x32)neurons);
#else
    return sum + (weights << 16 >> 16) * (neurons << 16 >> 16) + (weights >> 16) * (neurons >> 16);
#endif
}

/* PIXELS pixels x BANKS channels; patches are `step` INT16 apart. */
static void block(const i16 *patches, i64 step, const i16 *weights, i64 pairs,
                  i32 sums[PIXELS][BANKS]) {
    i32x16 sum[PIXELS][VECTORS] = {};
    for (i64 k = 0; k < pairs; k++, weights += 2 * BANKS) {
        i32x16 w[VECTORS];
        _Pragma("clang loop unroll(full)") for (int j = 0; j < VECTORS; j++)
            w[j] = *(const i32x16_unaligned *)(weights + 32 * j);
        _Pragma("clang loop unroll(full)") for (int p = 0; p < PIXELS; p++) {
            i32 pair;
            memcpy(&pair, patches + p * step + 2 * k, 4);
            const i32x16 neurons = (i32x16){} + pair;
            _Pragma("clang loop unroll(full)") for (int j = 0; j < VECTORS; j++)
                sum[p][j] = add_pairs(sum[p][j], w[j], neurons);
        }
    }
    for (int p = 0; p < PIXELS; p++)
        for (int j = 0; j < VECTORS; j++) *(i32x16_unaligned *)(sums[p] + 16 * j) = sum[p][j];
}

/* One pixel x BANKS channels in 64 bits. */
static void wide(const i16 *patch, const i16 *weights, i64 taps, i64 sums[BANKS]) {
    memset(sums, 0, BANKS * sizeof *sums);
    for (i64 tap = 0; tap < taps; tap++) {
        const i16 *w = weights + tap / 2 * 2 * BANKS + tap % 2;
        const i64 neuron = patch[tap];
        for (int c = 0; c < BANKS; c++) sums[c] += neuron * w[2 * c];
    }
}

typedef struct {
    u8 *dst;
    const u8 *before; /* NRAM at dst before the instruction */
} Output;

INLINE void store(const Conv *v, Output out, i64 pixel, i64 channel, i64 sum) {
    const i64 place = pixel / v->out_w * v->out_pitch + (pixel % v->out_w * v->co + channel) * 4;
    const i64 start = v->accumulate ? *(const i32 *)(out.before + place) : 0;
    *(i32 *)(out.dst + place) = saturated(start + sum);
}

/* `count` pixels from `first` on, all channels; patches hold their neurons. */
static void pixels(const Conv *v, Output out, const i16 *patches, i64 step, i64 first, i64 count) {
    const i16 *weights = (const i16 *)v->weights;
    for (i64 channel = 0; channel < v->co; channel += BANKS, weights += pairs_of(v) * 2 * BANKS) {
        const i64 channels = v->co - channel < BANKS ? v->co - channel : BANKS;
        if (v->source == 1 && v->taps <= SAFE_TAPS) {
            i32 sums[PIXELS][BANKS];
            block(patches, step, weights, pairs_of(v), sums);
            for (i64 p = 0; p < count; p++)
                for (i64 c = 0; c < channels; c++) store(v, out, first + p, channel + c, sums[p][c]);
            continue;
        }
        for (i64 p = 0; p < count; p++) {
            i64 sums[BANKS];
            wide(patches + p * step, weights, v->taps, sums);
            for (i64 c = 0; c < channels; c++) store(v, out, first + p, channel + c, sums[c]);
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
    const Output out = {nram + dst, before + dst};
    const i64 step = v->taps + 2, total = v->out_h * v->out_w;
    i16 *patches = (i16 *)core->neurons;
    for (i64 first = 0, count; first < total; first += count) {
        count = total - first < PIXELS ? total - first : PIXELS;
        const i64 in_row = v->out_w - first % v->out_w;
        if (!rows_apart(v) && count > in_row) count = in_row; /* rows are written in their order */
        for (i64 p = 0; p < count; p++)
            gather(v, before + src, (first + p) / v->out_w, (first + p) % v->out_w, patches + p * step);
        pixels(v, out, patches, step, first, count);
    }
    return 1;
}
