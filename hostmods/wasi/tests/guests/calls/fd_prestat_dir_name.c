// fd_prestat_dir_name: their names, in enough room or too little.
#include "check.h"

void run(void) {
    EXPECT(SUCCESS, fd_prestat_dir_name(RO, bytes, 3));
    size = 3;
    THAT(holds("/ro", 3));
    EXPECT(NAMETOOLONG, fd_prestat_dir_name(RO, bytes, 2));
    EXPECT(BADF, fd_prestat_dir_name(MISSING, bytes, 3));
    EXPECT(NOTDIR, fd_prestat_dir_name(0, bytes, 3));
    EXPECT(NOTDIR, fd_prestat_dir_name(OPEN("dir", DIRECTORY, READ), bytes, 3));
}
