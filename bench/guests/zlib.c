/* n round trips of 64 KiB of made-up text through zlib's deflate at level 6 and inflate. */
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "zlib.h"

#define BYTES 65536

static uint8_t text[BYTES], back[BYTES], packed[BYTES + 1024];

static void write_text(uint32_t seed) {
    static const char *const words[16] = {"the ", "of ", "and ", "compression ", "window ", "literal ", "distance ", "block\n",
                                          "0x1f ", "huffman ", "a ", "in ", "stream, ", "length ", "is ", "tree. "};
    size_t at = 0;
    while (at < BYTES - 16) {
        const char *word = words[next_random(&seed) & 15];
        size_t length = strlen(word);
        memcpy(text + at, word, length);
        at += length;
        if (next_random(&seed) % 8 == 0)
            text[at++] = (uint8_t)next_random(&seed);
    }
    memset(text + at, ' ', BYTES - at);
}

EXPORT(run) int64_t run(int32_t n) {
    uint64_t hash = MIX_SEED;
    for (int32_t i = 0; i < n; i++) {
        write_text((uint32_t)i + 19);
        uLongf packed_bytes = sizeof packed, back_bytes = sizeof back;
        if (compress2(packed, &packed_bytes, text, BYTES, 6) != Z_OK)
            return -1;
        if (uncompress(back, &back_bytes, packed, packed_bytes) != Z_OK || back_bytes != BYTES || memcmp(back, text, BYTES) != 0)
            return -2;
        hash = mix(hash, (uint64_t)packed_bytes << 32 | crc32(0, packed, (uInt)packed_bytes));
    }
    return (int64_t)hash;
}
