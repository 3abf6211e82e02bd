// path_symlink: links to what is there or is not, never to an absolute path.
#include "check.h"

void run(void) {
    filestat stat;
    EXPECT(SUCCESS, path_symlink(P("dir"), ROOT, P("link")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 1, P("link/inner"), &stat));
    EXPECT(SUCCESS, path_symlink(P("missing"), ROOT, P("dangling")));
    EXPECT(NOENT, path_filestat_get(ROOT, 1, P("dangling"), &stat));
    EXPECT(EXIST, path_symlink(P("file"), ROOT, P("dir")));
    EXPECT(NOENT, path_symlink(P("file"), ROOT, P("missing/x")));
    EXPECT(NOTDIR, path_symlink(P("file"), ROOT, P("file/x")));
    EXPECT(PERM, path_symlink(P("/file"), ROOT, P("x")));
    EXPECT(PERM, path_symlink(P("file"), ROOT, P("../x")));
    EXPECT(PERM, path_symlink(P("file"), RO, P("x")));
    EXPECT(BADF, path_symlink(P("file"), MISSING, P("x")));
    EXPECT(BADF, path_symlink(P("file"), 0, P("x")));
}
