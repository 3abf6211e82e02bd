/* n steps of the heat equation on a 32 x 32 x 32 grid, second differences along each axis. */
#include "guest.h"

#define SIDE 32

static double a[SIDE][SIDE][SIDE], b[SIDE][SIDE][SIDE];

static inline void step_into(double to[SIDE][SIDE][SIDE], double from[SIDE][SIDE][SIDE]) {
    for (int i = 1; i < SIDE - 1; i++)
        for (int j = 1; j < SIDE - 1; j++)
            for (int k = 1; k < SIDE - 1; k++)
                to[i][j][k] = 0.125 * (from[i + 1][j][k] - 2.0 * from[i][j][k] + from[i - 1][j][k]) +
                              0.125 * (from[i][j + 1][k] - 2.0 * from[i][j][k] + from[i][j - 1][k]) +
                              0.125 * (from[i][j][k + 1] - 2.0 * from[i][j][k] + from[i][j][k - 1]) + from[i][j][k];
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 5;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            for (int k = 0; k < SIDE; k++)
                a[i][j][k] = b[i][j][k] = random_unit(&seed);
    for (int32_t step = 0; step < n; step++) {
        step_into(b, a);
        step_into(a, b);
    }
    return (int64_t)mix_doubles(&a[0][0][0], SIDE * SIDE * SIDE);
}
