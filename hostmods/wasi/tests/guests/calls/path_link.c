// path_link: second names of files, and what can have none.
#include "check.h"

void run(void) {
    filestat one, other;
    EXPECT(SUCCESS, path_link(ROOT, 0, P("file"), ROOT, P("dir/second")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("file"), &one));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("dir/second"), &other));
    THAT(one.ino == other.ino && one.links == 2);
    EXPECT(EXIST, path_link(ROOT, 0, P("file"), ROOT, P("dir")));
    EXPECT(NOENT, path_link(ROOT, 0, P("missing"), ROOT, P("x")));
    EXPECT(NOENT, path_link(ROOT, 0, P("file"), ROOT, P("missing/x")));
    EXPECT(INVAL, path_link(ROOT, 1, P("file"), ROOT, P("x")));
    EXPECT(PERM, path_link(ROOT, 0, P("dir"), ROOT, P("x")));
    EXPECT(PERM, path_link(ROOT, 0, P("../file"), ROOT, P("x")));
    EXPECT(PERM, path_link(ROOT, 0, P("file"), ROOT, P("../x")));
    EXPECT(PERM, path_link(RO, 0, P("file"), ROOT, P("x")));
    EXPECT(PERM, path_link(ROOT, 0, P("file"), RO, P("x")));
    EXPECT(BADF, path_link(MISSING, 0, P("file"), ROOT, P("x")));
    EXPECT(BADF, path_link(ROOT, 0, P("file"), 0, P("x")));
}
