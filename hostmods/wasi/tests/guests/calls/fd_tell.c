// fd_tell: the position.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ);
    u64 position = 9;
    iovec one = buffer(3);
    EXPECT(SUCCESS, fd_tell(fd, &position));
    THAT(position == 0);
    EXPECT(SUCCESS, fd_read(fd, &one, 1, &size));
    EXPECT(SUCCESS, fd_tell(fd, &position));
    THAT(position == 3);
    EXPECT(BADF, fd_tell(ROOT, &position));
    EXPECT(BADF, fd_tell(MISSING, &position));
    EXPECT(SPIPE, fd_tell(1, &position));
}
