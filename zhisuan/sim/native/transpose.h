/* Sixteen rows of sixteen 32-bit numbers as columns, where vectors hold sixteen. */
#pragma once
#include "core.h"

typedef i32 i32x16 __attribute__((vector_size(64)));
typedef i32 i32x16_unaligned __attribute__((vector_size(64), aligned(4)));

#define LANES(X, s) X(s, 0), X(s, 1), X(s, 2), X(s, 3), X(s, 4), X(s, 5), X(s, 6), X(s, 7), X(s, 8), \
    X(s, 9), X(s, 10), X(s, 11), X(s, 12), X(s, 13), X(s, 14), X(s, 15)
#define UPPER(s, lane) ((lane) & (s) ? 16 + (lane) - (s) : (lane))
#define LOWER(s, lane) ((lane) & (s) ? 16 + (lane) : (lane) + (s))

/* Rows i and i + s change their off-diagonal squares of s × s. */
#define EXCHANGE_SQUARES(s)                                                                    \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++) if (!(i & (s))) {          \
        const i32x16 a = row[i], b = row[i + (s)];                                             \
        row[i] = __builtin_shufflevector(a, b, LANES(UPPER, s));                               \
        row[i + (s)] = __builtin_shufflevector(a, b, LANES(LOWER, s));                         \
    }

/* `from`: the rows, `step` bytes apart; row[k] becomes number k of every row. */
INLINE void transpose16(const u8 *from, i64 step, i32x16 row[16]) {
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++)
        row[i] = *(const i32x16_unaligned *)(from + i * step);
    EXCHANGE_SQUARES(1)
    EXCHANGE_SQUARES(2)
    EXCHANGE_SQUARES(4)
    EXCHANGE_SQUARES(8)
}
