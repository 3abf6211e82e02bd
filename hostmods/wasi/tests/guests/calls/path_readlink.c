// path_readlink: what links hold, in enough room or too little.
#include "check.h"

void run(void) {
    EXPECT(SUCCESS, path_symlink(P("dir/inner"), ROOT, P("link")));
    EXPECT(SUCCESS, path_readlink(ROOT, P("link"), bytes, 100, &size));
    THAT(holds("dir/inner", 9));
    EXPECT(SUCCESS, path_readlink(ROOT, P("link"), bytes, 3, &size));
    THAT(holds("dir", 3));
    EXPECT(SUCCESS, path_readlink(ROOT, P("link"), bytes, 0, &size));
    THAT(size == 0);
    EXPECT(INVAL, path_readlink(ROOT, P("file"), bytes, 100, &size));
    EXPECT(INVAL, path_readlink(ROOT, P("dir"), bytes, 100, &size));
    EXPECT(NOENT, path_readlink(ROOT, P("missing"), bytes, 100, &size));
    EXPECT(PERM, path_readlink(ROOT, P("../link"), bytes, 100, &size));
    EXPECT(BADF, path_readlink(MISSING, P("link"), bytes, 100, &size));
    EXPECT(BADF, path_readlink(1, P("link"), bytes, 100, &size));
}
