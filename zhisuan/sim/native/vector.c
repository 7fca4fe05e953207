/* Vector arithmetic; see isa/vector.py for its meaning. */
#include "elementary.h"
#include "cyclic.h"

/* A float result in the destination's type. */
#define NARROW_f16 PUT_f16
#define NARROW_f32 PUT_f32
#define NARROW_i4(p, i, v) (((i8 *)(p))[i] = (i8)to_integer(v, LOWEST_i4, HIGHEST_i4, WAY_rn))
#define NARROW_i8(p, i, v) (((i8 *)(p))[i] = (i8)to_integer(v, LOWEST_i8, HIGHEST_i8, WAY_rn))
#define NARROW_i16(p, i, v) (((i16 *)(p))[i] = (i16)to_integer(v, LOWEST_i16, HIGHEST_i16, WAY_rn))

#define AFFINE_MODE(SOURCE, TO, SUFFIX, RELU)                                                \
    case OP_VAFFINE_##SOURCE##_##TO##SUFFIX: {                                               \
        Affine f;                                                                            \
        if (!affine(core, a, BYTES_##SOURCE, BYTES_##TO, &f)) return 0;                      \
        const u8 *x = loop_source(core, f.x, f.n, BYTES_##SOURCE);                           \
        u8 *dst = loop_destination(core, f.dst, BYTES_##TO);                                 \
        for (u64 at = 0; at < f.n; at += f.step) {                                           \
            const u64 count = f.n - at < f.step ? f.n - at : f.step;                         \
            const u8 *from = x + at * loop_bytes(BYTES_##SOURCE);                            \
            u8 *to = dst + at * loop_bytes(BYTES_##TO);                                      \
            const float *scale = f.scale, *shift = f.shift;                                  \
            FOR_EACH(i, count) {                                                             \
                float y = (float)GET_##SOURCE(from, i) * scale[i] + shift[i];                \
                if (RELU) y = y > 0.0f ? y : 0.0f;                                           \
                NARROW_##TO(to, i, y);                                                       \
            }                                                                                \
        }                                                                                    \
        finish_loop(core, f.dst, f.n, BYTES_##TO);                                           \
        return 1;                                                                            \
    }
#define AFFINE(SOURCE, TO) AFFINE_MODE(SOURCE, TO, , 0) AFFINE_MODE(SOURCE, TO, _relu, 1)

typedef struct {
    u8 *dst;
    const u8 *x;
    const float *scale, *shift;
    u64 n, step;
    float scales[REPEATED], shifts[REPEATED];
} Affine;

static int affine(Core *core, const i64 *a, u64 source, u64 destination, Affine *f) {
    const u64 n = (u64)a[VAFFINE_n], m = (u64)a[VAFFINE_m];
    f->n = n;
    const u64 written = vector_bytes(n, destination);
    f->x = vector(core, READS_VAFFINE, (u64)a[VAFFINE_a], n, source);
    if (!f->x || (n && !m)) return 0;
    const u8 *scale = range(core, READS_VAFFINE, (u64)a[VAFFINE_scale], m, 4, 4);
    const u8 *shift = scale ? range(core, READS_VAFFINE, (u64)a[VAFFINE_shift], m, 4, 4) : 0;
    f->dst = shift ? vector(core, WRITES_VAFFINE, (u64)a[VAFFINE_dst], n, destination) : 0;
    if (!f->dst) return 0;
    f->x = unwritten(core, f->x, vector_bytes(n, source), f->dst, written, source == destination);
    f->scale = (const float *)unwritten(core, scale, m * 4, f->dst, written, 0);
    f->shift = (const float *)unwritten(core, shift, m * 4, f->dst, written, 0);
    f->step = m;
    if (m > REPEATED / 2 || !n) return 1;
    memcpy(f->scales, f->scale, m * 4);
    memcpy(f->shifts, f->shift, m * 4);
    f->step = REPEAT(f->scales, m);
    REPEAT(f->shifts, m);
    f->scale = f->scales;
    f->shift = f->shifts;
    return 1;
}

#define SET(MODE, T)                                                                         \
    case OP_VSET_##MODE: {                                                                   \
        T *dst = (T *)range(core, WRITES_VSET, (u64)a[VSET_dst], (u64)a[VSET_n], sizeof(T), sizeof(T)); \
        if (!dst) return 0;                                                                  \
        FOR_EACH(i, (u64)a[VSET_n]) dst[i] = (T)a[VSET_value];                               \
        return 1;                                                                            \
    }

INLINE int is_shape(i64 rows, i64 columns) {
    return rows >= 0 && columns >= 0 && rows <= (i64)NRAM_WINDOW && columns <= (i64)NRAM_WINDOW;
}

#define TRANSPOSE(MODE, T)                                                                   \
    case OP_VTRANS_##MODE: {                                                                 \
        const i64 rows = low_half(a[VTRANS_size]), columns = high_half(a[VTRANS_size]);      \
        if (!is_shape(rows, columns)) return 0;                                              \
        const u64 size = (u64)(rows * columns) * sizeof(T);                                  \
        const u8 *from = range(core, READS_VTRANS, (u64)a[VTRANS_a], rows * columns, sizeof(T), sizeof(T)); \
        u8 *to = from ? range(core, WRITES_VTRANS, (u64)a[VTRANS_dst], rows * columns, sizeof(T), sizeof(T)) : 0; \
        if (!to) return 0;                                                                   \
        const T *x = (const T *)unwritten(core, from, size, to, size, 0);                    \
        T *dst = (T *)to;                                                                    \
        for (i64 j = 0; j < columns; j++)                                                    \
            for (i64 i = 0; i < rows; i++) dst[j * rows + i] = x[i * columns + j];           \
        return 1;                                                                            \
    }

/* Sums per channel.  Channels go by sixteen, their sums in a register over all pixels. */
typedef struct {
    const u8 *line; /* first row of the tile */
    i64 rows, columns, pitch, m;
    int is_half, is_square;
} Tile;

INLINE f32x16 tile_load16(const Tile *t, const u8 *p) {
    return t->is_half ? load16_half((const u16 *)p) : load16((const float *)p);
}

INLINE float tile_load(const Tile *t, const u8 *p) {
    return t->is_half ? from_half(*(const u16 *)p) : *(const float *)p;
}

INLINE void channels16(const Tile *t, i64 c, float *total, const float *shift) {
    const i64 width = t->is_half ? 2 : 4;
    f32x16 sum = load16(total + c), s = load16(shift + c);
    for (i64 y = 0; y < t->rows; y++) {
        const u8 *p = t->line + y * t->pitch + c * width;
        for (i64 x = 0; x < t->columns; x++, p += t->m * width) {
            f32x16 v = tile_load16(t, p) - s;
            sum += t->is_square ? v * v : v;
        }
    }
    store16(total + c, sum);
}

INLINE void channel(const Tile *t, i64 c, float *total, const float *shift) {
    const i64 width = t->is_half ? 2 : 4;
    float sum = total[c];
    for (i64 y = 0; y < t->rows; y++) {
        const u8 *p = t->line + y * t->pitch + c * width;
        for (i64 x = 0; x < t->columns; x++, p += t->m * width) {
            float v = tile_load(t, p) - shift[c];
            sum += t->is_square ? v * v : v;
        }
    }
    total[c] = sum;
}

static __attribute__((noinline)) int channel_sums(Core *core, const i64 *a, int is_half, int is_square) {
    const i64 rows = low_half(a[VCSUM_size]), columns = high_half(a[VCSUM_size]);
    const u64 m = (u64)a[VCSUM_m], width = is_half ? 2 : 4;
    if (!is_shape(rows, columns)) return 0;
    float *total = (float *)range(core, READS_VCSUM, (u64)a[VCSUM_dst], m, 4, 4);
    const u8 *shift = total ? range(core, READS_VCSUM, (u64)a[VCSUM_shift], m, 4, 4) : 0;
    if (!shift) return 0;
    const i128 elements = (i128)columns * m;
    const u8 *lowest = 0, *highest = 0;
    for (i64 y = 0; y < rows && elements; y++) {
        const u8 *line = range(core, READS_VCSUM, (u64)a[VCSUM_a] + (u64)y * (u64)a[VCSUM_pitch],
                               elements, width, width);
        if (!line) return 0;
        if (!lowest || line < lowest) lowest = line;
        if (!highest || line > highest) highest = line;
    }
    if (!m) return 1;
    shift = unwritten(core, shift, m * 4, (u8 *)total, m * 4, 0);
    Tile t = {0, rows, columns, a[VCSUM_pitch], (i64)m, is_half, is_square};
    if (lowest) {
        const u64 span = (u64)(highest - lowest) + (u64)elements * width;
        const i64 first = t.pitch < 0 ? highest - lowest : 0;
        t.line = unwritten(core, lowest, span, (u8 *)total, m * 4, 0) + first;
        i64 c = 0;
        for (; c + 16 <= t.m; c += 16) channels16(&t, c, total, (const float *)shift);
        for (; c < t.m; c++) channel(&t, c, total, (const float *)shift);
    }
    for (u64 c = 0; c < m; c++) ((u32 *)total)[c] = result_f32(total[c]);
    return 1;
}

int run_vector(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        PAIR(VAV, x + y)
        PAIR(VSV, x - y)
        PAIR(VMV, x * y)
        FLOAT_PAIR(VDV, x / y)
        PAIR(VGTM, x > y || y != y ? x : y)
        PAIR(VLTM, x < y || y != y ? x : y)
        WITH_CONSTANT(VAS, x + s)
        WITH_CONSTANT(VMS, x * s)
        WITH_CONSTANT(VMAXS, x > s || s != s ? x : s)
        WITH_CONSTANT(VMINS, x < s || s != s ? x : s)
        CYCLIC(VCADD, x + y)
        CYCLIC(VCSUB, x - y)
        CYCLIC(VCMUL, x * y)
        FLOAT_SINGLE(VEXP, exp_f32(x))
        FLOAT_SINGLE(VLOG, log_f32(x))
        FLOAT_SINGLE(VSIG, sigmoid_f32(x))
        FLOAT_SINGLE(VTANH, tanh_f32(x))
        FLOAT_SINGLE(VSQRT, __builtin_sqrtf(x))
        FLOAT_SINGLE(VRECIP, 1.0f / x)
        SINGLE(VRELU, x > 0 ? x : 0)
        FLOAT_SINGLE(VABS, __builtin_fabsf(x))
        SINGLE_MODE(i8, VABS, x < 0 ? -x : x)
        SINGLE_MODE(i16, VABS, x < 0 ? -x : x)
        SINGLE_MODE(i32, VABS, x < 0 ? -x : x)
        SET(f16, u16) SET(f32, u32) SET(i8, u8) SET(i32, u32) SET(i16, u16)
        AFFINE(f16, f16) AFFINE(f16, f32) AFFINE(f32, f16) AFFINE(f32, f32)
        AFFINE(i32, f16) AFFINE(i32, f32) AFFINE(i32, i8) AFFINE(i32, i16)
        AFFINE(f16, i8) AFFINE(f16, i16) AFFINE(f32, i8) AFFINE(f32, i16)
        AFFINE(i32, i4) AFFINE(f16, i4) AFFINE(f32, i4) AFFINE(i4, f16) AFFINE(i4, f32)
        AFFINE(i8, f16) AFFINE(i8, f32) AFFINE(i16, f16) AFFINE(i16, f32)
        case OP_VCSUM_f16: return channel_sums(core, a, 1, 0);
        case OP_VCSUM_f32: return channel_sums(core, a, 0, 0);
        case OP_VCSSQ_f16: return channel_sums(core, a, 1, 1);
        case OP_VCSSQ_f32: return channel_sums(core, a, 0, 1);
        TRANSPOSE(i8, u8) TRANSPOSE(i16, u16) TRANSPOSE(i32, u32)
    }
    return run_logic(core, handler, a);
}
