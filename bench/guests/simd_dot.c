/* n dot products of two f32 vectors of 16,384 elements, four lanes in two accumulators. */
#include "simd.h"

#define LENGTH 16384

static f32x4 x[LENGTH / 4], y[LENGTH / 4];

static NOINLINE float dot(int32_t offset) {
    f32x4 even = {0, 0, 0, 0}, odd = {0, 0, 0, 0};
    for (int i = 0; i < LENGTH / 4; i += 2) {
        even += x[i] * y[i ^ offset];
        odd += x[i + 1] * y[(i + 1) ^ offset];
    }
    even += odd;
    return even[0] + even[1] + even[2] + even[3];
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 17;
    for (int i = 0; i < LENGTH; i++)
        ((float *)x)[i] = (float)random_unit(&seed), ((float *)y)[i] = (float)random_unit(&seed);
    uint64_t hash = MIX_SEED;
    for (int32_t round = 0; round < n; round++)
        hash = mix_double(hash, (double)dot(round & 255));
    return (int64_t)hash;
}
