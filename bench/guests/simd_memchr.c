/* n rounds of finding every newline in 64 KiB, 16 bytes at a time: compare, bit mask, count of trailing zeros. */
#include "simd.h"

#define BYTES 65536

static u8x16 text[BYTES / 16];

static NOINLINE int32_t find(uint8_t wanted, int32_t from) {
    u8x16 all = {0};
    all += wanted;
    int32_t block = from / 16;
    uint32_t mask = block < BYTES / 16 ? lane_mask_8((i8x16)(text[block] == all)) & 0xffffu << (from & 15) : 0;
    while (mask == 0) {
        if (++block >= BYTES / 16)
            return -1;
        mask = lane_mask_8((i8x16)(text[block] == all));
    }
    return block * 16 + __builtin_ctz(mask);
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 18;
    for (int i = 0; i < BYTES; i++)
        ((uint8_t *)text)[i] = (uint8_t)(next_random(&seed) % 251);
    uint64_t hash = MIX_SEED;
    for (int32_t round = 0; round < n; round++) {
        uint8_t wanted = (uint8_t)(round % 251);
        int32_t count = 0, sum = 0;
        for (int32_t at = find(wanted, 0); at >= 0; at = find(wanted, at + 1))
            count++, sum ^= at;
        hash = mix(hash, (uint64_t)count << 32 | (uint32_t)sum);
    }
    return (int64_t)hash;
}
