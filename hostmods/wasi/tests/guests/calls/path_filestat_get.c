// path_filestat_get: attributes by path, links followed or not.
#include "check.h"

void run(void) {
    filestat one, other;
    EXPECT(SUCCESS, path_symlink(P("file"), ROOT, P("link")));
    EXPECT(SUCCESS, path_symlink(P("round"), ROOT, P("round")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("file"), &one));
    THAT(one.type == 4 && one.size == 8);
    EXPECT(SUCCESS, path_filestat_get(ROOT, 1, P("link"), &other));
    THAT(other.ino == one.ino);
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("link"), &other));
    THAT(other.type == 7 && other.size == 4);
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("dir/"), &other));
    THAT(other.type == 3);
    EXPECT(NOENT, path_filestat_get(ROOT, 0, P("missing"), &one));
    EXPECT(NOENT, path_filestat_get(ROOT, 0, P(""), &one));
    EXPECT(NOTDIR, path_filestat_get(ROOT, 0, P("file/"), &one));
    EXPECT(NOTDIR, path_filestat_get(ROOT, 0, P("file/x"), &one));
    EXPECT(LOOP, path_filestat_get(ROOT, 1, P("round"), &one));
    EXPECT(PERM, path_filestat_get(ROOT, 0, P(".."), &one));
    EXPECT(PERM, path_filestat_get(ROOT, 0, P("/etc"), &one));
    EXPECT(BADF, path_filestat_get(MISSING, 0, P("file"), &one));
    EXPECT(BADF, path_filestat_get(1, 0, P("file"), &one));
}
