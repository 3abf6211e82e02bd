/* Largest number of base pairs in an RNA of n bases: dynamic programming over intervals, i32. */
#include "guest.h"

#define MAX 512

static int32_t table[MAX][MAX];
static uint8_t base[MAX];

static inline int32_t larger(int32_t x, int32_t y) {
    return x > y ? x : y;
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 12;
    for (int i = 0; i < n; i++)
        base[i] = (uint8_t)(next_random(&seed) & 3);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            table[i][j] = 0;
    for (int i = n - 1; i >= 0; i--)
        for (int j = i + 1; j < n; j++) {
            int32_t best = larger(table[i][j - 1], i + 1 < n ? table[i + 1][j] : 0);
            if (i + 1 <= j - 1)
                best = larger(best, table[i + 1][j - 1] + (base[i] + base[j] == 3));
            for (int k = i + 1; k < j; k++)
                best = larger(best, table[i][k] + table[k + 1][j]);
            table[i][j] = best;
        }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++)
            hash = mix(hash, (uint64_t)table[i][j]);
    return (int64_t)hash;
}
