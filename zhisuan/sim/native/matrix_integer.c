/* CONV on integers: exact sums, saturated to INT32.
 *
 * Weights are unpacked once, so many taps of a channel side by side as 32 bits hold: one machine
 * instruction then multiplies and adds such a group for 16 channels.  Neurons are converted once
 * to the multiplier's form, which is one of two:
 *
 * - bytes, where the host has VNNI: 4 taps in a group, neurons with 128 added, so that they have
 *   no sign; 128 times the sum of a channel's weights is taken off again.
 * - words: 2 taps in a group, neurons and weights of 16 bits.
 *
 * Sums of 32 bits wrap, which changes nothing where the true ones fit.  Where they may not, a
 * neuron is split (256 high + low), and SAFE_GROUPS groups at a time are added up in 64 bits.
 */
#include "conv.h"
#include "floats.h"
#include "transpose.h"

typedef i32 i32x8 __attribute__((vector_size(32)));
typedef i16 i16x16 __attribute__((vector_size(32)));
typedef i16 i16x32 __attribute__((vector_size(64)));
enum { VECTORS = BANKS / 16, PIXELS = 6 };
enum { SAFE_GROUPS = 127 };              /* of 2 · 255 · 32768 each, in 31 bits */
enum { SAFE_TAPS = (1 << 17) - 1 };      /* of 128 · 128 each, in 31 bits */
enum { BYTES = 4, WORDS = 2 };           /* taps in a group */

#if defined(__AVX512F__)
enum { AT_ONCE = VECTORS }; /* vectors whose sums fit the registers, for PIXELS pixels */
#else
enum { AT_ONCE = 1 };
#endif

#if defined(__AVX512VNNI__)
enum { HAS_BYTES = 1 };
INLINE i32x16 add_bytes(i32x16 sum, i32x16 weights, i32x16 neurons) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(neurons), "v"(weights));
    return sum;
}
INLINE i32x16 add_words(i32x16 sum, i32x16 weights, i32x16 neurons) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(neurons), "v"(weights));
    return sum;
}
#else
enum { HAS_BYTES = 0 };
INLINE i32x16 add_bytes(i32x16 sum, i32x16 weights, i32x16 neurons) {
    (void)weights, (void)neurons; /* never called */
    return sum;
}
INLINE i32x16 add_words(i32x16 sum, i32x16 weights, i32x16 neurons) {
#if defined(__AVX512BW__)
    return sum + (i32x16)__builtin_ia32_pmaddwd512((i16x32)weights, (i16x32)neurons);
#elif defined(__AVX2__)
    union { i32x16 whole; i16x16 half[2]; } w = {weights}, n = {neurons};
    union { i32x8 half[2]; i32x16 whole; } products;
    for (int i = 0; i < 2; i++)
        products.half[i] = (i32x8)__builtin_ia32_pmaddwd256(w.half[i], n.half[i]);
    return sum + products.whole;
#else
    return sum + (weights << 16 >> 16) * (neurons << 16 >> 16) + (weights >> 16) * (neurons >> 16);
#endif
}
#endif

/* ---- Weights ---- */

INLINE i32 element(const u8 *line, i64 index, int bits) {
    if (bits == 4) return (i8)(line[index / 2] << (index % 2 ? 0 : 4)) >> 4;
    if (bits == 8) return ((const i8 *)line)[index];
    return ((const i16 *)line)[index];
}

/* Taps first .. first + group of a channel, of which `count` exist; the others are zero. */
INLINE i32 group_at(const u8 *line, i64 first, i64 count, int bits, int group) {
    i32 found = 0;
    for (int i = 0; i < group; i++)
        if (i < count) {
            const u32 mask = group == BYTES ? 0xFF : 0xFFFF;
            found |= (i32)(((u32)element(line, first + i, bits) & mask) << (32 / group * i));
        }
    return found;
}

/* Four numbers of 4 bits as bytes. */
INLINE i32 widened(u16 four) {
    const u32 bytes = (four & 15u) | (four & 0xF0u) << 4 | (four & 0xF00u) << 8 | (four & 0xF000u) << 12;
    return (i32)(bytes | (bytes & 0x08080808u) * 0x1E); /* the sign bit upwards */
}

/* The groups of a whole line of every bank, where a group is as 32 bits lie in WRAM. */
INLINE void unpack_line(const u8 *line, i32 *to) {
    enum { GROUPS = WRAM_LINE / 4 };
#ifdef __AVX512F__
    for (int bank = 0; bank < BANKS; bank += 16) {
        i32x16 column[GROUPS];
        transpose16(line + bank * WRAM_LINE, WRAM_LINE, column);
        for (int k = 0; k < GROUPS; k++) *(i32x16_unaligned *)(to + k * BANKS + bank) = column[k];
    }
#else
    for (int k = 0; k < GROUPS; k++)
        for (int bank = 0; bank < BANKS; bank++)
            to[k * BANKS + bank] = ((const i32 *)(line + bank * WRAM_LINE))[k];
#endif
}

/* WRAM → [blocks of BANKS channels][groups][BANKS], each group 32 bits. */
INLINE void unpack_groups(const Conv *v, i32 *to, const int bits, const int group) {
    const i64 per_line = WRAM_LINE * 8 / bits, lines = weight_lines(v);
    for (i64 block = 0; block * BANKS < v->co; block++)
        for (i64 tap = 0; tap < v->taps; tap += group, to += BANKS) {
            const u8 *line = v->bank + (block * lines + tap / per_line) * BANKS * WRAM_LINE;
            const i64 first = tap % per_line, left = v->taps - tap;
            if (bits * group == 32 && !first && left >= per_line) {
                unpack_line(line, to);
                tap += per_line - group, to += per_line / group * BANKS - BANKS;
            } else if (bits == 4 && group == BYTES && left >= group)
                for (int bank = 0; bank < BANKS; bank++)
                    to[bank] = widened(((const u16 *)(line + bank * WRAM_LINE))[first / group]);
            else
                for (int bank = 0; bank < BANKS; bank++)
                    to[bank] = group_at(line + bank * WRAM_LINE, first, left, bits, group);
        }
}

/* What is known of unpacked weights; it stands before them in core->weights. */
typedef struct {
    i64 most;        /* largest sum over the taps of a channel of |weight| */
    i64 reserved[7];
    i32 groups[];
} Weights;

/* 128 times the sum of each channel's weights stands behind the groups, for bytes. */
INLINE i32 *excess_of(Weights *w, i64 blocks, i64 groups) { return w->groups + blocks * groups * BANKS; }

static void add_up_bytes(Weights *w, i64 blocks, i64 groups) {
    const i32x16 each = (i32x16){} + 0x01010101;
    i32 *excess = excess_of(w, blocks, groups);
    for (i64 at = 0; at < blocks * BANKS; at += 16) {
        i32x16 sum = {};
        const i32 *from = w->groups + at / BANKS * groups * BANKS + at % BANKS;
        for (i64 k = 0; k < groups; k++)
            sum = add_bytes(sum, *(const i32x16_unaligned *)(from + k * BANKS), each);
        *(i32x16_unaligned *)(excess + at) = sum << 7;
    }
}

static void add_up_words(Weights *w, i64 blocks, i64 groups) {
    w->most = 0;
    for (i64 block = 0; block < blocks; block++) {
        i64 sums[BANKS] = {};
        const i32 *from = w->groups + block * groups * BANKS;
        for (i64 k = 0; k < groups; k++, from += BANKS)
            for (int bank = 0; bank < BANKS; bank++) {
                const i32 low = from[bank] << 16 >> 16, high = from[bank] >> 16;
                sums[bank] += (low < 0 ? -low : low) + (high < 0 ? -high : high);
            }
        for (int bank = 0; bank < BANKS; bank++)
            w->most = sums[bank] > w->most ? sums[bank] : w->most;
    }
}

static void count_weights(Core *core, const Conv *v, const i32 *from, i64 groups, int group) {
    core->paced = core->nonzero = 0;
    for (i64 block = 0; block * BANKS < v->co; block++) {
        i32 counts[BANKS] = {};
        for (i64 k = 0; k < groups; k++, from += BANKS)
            for (int bank = 0; bank < BANKS; bank++) {
                const u32 four = (u32)from[bank];
                if (group == WORDS) counts[bank] += !!(four & 0xFFFF) + !!(four >> 16);
                else counts[bank] += !!(four & 0xFF) + !!(four & 0xFF00) + !!(four & 0xFF0000) + !!(four >> 24);
            }
        note_block(core, v, block, counts);
    }
}

static void unpack(Core *core, const Conv *v, u64 address, int group) {
    if (is_unpacked(core, v, address, -v->bits)) return;
    Weights *w = (Weights *)v->weights;
    const i64 blocks = (v->co + BANKS - 1) / BANKS, groups = (v->taps + group - 1) / group;
    if (group == BYTES && v->bits == 4) unpack_groups(v, w->groups, 4, BYTES);
    else if (group == BYTES) unpack_groups(v, w->groups, 8, BYTES);
    else if (v->bits == 4) unpack_groups(v, w->groups, 4, WORDS);
    else if (v->bits == 8) unpack_groups(v, w->groups, 8, WORDS);
    else unpack_groups(v, w->groups, 16, WORDS);
    count_weights(core, v, w->groups, groups, group);
    if (group == BYTES) add_up_bytes(w, blocks, groups);
    else add_up_words(w, blocks, groups);
}

/* ---- Neurons ---- */

/* `count` neurons of a line from number `first` on, in the multiplier's form; returns the
 * largest magnitude of words. */
static i32 convert(const Conv *v, const u8 *line, i64 first, i64 count, u8 *to, int group) {
    i32 low = 0, high = 0;
    if (group == BYTES && v->bits == 4) {
        i64 i = 0;
        for (; i < count && (first + i) % 2; i++) to[i] = (u8)(element(line, first + i, 4) + 128);
        line += (first + i) / 2, to += i, count -= i;
        for (i64 pair = 0; pair < count / 2; pair++) {
            to[2 * pair] = (u8)(((i8)(line[pair] << 4) >> 4) + 128);
            to[2 * pair + 1] = (u8)(((i8)line[pair] >> 4) + 128);
        }
        if (count % 2) to[count - 1] = (u8)(element(line, count - 1, 4) + 128);
        return 0;
    }
    if (group == BYTES) {
        for (i64 i = 0; i < count; i++) to[i] = (u8)(element(line, first + i, 8) + 128);
        return 0;
    }
    i16 *words = (i16 *)to;
    if (v->bits == 4)
        for (i64 i = 0; i < count; i++) words[i] = (i16)element(line, first + i, 4);
    else if (v->bits == 8)
        for (i64 i = 0; i < count; i++) words[i] = (i16)element(line, first + i, 8);
    else
        for (i64 i = 0; i < count; i++) words[i] = (i16)element(line, first + i, 16);
    for (i64 i = 0; i < count; i++) {
        low = words[i] < low ? words[i] : low;
        high = words[i] > high ? words[i] : high;
    }
    return -low > high ? -low : high;
}

typedef struct {
    const u8 *src;      /* the neurons as they were before the instruction */
    u8 *lines;          /* the same converted, line after line; 0: there is no room for them */
    u8 *patches;        /* room for the taps of PIXELS pixels, thrice */
    i64 size, group;    /* bytes of a converted neuron; taps in 32 bits */
    i64 groups, patch;  /* of a channel; bytes of a patch, whole groups */
    int is_split, is_in_place;
} Neurons;

/* The taps of a pixel side by side, zeros after them up to a whole group. */
static void gather(const Conv *v, const Neurons *n, i64 y, i64 x, u8 *to) {
    const Taps t = taps_of(v, n->size);
    u8 *const end = to + n->patch;
    for (i64 ky = 0; ky < t.kernel_h; ky++)
        for (i64 run = 0; run < t.runs; run++, to += t.length * n->size) {
            const i64 line = y * v->stride_h + ky * v->dilation_h;
            const i64 first = (x * v->stride_w + run * v->dilation_w) * v->ci;
            if (n->lines)
                memcpy(to, n->lines + (line * v->columns * v->ci + first) * n->size,
                       (u64)(t.length * n->size));
            else
                convert(v, n->src + line * v->in_pitch, first, t.length, to, (int)n->group);
        }
    memset(to, 0, (u64)(end - to));
}

/* A patch of words as its upper and its lower bytes. */
static void split(const i16 *patch, i64 count, i16 *high, i16 *low) {
    for (i64 i = 0; i < count; i++) {
        high[i] = (i16)(patch[i] >> 8);
        low[i] = (i16)(patch[i] & 0xFF);
    }
}

/* ---- Blocks of PIXELS pixels × BANKS channels ---- */

#define BLOCK(NAME, ADD)                                                                       \
    static void NAME(const u8 *const *pixel, const Taps *t, const i32 *weights,                \
                     i32 sums[PIXELS][BANKS]) {                                                \
        for (int first = 0; first < VECTORS; first += AT_ONCE) {                               \
            i32x16 sum[PIXELS][AT_ONCE] = {};                                                  \
            const i32 *from = weights + 16 * first;                                            \
            for (i64 y = 0; y < t->kernel_h; y++)                                              \
                for (i64 r = 0; r < t->runs; r++) {                                            \
                    const i64 skip = y * t->line_step + r * t->run_step;                       \
                    for (i64 k = 0; k < t->length; k++, from += BANKS) {                       \
                        i32x16 w[AT_ONCE];                                                     \
                        _Pragma("clang loop unroll(full)") for (int j = 0; j < AT_ONCE; j++)   \
                            w[j] = *(const i32x16_unaligned *)(from + 16 * j);                 \
                        _Pragma("clang loop unroll(full)") for (int p = 0; p < PIXELS; p++) {  \
                            i32 group;                                                         \
                            memcpy(&group, pixel[p] + skip + 4 * k, 4);                        \
                            const i32x16 neurons = (i32x16){} + group;                         \
                            _Pragma("clang loop unroll(full)") for (int j = 0; j < AT_ONCE; j++) \
                                sum[p][j] = ADD(sum[p][j], w[j], neurons);                     \
                        }                                                                      \
                    }                                                                          \
                }                                                                              \
            _Pragma("clang loop unroll(full)") for (int p = 0; p < PIXELS; p++)                \
                _Pragma("clang loop unroll(full)") for (int j = 0; j < AT_ONCE; j++)           \
                    *(i32x16_unaligned *)(sums[p] + 16 * (first + j)) = sum[p][j];             \
        }                                                                                      \
    }
BLOCK(block_bytes, add_bytes)
BLOCK(block_words, add_words)

/* Sums of split neurons: patches of high bytes stand at pixel[p] + distance, of low ones twice
 * as far. */
static void block_split(const u8 *const *pixel, i64 groups, i64 distance, const i32 *weights,
                        i64 totals[PIXELS][BANKS]) {
    for (i64 first = 0; first < groups; first += SAFE_GROUPS)
        for (int part = 1; part <= 2; part++) {
            const i64 left = groups - first;
            const Taps t = {1, 1, left < SAFE_GROUPS ? left : SAFE_GROUPS, 0, 0};
            const u8 *at[PIXELS];
            i32 sums[PIXELS][BANKS];
            for (int p = 0; p < PIXELS; p++) at[p] = pixel[p] + part * distance + 4 * first;
            block_words(at, &t, weights + first * BANKS, sums);
            for (int p = 0; p < PIXELS; p++)
                for (int c = 0; c < BANKS; c++) totals[p][c] += (i64)sums[p][c] << (part == 1 ? 8 : 0);
        }
}

typedef struct {
    u8 *dst;
    const u8 *before; /* NRAM at dst as it was before the instruction */
} Place;

INLINE void store(const Conv *v, const Place *at, i64 pixel, i64 channel, const i64 *sums) {
    const i64 place = pixel / v->out_w * v->out_pitch + (pixel % v->out_w * v->co + channel) * 4;
    const i64 channels = v->co - channel < BANKS ? v->co - channel : BANKS;
    i32 *to = (i32 *)(at->dst + place);
    const i32 *start = (const i32 *)(at->before + place);
    if (v->accumulate)
        for (i64 c = 0; c < channels; c++) to[c] = saturated(sums[c] + start[c]);
    else
        for (i64 c = 0; c < channels; c++) to[c] = saturated(sums[c]);
}

/* The pixels first .. first + count, a block of channels. */
static void some_pixels(const Conv *v, const Neurons *n, const Place *at, i64 first, i64 count,
                        i64 channel) {
    Weights *w = (Weights *)v->weights;
    const i64 blocks = (v->co + BANKS - 1) / BANKS;
    const i32 *weights = w->groups + channel * n->groups;
    const u8 *pixel[PIXELS];
    for (i64 p = 0; p < PIXELS; p++) {
        const i64 index = first + (p < count ? p : count - 1); /* idle places repeat the last */
        const i64 y = index / v->out_w, x = index % v->out_w;
        u8 *patch = n->patches + p * n->patch;
        pixel[p] = patch;
        if (n->is_in_place)
            pixel[p] = n->lines + (y * v->stride_h * v->columns + x * v->stride_w) * v->ci * n->size;
        else if (p < count)
            gather(v, n, y, x, patch);
        else
            pixel[p] = pixel[p - 1];
        if (n->is_split && p < count)
            split((const i16 *)patch, n->groups * WORDS, (i16 *)(patch + PIXELS * n->patch),
                  (i16 *)(patch + 2 * PIXELS * n->patch));
    }
    i64 totals[PIXELS][BANKS] = {};
    if (n->is_split) {
        block_split(pixel, n->groups, PIXELS * n->patch, weights, totals);
    } else {
        Taps t = {1, 1, n->groups, 0, 0};
        if (n->is_in_place) t = taps_of(v, n->size), t.length /= n->group;
        i32 sums[PIXELS][BANKS];
        if (n->group == BYTES) block_bytes(pixel, &t, weights, sums);
        else block_words(pixel, &t, weights, sums);
        const i32 *excess = n->group == BYTES ? excess_of(w, blocks, n->groups) + channel : 0;
        for (i64 p = 0; p < count; p++)
            for (int c = 0; c < BANKS; c++)
                totals[p][c] = (i32)((u32)sums[p][c] - (excess ? (u32)excess[c] : 0));
    }
    for (i64 p = 0; p < count; p++) store(v, at, first + p, channel, totals[p]);
}

/* Convert the neurons if there is room, and choose how they are multiplied. */
static Neurons prepare(Core *core, const Conv *v, int group) {
    Neurons n = {.group = group, .size = group == BYTES ? 1 : 2};
    n.groups = (v->taps + group - 1) / group;
    n.patch = 4 * n.groups;
    n.patches = (u8 *)core->neurons;
    const i64 length = v->columns * v->ci;
    const i128 room = (i128)core->neurons_capacity * 4 - 3 * PIXELS * n.patch;
    i32 largest = 32768;
    u8 *nram = core->space_data[SPACE_nram];
    const u8 *src = nram + (v->taps ? v->src - core->space_base[SPACE_nram] : 0);
    n.src = core->nram_copy + (src - nram);
    if (v->taps && (i128)lines_of(v) * length * n.size <= room) {
        n.lines = n.patches + 3 * PIXELS * n.patch;
        largest = 0;
        for (i64 y = 0; y < lines_of(v); y++) {
            const i32 found = convert(v, src + y * v->in_pitch, 0, length,
                                      n.lines + y * length * n.size, group);
            largest = found > largest ? found : largest;
        }
    }
    const i128 bound = (i128)largest * ((const Weights *)v->weights)->most;
    n.is_split = group == WORDS && bound > 2147483647;
    n.is_in_place = n.lines && !n.is_split && taps_of(v, 1).length % group == 0;
    return n;
}

void conv_integer(Core *core, const Conv *v, u64 weight) {
    const int group = HAS_BYTES && v->bits <= 8 && v->taps <= SAFE_TAPS ? BYTES : WORDS;
    unpack(core, v, weight, group);
    const Neurons n = prepare(core, v, group);
    const int apart = v->out_h == 1 || v->out_pitch >= v->out_w * v->co * 4;
    u8 *nram = core->space_data[SPACE_nram];
    const i64 dst = (i64)(v->dst - core->space_base[SPACE_nram]);
    if (!apart || !n.lines) memcpy(core->nram_copy, nram, core->space_size[SPACE_nram]);
    const Place at = {nram + dst, (apart ? nram : core->nram_copy) + dst};
    const i64 rows = apart ? v->out_h : 1; /* rows that overlap are written in their order */
    for (i64 y = 0; y < v->out_h; y += rows)
        for (i64 channel = 0; channel < v->co; channel += BANKS)
            for (i64 first = y * v->out_w, end = first + rows * v->out_w; first < end; first += PIXELS)
                some_pixels(v, &n, &at, first, end - first < PIXELS ? end - first : PIXELS, channel);
}
