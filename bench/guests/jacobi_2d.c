/* n sweeps of the five-point average over a 128 x 128 grid, from one array into the other and back. */
#include "guest.h"

#define SIDE 128

static double a[SIDE][SIDE], b[SIDE][SIDE];

static inline void sweep(double to[SIDE][SIDE], double from[SIDE][SIDE]) {
    for (int i = 1; i < SIDE - 1; i++)
        for (int j = 1; j < SIDE - 1; j++)
            to[i][j] = 0.2 * (from[i][j] + from[i][j - 1] + from[i][j + 1] + from[i + 1][j] + from[i - 1][j]);
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 3;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            a[i][j] = b[i][j] = random_unit(&seed);
    for (int32_t step = 0; step < n; step++) {
        sweep(b, a);
        sweep(a, b);
    }
    return (int64_t)mix_doubles(&a[0][0], SIDE * SIDE);
}
