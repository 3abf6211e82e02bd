// Works on files and directories below the first preopened directory, as a C program does, and prints what came of it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define SHOW(call) show(#call, (long)(call))

static void show(const char *what, long result) {
    if (result < 0) printf("%s: %s\n", what, strerror(errno));
    else printf("%s: %ld\n", what, result);
    errno = 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list(const char *path) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);
    printf("%s has", path);
    for (int i = 0; i < count; i++) printf(" %s(%d)", entries[i]->d_name, entries[i]->d_type);
    printf("\n");
}

static void status(const char *path) {
    struct stat s;
    if (stat(path, &s) < 0) show(path, -1);
    else printf("%s: mode %o size %lld links %d\n", path, s.st_mode & S_IFMT, (long long)s.st_size, (int)s.st_nlink);
}

int main(void) {
    char buffer[64] = {0};
    SHOW(mkdir("made", 0777));
    SHOW(mkdir("made", 0777));
    SHOW(mkdir("missing/made", 0777));
    SHOW(mkdir("made/below", 0777));

    int fd = open("made/file", O_CREAT | O_EXCL | O_RDWR, 0666);
    SHOW(write(fd, "hello, world", 12));
    SHOW(lseek(fd, 7, SEEK_SET));
    SHOW(read(fd, buffer, 5));
    printf("read %s\n", buffer);
    SHOW(pwrite(fd, "HELLO", 5, 0));
    SHOW(pread(fd, buffer, 12, 0));
    printf("read %s\n", buffer);
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(ftruncate(fd, 5));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(fsync(fd));
    SHOW(fcntl(fd, F_SETFL, O_APPEND));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(fd, "!", 1));
    SHOW(close(fd));
    SHOW(close(fd));
    status("made/file");
    SHOW(open("made/file", O_CREAT | O_EXCL | O_RDWR, 0666));
    SHOW(open("made/missing", O_RDONLY));
    SHOW(open("made/file/x", O_RDONLY));
    SHOW(open("made", O_WRONLY));
    SHOW(open("made/file", O_RDONLY | O_DIRECTORY));

    SHOW(symlink("file", "made/link"));
    SHOW(symlink("../..", "made/out"));
    SHOW(symlink("/etc", "made/absolute"));
    SHOW(readlink("made/link", buffer, sizeof buffer));
    SHOW(readlink("made/file", buffer, sizeof buffer));
    SHOW(open("made/out/x", O_RDONLY));
    SHOW(open("made/link", O_RDONLY | O_NOFOLLOW));
    SHOW(link("made/file", "made/second"));
    status("made/second");
    status("made/link");
    SHOW(rename("made/second", "made/below/moved"));
    SHOW(rename("made/below", "made/file"));
    SHOW(rename("made", "made/below/x"));
    list("made");
    list("made/below");
    SHOW(rmdir("made"));
    SHOW(rmdir("made/file"));
    SHOW(unlink("made/below"));
    SHOW(unlink("made/missing"));

    struct timeval times[2] = {{1000000000, 5}, {1000000001, 6}};
    struct stat s;
    SHOW(utimes("made/file", times));
    SHOW(stat("made/file", &s));
    printf("times %lld.%ld %lld.%ld\n", (long long)s.st_atim.tv_sec, s.st_atim.tv_nsec, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);

    SHOW(access("made/file", R_OK));
    SHOW(unlink("made/below/moved"));
    SHOW(unlink("made/link"));
    SHOW(unlink("made/out"));
    SHOW(unlink("made/file"));
    SHOW(rmdir("made/below"));
    SHOW(rmdir("made"));
    list(".");
    return 0;
}
