/* All shortest paths of a directed graph of n vertices with random i32 weights. */
#include "guest.h"

#define MAX 256

static int32_t distance[MAX][MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 9;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            distance[i][j] = i == j ? 0 : (int32_t)(next_random(&seed) % 1000) + 1;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                int32_t around = distance[i][k] + distance[k][j];
                if (around < distance[i][j])
                    distance[i][j] = around;
            }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            hash = mix(hash, (uint64_t)distance[i][j]);
    return (int64_t)hash;
}
