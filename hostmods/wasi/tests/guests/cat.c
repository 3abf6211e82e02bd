// Copies the files that it is given, or standard input, to standard output. 1 if one of them cannot be read.
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int copy(FILE *file) {
    static char buffer[65536];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) {
        if (fwrite(buffer, 1, size, stdout) != size) return 1;
    }
    return ferror(file) || fflush(stdout);
}

int main(int argc, char **argv) {
    int failed = 0;
    if (argc < 2) return copy(stdin);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            failed = 1;
            continue;
        }
        failed |= copy(file);
        fclose(file);
    }
    return failed;
}
