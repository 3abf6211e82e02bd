// path_open: files and directories, made or found, and what cannot be opened.
#include "check.h"

void run(void) {
    u32 fd;
    filestat stat;
    EXPECT(SUCCESS, path_open(ROOT, 0, P("new"), CREAT | EXCL, WRITE, 0, 0, &fd));
    THAT(fd == 5);  // the lowest number that is free
    EXPECT(SUCCESS, path_open(ROOT, 0, P("file"), TRUNC, WRITE, 0, 0, &fd));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.size == 0);
    EXPECT(SUCCESS, path_open(ROOT, 0, P("dir/"), DIRECTORY, READ, 0, 0, &fd));
    EXPECT(SUCCESS, path_open(fd, 0, P("inner"), 0, READ, 0, 0, &fd));
    EXPECT(SUCCESS, path_symlink(P("file"), ROOT, P("link")));
    EXPECT(SUCCESS, path_open(ROOT, 1, P("link"), 0, READ, 0, 0, &fd));
    EXPECT(LOOP, path_open(ROOT, 0, P("link"), 0, READ, 0, 0, &fd));
    EXPECT(EXIST, path_open(ROOT, 0, P("file"), CREAT | EXCL, WRITE, 0, 0, &fd));
    EXPECT(NOENT, path_open(ROOT, 0, P("missing"), 0, READ, 0, 0, &fd));
    EXPECT(NOENT, path_open(ROOT, 0, P("missing/x"), CREAT, WRITE, 0, 0, &fd));
    EXPECT(NOENT, path_open(ROOT, 0, P(""), 0, READ, 0, 0, &fd));
    EXPECT(NOTDIR, path_open(ROOT, 0, P("file"), DIRECTORY, READ, 0, 0, &fd));
    EXPECT(NOTDIR, path_open(ROOT, 0, P("file/x"), 0, READ, 0, 0, &fd));
    EXPECT(ISDIR, path_open(ROOT, 0, P("dir"), 0, READ | WRITE, 0, 0, &fd));
    EXPECT(INVAL, path_open(ROOT, 0, P("x"), CREAT | DIRECTORY, READ, 0, 0, &fd));
    EXPECT(PERM, path_open(ROOT, 0, P("../file"), 0, READ, 0, 0, &fd));
    EXPECT(PERM, path_open(ROOT, 0, P("dir/../../file"), 0, READ, 0, 0, &fd));
    EXPECT(PERM, path_open(ROOT, 0, P("/file"), 0, READ, 0, 0, &fd));
    EXPECT(PERM, path_open(RO, 0, P("file"), 0, WRITE, 0, 0, &fd));
    EXPECT(PERM, path_open(RO, 0, P("new"), CREAT, READ, 0, 0, &fd));
    EXPECT(ILSEQ, path_open(ROOT, 0, P("\xff"), 0, READ, 0, 0, &fd));
    EXPECT(BADF, path_open(MISSING, 0, P("file"), 0, READ, 0, 0, &fd));
    EXPECT(BADF, path_open(0, 0, P("file"), 0, READ, 0, 0, &fd));
}
