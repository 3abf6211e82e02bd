// path_remove_directory: empty directories, and nothing else.
#include "check.h"

void run(void) {
    EXPECT(NOTEMPTY, path_remove_directory(ROOT, P("dir")));
    EXPECT(SUCCESS, path_unlink_file(ROOT, P("dir/inner")));
    EXPECT(SUCCESS, path_remove_directory(ROOT, P("dir")));
    EXPECT(NOENT, path_remove_directory(ROOT, P("dir")));
    EXPECT(NOTDIR, path_remove_directory(ROOT, P("file")));
    EXPECT(NOTDIR, path_remove_directory(ROOT, P("file/x")));
    EXPECT(INVAL, path_remove_directory(ROOT, P(".")));
    EXPECT(PERM, path_remove_directory(ROOT, P("../dir")));
    EXPECT(PERM, path_remove_directory(RO, P("dir")));
    EXPECT(BADF, path_remove_directory(MISSING, P("dir")));
    EXPECT(BADF, path_remove_directory(0, P("dir")));
}
