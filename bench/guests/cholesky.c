/* A = L L^T of a symmetric positive definite matrix, row by row, with a square root on the diagonal. */
#include "guest.h"

#define MAX 512

static double a[MAX][MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 7;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            a[i][j] = a[j][i] = random_unit(&seed) + (i == j ? n : 0);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
        for (int k = 0; k < i; k++)
            a[i][i] -= a[i][k] * a[i][k];
        a[i][i] = __builtin_sqrt(a[i][i]);
    }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        hash = mix(hash, mix_doubles(a[i], (size_t)i + 1));
    return (int64_t)hash;
}
