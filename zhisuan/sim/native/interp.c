/* The interpreter loop: fetch, scalar instructions inline, queued ones by class, trace rows. */
#include "elementary.h"
#include "footprint.h"

/* One instruction of each integer mode, with a register and with an immediate. */
#define INTEGER(X, ROW, EXPRESSION)                                                \
    X(ROW, i8, i8, EXPRESSION) X(ROW, u8, u8, EXPRESSION) X(ROW, i16, i16, EXPRESSION)    \
    X(ROW, u16, u16, EXPRESSION) X(ROW, i32, i32, EXPRESSION) X(ROW, u32, u32, EXPRESSION) \
    X(ROW, i64, i64, EXPRESSION) X(ROW, u64, u64, EXPRESSION)

#define WITH_INTEGERS(ROW, MODE, T, EXPRESSION)                                    \
    case OP_##ROW##_##MODE: {                                                      \
        T x = (T)REG(ROW, a), y = (T)REG(ROW, b);                                  \
        REG(ROW, d) = (u64)(T)(EXPRESSION);                                        \
        break;                                                                     \
    }                                                                              \
    case OP_##ROW##_IMM_##MODE: {                                                  \
        T x = (T)REG(ROW##_IMM, a), y = (T)at->imm;                                \
        REG(ROW##_IMM, d) = (u64)(T)(EXPRESSION);                                  \
        break;                                                                     \
    }

#define WITH_FLOATS(ROW, EXPRESSION)                                               \
    case OP_##ROW##_f32: {                                                         \
        float x = float_of((u32)REG(ROW, a)), y = float_of((u32)REG(ROW, b));      \
        REG(ROW, d) = result_f32(EXPRESSION);                                  \
        break;                                                                     \
    }                                                                              \
    case OP_##ROW##_f16: {                                                         \
        float x = from_half((u16)REG(ROW, a)), y = from_half((u16)REG(ROW, b));    \
        REG(ROW, d) = result_f16(EXPRESSION);                                  \
        break;                                                                     \
    }

#define COMPARE_FLOATS(ROW, EXPRESSION)                                            \
    case OP_##ROW##_f32: {                                                         \
        float x = float_of((u32)REG(ROW, a)), y = float_of((u32)REG(ROW, b));      \
        REG(ROW, d) = (EXPRESSION);                                                \
        break;                                                                     \
    }                                                                              \
    case OP_##ROW##_f16: {                                                         \
        float x = from_half((u16)REG(ROW, a)), y = from_half((u16)REG(ROW, b));    \
        REG(ROW, d) = (EXPRESSION);                                                \
        break;                                                                     \
    }

#define ARITHMETIC(ROW, EXPRESSION) INTEGER(WITH_INTEGERS, ROW, EXPRESSION) WITH_FLOATS(ROW, EXPRESSION)
#define COMPARISON(ROW, EXPRESSION) INTEGER(WITH_INTEGERS, ROW, EXPRESSION) COMPARE_FLOATS(ROW, EXPRESSION)

/* Division of a number by -1 in its own width would overflow; negation wraps. */
#define DIVISION(ROW, MODE, T, EXPRESSION)                                         \
    case OP_##ROW##_##MODE: {                                                      \
        T x = (T)REG(ROW, a), y = (T)REG(ROW, b);                                  \
        if (!y) goto fault;                                                        \
        REG(ROW, d) = (u64)(T)(EXPRESSION);                                        \
        break;                                                                     \
    }                                                                              \
    case OP_##ROW##_IMM_##MODE: {                                                  \
        T x = (T)REG(ROW##_IMM, a), y = (T)at->imm;                                \
        if (!y) goto fault;                                                        \
        REG(ROW##_IMM, d) = (u64)(T)(EXPRESSION);                                  \
        break;                                                                     \
    }
#define IS_MINUS_ONE(y) ((y) < 0 && (y) + 1 == 0)

#define UNARY_FLOATS(ROW, FUNCTION)                                                \
    case OP_##ROW##_f32:                                                           \
        REG(ROW, d) = result_f32(FUNCTION(float_of((u32)REG(ROW, a))));        \
        break;                                                                     \
    case OP_##ROW##_f16:                                                           \
        REG(ROW, d) = result_f16(FUNCTION(from_half((u16)REG(ROW, a))));       \
        break;

/* Whether a journal wants an access; nobody writes arguments and constants. */
INLINE int is_noted(const Core *core, u64 address) {
    return core->note_capacity && address - PARAM_BASE >= CONST_BASE + CONST_WINDOW - PARAM_BASE;
}

/* Whether there is room for all that a scalar access leaves: its footprint, and a note. */
INLINE int access_fits(Core *core, u64 address) {
    if (is_noted(core, address) && core->note_count == core->note_capacity) return 0;
    return address < CONST_BASE || footprints_fit(core, 1);
}

INLINE void note_access(Core *core, u64 address, i64 pc, i64 size, i64 writes) {
    if (is_noted(core, address))
        core->notes[core->note_count++] =
            (Note){core->notes_row + core->row_count, (i64)address, pc, size, writes};
    if (address >= CONST_BASE) touch_line(core, address, writes);
}
#define NOTE_ACCESS(WRITES, SIZE)                                                  \
    if (!access_fits(core, address)) {                                             \
        status = STATUS_ROWS_FULL;                                                 \
        goto out;                                                                  \
    }                                                                              \
    note_access(core, address, pc, SIZE, WRITES);
#define LOAD(MODE, T)                                                              \
    case OP_SLOAD_##MODE: {                                                        \
        const u64 address = REG(SLOAD, base) + (u64)at->imm;                       \
        const u8 *p = reach(core, READS_SLOAD, address, 1, sizeof(T), 1);          \
        if (!p) goto fault;                                                        \
        NOTE_ACCESS(0, sizeof(T))                                                             \
        T value;                                                                   \
        memcpy(&value, p, sizeof(T));                                              \
        REG(SLOAD, d) = (u64)value;                                                \
        break;                                                                     \
    }
#define STORE(MODE, T)                                                             \
    case OP_SSTORE_##MODE: {                                                       \
        const u64 address = REG(SSTORE, base) + (u64)at->imm;                      \
        u8 *p = reach(core, WRITES_SSTORE, address, 1, sizeof(T), 1);              \
        if (!p) goto fault;                                                        \
        NOTE_ACCESS(1, sizeof(T))                                                             \
        T value = (T)REG(SSTORE, value);                                           \
        memcpy(p, &value, sizeof(T));                                              \
        break;                                                                     \
    }
#define MEMORY_MODES(X)                                                            \
    X(i8, i8) X(u8, u8) X(i16, i16) X(u16, u16) X(i32, i32) X(u32, u32) X(i64, i64) X(u64, u64) \
    X(f16, u16) X(f32, u32)

/* Toward zero, saturating; NaN gives 0.  The limits are compared as doubles: all exact but the
 * largest 64-bit ones, which round up to the first value that saturates anyway. */
#define SATURATE(T, MIN, MAX, v) \
    ((v) != (v) ? (T)0 : (v) <= (double)(MIN) ? (T)(MIN) : (v) >= (double)(MAX) ? (T)(MAX) : (T)(v))
#define TO_INTEGER(MODE, T, MIN, MAX)                                              \
    case OP_SCVT_i64_##MODE: REG(SCVT, d) = (u64)(T)REG(SCVT, a); break;           \
    case OP_SCVT_f32_##MODE: {                                                     \
        double v = (double)float_of((u32)REG(SCVT, a));                            \
        REG(SCVT, d) = (u64)SATURATE(T, MIN, MAX, v);                              \
        break;                                                                     \
    }                                                                              \
    case OP_SCVT_f16_##MODE: {                                                     \
        double v = (double)from_half((u16)REG(SCVT, a));                           \
        REG(SCVT, d) = (u64)SATURATE(T, MIN, MAX, v);                              \
        break;                                                                     \
    }

#define COUNT_BITS(MODE, T, BITS)                                                  \
    case OP_SCLZ_##MODE: {                                                         \
        T x = (T)REG(SCLZ, a);                                                     \
        REG(SCLZ, d) = x ? (u64)(__builtin_clzll(x) - (64 - BITS)) : BITS;         \
        break;                                                                     \
    }                                                                              \
    case OP_SCTZ_##MODE: {                                                         \
        T x = (T)REG(SCTZ, a);                                                     \
        REG(SCTZ, d) = x ? (u64)__builtin_ctzll(x) : BITS;                         \
        break;                                                                     \
    }                                                                              \
    case OP_SPOP_##MODE: REG(SPOP, d) = (u64)__builtin_popcountll((T)REG(SPOP, a)); break;

INLINE void end_of_run(Core *core, i64 *counts, i64 first, i64 last) {
    i64 any = 0;
    for (int i = 0; i < COST_CLASSES; i++) any |= counts[i];
    if (!any) return;
    end_footprints(core, last);
    core->rows_entered++;
    Row *row = core->rows + core->row_count++;
    *row = (Row){.pc = (i32)first};
    for (int i = 0; i < COST_CLASSES; i++) row->a[i] = counts[i], counts[i] = 0;
}

/* Enter a queued instruction (or SYNC) in the trace; returns its operand values. */
INLINE const i64 *enter_row(Core *core, const Decoded *at, i64 pc) {
    Row *row = core->rows + core->row_count++;
    core->rows_entered++;
    *row = (Row){.pc = (i32)pc, .opcode = (i16)OPCODE_OF[at->handler], .mode = MODE_OF[at->handler]};
    int field = 0;
    for (int i = 0; i < OPERANDS_OF[at->handler]; i++)
        row->a[i] = i == IMMEDIATE_OF[at->handler] ? at->imm : (i64)core->regs[at->r[field++]];
    return row->a;
}

/* Run until HALT, a barrier, a fault, or no room for trace rows; the state to resume from is in `core`. */
int zhisuan_run(Core *core) {
    u64 *R = core->regs;
    const Decoded *program = core->program;
    i64 *counts = core->counts;
    i64 pc = core->pc, executed = core->executed, first = core->run_first, left = core->limit;
    int status = STATUS_FAULT;
#define REG(ROW, OPERAND) R[at->r[ROW##_##OPERAND]]
    for (;;) {
        if ((u64)pc >= (u64)core->words || executed == left) goto out;
        const Decoded *at = program + pc;
        i64 next = pc + 1;
        switch (at->handler) {
            ARITHMETIC(SADD, x + y)
            ARITHMETIC(SSUB, x - y)
            INTEGER(WITH_INTEGERS, SMUL, (u64)x * (u64)y) WITH_FLOATS(SMUL, x * y)
            INTEGER(DIVISION, SDIV, IS_MINUS_ONE(y) ? (__typeof__(x))(0 - (u64)x) : x / y)
            WITH_FLOATS(SDIV, x / y)
            INTEGER(DIVISION, SREM, IS_MINUS_ONE(y) ? 0 : x % y)
            ARITHMETIC(SMIN, x < y || y != y ? x : y)
            ARITHMETIC(SMAX, x > y || y != y ? x : y)
            INTEGER(WITH_INTEGERS, SAND, x & y)
            INTEGER(WITH_INTEGERS, SOR, x | y)
            INTEGER(WITH_INTEGERS, SXOR, x ^ y)
            INTEGER(WITH_INTEGERS, SSHL, (u64)x << (y & (8 * sizeof x - 1)))
            INTEGER(WITH_INTEGERS, SSHR, x >> (y & (8 * sizeof x - 1)))
            COMPARISON(SEQ, x == y)
            COMPARISON(SNE, x != y)
            COMPARISON(SLT, x < y)
            COMPARISON(SLE, x <= y)
            COMPARISON(SGT, x > y)
            COMPARISON(SGE, x >= y)
            case OP_SMOVE: REG(SMOVE, d) = REG(SMOVE, a); break;
            case OP_SSEL: REG(SSEL, d) = REG(SSEL, p) & 1 ? REG(SSEL, a) : REG(SSEL, b); break;
            case OP_SLOAD_IMM: REG(SLOAD_IMM, d) = (u64)at->imm; break;
            case OP_SHIGH_IMM:
                REG(SHIGH_IMM, d) = (REG(SHIGH_IMM, d) & 0xFFFFFFFF) | (u64)at->imm << 32;
                break;
            case OP_SGET_IMM:
                if ((u64)at->imm >= SPECIALS) goto fault;
                REG(SGET_IMM, d) =
                    at->imm == SPECIAL_INSTRUCTIONS ? (u64)executed : core->special[at->imm];
                break;
            TO_INTEGER(i8, i8, -128, 127)
            TO_INTEGER(u8, u8, 0, 255)
            TO_INTEGER(i16, i16, -32768, 32767)
            TO_INTEGER(u16, u16, 0, 65535)
            TO_INTEGER(i32, i32, -2147483647 - 1, 2147483647)
            TO_INTEGER(u32, u32, 0, 4294967295u)
            TO_INTEGER(i64, i64, -9223372036854775807 - 1, 9223372036854775807)
            TO_INTEGER(u64, u64, 0, 18446744073709551615u)
            /* whole numbers that FP16 can hold are exact in FP32, so there is one rounding */
            case OP_SCVT_i64_f16: REG(SCVT, d) = to_half((float)(i64)REG(SCVT, a)); break;
            case OP_SCVT_u64_f16: REG(SCVT, d) = to_half((float)REG(SCVT, a)); break;
            case OP_SCVT_i64_f32: REG(SCVT, d) = bits_of((float)(i64)REG(SCVT, a)); break;
            case OP_SCVT_u64_f32: REG(SCVT, d) = bits_of((float)REG(SCVT, a)); break;
            case OP_SCVT_f16_f32: REG(SCVT, d) = result_f32(from_half((u16)REG(SCVT, a))); break;
            case OP_SCVT_f32_f16: REG(SCVT, d) = result_f16(float_of((u32)REG(SCVT, a))); break;
            COUNT_BITS(u8, u8, 8)
            COUNT_BITS(u16, u16, 16)
            COUNT_BITS(u32, u32, 32)
            COUNT_BITS(u64, u64, 64)
            case OP_SMULH_i64:
                REG(SMULH, d) = (u64)((i128)(i64)REG(SMULH, a) * (i64)REG(SMULH, b) >> 64);
                break;
            case OP_SMULH_u64:
                REG(SMULH, d) = (u64)((unsigned __int128)REG(SMULH, a) * REG(SMULH, b) >> 64);
                break;
            UNARY_FLOATS(SSQRT, __builtin_sqrtf)
            UNARY_FLOATS(SEXP, exp_f32)
            UNARY_FLOATS(SLOG, log_f32)
            MEMORY_MODES(LOAD)
            MEMORY_MODES(STORE)
            case OP_JUMP: next += at->imm; goto branch;
            case OP_CB: next += REG(CB, pred) & 1 ? at->imm : 0; goto branch;
            case OP_CBZ: next += REG(CBZ, pred) & 1 ? 0 : at->imm; goto branch;
            case OP_CALL:
                REG(CALL, link) = (u64)next;
                next += at->imm;
                goto branch;
            case OP_CALLR: {
                u64 target = REG(CALLR, a);
                REG(CALLR, link) = (u64)next;
                next = (i64)target;
                goto branch;
            }
            case OP_JUMPR: next = (i64)REG(JUMPR, a); goto branch;
            branch:
                if (next != pc + 1) take_branch(core, pc, next);
                break;
            case OP_HALT:
                if (core->locked) goto fault;
                counts[at->cost]++;
                executed++;
                end_of_run(core, counts, first, pc);
                status = STATUS_HALTED;
                goto out;
            case OP_SYNC:
            case OP_BARRIER:
                if (core->locked && at->handler == OP_BARRIER) goto fault;
            queued:
                if (core->row_count + 3 > core->row_capacity || !footprints_fit(core, 0)) {
                    status = STATUS_ROWS_FULL;
                    goto out;
                }
                end_of_run(core, counts, first, pc - 1);
                const i64 *a = enter_row(core, at, pc);
                core->nram_copied = 0;
                switch (UNIT_OF[at->handler]) {
                    case UNIT_VFU: if (!run_vector(core, at->handler, a)) goto fault; break;
                    case UNIT_MFU: if (!run_matrix(core, at->handler, a)) goto fault; break;
                    case UNIT_IO:
                    case UNIT_MOVE: if (!run_transfer(core, at->handler, a)) goto fault; break;
                }
                executed++;
                first = pc = core->stretch = next;
                if (at->handler != OP_BARRIER) continue;
                status = STATUS_BARRIER;
                goto out;
            default:
                if (IS_QUEUED[at->handler]) goto queued;
                goto fault; /* TRAP, or a word that is no instruction */
        }
        counts[at->cost]++;
        executed++;
        pc = next;
    }
fault:
out:
    core->pc = pc;
    core->executed = executed;
    core->run_first = first;
    return status;
}
