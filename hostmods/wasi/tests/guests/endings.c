// Ends in the way that its argument says.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void at_exit(void) { puts("at exit"); }

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "return";
    atexit(at_exit);
    printf("%s", way);
    if (!strcmp(way, "exit")) exit(7);
    if (!strcmp(way, "quick")) _exit(8);
    if (!strcmp(way, "large")) exit(125);
    if (!strcmp(way, "trap")) __builtin_trap();
    if (!strcmp(way, "abort")) abort();
    if (!strcmp(way, "three")) return 3;
    return 0;
}
