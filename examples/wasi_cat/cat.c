/* cat: the files named as arguments, or standard input, to standard output. Exit status 1 if one could not be read. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char buffer[4096];

static void say(const char *text) {
    write(STDERR_FILENO, text, strlen(text));
}

static int complain(const char *name) {
    say("cat: ");
    say(name);
    say(": ");
    say(strerror(errno));
    say("\n");
    return 1;
}

static int copy(int file, const char *name) {
    for (;;) {
        ssize_t count = read(file, buffer, sizeof buffer);
        if (count == 0) {
            return 0;
        }
        if (count < 0) {
            return complain(name);
        }
        for (ssize_t done = 0; done < count;) {
            ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(count - done));
            if (written < 0) {
                return complain("standard output");
            }
            done += written;
        }
    }
}

int main(int argc, char **argv) {
    int status = 0;
    if (argc == 1) {
        return copy(STDIN_FILENO, "standard input");
    }
    for (int i = 1; i < argc; i++) {
        int file = open(argv[i], O_RDONLY);
        if (file < 0) {
            status |= complain(argv[i]);
            continue;
        }
        status |= copy(file, argv[i]);
        close(file);
    }
    return status;
}
