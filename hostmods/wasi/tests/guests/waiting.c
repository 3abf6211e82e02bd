// Sleeps, and waits for standard input: prints what was there first.
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time)) return -1;
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void) {
    long long before = now(CLOCK_MONOTONIC);
    struct timespec pause = {0, 3000000};
    printf("slept: %d\n", nanosleep(&pause, NULL));
    printf("long enough: %d\n", now(CLOCK_MONOTONIC) - before >= 3000000);
    printf("after 2020: %d\n", now(CLOCK_REALTIME) > 1577836800000000000LL);
    struct timespec resolution;
    printf("resolution: %d\n", clock_getres(CLOCK_MONOTONIC, &resolution) || resolution.tv_sec || resolution.tv_nsec <= 0);

    struct pollfd streams[2] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLOUT}};
    printf("ready to write: %d %d\n", poll(streams + 1, 1, 1000), streams[1].revents == POLLOUT);
    char buffer[100];
    for (;;) {
        int count = poll(streams, 1, 10000);
        ssize_t size = read(0, buffer, sizeof buffer);
        if (size <= 0) break;
        printf("poll gave %d, then %d bytes\n", count, (int)size);
    }
    puts("end of input");
    return 0;
}
