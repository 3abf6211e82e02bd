// poll_oneoff: clocks and descriptors, and what cannot be waited for.
#include "check.h"

void run(void) {
    static subscription in[3];
    static event out[3];
    u64 before, after;
    in[0].userdata = 7;
    in[0].clock.id = 1;
    in[0].clock.timeout = 2000000;
    EXPECT(SUCCESS, clock_time_get(1, 1, &before));
    EXPECT(SUCCESS, poll_oneoff(in, out, 1, &size));
    EXPECT(SUCCESS, clock_time_get(1, 1, &after));
    THAT(size == 1 && out[0].userdata == 7 && out[0].error == 0 && out[0].type == 0 && after - before >= 2000000);
    in[0].clock.timeout = after;
    in[0].clock.flags = 1;  // a moment that is over
    EXPECT(SUCCESS, poll_oneoff(in, out, 1, &size));
    THAT(size == 1);
    in[1].userdata = 8;
    in[1].type = 1;
    in[1].fd = OPEN("file", 0, READ);
    in[2].userdata = 9;
    in[2].type = 2;
    in[2].fd = 1;
    EXPECT(SUCCESS, poll_oneoff(in + 1, out, 2, &size));
    THAT(size == 2 && out[0].userdata == 8 && out[0].type == 1 && out[0].bytes == 8 && out[1].userdata == 9 && out[1].type == 2);
    EXPECT(INVAL, poll_oneoff(in, out, 0, &size));
    in[1].fd = MISSING;
    EXPECT(BADF, poll_oneoff(in + 1, out, 1, &size));
    in[1].fd = ROOT;
    EXPECT(BADF, poll_oneoff(in + 1, out, 1, &size));
    in[2].fd = 0;
    EXPECT(BADF, poll_oneoff(in + 2, out, 1, &size));
}
