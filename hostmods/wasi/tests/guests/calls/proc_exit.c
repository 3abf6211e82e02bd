// proc_exit: the status that it gives, at once.
#include "check.h"

void run(void) {
    proc_exit(0);
    THAT(0);
}
