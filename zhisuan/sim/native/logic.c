/* Comparison, logic and selection; see isa/logic.py for their meaning. */
#include "elementwise.h"

#define COMPARISON(ROW, SIGN) PAIR(ROW, x SIGN y) SCALAR(ROW##S, x SIGN s)
#define BYTE_PAIR(ROW, EXPRESSION) PAIR_MODE(i8, ROW, EXPRESSION)

#define SELECT(MODE, ...)                                                                    \
    case OP_VSEL_##MODE: {                                                                   \
        const u64 n = (u64)a[VSEL_n], width = BYTES_##MODE, size = n * width;                \
        const u8 *mask = range(core, READS_VSEL, (u64)a[VSEL_mask], a[VSEL_n], width, width); \
        if (!mask) return 0;                                                                 \
        const u8 *x = range(core, READS_VSEL, (u64)a[VSEL_a], n, width, width);              \
        const u8 *y = range(core, READS_VSEL, (u64)a[VSEL_b], n, width, width);              \
        u8 *dst = range(core, WRITES_VSEL, (u64)a[VSEL_dst], n, width, width);               \
        if (!x || !y || !dst) return 0;                                                      \
        mask = unwritten(core, mask, size, dst, size, 1);                                    \
        x = unwritten(core, x, size, dst, size, 1);                                          \
        y = unwritten(core, y, size, dst, size, 1);                                          \
        FOR_EACH(i, n) PUT_##MODE(dst, i, GET_##MODE(mask, i) != 0 ? GET_##MODE(x, i) : GET_##MODE(y, i)); \
        return 1;                                                                            \
    }

/* In order, so that dst may be a. */
#define COLLECT(MODE, ...)                                                                   \
    case OP_VCOLLECT_##MODE: {                                                               \
        const u64 n = (u64)a[VCOLLECT_n], width = BYTES_##MODE;                              \
        const u8 *x = range(core, READS_VCOLLECT, (u64)a[VCOLLECT_a], n, width, width);      \
        const u8 *mask = range(core, READS_VCOLLECT, (u64)a[VCOLLECT_mask], n, width, width); \
        if (!x || !mask) return 0;                                                           \
        u64 count = 0, at = 0;                                                               \
        for (u64 i = 0; i < n; i++) count += GET_##MODE(mask, i) != 0;                       \
        u8 *dst = range(core, WRITES_VCOLLECT, (u64)a[VCOLLECT_dst], count, width, width);   \
        if (!dst) return 0;                                                                  \
        x = unwritten(core, x, n * width, dst, count * width, 1);                            \
        mask = unwritten(core, mask, n * width, dst, count * width, 0);                      \
        for (u64 i = 0; i < n; i++)                                                          \
            if (GET_##MODE(mask, i) != 0) { PUT_##MODE(dst, at, GET_##MODE(x, i)); at++; }   \
        return 1;                                                                            \
    }

#define COUNT(MODE, ...)                                                                     \
    case OP_VCOUNT_##MODE: {                                                                 \
        const u64 n = (u64)a[VCOUNT_n];                                                      \
        const u8 *x = range(core, READS_VCOUNT, (u64)a[VCOUNT_a], n, BYTES_##MODE, BYTES_##MODE); \
        u32 *dst = x ? (u32 *)range(core, WRITES_VCOUNT, (u64)a[VCOUNT_dst], 1, 4, 4) : 0;   \
        if (!dst) return 0;                                                                  \
        u32 count = 0;                                                                       \
        for (u64 i = 0; i < n; i++) count += GET_##MODE(x, i) != 0;                          \
        *dst = count;                                                                        \
        return 1;                                                                            \
    }

#define LOOK_UP(T)                                                                           \
    case OP_VLUT_##T: {                                                                      \
        const u64 n = (u64)a[VLUT_n], m = (u64)a[VLUT_m], size = n * sizeof(T);              \
        const u8 *index = range(core, READS_VLUT, (u64)a[VLUT_a], n, sizeof(T), sizeof(T));  \
        const u8 *table = range(core, READS_VLUT, (u64)a[VLUT_table], m, sizeof(T), sizeof(T)); \
        if (!index || !table) return 0;                                                      \
        for (u64 i = 0; i < n; i++)                                                          \
            if (((const T *)index)[i] >= m) return 0;                                        \
        T *dst = (T *)range(core, WRITES_VLUT, (u64)a[VLUT_dst], n, sizeof(T), sizeof(T));   \
        if (!dst) return 0;                                                                  \
        index = unwritten(core, index, size, (u8 *)dst, size, 1);                            \
        table = unwritten(core, table, m * sizeof(T), (u8 *)dst, size, 0);                   \
        FOR_EACH(i, n) dst[i] = ((const T *)table)[((const T *)index)[i]];                   \
        return 1;                                                                            \
    }

int run_logic(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        COMPARISON(VGT, >)
        COMPARISON(VGE, >=)
        COMPARISON(VLT, <)
        COMPARISON(VLE, <=)
        COMPARISON(VE, ==)
        COMPARISON(VNE, !=)
        PAIR(VAND, (x != 0) & (y != 0))
        PAIR(VOR, (x != 0) | (y != 0))
        PAIR(VXOR, (x != 0) ^ (y != 0))
        SINGLE(VNOT, x == 0)
        BYTE_PAIR(VBAND, x & y)
        BYTE_PAIR(VBOR, x | y)
        BYTE_PAIR(VBXOR, x ^ y)
        SINGLE_MODE(i8, VBNOT, ~x)
        MODES(SELECT, )
        MODES(COLLECT, )
        MODES(COUNT, )
        LOOK_UP(u8) LOOK_UP(u16) LOOK_UP(u32)
    }
    return run_convert(core, handler, a);
}
