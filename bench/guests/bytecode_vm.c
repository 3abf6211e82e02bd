/* A register machine with 9 instructions that counts the primes below n by a sieve: one switch in a loop, br_table. */
#include "guest.h"

#define MAX (1 << 20)

enum { CONSTANT, ADD_IMMEDIATE, ADD, LOAD, STORE, BRANCH_GE, BRANCH_NONZERO, JUMP, HALT };

enum { I, MULTIPLE, COUNT, LIMIT, FLAG, REGISTERS };

typedef struct {
    uint8_t operation, x, y, immediate;
} Instruction;

static const Instruction program[] = {
    /*  0 */ {CONSTANT, I, 0, 2},
    /*  1 */ {BRANCH_GE, I, LIMIT, 12},
    /*  2 */ {LOAD, FLAG, I, 0},
    /*  3 */ {BRANCH_NONZERO, FLAG, 0, 10},
    /*  4 */ {ADD_IMMEDIATE, COUNT, COUNT, 1},
    /*  5 */ {ADD_IMMEDIATE, MULTIPLE, I, 0},
    /*  6 */ {BRANCH_GE, MULTIPLE, LIMIT, 10},
    /*  7 */ {STORE, MULTIPLE, 0, 1},
    /*  8 */ {ADD, MULTIPLE, I, 0},
    /*  9 */ {JUMP, 0, 0, 6},
    /* 10 */ {ADD_IMMEDIATE, I, I, 1},
    /* 11 */ {JUMP, 0, 0, 1},
    /* 12 */ {HALT, 0, 0, 0},
};

static uint8_t flags[MAX];

static NOINLINE uint32_t interpret(const Instruction *code, uint32_t limit) {
    uint32_t registers[REGISTERS] = {0};
    registers[LIMIT] = limit;
    for (uint32_t at = 0;;) {
        const Instruction *i = &code[at++];
        switch (i->operation) {
        case CONSTANT: registers[i->x] = i->immediate; break;
        case ADD_IMMEDIATE: registers[i->x] = registers[i->y] + i->immediate; break;
        case ADD: registers[i->x] += registers[i->y]; break;
        case LOAD: registers[i->x] = flags[registers[i->y]]; break;
        case STORE: flags[registers[i->x]] = i->immediate; break;
        case BRANCH_GE: if (registers[i->x] >= registers[i->y]) at = i->immediate; break;
        case BRANCH_NONZERO: if (registers[i->x]) at = i->immediate; break;
        case JUMP: at = i->immediate; break;
        case HALT: return registers[COUNT];
        }
    }
}

EXPORT(run) int64_t run(int32_t n) {
    for (int32_t i = 0; i < n; i++)
        flags[i] = 0;
    return interpret(program, (uint32_t)n);
}
