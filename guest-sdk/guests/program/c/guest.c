/* The program of `guest-sdk/guests/program`, in C. */
#include <purewasm_global.h>
#include <purewasm_kv.h>

static void expect(bool condition) {
    if (!condition) {
        __builtin_trap();
    }
}

__attribute__((export_name("testGet"))) void test_get(void) {
    expect(purewasm_global_bool("TEST_BOOL", true) == true);
    expect(purewasm_global_uint64("TEST_UINT64", 42) == 42);
    expect(purewasm_global_duration("TEST_DURATION", PUREWASM_MINUTE) == PUREWASM_MINUTE);
}

__attribute__((export_name("testOverride"))) void test_override(void) {
    expect(purewasm_global_bool("TEST_BOOL", true) == false);
    expect(purewasm_global_uint64("TEST_UINT64", 42) == 43);
    expect(purewasm_global_duration("TEST_DURATION", PUREWASM_MINUTE) == PUREWASM_SECOND);
}

#define TEXT_CAPACITY 8192
static uint8_t text[TEXT_CAPACITY];

/* Add one to the decimal number under "count/<word>". */
static void count(const uint8_t *word, uint32_t size) {
    char key[64] = "count/";
    expect(size <= sizeof key - 6);
    for (uint32_t i = 0; i < size; i++) {
        key[6 + i] = (char)word[i];
    }
    purewasm_text name = {key, 6 + size};
    purewasm_bytes found;
    uint32_t number = 0;
    int32_t status = purewasm_kv_get(name, &found);
    expect(status == PUREWASM_OK || status == PUREWASM_NOT_FOUND);
    for (uint32_t i = 0; status == PUREWASM_OK && i < found.size; i++) {
        number = number * 10 + (found.data[i] - '0');
    }
    number++;
    uint8_t digits[10];
    uint32_t at = sizeof digits;
    for (; number; number /= 10) {
        digits[--at] = (uint8_t)('0' + number % 10);
    }
    expect(purewasm_kv_set(name, (purewasm_bytes){digits + at, sizeof digits - at}, 0) == PUREWASM_OK);
}

__attribute__((export_name("countWords"))) int32_t count_words(void) {
    purewasm_bytes found;
    if (purewasm_kv_get(PUREWASM_TEXT("text"), &found) != PUREWASM_OK) {
        return -1;
    }
    expect(found.size <= TEXT_CAPACITY);
    uint32_t size = found.size;
    for (uint32_t i = 0; i < size; i++) { /* out of the mailbox's buffer, which the next call overwrites */
        text[i] = found.data[i];
    }
    int32_t words = 0;
    for (uint32_t start = 0, i = 0; i <= size; i++) {
        if (i == size || text[i] == ' ' || text[i] == '\n') {
            if (i > start) {
                count(text + start, i - start);
                words++;
            }
            start = i + 1;
        }
    }
    return words;
}
