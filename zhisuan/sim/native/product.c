/* Matrices as the course writes them, row-major in WRAM; see isa/product.py. */
#include "elementwise.h"

/* A read operand in WRAM of an instruction that writes [dst, dst + size): where the two overlap
 * without being the same range, a copy.  It takes the place of CONV's unpacked weights. */
static const u8 *unwritten_wram(Core *core, const u8 *src, const u8 *dst, u64 size) {
    if (src == dst || src + size <= dst || dst + size <= src) return src;
    const u8 *wram = core->space_data[SPACE_wram];
    memcpy(core->weights, wram, core->space_size[SPACE_wram]);
    core->weights_valid = 0;
    return (const u8 *)core->weights + (src - wram);
}

/* ---- Matrix times vector ---- */

typedef struct {
    u64 rows, columns; /* of the matrix */
    u64 m, n;          /* elements of the result and of the vector */
    const u8 *matrix, *vector;
    u8 *dst;
} Product;

static int product(Core *core, const i64 *a, int vector_first, u64 source, u64 destination, Product *p) {
    const u64 m = (u64)a[MMV_m], n = (u64)a[MMV_n];
    if ((u64)a[MMV_weight] - NRAM_BASE < NRAM_WINDOW || (u64)a[MMV_a] - WRAM_BASE < WRAM_WINDOW) return 0;
    if (m > NRAM_WINDOW) return 0;
    *p = (Product){.rows = vector_first ? n : m, .columns = vector_first ? m : n, .m = m, .n = n};
    p->vector = range(core, READS_MMV, (u64)a[MMV_a], n, source, source);
    if (!p->vector) return 0;
    p->matrix = range(core, READS_MMV, (u64)a[MMV_weight], (i128)m * n, source, source);
    p->dst = p->matrix ? range(core, WRITES_MMV, (u64)a[MMV_dst], m, destination, destination) : 0;
    if (!p->dst) return 0;
    p->vector = unwritten(core, p->vector, n * source, p->dst, m * destination, 0);
    return 1;
}

enum { ROWS = 8 }; /* of a matrix at a time, so that their sums do not wait for each other */
#define FUSED_f16(x, y, sum) ((x) * (y) + (sum)) /* exact products */
#define FUSED_f32(x, y, sum) fused(x, y, sum)
#define SUM_f16 float
#define SUM_f32 float
#define SUM_i8 i64
#define SUM_i16 i64
#define FUSED_i8(x, y, sum) ((i64)(x) * (y) + (sum))
#define FUSED_i16(x, y, sum) ((i64)(x) * (y) + (sum))
#define STORE_f16 PUT_f16
#define STORE_f32 PUT_f32
#define STORE_i32(p, i, v) (((i32 *)(p))[i] = saturated(v))

#define MATRIX_VECTOR(SOURCE, TO)                                                            \
    case OP_MMV_##SOURCE##_##TO: {                                                           \
        Product p;                                                                           \
        if (!product(core, a, 0, BYTES_##SOURCE, BYTES_##TO, &p)) return 0;                  \
        for (u64 first = 0; first < p.m; first += ROWS) {                                    \
            const u64 rows = p.m - first < ROWS ? p.m - first : ROWS;                        \
            const u8 *line[ROWS];                                                            \
            SUM_##SOURCE sum[ROWS] = {};                                                     \
            for (u64 r = 0; r < ROWS; r++)                                                   \
                line[r] = p.matrix + (first + (r < rows ? r : 0)) * p.n * BYTES_##SOURCE;    \
            for (u64 k = 0; k < p.n; k++) {                                                  \
                const SUM_##SOURCE x = GET_##SOURCE(p.vector, k);                            \
                for (u64 r = 0; r < ROWS; r++)                                               \
                    sum[r] = FUSED_##SOURCE(x, GET_##SOURCE(line[r], k), sum[r]);            \
            }                                                                                \
            for (u64 r = 0; r < rows; r++) STORE_##TO(p.dst, first + r, sum[r]);             \
        }                                                                                    \
        return 1;                                                                            \
    }

/* Sums of a piece of the columns stay close by while the rows go past. */
enum { PIECE = 256 };
#define VECTOR_MATRIX(SOURCE, TO)                                                            \
    case OP_VMM_##SOURCE##_##TO: {                                                           \
        Product p;                                                                           \
        if (!product(core, a, 1, BYTES_##SOURCE, BYTES_##TO, &p)) return 0;                  \
        for (u64 first = 0; first < p.m; first += PIECE) {                                   \
            const u64 count = p.m - first < PIECE ? p.m - first : PIECE;                     \
            SUM_##SOURCE sum[PIECE] = {};                                                    \
            for (u64 k = 0; k < p.n; k++) {                                                  \
                const SUM_##SOURCE x = GET_##SOURCE(p.vector, k);                            \
                const u8 *line = p.matrix + (k * p.m + first) * BYTES_##SOURCE;              \
                FOR_EACH(j, count) sum[j] = FUSED_##SOURCE(x, GET_##SOURCE(line, j), sum[j]); \
            }                                                                                \
            for (u64 j = 0; j < count; j++) STORE_##TO(p.dst, first + j, sum[j]);            \
        }                                                                                    \
        return 1;                                                                            \
    }
#define PRODUCTS(X) X(f16, f16) X(f16, f32) X(f32, f32) X(i8, i32) X(i16, i32)

/* ---- Element by element, in WRAM ---- */

#define EACH(MODE, ROW, PAIR, SETUP, EXPRESSION)                                             \
    case OP_##ROW##_##MODE: {                                                                \
        const u64 n = (u64)a[ROW##_n], width = BYTES_##MODE;                                 \
        const u8 *from = range(core, READS_##ROW, (u64)a[ROW##_a], n, width, width);         \
        const u8 *with = !from || !(PAIR) ? from : range(core, READS_##ROW, (u64)a[MAM_b], n, width, width); \
        u8 *dst = with ? range(core, WRITES_##ROW, (u64)a[ROW##_dst], n, width, width) : 0;  \
        if (!dst) return 0;                                                                  \
        SETUP                                                                                \
        from = unwritten_wram(core, from, dst, n * width);                                   \
        with = unwritten_wram(core, with, dst, n * width);                                   \
        core->wram_version++;                                                                \
        FOR_EACH(i, n) {                                                                     \
            const float x = GET_##MODE(from, i), y = (PAIR) ? GET_##MODE(with, i) : x;       \
            (void)y;                                                                         \
            PUT_##MODE(dst, i, (EXPRESSION));                                                \
        }                                                                                    \
        return 1;                                                                            \
    }
#define SUM_OR_DIFFERENCE(MODE, ROW, EXPRESSION) EACH(MODE, ROW, 1, , EXPRESSION)
#define SCALED(MODE, ROW) EACH(MODE, ROW, 0, const float s = REGISTER_##MODE(a[MMS_s]);, x * s)
#define SCALED_BY_CONSTANT(MODE, ROW) \
    EACH(MODE, ROW, 0, const float s = from_half((u16)a[MMS_s]);, x * s)

#define OUTER(MODE, ROW)                                                                     \
    case OP_##ROW##_##MODE: {                                                                \
        const u64 m = (u64)a[OP_m], n = (u64)a[OP_n], width = BYTES_##MODE;                  \
        const u8 *x = range(core, READS_OP, (u64)a[OP_a], m, width, width);                  \
        const u8 *y = x ? range(core, READS_OP, (u64)a[OP_b], n, width, width) : 0;          \
        u8 *dst = y ? range(core, WRITES_OP, (u64)a[OP_dst], (i128)m * n, width, width) : 0; \
        if (!dst) return 0;                                                                  \
        core->wram_version++;                                                                \
        for (u64 i = 0; i < m; i++) {                                                        \
            const float factor = GET_##MODE(x, i);                                           \
            FOR_EACH(j, n) PUT_##MODE(dst, i * n + j, factor * GET_##MODE(y, j));            \
        }                                                                                    \
        return 1;                                                                            \
    }

int run_product(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        PRODUCTS(MATRIX_VECTOR)
        PRODUCTS(VECTOR_MATRIX)
        FLOAT_MODES(SUM_OR_DIFFERENCE, MAM, x + y)
        FLOAT_MODES(SUM_OR_DIFFERENCE, MSM, x - y)
        FLOAT_MODES(SCALED, MMS)
        FLOAT_MODES(SCALED_BY_CONSTANT, MMS_IMM)
        FLOAT_MODES(OUTER, OP)
    }
    return 0;
}
