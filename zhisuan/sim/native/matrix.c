/* Matrix instructions; see isa/matrix.py for their meaning.
 *
 * CONV unpacks the weights to floats once (and keeps them while WRAM is unchanged), converts
 * the neurons to floats once, and then computes blocks of pixels x channels with their sums in
 * registers, one fused multiply-add per tap in the defined order.  Products of FP16 numbers are
 * exact in FP32, so there fused and separate forms agree.
 */
#include "conv.h"
#include "floats.h"
#include "transpose.h"

INLINE int is_half(const Conv *v) { return v->bits == 16; }
INLINE int makes_half(const Conv *v) { return v->destination == 2; }

/* Check all that the meaning reads and writes, in its order. */
static int check(const Core *core, Conv *v, u64 address) {
    const i64 blocks = (v->co + BANKS - 1) / BANKS, align = v->bits < 8 ? 1 : v->bits / 8;
    const i128 weights = (i128)weight_lines(v) * blocks * BANKS * WRAM_LINE;
    v->bank = range(core, READS_CONV, address, weights, 1, 1);
    if (!v->bank) return 0;
    for (i64 y = 0; y < v->out_h && v->taps; y++)
        for (i64 k = 0; k < v->kernel_h; k++) {
            u64 line = v->src + (u64)((y * v->stride_h + k * v->dilation_h) * v->in_pitch);
            const i128 bytes = ((i128)v->columns * v->ci * v->bits + 7) >> 3;
            if (!range(core, 1u << SPACE_nram, line, bytes, 1, (u64)align)) return 0;
        }
    for (int writing = !v->accumulate; writing < 2; writing++)
        for (i64 y = 0; y < v->out_h; y++) {
            u64 line = v->dst + (u64)(y * v->out_pitch);
            u32 spaces = writing ? WRITES_CONV : READS_CONV;
            if (!range(core, spaces, line, (i128)v->out_w * v->co, v->destination, v->destination)) return 0;
        }
    return 1;
}

/* One line of a tap, or of two of FP16, for all banks. */
INLINE void unpack_cells(const u8 *line, int half, i64 count, float *to) {
    u16 cells[2][BANKS];
    for (int bank = 0; bank < BANKS; bank++) {
        const u32 cell = *(const u32 *)(line + bank * WRAM_LINE);
        if (!half) to[bank] = float_of(cell);
        cells[0][bank] = (u16)cell, cells[1][bank] = (u16)(cell >> 16);
    }
    for (i64 i = 0; i < count && half; i++)
        for (int at = 0; at < BANKS; at += 16) store16(to + i * BANKS + at, load16_half(cells[i] + at));
}

/* A whole line of all banks: the same by columns of sixteen. */
INLINE void unpack_line(const u8 *line, int half, float *to) {
#ifdef __AVX512F__
    typedef u16 u16x16 __attribute__((vector_size(32)));
    for (int bank = 0; bank < BANKS; bank += 16) {
        i32x16 column[16];
        transpose16(line + bank * WRAM_LINE, WRAM_LINE, column);
        for (int k = 0; k < 16; k++) {
            if (!half) {
                store16(to + k * BANKS + bank, (f32x16)column[k]);
                continue;
            }
            const u16x16 low = __builtin_convertvector(column[k], u16x16);
            const u16x16 high = __builtin_convertvector(column[k] >> 16, u16x16);
            store16(to + 2 * k * BANKS + bank, load16_half((const u16 *)&low));
            store16(to + (2 * k + 1) * BANKS + bank, load16_half((const u16 *)&high));
        }
    }
#else
    for (int k = 0; k < WRAM_LINE / 4; k++)
        unpack_cells(line + 4 * k, half, 2, to + (half ? 2 * k : k) * BANKS);
#endif
}

/* WRAM bytes -> core->weights; nothing to do if they are there from the last CONV. */
static void unpack(Core *core, const Conv *v, u64 address) {
    if (is_unpacked(core, v, address, v->bits)) return;
    core->paced = core->nonzero = 0;
    const i64 per_line = weights_in_line(v), lines = weight_lines(v), step = 32 / v->bits;
    for (i64 block = 0; block * BANKS < v->co; block++) {
        for (i64 tap = 0; tap < v->taps; tap += step) {
            const u8 *line = v->bank + (block * lines + tap / per_line) * BANKS * WRAM_LINE;
            const i64 left = v->taps - tap;
            if (tap % per_line == 0 && left >= per_line) {
                unpack_line(line, is_half(v), core->weights + (block * v->taps + tap) * BANKS);
                tap += per_line - step;
                continue;
            }
            unpack_cells(line + tap % per_line / step * 4, is_half(v), left < step ? left : step,
                         core->weights + (block * v->taps + tap) * BANKS);
        }
        i32 counts[BANKS] = {};
        const float *weight = core->weights + block * v->taps * BANKS;
        for (i64 tap = 0; tap < v->taps; tap++, weight += BANKS)
            for (int bank = 0; bank < BANKS; bank++) counts[bank] += weight[bank] != 0;
        note_block(core, v, block, counts);
    }
}

/* ---- Blocks of pixels x channels ---- */

#if HAS_FMA
#define FUSED16(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define FUSED16(a, b, c) ((a) * (b) + (c)) /* exact products only: FP16 sources */
#endif
#ifdef __AVX512F__
enum { MOST_VECTORS = 4 };
#else
enum { MOST_VECTORS = 1 };
#endif
enum { MOST_PIXELS = 12 };

/* sums[p][j] += neurons of pixel p x weights, 16 channels per j; `pixels`, `vectors` constant. */
INLINE void block(const int pixels, const int vectors, const float *const *pixel, const Taps *t,
                  const float *weight, f32x16 sums[MOST_PIXELS][MOST_VECTORS]) {
    f32x16 sum[MOST_PIXELS][MOST_VECTORS];
    const float *at[MOST_PIXELS];
    _Pragma("clang loop unroll(full)") for (int p = 0; p < pixels; p++)
        _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++) sum[p][j] = sums[p][j];
    for (i64 y = 0; y < t->kernel_h; y++)
        for (i64 r = 0; r < t->runs; r++) {
            _Pragma("clang loop unroll(full)") for (int p = 0; p < pixels; p++)
                at[p] = pixel[p] + y * t->line_step + r * t->run_step;
            for (i64 k = 0; k < t->length; k++, weight += BANKS) {
                f32x16 w[MOST_VECTORS];
                _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++)
                    w[j] = load16(weight + 16 * j);
                _Pragma("clang loop unroll(full)") for (int p = 0; p < pixels; p++) {
                    const f32x16 neuron = splat16(at[p][k]);
                    _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++)
                        sum[p][j] = FUSED16(neuron, w[j], sum[p][j]);
                }
            }
        }
    _Pragma("clang loop unroll(full)") for (int p = 0; p < pixels; p++)
        _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++) sums[p][j] = sum[p][j];
}

/* Pixels per block, so that sums, weights and a neuron fit the vector registers. */
static const int PIXELS[] = {0, MOST_VECTORS == 4 ? 12 : 6, 8, 8, 6};

#define BLOCK(PIXELS, VECTORS)                                                                \
    static void block_##PIXELS##_##VECTORS(const float *const *pixel, const Taps *t,          \
                                           const float *weight,                               \
                                           f32x16 sums[MOST_PIXELS][MOST_VECTORS]) {          \
        block(PIXELS, VECTORS, pixel, t, weight, sums);                                       \
    }
#ifdef __AVX512F__
BLOCK(12, 1) BLOCK(8, 2) BLOCK(8, 3) BLOCK(6, 4) BLOCK(1, 4)
#else
BLOCK(6, 1)
#endif

/* `count` pixels are wanted; a lone one, as of a fully connected layer, has a block of its own. */
static void any_block(int vectors, i64 count, const float *const *pixel, const Taps *t, const float *weight,
                      f32x16 sums[MOST_PIXELS][MOST_VECTORS]) {
    switch (vectors) {
#ifdef __AVX512F__
        case 1: block_12_1(pixel, t, weight, sums); break;
        case 2: block_8_2(pixel, t, weight, sums); break;
        case 3: block_8_3(pixel, t, weight, sums); break;
        case 4: (count == 1 ? block_1_4 : block_6_4)(pixel, t, weight, sums); break;
#else
        case 1: block_6_1(pixel, t, weight, sums); break;
#endif
    }
}

/* 16 channels of an output pixel, of which `count` exist. */
INLINE f32x16 sums_before(const Conv *v, const float *dst, i64 count) {
    f32x16 sum = {};
    if (!v->accumulate) return sum;
    if (count >= 16) return load16(dst);
    for (i64 c = 0; c < count; c++) sum[c] = dst[c];
    return sum;
}

INLINE void store(const Conv *v, u8 *dst, f32x16 sum, i64 count) {
    float values[16];
    store16(values, sum);
    if (!makes_half(v)) {
        for (int c = 0; c < 16; c++) ((u32 *)values)[c] = result_f32(values[c]);
        if (count >= 16) memcpy(dst, values, 64);
        else memcpy(dst, values, (u64)count * 4);
        return;
    }
    u16 halves[16];
    for (int c = 0; c < 16; c++) halves[c] = result_f16(values[c]);
    if (count >= 16) memcpy(dst, halves, 32);
    else memcpy(dst, halves, (u64)count * 2);
}

/* Up to PIXELS consecutive pixels (rows run on), all channels from `channel` that fit. */
static void pixels(const Conv *v, const Taps *t, u8 *dst, const float *neurons, i64 first,
                   i64 count, i64 channel, int vectors) {
    const i64 width = v->destination;
    const float *pixel[MOST_PIXELS];
    u8 *out[MOST_PIXELS];
    f32x16 sums[MOST_PIXELS][MOST_VECTORS];
    for (i64 p = 0; p < PIXELS[vectors]; p++) {
        const i64 index = first + (p < count ? p : count - 1); /* idle places repeat the last */
        const i64 y = index / v->out_w, x = index % v->out_w;
        pixel[p] = neurons + (y * v->stride_h * v->columns + x * v->stride_w) * v->ci;
        out[p] = dst + y * v->out_pitch + (x * v->co + channel) * width;
        for (int j = 0; j < vectors; j++)
            sums[p][j] = sums_before(v, (float *)out[p] + 16 * j, v->co - channel - 16 * j);
    }
    const float *weight = v->weights + (channel / BANKS * v->taps) * BANKS + channel % BANKS;
    any_block(vectors, count, pixel, t, weight, sums);
    for (i64 p = 0; p < count; p++)
        for (int j = 0; j < vectors; j++)
            store(v, out[p] + 16 * j * width, sums[p][j], v->co - channel - 16 * j);
}

/* Every line of neurons between the first and the last used, as floats. */
static void convert_neurons(const Conv *v, const u8 *src, i64 lines, float *to) {
    const i64 length = v->columns * v->ci;
    for (i64 y = 0; y < lines; y++, to += length) {
        const u8 *line = src + y * v->in_pitch;
        if (!is_half(v)) {
            memcpy(to, line, (u64)length * 4);
            continue;
        }
        for (i64 i = 0; i < length; i++) to[i] = from_half(((const u16 *)line)[i]);
    }
}

static void in_blocks(const Conv *v, u8 *dst, const float *neurons) {
    const Taps t = taps_of(v, 1);
    const i64 total = v->out_h * v->out_w;
    for (i64 channel = 0; channel < v->co;) {
        const i64 left = (v->co - channel + 15) / 16, in_bank = (BANKS - channel % BANKS) / 16;
        i64 vectors = left < in_bank ? left : in_bank;
        if (vectors > MOST_VECTORS) vectors = MOST_VECTORS;
        for (i64 first = 0; first < total; first += PIXELS[vectors]) {
            const i64 rest = total - first, most = PIXELS[vectors];
            pixels(v, &t, dst, neurons, first, rest < most ? rest : most, channel, (int)vectors);
        }
        channel += 16 * vectors;
    }
}

/* ---- Any shape, one sum at a time: overlapping rows, and neurons too many to convert ---- */

static float one_sum(const Conv *v, const u8 *pixel, float sum, const float *weight) {
    const i64 width = v->bits / 8;
    for (i64 ky = 0; ky < v->kernel_h; ky++)
        for (i64 kx = 0; kx < v->kernel_w; kx++) {
            const u8 *p = pixel + ky * v->dilation_h * v->in_pitch + kx * v->dilation_w * v->ci * width;
            for (i64 c = 0; c < v->ci; c++, weight += BANKS) {
                float x = is_half(v) ? from_half(((const u16 *)p)[c]) : ((const float *)p)[c];
                sum = fused(x, *weight, sum);
            }
        }
    return sum;
}

/* `src` and `before` read NRAM as it was before the instruction. */
static void one_by_one(const Conv *v, u8 *dst, const u8 *src, const u8 *before) {
    const i64 width = v->destination, source = v->bits / 8;
    for (i64 y = 0; y < v->out_h; y++)
        for (i64 x = 0; x < v->out_w; x++)
            for (i64 c = 0; c < v->co; c++) {
                const i64 place = y * v->out_pitch + (x * v->co + c) * width;
                const u8 *pixel = src + y * v->stride_h * v->in_pitch + x * v->stride_w * v->ci * source;
                const float start = v->accumulate ? *(const float *)(before + place) : 0.0f;
                const float *weight = v->weights + c / BANKS * v->taps * BANKS + c % BANKS;
                const float sum = one_sum(v, pixel, start, weight);
                if (makes_half(v)) *(u16 *)(dst + place) = result_f16(sum);
                else *(u32 *)(dst + place) = result_f32(sum);
            }
}

static void compute(Core *core, const Conv *v) {
    u8 *nram = core->space_data[SPACE_nram];
    u8 *dst = nram + (v->dst - core->space_base[SPACE_nram]);
    const u8 *src = nram + (v->taps ? v->src - core->space_base[SPACE_nram] : 0);
    const i64 row = v->out_w * v->co * (v->destination);
    const i64 step = v->out_pitch < 0 ? -v->out_pitch : v->out_pitch;
    const i64 lines = lines_of(v);
    const i128 neurons = (i128)lines * v->columns * v->ci;
    const int separate = v->out_h == 1 || step >= row;
    if (separate && neurons <= core->neurons_capacity && (HAS_FMA || is_half(v))) {
        if (v->taps) convert_neurons(v, src, lines, core->neurons);
        in_blocks(v, dst, core->neurons);
        return;
    }
    memcpy(core->nram_copy, nram, core->space_size[SPACE_nram]);
    one_by_one(v, dst, core->nram_copy + (src - nram), core->nram_copy + (dst - nram));
}

/* `kind`: which of the classes of element types. */
enum { FLOATS, INTEGERS };

static int conv(Core *core, const i64 *a, int kind, i64 bits, i64 destination, int accumulate) {
    const i64 geometry = a[CONV_geometry], steps = a[CONV_steps];
    Conv v = {
        .out_h = quarter(geometry, 0), .out_w = quarter(geometry, 1),
        .kernel_h = quarter(geometry, 2), .kernel_w = quarter(geometry, 3),
        .stride_h = quarter(steps, 0), .stride_w = quarter(steps, 1),
        .dilation_h = quarter(steps, 2), .dilation_w = quarter(steps, 3),
        .ci = low_half(a[CONV_channels]), .co = high_half(a[CONV_channels]),
        .in_pitch = low_half(a[CONV_pitches]), .out_pitch = high_half(a[CONV_pitches]),
        .bits = bits, .destination = destination, .accumulate = accumulate,
        .src = (u64)a[CONV_src], .dst = (u64)a[CONV_dst], .weights = core->weights,
    };
    if (v.ci < 0 || v.co < 0) return 0;
    if ((u64)a[CONV_weight] - NRAM_BASE < NRAM_WINDOW) return 0;
    if (v.out_h * v.out_w * v.co == 0) return 1;
    v.columns = (v.out_w - 1) * v.stride_w + (v.kernel_w - 1) * v.dilation_w + 1;
    v.taps = v.kernel_h * v.kernel_w * v.ci;
    if (!check(core, &v, (u64)a[CONV_weight])) return 0;
    if (kind == INTEGERS) {
        conv_integer(core, &v, (u64)a[CONV_weight]);
    } else {
        unpack(core, &v, (u64)a[CONV_weight]);
        compute(core, &v);
    }
    Row *row = core->rows + core->row_count - 1; /* its own */
    row->a[CONV_paced] = core->paced;
    row->a[CONV_nonzero] = core->nonzero;
    return 1;
}

int run_matrix(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        case OP_CONV_f16_f16: return conv(core, a, FLOATS, 16, 2, 0);
        case OP_CONV_f16_f32: return conv(core, a, FLOATS, 16, 4, 0);
        case OP_CONV_f32_f32: return conv(core, a, FLOATS, 32, 4, 0);
        case OP_CONV_f16_f32_acc: return conv(core, a, FLOATS, 16, 4, 1);
        case OP_CONV_f32_f32_acc: return conv(core, a, FLOATS, 32, 4, 1);
        case OP_CONV_i4_i32: return conv(core, a, INTEGERS, 4, 4, 0);
        case OP_CONV_i4_i32_acc: return conv(core, a, INTEGERS, 4, 4, 1);
        case OP_CONV_i8_i32: return conv(core, a, INTEGERS, 8, 4, 0);
        case OP_CONV_i16_i32: return conv(core, a, INTEGERS, 16, 4, 0);
        case OP_CONV_i8_i32_acc: return conv(core, a, INTEGERS, 8, 4, 1);
        case OP_CONV_i16_i32_acc: return conv(core, a, INTEGERS, 16, 4, 1);
    }
    return run_product(core, handler, a);
}
