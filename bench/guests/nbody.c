/* Sun and four giant planets under gravity for n steps of 0.01 days: f64 arithmetic with sqrt and divisions.
 * Positions in AU, velocities in AU per day, masses in solar masses; a leap-frog step. */
#include "guest.h"

#define BODIES 5
#define GRAVITY 2.959122082855911e-4

typedef struct {
    double x[3], v[3], mass;
} Body;

static const Body start[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 1.0},
    {{4.841, -1.160, -0.1036}, {0.001660, 0.007699, -0.0000690}, 9.5479e-4},
    {{8.343, 4.125, -0.4035}, {-0.002767, 0.004998, 0.0000230}, 2.8588e-4},
    {{12.894, -15.111, -0.2233}, {0.002964, 0.002378, -0.0000296}, 4.3662e-5},
    {{15.379, -25.919, 0.1793}, {0.002680, 0.001628, -0.0000951}, 5.1514e-5},
};

static Body bodies[BODIES];

static NOINLINE void advance(double dt) {
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            double dx = bodies[i].x[0] - bodies[j].x[0];
            double dy = bodies[i].x[1] - bodies[j].x[1];
            double dz = bodies[i].x[2] - bodies[j].x[2];
            double square = dx * dx + dy * dy + dz * dz;
            double magnitude = GRAVITY * dt / (square * __builtin_sqrt(square));
            double toward_i = bodies[i].mass * magnitude, toward_j = bodies[j].mass * magnitude;
            bodies[i].v[0] -= dx * toward_j, bodies[i].v[1] -= dy * toward_j, bodies[i].v[2] -= dz * toward_j;
            bodies[j].v[0] += dx * toward_i, bodies[j].v[1] += dy * toward_i, bodies[j].v[2] += dz * toward_i;
        }
    for (int i = 0; i < BODIES; i++)
        for (int axis = 0; axis < 3; axis++)
            bodies[i].x[axis] += dt * bodies[i].v[axis];
}

EXPORT(run) int64_t run(int32_t n) {
    for (int i = 0; i < BODIES; i++)
        bodies[i] = start[i];
    for (int32_t step = 0; step < n; step++)
        advance(0.01);
    return (int64_t)mix_doubles(&bodies[0].x[0], BODIES * sizeof(Body) / sizeof(double));
}
