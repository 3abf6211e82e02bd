// An HTTP/1.1 server on descriptor 3: GET / greets, POST /echo sends the body back, GET /quit ends it. Connections are kept open for
// further requests unless the client says "close".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char head[4096];

// Sends everything, however little is taken at a time.
static int send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, 0);
        if (sent <= 0) return -1;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

static int answer(int fd, const char *status, const char *body, size_t size) {
    char line[256];
    int length = snprintf(line, sizeof line, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", status, size);
    return send_all(fd, line, (size_t)length) || send_all(fd, body, size);
}

// The value of a header, or NULL.
static const char *header(const char *name) {
    size_t length = strlen(name);
    for (char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, length) && line[2 + length] == ':') return line + 3 + length + strspn(line + 3 + length, " ");
    return NULL;
}

// One request and its answer: 0 to go on with the connection, 1 to close it, 2 to end.
static int serve(int fd) {
    size_t size = 0;
    char *end = NULL;
    while (!end) {
        if (size == sizeof head - 1) return answer(fd, "431 Request Header Fields Too Large", "", 0), 1;
        ssize_t got = recv(fd, head + size, sizeof head - 1 - size, 0);
        if (got <= 0) return 1;
        head[size += (size_t)got] = 0;
        end = strstr(head, "\r\n\r\n");
    }
    const char *length = header("Content-Length"), *connection = header("Connection");
    int closes = connection && !strncasecmp(connection, "close", 5);
    size_t wanted = length ? strtoul(length, NULL, 10) : 0, have = size - (size_t)(end + 4 - head);
    char *body = malloc(wanted + 1);
    if (!body) return answer(fd, "413 Content Too Large", "", 0), 1;
    memcpy(body, end + 4, have < wanted ? have : wanted);
    while (have < wanted) {
        ssize_t got = recv(fd, body + have, wanted - have, 0);
        if (got <= 0) return free(body), 1;
        have += (size_t)got;
    }
    int result = closes;
    if (!strncmp(head, "GET / ", 6)) answer(fd, "200 OK", "hello\n", 6);
    else if (!strncmp(head, "POST /echo ", 11)) answer(fd, "200 OK", body, wanted);
    else if (!strncmp(head, "GET /quit ", 10)) answer(fd, "200 OK", "bye\n", 4), result = 2;
    else answer(fd, "404 Not Found", "not here\n", 9);
    free(body);
    return result;
}

int main(void) {
    for (int result = 0; result != 2;) {
        int fd = accept(3, NULL, NULL);
        if (fd < 0) return 1;
        for (result = 0; !result;) result = serve(fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return 0;
}
