// sock_accept: a connection that waits, and none.
#include "check.h"

void run(void) {
    u32 fd;
    iovec data = {"served", 6};
    EXPECT(SUCCESS, sock_accept(LISTENER, NONBLOCK, &fd));
    EXPECT(SUCCESS, sock_send(fd, &data, 1, 0, &size));
    THAT(size == 6);
    EXPECT(INVAL, sock_accept(SOCKET, 0, &fd));
    EXPECT(INVAL, sock_accept(LISTENER, 1 << 5, &fd));
    EXPECT(NOTSOCK, sock_accept(ROOT, 0, &fd));
    EXPECT(NOTSOCK, sock_accept(0, 0, &fd));
    EXPECT(BADF, sock_accept(MISSING, 0, &fd));
    EXPECT(SUCCESS, fd_fdstat_set_flags(LISTENER, NONBLOCK));
    EXPECT(AGAIN, sock_accept(LISTENER, 0, &fd));
}
