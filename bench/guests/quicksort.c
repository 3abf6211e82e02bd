/* Sorts n random u32 (n at most 1 M): Hoare's partition around the middle, insertion sort below 16. */
#include "guest.h"

#define MAX (1 << 20)

static uint32_t items[MAX];

static NOINLINE void sort(uint32_t *first, uint32_t *last) {
    while (last - first >= 16) {
        uint32_t pivot = first[(last - first) / 2];
        uint32_t *low = first, *high = last;
        while (low <= high) {
            while (*low < pivot)
                low++;
            while (*high > pivot)
                high--;
            if (low <= high) {
                uint32_t swap = *low;
                *low++ = *high, *high-- = swap;
            }
        }
        sort(first, high);
        first = low;
    }
    for (uint32_t *here = first + 1; here <= last; here++) {
        uint32_t item = *here, *to = here;
        for (; to > first && to[-1] > item; to--)
            *to = to[-1];
        *to = item;
    }
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 13;
    for (int32_t i = 0; i < n; i++)
        items[i] = next_random(&seed);
    if (n > 1)
        sort(items, items + n - 1);
    uint64_t hash = MIX_SEED;
    for (int32_t i = 0; i < n; i++)
        hash = mix(hash, items[i]);
    return (int64_t)hash;
}
