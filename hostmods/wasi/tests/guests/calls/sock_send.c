// sock_send: sending, and where nobody is to receive.
#include "check.h"

void run(void) {
    iovec two[2] = {{"ab", 2}, {"c", 1}};
    EXPECT(SUCCESS, sock_send(SOCKET, two, 2, 0, &size));
    THAT(size == 3);
    EXPECT(SUCCESS, fd_write(SOCKET, two, 1, &size));
    EXPECT(INVAL, sock_send(SOCKET, two, 1, 1, &size));
    EXPECT(NOTSOCK, sock_send(1, two, 1, 0, &size));
    EXPECT(BADF, sock_send(MISSING, two, 1, 0, &size));
    EXPECT(SUCCESS, sock_shutdown(SOCKET, 2));
    EXPECT(PIPE, sock_send(SOCKET, two, 1, 0, &size));
}
