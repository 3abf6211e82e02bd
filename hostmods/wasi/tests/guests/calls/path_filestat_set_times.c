// path_filestat_set_times: times by path, links followed or not.
#include "check.h"

void run(void) {
    filestat stat;
    EXPECT(SUCCESS, path_symlink(P("file"), ROOT, P("link")));
    EXPECT(SUCCESS, path_filestat_set_times(ROOT, 1, P("link"), 1000000000, 2000000000, 1 | 4));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("file"), &stat));
    THAT(stat.atim == 1000000000 && stat.mtim == 2000000000);
    EXPECT(SUCCESS, path_filestat_set_times(ROOT, 0, P("link"), 3000000000, 0, 1));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("file"), &stat));
    THAT(stat.atim == 1000000000);
    EXPECT(INVAL, path_filestat_set_times(ROOT, 0, P("file"), 0, 0, 1 | 2));
    EXPECT(NOENT, path_filestat_set_times(ROOT, 0, P("missing"), 0, 0, 1));
    EXPECT(NOTDIR, path_filestat_set_times(ROOT, 0, P("file/x"), 0, 0, 1));
    EXPECT(PERM, path_filestat_set_times(ROOT, 0, P("../file"), 0, 0, 1));
    EXPECT(PERM, path_filestat_set_times(RO, 0, P("file"), 0, 0, 1));
    EXPECT(BADF, path_filestat_set_times(MISSING, 0, P("file"), 0, 0, 1));
    EXPECT(BADF, path_filestat_set_times(0, 0, P("file"), 0, 0, 1));
}
