// path_unlink_file: files and links, no directories.
#include "check.h"

void run(void) {
    filestat stat;
    EXPECT(SUCCESS, path_symlink(P("file"), ROOT, P("link")));
    EXPECT(SUCCESS, path_unlink_file(ROOT, P("link")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("file"), &stat));
    EXPECT(SUCCESS, path_unlink_file(ROOT, P("file")));
    EXPECT(NOENT, path_unlink_file(ROOT, P("file")));
    EXPECT(ISDIR, path_unlink_file(ROOT, P("dir")));
    EXPECT(ISDIR, path_unlink_file(ROOT, P("dir/")));
    EXPECT(NOTDIR, path_unlink_file(ROOT, P("dir/inner/x")));
    EXPECT(PERM, path_unlink_file(ROOT, P("../file")));
    EXPECT(PERM, path_unlink_file(RO, P("file")));
    EXPECT(BADF, path_unlink_file(MISSING, P("file")));
    EXPECT(BADF, path_unlink_file(0, P("file")));
}
