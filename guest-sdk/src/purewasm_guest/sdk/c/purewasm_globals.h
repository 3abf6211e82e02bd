/* Named values that the host sets, many at once. The guest's side of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead.
 *
 * Each function returns a status, PUREWASM_OK for success; `purewasm_error_message(&purewasm_globals_box)` tells more. */
#ifndef PUREWASM_GLOBALS_H
#define PUREWASM_GLOBALS_H

#include <purewasm_mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weak: every file that includes this defines them, and the linker keeps one of each. */
__attribute__((weak)) uint8_t purewasm_globals_first_buffer[PUREWASM_MAILBOX_CAPACITY];
__attribute__((weak)) purewasm_mailbox purewasm_globals_box = {PUREWASM_MAGIC, 1, 0, 0, 0, 0, 0, 0, 0, 0};
__asm__(".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\020\\160\\165\\162\\145\\167\\141\\163\\155\\057\\147\\154\\157\\142\\141\\154\\163\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");

__attribute__((import_module("purewasm/globals@1"), import_name("__globals_call"))) void purewasm_globals_import_call(void);

static inline purewasm_mailbox *purewasm_globals_ready(void) {
    if (!purewasm_globals_box.capacity) {
        purewasm_globals_box.buffer = (uint32_t)(uintptr_t)purewasm_globals_first_buffer;
        purewasm_globals_box.capacity = PUREWASM_MAILBOX_CAPACITY;
    }
    return &purewasm_globals_box;
}

__attribute__((weak, export_name("__globals"))) uint32_t purewasm_globals_export_mailbox(void) {
    return (uint32_t)(uintptr_t)purewasm_globals_ready();
}

/* The values of several names, the default of each where the host has none. Errors: INVALID. */
static inline int32_t purewasm_globals_get_many(const purewasm_text *names, uint32_t names_count, const uint64_t *defaults, uint32_t defaults_count, purewasm_list *values) {
    purewasm_mailbox *box = purewasm_globals_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 2);
        purewasm_put_array(&out, names_count);
        for (uint32_t i = 0; i < names_count; i++) {
            purewasm_put_str(&out, names[i]);
        }
        purewasm_put_array(&out, defaults_count);
        for (uint32_t i = 0; i < defaults_count; i++) {
            purewasm_put_u64(&out, defaults[i]);
        }
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 1, &out, purewasm_globals_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *values = purewasm_take_list(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000. */
static inline int32_t purewasm_globals_list(purewasm_text prefix, purewasm_text after, purewasm_list *names) {
    purewasm_mailbox *box = purewasm_globals_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 2);
        purewasm_put_str(&out, prefix);
        purewasm_put_str(&out, after);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 2, &out, purewasm_globals_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *names = purewasm_take_list(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

#ifdef __cplusplus
}
#endif

#endif
