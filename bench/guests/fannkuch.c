/* Over all permutations of 1..n: the most reversals of a prefix until 1 comes first, and an alternating checksum. */
#include "guest.h"

#define MAX 12

EXPORT(run) int64_t run(int32_t n) {
    int32_t permutation[MAX], work[MAX], count[MAX];
    int32_t most = 0, checksum = 0, sign = 1, r = n;
    for (int i = 0; i < n; i++)
        permutation[i] = i;
    for (;;) {
        for (; r > 1; r--)
            count[r - 1] = r;
        for (int i = 0; i < n; i++)
            work[i] = permutation[i];
        int32_t flips = 0;
        for (int32_t first = work[0]; first != 0; first = work[0], flips++)
            for (int32_t low = 0, high = first; low < high; low++, high--) {
                int32_t swap = work[low];
                work[low] = work[high], work[high] = swap;
            }
        if (flips > most)
            most = flips;
        checksum += sign * flips;
        sign = -sign;
        for (;; r++) {
            if (r == n)
                return (int64_t)((uint64_t)(uint32_t)checksum << 32 | (uint32_t)most);
            int32_t first = permutation[0];
            for (int i = 0; i < r; i++)
                permutation[i] = permutation[i + 1];
            permutation[r] = first;
            if (--count[r] > 0)
                break;
        }
    }
}
