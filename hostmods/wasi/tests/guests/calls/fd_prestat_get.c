// fd_prestat_get: preopened directories, and where they end.
#include "check.h"

void run(void) {
    prestat stat;
    EXPECT(SUCCESS, fd_prestat_get(ROOT, &stat));
    THAT(stat.type == 0 && stat.size == 1);
    EXPECT(SUCCESS, fd_prestat_get(RO, &stat));
    THAT(stat.type == 0 && stat.size == 3);
    EXPECT(BADF, fd_prestat_get(MISSING, &stat));
    EXPECT(BADF, fd_prestat_get(0, &stat));
    EXPECT(BADF, fd_prestat_get(OPEN("dir", DIRECTORY, READ), &stat));
}
