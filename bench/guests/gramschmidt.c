/* A = Q R by the classical Gram-Schmidt process, columns of an n x n matrix. */
#include "guest.h"

#define MAX 192

static double a[MAX][MAX], q[MAX][MAX], r[MAX][MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 8;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = random_unit(&seed) + (i == j ? 8 : 0), r[i][j] = 0;
    for (int k = 0; k < n; k++) {
        double norm = 0;
        for (int i = 0; i < n; i++)
            norm += a[i][k] * a[i][k];
        r[k][k] = __builtin_sqrt(norm);
        for (int i = 0; i < n; i++)
            q[i][k] = a[i][k] / r[k][k];
        for (int j = k + 1; j < n; j++) {
            for (int i = 0; i < n; i++)
                r[k][j] += q[i][k] * a[i][j];
            for (int i = 0; i < n; i++)
                a[i][j] -= q[i][k] * r[k][j];
        }
    }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        hash = mix(mix(hash, mix_doubles(q[i], (size_t)n)), mix_doubles(r[i], (size_t)n));
    return (int64_t)hash;
}
