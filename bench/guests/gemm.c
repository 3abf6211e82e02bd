/* C = alpha A B + beta C, n x n f64, rows of B walked in the inner loop. */
#include "guest.h"

#define MAX 256

static double a[MAX][MAX], b[MAX][MAX], c[MAX][MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = random_unit(&seed), b[i][j] = random_unit(&seed), c[i][j] = random_unit(&seed);
    const double alpha = 1.5, beta = 1.2;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            c[i][j] *= beta;
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++)
                c[i][j] += alpha * a[i][k] * b[k][j];
    }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        hash = mix(hash, mix_doubles(c[i], (size_t)n));
    return (int64_t)hash;
}
