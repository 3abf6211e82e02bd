/* n sweeps of the nine-point average over a 128 x 128 grid, in place: each point depends on the one before it. */
#include "guest.h"

#define SIDE 128

static double a[SIDE][SIDE];

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 4;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            a[i][j] = random_unit(&seed);
    for (int32_t step = 0; step < n; step++)
        for (int i = 1; i < SIDE - 1; i++)
            for (int j = 1; j < SIDE - 1; j++)
                a[i][j] = (a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1] + a[i][j - 1] + a[i][j] + a[i][j + 1] + a[i + 1][j - 1] + a[i + 1][j] +
                           a[i + 1][j + 1]) /
                          9.0;
    return (int64_t)mix_doubles(&a[0][0], SIDE * SIDE);
}
