/* D = alpha A B C + beta D: two matrix products through a temporary. */
#include "guest.h"

#define MAX 256

static double a[MAX][MAX], b[MAX][MAX], c[MAX][MAX], d[MAX][MAX], product[MAX][MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 2;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = random_unit(&seed), b[i][j] = random_unit(&seed), c[i][j] = random_unit(&seed), d[i][j] = random_unit(&seed);
    const double alpha = 1.5, beta = 1.2;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            product[i][j] = 0;
            for (int k = 0; k < n; k++)
                product[i][j] += alpha * a[i][k] * b[k][j];
        }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            d[i][j] *= beta;
            for (int k = 0; k < n; k++)
                d[i][j] += product[i][k] * c[k][j];
        }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        hash = mix(hash, mix_doubles(d[i], (size_t)n));
    return (int64_t)hash;
}
