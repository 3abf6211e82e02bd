// Prints 16 random bytes, and whether 100,000 of them look like it.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    static unsigned char bytes[100000];
    int counts[256] = {0}, missing = 0;
    arc4random_buf(bytes, sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes; i++) counts[bytes[i]]++;
    for (int i = 0; i < 256; i++) missing += !counts[i];
    for (int i = 0; i < 16; i++) printf("%02x", bytes[i]);
    printf(" %s\n", missing ? "poor" : "well spread");
    return missing != 0;
}
