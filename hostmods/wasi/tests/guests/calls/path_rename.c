// path_rename: moving, replacing, and what cannot be moved where.
#include "check.h"

void run(void) {
    filestat stat;
    EXPECT(SUCCESS, path_rename(ROOT, P("file"), ROOT, P("dir/moved")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("dir/moved"), &stat));
    THAT(stat.size == 8);
    EXPECT(NOENT, path_filestat_get(ROOT, 0, P("file"), &stat));
    EXPECT(SUCCESS, path_rename(ROOT, P("dir/moved"), ROOT, P("dir/inner")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("dir/inner"), &stat));
    THAT(stat.size == 8);
    EXPECT(SUCCESS, path_create_directory(ROOT, P("empty")));
    EXPECT(NOTEMPTY, path_rename(ROOT, P("empty"), ROOT, P("dir")));
    EXPECT(SUCCESS, path_rename(ROOT, P("dir"), ROOT, P("empty")));
    EXPECT(SUCCESS, path_create_directory(ROOT, P("other")));
    EXPECT(ISDIR, path_rename(ROOT, P("empty/inner"), ROOT, P("other")));
    EXPECT(NOTDIR, path_rename(ROOT, P("other"), ROOT, P("empty/inner")));
    EXPECT(INVAL, path_rename(ROOT, P("empty"), ROOT, P("empty/below")));
    EXPECT(NOENT, path_rename(ROOT, P("missing"), ROOT, P("x")));
    EXPECT(NOENT, path_rename(ROOT, P("empty"), ROOT, P("missing/x")));
    EXPECT(PERM, path_rename(ROOT, P("../x"), ROOT, P("x")));
    EXPECT(PERM, path_rename(ROOT, P("empty"), ROOT, P("../x")));
    EXPECT(PERM, path_rename(RO, P("file"), ROOT, P("x")));
    EXPECT(PERM, path_rename(ROOT, P("empty"), RO, P("x")));
    EXPECT(BADF, path_rename(MISSING, P("empty"), ROOT, P("x")));
    EXPECT(BADF, path_rename(ROOT, P("empty"), 0, P("x")));
}
