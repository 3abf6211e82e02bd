// Tries to read each path that stands on a line of standard input: prints the first bytes, or why it failed.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        int fd = open(line, O_RDONLY);
        char content[32] = {0};
        if (fd >= 0 && read(fd, content, sizeof content - 1) >= 0) printf("%.40s: %s\n", line, content);
        else printf("%.40s: %s\n", line, strerror(errno));
        if (fd >= 0) close(fd);
    }
    return 0;
}
