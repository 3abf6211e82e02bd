// fd_readdir: whole listings, parts of them, and going on in the midst.
#include "check.h"

void run(void) {
    EXPECT(SUCCESS, fd_readdir(ROOT, bytes, 4096, 0, &size));
    THAT(size == 4 * 24 + 1 + 2 + 4 + 3);  // . .. file dir
    u64 second = *(u64 *)bytes;
    THAT(*(u32 *)(bytes + 16) == 1 && bytes[24] == '.');
    EXPECT(SUCCESS, fd_readdir(ROOT, bytes, 4096, second, &size));
    THAT(size == 3 * 24 + 2 + 4 + 3 && bytes[24] == '.' && bytes[25] == '.');
    EXPECT(SUCCESS, fd_readdir(ROOT, bytes, 10, 0, &size));
    THAT(size == 10);  // cut
    EXPECT(SUCCESS, fd_readdir(ROOT, bytes, 4096, 4, &size));
    THAT(size == 0);  // nothing is behind the last
    EXPECT(SUCCESS, fd_readdir(OPEN("dir", DIRECTORY, READ), bytes, 4096, 2, &size));
    THAT(size == 24 + 5 && bytes[20] == 4 && bytes[24] == 'i');
    EXPECT(BADF, fd_readdir(MISSING, bytes, 10, 0, &size));
    EXPECT(BADF, fd_readdir(OPEN("file", 0, READ), bytes, 10, 0, &size));
    EXPECT(BADF, fd_readdir(0, bytes, 10, 0, &size));
}
