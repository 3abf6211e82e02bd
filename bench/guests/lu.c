/* A = L U in place, without pivoting, of a matrix made diagonally dominant. */
#include "guest.h"

#define MAX 384

static double a[MAX][MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 6;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = random_unit(&seed) + (i == j ? n : 0);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[k][j];
            a[i][j] /= a[j][j];
        }
        for (int j = i; j < n; j++)
            for (int k = 0; k < i; k++)
                a[i][j] -= a[i][k] * a[k][j];
    }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        hash = mix(hash, mix_doubles(a[i], (size_t)n));
    return (int64_t)hash;
}
