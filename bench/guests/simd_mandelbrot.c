/* Escape times over an n x n picture of the Mandelbrot set, two f64 points at a time, at most 64 steps each. */
#include "simd.h"

#define LIMIT 64

static NOINLINE i64x2 escape_times(f64x2 cx, f64x2 cy) {
    f64x2 x = {0, 0}, y = {0, 0}, xx = {0, 0}, yy = {0, 0};
    const f64x2 four = {4, 4};
    i64x2 steps = {0, 0};
    for (int i = 0; i < LIMIT; i++) {
        i64x2 inside = (i64x2)(xx + yy <= four);
        if (!any_lane_64(inside))
            break;
        steps -= inside;
        y = x * y;
        y = y + y + cy;
        x = xx - yy + cx;
        xx = x * x;
        yy = y * y;
    }
    return steps;
}

EXPORT(run) int64_t run(int32_t n) {
    uint64_t hash = MIX_SEED;
    for (int32_t row = 0; row < n; row++)
        for (int32_t column = 0; column < n; column += 2) {
            f64x2 cx = {3.0 * column / n - 2.25, 3.0 * (column + 1) / n - 2.25};
            double up = 3.0 * row / n - 1.5;
            f64x2 cy = {up, up};
            i64x2 steps = escape_times(cx, cy);
            hash = mix(hash, (uint64_t)(steps[0] << 8 | steps[1]));
        }
    return (int64_t)hash;
}
