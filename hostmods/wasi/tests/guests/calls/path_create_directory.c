// path_create_directory: making directories, and where that cannot be.
#include "check.h"

void run(void) {
    filestat stat;
    EXPECT(SUCCESS, path_create_directory(ROOT, P("new")));
    EXPECT(SUCCESS, path_create_directory(ROOT, P("new/below/")));
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("new/below"), &stat));
    THAT(stat.type == 3);
    EXPECT(EXIST, path_create_directory(ROOT, P("new")));
    EXPECT(EXIST, path_create_directory(ROOT, P("file")));
    EXPECT(EXIST, path_create_directory(ROOT, P(".")));
    EXPECT(NOENT, path_create_directory(ROOT, P("missing/new")));
    EXPECT(NOENT, path_create_directory(ROOT, P("")));
    EXPECT(NOTDIR, path_create_directory(ROOT, P("file/new")));
    EXPECT(PERM, path_create_directory(ROOT, P("../new")));
    EXPECT(PERM, path_create_directory(ROOT, P("/new")));
    EXPECT(PERM, path_create_directory(RO, P("new")));
    EXPECT(ILSEQ, path_create_directory(ROOT, P("\xff")));
    EXPECT(BADF, path_create_directory(MISSING, P("new")));
    EXPECT(BADF, path_create_directory(0, P("new")));
}
