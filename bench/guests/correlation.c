/* Correlation matrix of n variables with n observations each. */
#include "guest.h"

#define MAX 256

static double data[MAX][MAX], result[MAX][MAX], mean[MAX], deviation[MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 11;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            data[i][j] = random_unit(&seed);
    for (int j = 0; j < n; j++) {
        mean[j] = deviation[j] = 0;
        for (int i = 0; i < n; i++)
            mean[j] += data[i][j];
        mean[j] /= n;
        for (int i = 0; i < n; i++)
            deviation[j] += (data[i][j] - mean[j]) * (data[i][j] - mean[j]);
        deviation[j] = __builtin_sqrt(deviation[j] / n);
        if (deviation[j] <= 0.1)
            deviation[j] = 1.0;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            data[i][j] = (data[i][j] - mean[j]) / (__builtin_sqrt((double)n) * deviation[j]);
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += data[k][i] * data[k][j];
            result[i][j] = result[j][i] = i == j ? 1.0 : sum;
        }
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < n; i++)
        hash = mix(hash, mix_doubles(result[i], (size_t)n));
    return (int64_t)hash;
}
