// fd_advise: every advice, and what takes none.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ);
    for (u32 advice = 0; advice < 6; advice++) EXPECT(SUCCESS, fd_advise(fd, 1, 2, advice));
    EXPECT(SUCCESS, fd_advise(fd, 100, 0, 0));
    EXPECT(BADF, fd_advise(MISSING, 0, 0, 0));
    EXPECT(BADF, fd_advise(ROOT, 0, 0, 0));
    EXPECT(BADF, fd_advise(1, 0, 0, 0));
    EXPECT(SUCCESS, fd_advise(fd, ~0ull, 0, 0));
}
