// sock_recv: looking ahead, receiving, and the end.
#include "check.h"

void run(void) {
    u16 flags;
    iovec two[2] = {{bytes, 2}, {bytes + 2, 20}}, one = buffer(3);
    EXPECT(SUCCESS, sock_recv(SOCKET, &one, 1, 1, &size, &flags));
    THAT(holds("hel", 3));
    EXPECT(SUCCESS, sock_recv(SOCKET, two, 2, 0, &size, &flags));
    THAT(holds("hello", 5) && flags == 0);
    EXPECT(SUCCESS, fd_fdstat_set_flags(SOCKET, NONBLOCK));
    EXPECT(AGAIN, sock_recv(SOCKET, &one, 1, 0, &size, &flags));
    EXPECT(INVAL, sock_recv(SOCKET, &one, 1, 1 << 5, &size, &flags));
    EXPECT(NOTCONN, sock_recv(LISTENER, &one, 1, 0, &size, &flags));
    EXPECT(NOTSOCK, sock_recv(0, &one, 1, 0, &size, &flags));
    EXPECT(BADF, sock_recv(MISSING, &one, 1, 0, &size, &flags));
}
