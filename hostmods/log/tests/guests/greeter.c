/* Logs a greeting with a field, if anybody listens. */
#include <purewasm_log.h>

__attribute__((export_name("level"))) int32_t level(void) { return purewasm_log_lowest_level(); }

__attribute__((export_name("greet"))) int32_t greet(uint32_t level) {
    bool wanted = false;
    int32_t status = purewasm_log_enabled(level, PUREWASM_TEXT("greeter"), &wanted);
    if (status != PUREWASM_OK || !wanted) {
        return -status;
    }
    purewasm_text fields[] = {PUREWASM_TEXT("who"), PUREWASM_TEXT("you")};
    status = purewasm_log_write(level, PUREWASM_TEXT("greeter"), PUREWASM_TEXT("hello"), fields, 2);
    return status == PUREWASM_OK ? 1 : -status;
}
