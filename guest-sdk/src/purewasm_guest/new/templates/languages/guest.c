/* Counts greetings in the host's key-value store, up to the host's setting LIMIT.
 * The count, -1 at the limit, -2 where the store fails. */
#include <purewasm_global.h>
#include <purewasm_kv.h>

__attribute__((export_name("greet"))) int32_t greet(void) {
    purewasm_bytes found;
    uint8_t count = 0;
    int32_t status = purewasm_kv_get(PUREWASM_TEXT("greetings"), &found);
    if (status == PUREWASM_OK && found.size == 1) {
        count = found.data[0];
    } else if (status != PUREWASM_NOT_FOUND) {
        return -2;
    }
    if (count >= purewasm_global_uint64("LIMIT", 100)) {
        return -1;
    }
    count++;
    status = purewasm_kv_set(PUREWASM_TEXT("greetings"), (purewasm_bytes){&count, 1}, 0);
    return status == PUREWASM_OK ? count : -2;
}
