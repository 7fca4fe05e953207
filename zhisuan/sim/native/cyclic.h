/* Vector instructions with a cyclic operand. */
#pragma once
#include "elementwise.h"

/* A cyclic operand of m elements: elements 0..m-1 repeated to at least 256, so that
 * inner loops are long, or a pointer to them where there are many. */
enum { REPEATED = 512 };

INLINE u64 repeat(void *table, u64 m, u64 width) {
    u64 length = m;
    while (length < REPEATED / 2) {
        memcpy((u8 *)table + length * width, table, length * width);
        length *= 2;
    }
    return length;
}
#define REPEAT(table, m) repeat(table, m, sizeof *(table))

enum { SEG = VCADD_seg, M = VCADD_m };

#define CYCLIC_MODE(MODE, ROW, EXPRESSION) CYCLIC_CASE(MODE, OP_##ROW##_##MODE, ROW, EXPRESSION)
#define CYCLIC_CASE(MODE, CASE, ROW, EXPRESSION)                                             \
    case CASE: {                                                                             \
        const u64 n = (u64)a[N], m = (u64)a[M], size = BYTES_##MODE;                         \
        const u8 *x8 = range(core, READS_##ROW, (u64)a[A], n, size, size);                   \
        if (!x8 || (n && !m)) return 0;                                                      \
        const u8 *seg = range(core, READS_##ROW, (u64)a[SEG], m, size, size);                \
        u8 *dst = seg ? range(core, WRITES_##ROW, (u64)a[DST], n, size, size) : 0;           \
        if (!dst) return 0;                                                                  \
        x8 = unwritten(core, x8, n * size, dst, n * size, 1);                                \
        seg = unwritten(core, seg, m * size, dst, n * size, 0);                              \
        TYPE_##MODE table[REPEATED];                                                         \
        const int small = m <= REPEATED / 2;                                                 \
        u64 step = m;                                                                        \
        if (small && n) {                                                                    \
            for (u64 i = 0; i < m; i++) table[i] = GET_##MODE(seg, i);                       \
            step = REPEAT(table, m);                                                         \
        }                                                                                    \
        for (u64 at = 0; at < n; at += step) {                                               \
            const u64 count = n - at < step ? n - at : step;                                 \
            const u8 *from = x8 + at * size;                                                 \
            u8 *to = dst + at * size;                                                        \
            if (small) FOR_EACH(i, count) {                                                  \
                TYPE_##MODE x = GET_##MODE(from, i), y = table[i];                           \
                PUT_##MODE(to, i, (EXPRESSION));                                             \
            } else FOR_EACH(i, count) {                                                      \
                TYPE_##MODE x = GET_##MODE(from, i), y = GET_##MODE(seg, i);                 \
                PUT_##MODE(to, i, (EXPRESSION));                                             \
            }                                                                                \
        }                                                                                    \
        return 1;                                                                            \
    }

#define CYCLIC(ROW, EXPRESSION) MODES(CYCLIC_MODE, ROW, EXPRESSION)
