/* Vectors to one number, random vectors, pooling; see isa/reduction.py and isa/pool.py. */
#include "elementwise.h"

/* ---- Sums ---- */

enum { PARTIALS = PARTIAL_SUMS };

INLINE float halved(float *sums) {
    for (int half = PARTIALS / 2; half; half /= 2)
        for (int j = 0; j < half; j++) sums[j] += sums[j + half];
    return sums[0];
}

/* One source, or two of the same length, and where the result goes. */
typedef struct {
    const u8 *x, *y;
    u8 *dst;
    u64 n;
} Sum;

enum { IS_SUM, IS_PRODUCT };

static int sum_operands(Core *core, const i64 *a, int kind, u64 source, u64 destination, Sum *s) {
    const int from = kind == IS_PRODUCT ? IP_a : VSUM_a;
    s->n = (u64)a[IP_n];
    s->x = range(core, READS_IP, (u64)a[from], s->n, source, source);
    s->y = s->x && kind == IS_PRODUCT ? range(core, READS_IP, (u64)a[IP_b], s->n, source, source) : s->x;
    s->dst = s->y ? range(core, WRITES_IP, (u64)a[IP_dst], 1, destination, destination) : 0;
    return s->dst != 0;
}

#define ADD_SUM_f16(x, y, sum) ((sum) + (x))
#define ADD_SUM_f32(x, y, sum) ((sum) + (x))
#define ADD_PRODUCT_f16(x, y, sum) ((x) * (y) + (sum)) /* exact products */
#define ADD_PRODUCT_f32(x, y, sum) fused(x, y, sum)

#define FLOAT_SUM(ROW, KIND, SOURCE, TO)                                                     \
    case OP_##ROW##_##SOURCE##_##TO: {                                                       \
        Sum s;                                                                               \
        if (!sum_operands(core, a, IS_##KIND, BYTES_##SOURCE, BYTES_##TO, &s)) return 0;     \
        float sums[PARTIALS] = {};                                                           \
        u64 i = 0;                                                                           \
        for (; i + PARTIALS <= s.n; i += PARTIALS)                                           \
            for (int j = 0; j < PARTIALS; j++)                                               \
                sums[j] = ADD_##KIND##_##SOURCE(GET_##SOURCE(s.x, i + j), GET_##SOURCE(s.y, i + j), sums[j]); \
        for (int j = 0; i < s.n; i++, j++)                                                   \
            sums[j] = ADD_##KIND##_##SOURCE(GET_##SOURCE(s.x, i), GET_##SOURCE(s.y, i), sums[j]); \
        PUT_##TO(s.dst, 0, halved(sums));                                                    \
        return 1;                                                                            \
    }
#define INTEGER_SUM(ROW, KIND, SOURCE)                                                       \
    case OP_##ROW##_##SOURCE##_i32: {                                                        \
        Sum s;                                                                               \
        if (!sum_operands(core, a, IS_##KIND, BYTES_##SOURCE, 4, &s)) return 0;              \
        i64 sum = 0;                                                                         \
        for (u64 i = 0; i < s.n; i++)                                                        \
            sum += (i64)GET_##SOURCE(s.x, i) * (IS_##KIND == IS_PRODUCT ? GET_##SOURCE(s.y, i) : 1); \
        *(i32 *)s.dst = saturated(sum);                                                      \
        return 1;                                                                            \
    }
#define SUMS(ROW, KIND)                                                                      \
    FLOAT_SUM(ROW, KIND, f16, f16) FLOAT_SUM(ROW, KIND, f16, f32) FLOAT_SUM(ROW, KIND, f32, f32) \
    INTEGER_SUM(ROW, KIND, i8) INTEGER_SUM(ROW, KIND, i16)

/* ---- The largest, the smallest ---- */

#define EXTREME(MODE, ROW, SIGN)                                                             \
    case OP_##ROW##_##MODE: {                                                                \
        const u64 n = (u64)a[ROW##_n];                                                       \
        const u8 *x = range(core, READS_##ROW, (u64)a[ROW##_a], n, BYTES_##MODE, BYTES_##MODE); \
        if (!x || !n) return 0;                                                              \
        const u64 to = (u64)a[ROW##_dst];                                                    \
        const u64 numbers = BYTES_##MODE == SHORT_BYTES ? 2 : 1;                             \
        u8 *dst = range(core, WRITES_##ROW, to, numbers, BYTES_##MODE, BYTES_##MODE);        \
        u32 *place = (u32 *)range(core, WRITES_##ROW, to + INDEX_OFFSET, 1, 4, 4);           \
        if (!dst || !place) return 0;                                                        \
        u64 best = 0;                                                                        \
        TYPE_##MODE found = GET_##MODE(x, 0);                                                \
        for (u64 i = 1; i < n; i++) {                                                        \
            TYPE_##MODE v = GET_##MODE(x, i);                                                \
            if (v SIGN found || (found != found && v == v)) found = v, best = i;             \
        }                                                                                    \
        PUT_##MODE(dst, 0, found);                                                           \
        if (BYTES_##MODE == SHORT_BYTES) ((u16 *)dst)[1] = (u16)best;                        \
        *place = (u32)best;                                                                  \
        return 1;                                                                            \
    }

/* ---- Random numbers ---- */

INLINE u64 random_word(u64 seed, u64 i) {
    u64 z = seed + (i + 1) * RANDOM_STEP;
    z = (z ^ z >> 30) * RANDOM_MIX_0;
    z = (z ^ z >> 27) * RANDOM_MIX_1;
    return z ^ z >> 31;
}
#define RANDOM_f16(w) ((float)((w) >> 53) * 0x1p-11f)
#define RANDOM_f32(w) ((float)((w) >> 40) * 0x1p-24f)
#define RANDOM_i16(w) ((w) >> 48)
#define RANDOM_i32(w) ((w) >> 32)
#define RANDOM_MODE(MODE, ROW)                                                               \
    case OP_##ROW##_##MODE: {                                                                \
        const u64 n = (u64)a[RV_n];                                                          \
        if (n > NRAM_WINDOW) return 0;                                                       \
        u8 *dst = range(core, WRITES_RV, (u64)a[RV_dst], n, BYTES_##MODE, BYTES_##MODE);     \
        if (!dst) return 0;                                                                  \
        FOR_EACH(i, n) PUT_##MODE(dst, i, RANDOM_##MODE(random_word((u64)a[RV_seed], i)));   \
        return 1;                                                                            \
    }
#define RANDOM(ROW) FLOAT_MODES(RANDOM_MODE, ROW) RANDOM_MODE(i16, ROW) RANDOM_MODE(i32, ROW)

/* ---- Pooling ---- */

typedef struct {
    i64 out_h, out_w, window_h, window_w, stride_h, stride_w, dilation_h, dilation_w;
    i64 in_pitch, out_pitch, columns, m;
    const u8 *src; /* as before the instruction */
    u8 *dst;
} Pool;

/* Widen [*low, *high) by the bytes of a line. */
INLINE void widen(const u8 **low, const u8 **high, const u8 *line, u64 size) {
    if (!*low || line < *low) *low = line;
    if (!*high || line + size > *high) *high = line + size;
}

/* 0: a fault; -1: nothing to do. */
static int pool_operands(Core *core, const i64 *a, u64 source, u64 destination, Pool *p) {
    const i64 geometry = a[VPMAX_geometry], steps = a[VPMAX_steps], pitches = a[VPMAX_pitches];
    const u64 m = (u64)a[VPMAX_m];
    *p = (Pool){
        .out_h = quarter(geometry, 0), .out_w = quarter(geometry, 1),
        .window_h = quarter(geometry, 2), .window_w = quarter(geometry, 3),
        .stride_h = quarter(steps, 0), .stride_w = quarter(steps, 1),
        .dilation_h = quarter(steps, 2), .dilation_w = quarter(steps, 3),
        .in_pitch = low_half(pitches), .out_pitch = high_half(pitches), .m = (i64)m,
    };
    if (!p->out_h || !p->out_w || !m) return -1;
    if (!p->window_h || !p->window_w) return 0;
    p->columns = (p->out_w - 1) * p->stride_w + (p->window_w - 1) * p->dilation_w + 1;
    const i128 in = (i128)p->columns * m, out = (i128)p->out_w * m;
    const u8 *low = 0, *high = 0, *first = 0, *last = 0, *from = 0;
    for (i64 y = 0; y < p->out_h; y++)
        for (i64 k = 0; k < p->window_h; k++) {
            const i64 row = y * p->stride_h + k * p->dilation_h;
            const u8 *line = range(core, READS_VPMAX, (u64)a[VPMAX_src] + (u64)(row * p->in_pitch),
                                   in, source, source);
            if (!line) return 0;
            if (!from) from = line;
            widen(&low, &high, line, (u64)in * source);
        }
    for (i64 y = 0; y < p->out_h; y++) {
        u8 *line = range(core, WRITES_VPMAX, (u64)a[VPMAX_dst] + (u64)(y * p->out_pitch), out,
                         destination, destination);
        if (!line) return 0;
        if (!y) p->dst = line;
        widen(&first, &last, line, (u64)out * destination);
    }
    p->src = unwritten(core, low, (u64)(high - low), first, (u64)(last - first), 0) + (from - low);
    return 1;
}

/* The channels of the pixel at place k of the window of output pixel (y, x). */
INLINE const u8 *pool_source(const Pool *p, i64 y, i64 x, i64 k, i64 bytes) {
    const i64 row = y * p->stride_h + k / p->window_w * p->dilation_h;
    const i64 column = x * p->stride_w + k % p->window_w * p->dilation_w;
    return p->src + row * p->in_pitch + column * p->m * bytes;
}

/* Every output: START, then FOLD over the window's elements v into `best`, then FINISH. */
#define POOL(SOURCE, TO, NAME, WIDE, START, FOLD, FINISH)                                    \
    case OP_##NAME: {                                                                        \
        Pool p;                                                                              \
        const int found = pool_operands(core, a, BYTES_##SOURCE, BYTES_##TO, &p);            \
        if (found <= 0) return found < 0;                                                    \
        WIDE *sums = (WIDE *)core->neurons; /* of all channels of an output pixel */         \
        const float elements = (float)(p.window_h * p.window_w);                             \
        (void)elements;                                                                      \
        for (i64 y = 0; y < p.out_h; y++)                                                    \
            for (i64 x = 0; x < p.out_w; x++) {                                              \
                for (i64 k = 0; k < p.window_h * p.window_w; k++) {                          \
                    const u8 *from = pool_source(&p, y, x, k, BYTES_##SOURCE);               \
                    FOR_EACH(c, (u64)p.m) {                                                  \
                        const WIDE v = GET_##SOURCE(from, c), best = k ? sums[c] : (START);  \
                        sums[c] = (FOLD);                                                    \
                    }                                                                        \
                }                                                                            \
                u8 *to = p.dst + y * p.out_pitch + x * p.m * BYTES_##TO;                     \
                FOR_EACH(c, (u64)p.m) PUT_##TO(to, c, FINISH(sums[c]));                      \
            }                                                                                \
        return 1;                                                                            \
    }
#define FOLDED(MODE, ROW, SIGN) \
    POOL(MODE, MODE, ROW##_##MODE, TYPE_##MODE, v, v SIGN best || best != best ? v : best, )
#define AVERAGE(sum) ((sum) / elements)
#define AVERAGED(MODE, ROW) POOL(MODE, MODE, ROW##_##MODE, float, 0.0f, best + v, AVERAGE)

/* The place in the window of the best element; its number and value lie in core->neurons. */
#define POOL_PLACE(SOURCE, TO, ROW, SIGN)                                                    \
    case OP_##ROW##_##SOURCE##_##TO: {                                                       \
        Pool p;                                                                              \
        const int found = pool_operands(core, a, BYTES_##SOURCE, sizeof(TO), &p);            \
        if (found <= 0) return found < 0;                                                    \
        float *best = (float *)core->neurons;                                                \
        u32 *place = (u32 *)best + p.m;                                                      \
        for (i64 y = 0; y < p.out_h; y++)                                                    \
            for (i64 x = 0; x < p.out_w; x++) {                                              \
                for (i64 k = 0; k < p.window_h * p.window_w; k++) {                          \
                    const u8 *from = pool_source(&p, y, x, k, BYTES_##SOURCE);               \
                    for (i64 c = 0; c < p.m; c++) {                                          \
                        const float v = GET_##SOURCE(from, c), old = best[c];                \
                        if (k && !(v SIGN old || (old != old && v == v))) continue;          \
                        best[c] = v;                                                         \
                        place[c] = (u32)k;                                                   \
                    }                                                                        \
                }                                                                            \
                TO *to = (TO *)(p.dst + y * p.out_pitch) + x * p.m;                          \
                for (i64 c = 0; c < p.m; c++) to[c] = (TO)place[c];                          \
            }                                                                                \
        return 1;                                                                            \
    }

int run_reduction(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        SUMS(IP, PRODUCT)
        SUMS(VSUM, SUM)
        MODES(EXTREME, VMAX, >)
        MODES(EXTREME, VMIN, <)
        RANDOM(RV)
        RANDOM(RV_IMM)
        MODES(FOLDED, VPMAX, >)
        MODES(FOLDED, VPMIN, <)
        POOL(f16, f16, VPSUM_f16, float, 0.0f, best + v, )
        POOL(f32, f32, VPSUM_f32, float, 0.0f, best + v, )
        POOL(f16, f32, VPSUM_f16_f32, float, 0.0f, best + v, )
        POOL(i8, i32, VPSUM_i8_i32, i32, 0, best + v, )
        POOL(i16, i32, VPSUM_i16_i32, i32, 0, best + v, )
        FLOAT_MODES(AVERAGED, VPAVG)
        POOL_PLACE(f16, u16, VPMAXI, >) POOL_PLACE(f32, u32, VPMAXI, >)
        POOL_PLACE(f16, u16, VPMINI, <) POOL_PLACE(f32, u32, VPMINI, <)
    }
    return run_functions(core, handler, a);
}
