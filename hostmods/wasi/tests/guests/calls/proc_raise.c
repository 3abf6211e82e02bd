// proc_raise: signals do not exist here.
#include "check.h"

void run(void) {
    EXPECT(NOTSUP, proc_raise(6));
    EXPECT(NOTSUP, proc_raise(15));
}
