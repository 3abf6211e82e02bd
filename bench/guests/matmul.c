/* C = A * B for n x n matrices of f64, n at most 512: the textbook triple loop over rows and columns. */
#include "guest.h"

#define MAX 512

static double a[MAX * MAX], b[MAX * MAX], c[MAX * MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 42;
    for (int i = 0; i < n * n; i++) {
        a[i] = random_unit(&seed);
        b[i] = random_unit(&seed);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    return (int64_t)mix_doubles(c, (size_t)n * (size_t)n);
}
