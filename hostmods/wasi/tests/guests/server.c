// Accepts connections on descriptor 3 and sends every line back in capitals, until one says "end".
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    for (int served = 1;; served++) {
        int connection = accept(3, NULL, NULL);
        if (connection < 0) {
            printf("accept: %s\n", strerror(errno));
            return 1;
        }
        char buffer[256];
        ssize_t size, total = 0;
        int end = 0;
        while ((size = recv(connection, buffer, sizeof buffer, 0)) > 0) {
            end |= size >= 3 && !memcmp(buffer, "end", 3);
            for (ssize_t i = 0; i < size; i++) buffer[i] = (char)toupper((unsigned char)buffer[i]);
            if (send(connection, buffer, (size_t)size, 0) != size) return 2;
            total += size;
        }
        shutdown(connection, SHUT_WR);
        close(connection);
        printf("connection %d: %d bytes\n", served, (int)total);
        if (end) return 0;
    }
}
