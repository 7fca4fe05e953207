/* Atomics and locks; see isa/atomic.py for their meaning and their order. */
#include "elementwise.h"

enum { GDRAM_MASK = 1 << SPACE_gdram, NRAM_MASK = 1 << SPACE_nram };

/* The element that is changed, the operand (0: in a register), where the old one goes (0: nowhere). */
typedef struct {
    u8 *memory, *dst;
    const u8 *operand;
    u64 n;
} Atomic;

static int places(Core *core, i64 src, i64 operand, int has_operand, i64 dst, int has_dst, u64 n,
                  u64 width, Atomic *t) {
    *t = (Atomic){.n = n};
    t->memory = range(core, GDRAM_MASK, (u64)src, n, width, width);
    if (!t->memory) return 0;
    if (has_operand) t->operand = range(core, NRAM_MASK, (u64)operand, n, width, width);
    if (has_dst) t->dst = range(core, NRAM_MASK, (u64)dst, n, width, width);
    if ((has_operand && !t->operand) || (has_dst && !t->dst)) return 0;
    if (has_operand && has_dst)
        t->operand = unwritten(core, t->operand, n * width, t->dst, n * width, 1);
    return 1;
}

/* x the element, y the operand. */
#define CHANGE(MODE, PUT, EXPRESSION, OPERAND)                                               \
    for (u64 i = 0; i < t.n; i++) {                                                          \
        const TYPE_##MODE x = GET_##MODE(t.memory, i), y = OPERAND;                          \
        u64 old = 0;                                                                         \
        (void)x;                                                                             \
        memcpy(&old, t.memory + i * BYTES_##MODE, BYTES_##MODE);                             \
        PUT(t.memory, i, (EXPRESSION));                                                      \
        if (t.dst) memcpy(t.dst + i * BYTES_##MODE, &old, BYTES_##MODE);                     \
    }
#define WITH_REGISTER(MODE, NAME, EXPRESSION)                                                \
    case OP_ATOM_##NAME##_##MODE: {                                                          \
        Atomic t;                                                                            \
        if (!places(core, a[ATOM_src], 0, 0, a[ATOM_dst], 1, 1, BYTES_##MODE, &t)) return 0; \
        CHANGE(MODE, PUT_##MODE, EXPRESSION, REGISTER_##MODE(a[ATOM_s]))                     \
        return 1;                                                                            \
    }
#define WITH_VECTOR(MODE, NAME, EXPRESSION)                                                  \
    case OP_ATOMV_##NAME##_##MODE: {                                                         \
        Atomic t;                                                                            \
        if (!places(core, a[ATOMV_src], a[ATOMV_a], 1, a[ATOMV_dst], 1, (u64)a[ATOMV_n],     \
                    BYTES_##MODE, &t)) return 0;                                             \
        CHANGE(MODE, PUT_##MODE, EXPRESSION, GET_##MODE(t.operand, i))                       \
        return 1;                                                                            \
    }
#define REDUCED(MODE, NAME, EXPRESSION)                                                      \
    case OP_ATOMR_##NAME##_##MODE: {                                                         \
        Atomic t;                                                                            \
        if (!places(core, a[ATOMR_src], a[ATOMR_a], 1, 0, 0, (u64)a[ATOMR_n], BYTES_##MODE, &t)) \
            return 0;                                                                        \
        CHANGE(MODE, PUT_##MODE, EXPRESSION, GET_##MODE(t.operand, i))                       \
        return 1;                                                                            \
    }
#define WHOLE(X, ...) X(i32, __VA_ARGS__) X(u32, __VA_ARGS__) X(i16, __VA_ARGS__) X(u16, __VA_ARGS__)
#define EVERY(X, ...) WHOLE(X, __VA_ARGS__) X(f16, __VA_ARGS__) X(f32, __VA_ARGS__)
#define BOTH(TYPES, NAME, EXPRESSION) \
    TYPES(WITH_REGISTER, NAME, EXPRESSION) TYPES(WITH_VECTOR, NAME, EXPRESSION)
#define ALL_FORMS(TYPES, NAME, EXPRESSION) BOTH(TYPES, NAME, EXPRESSION) TYPES(REDUCED, NAME, EXPRESSION)

/* The bits as they are: also those of a NaN. */
#define EXCHANGE(MODE, BITS)                                                                 \
    case OP_ATOM_exch_##MODE: {                                                              \
        Atomic t;                                                                            \
        if (!places(core, a[ATOM_src], 0, 0, a[ATOM_dst], 1, 1, sizeof(BITS), &t)) return 0; \
        const BITS old = *(BITS *)t.memory;                                                  \
        *(BITS *)t.memory = (BITS)a[ATOM_s];                                                 \
        *(BITS *)t.dst = old;                                                                \
        return 1;                                                                            \
    }                                                                                        \
    case OP_ATOMV_exch_##MODE: {                                                             \
        Atomic t;                                                                            \
        if (!places(core, a[ATOMV_src], a[ATOMV_a], 1, a[ATOMV_dst], 1, (u64)a[ATOMV_n],     \
                    sizeof(BITS), &t)) return 0;                                             \
        for (u64 i = 0; i < t.n; i++) {                                                      \
            const BITS old = ((BITS *)t.memory)[i];                                          \
            ((BITS *)t.memory)[i] = ((const BITS *)t.operand)[i];                            \
            ((BITS *)t.dst)[i] = old;                                                        \
        }                                                                                    \
        return 1;                                                                            \
    }                                                                                        \
    case OP_ACAS_exch_##MODE: {                                                              \
        Atomic t;                                                                            \
        if (!places(core, a[ACAS_src], 0, 0, a[ACAS_dst], 1, 1, sizeof(BITS), &t)) return 0; \
        const BITS old = *(BITS *)t.memory;                                                  \
        if (old == (BITS)a[ACAS_s]) *(BITS *)t.memory = (BITS)a[ACAS_t];                     \
        *(BITS *)t.dst = old;                                                                \
        return 1;                                                                            \
    }

int run_atomic(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        ALL_FORMS(EVERY, add, x + y)
        ALL_FORMS(EVERY, min, x < y || y != y ? x : y)
        ALL_FORMS(EVERY, max, x > y || y != y ? x : y)
        ALL_FORMS(WHOLE, and, x & y)
        ALL_FORMS(WHOLE, or, x | y)
        ALL_FORMS(WHOLE, xor, x ^ y)
        BOTH(WHOLE, inc, x >= y ? 0 : x + 1)
        BOTH(WHOLE, dec, x == 0 || x > y ? y : x - 1)
        EXCHANGE(i32, u32) EXCHANGE(u32, u32) EXCHANGE(i16, u16) EXCHANGE(u16, u16)
        EXCHANGE(f16, u16) EXCHANGE(f32, u32)
        case OP_LOCK:
            if (core->locked) return 0;
            core->locked = 1, core->lock = (u64)a[LOCK_id];
            return 1;
        case OP_UNLOCK:
            if (!core->locked || core->lock != (u64)a[UNLOCK_id]) return 0;
            core->locked = 0;
            return 1;
    }
    return 0;
}
