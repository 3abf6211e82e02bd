// sock_shutdown: one direction after the other.
#include "check.h"

void run(void) {
    iovec one = buffer(20);
    u16 flags;
    EXPECT(SUCCESS, sock_shutdown(SOCKET, 2));
    EXPECT(PIPE, sock_send(SOCKET, &one, 1, 0, &size));
    EXPECT(SUCCESS, sock_recv(SOCKET, &one, 1, 0, &size, &flags));
    THAT(holds("hello", 5));
    EXPECT(SUCCESS, sock_shutdown(SOCKET, 1));
    EXPECT(SUCCESS, sock_recv(SOCKET, &one, 1, 0, &size, &flags));
    THAT(size == 0);
    EXPECT(INVAL, sock_shutdown(SOCKET, 0));
    EXPECT(INVAL, sock_shutdown(SOCKET, 4));
    EXPECT(NOTSOCK, sock_shutdown(ROOT, 1));
    EXPECT(BADF, sock_shutdown(MISSING, 1));
}
