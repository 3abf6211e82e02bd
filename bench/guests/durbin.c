/* Levinson-Durbin recursion: solves the Yule-Walker equations of order n for the autocorrelation r. */
#include "guest.h"

#define MAX 4096

static double r[MAX], y[MAX], next[MAX];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 10;
    for (int i = 0; i < n; i++)
        r[i] = random_unit(&seed) / (n + 1);
    double beta = 1.0, alpha = -r[0];
    y[0] = -r[0];
    for (int k = 1; k < n; k++) {
        beta = (1 - alpha * alpha) * beta;
        double sum = 0;
        for (int i = 0; i < k; i++)
            sum += r[k - i - 1] * y[i];
        alpha = -(r[k] + sum) / beta;
        for (int i = 0; i < k; i++)
            next[i] = y[i] + alpha * y[k - i - 1];
        for (int i = 0; i < k; i++)
            y[i] = next[i];
        y[k] = alpha;
    }
    return (int64_t)mix_doubles(y, (size_t)n);
}
