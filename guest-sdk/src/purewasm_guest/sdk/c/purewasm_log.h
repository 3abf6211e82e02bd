/* Messages for the host's log. The guest's side of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead.
 *
 * Each function returns a status, PUREWASM_OK for success; `purewasm_error_message(&purewasm_log_box)` tells more. */
#ifndef PUREWASM_LOG_H
#define PUREWASM_LOG_H

#include <purewasm_mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weak: every file that includes this defines them, and the linker keeps one of each. */
__attribute__((weak)) uint8_t purewasm_log_first_buffer[PUREWASM_MAILBOX_CAPACITY];
__attribute__((weak)) purewasm_mailbox purewasm_log_box = {PUREWASM_MAGIC, 1, 0, 0, 0, 0, 0, 0, 0, 0};
__asm__(".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\014\\160\\165\\162\\145\\167\\141\\163\\155\\057\\154\\157\\147\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");

__attribute__((import_module("purewasm/log@1"), import_name("__log_call"))) void purewasm_log_import_call(void);

static inline purewasm_mailbox *purewasm_log_ready(void) {
    if (!purewasm_log_box.capacity) {
        purewasm_log_box.buffer = (uint32_t)(uintptr_t)purewasm_log_first_buffer;
        purewasm_log_box.capacity = PUREWASM_MAILBOX_CAPACITY;
    }
    return &purewasm_log_box;
}

__attribute__((weak, export_name("__log"))) uint32_t purewasm_log_export_mailbox(void) {
    return (uint32_t)(uintptr_t)purewasm_log_ready();
}

/* Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and values in turn. Errors: INVALID, TOO_LARGE. */
static inline int32_t purewasm_log_write(uint32_t level, purewasm_text logger, purewasm_text message, const purewasm_text *fields, uint32_t fields_count) {
    purewasm_mailbox *box = purewasm_log_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 4);
        purewasm_put_u32(&out, level);
        purewasm_put_str(&out, logger);
        purewasm_put_str(&out, message);
        purewasm_put_array(&out, fields_count);
        for (uint32_t i = 0; i < fields_count; i++) {
            purewasm_put_str(&out, fields[i]);
        }
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 1, &out, purewasm_log_import_call, &in);
    return status;
}

/* True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID. */
static inline int32_t purewasm_log_enabled(uint32_t level, purewasm_text logger, bool *kept) {
    purewasm_mailbox *box = purewasm_log_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 2);
        purewasm_put_u32(&out, level);
        purewasm_put_str(&out, logger);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 2, &out, purewasm_log_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *kept = purewasm_take_bool(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before each message. */
__attribute__((import_module("purewasm/log@1"), import_name("__log_lowest_level"))) int32_t purewasm_log_lowest_level(void);

#ifdef __cplusplus
}
#endif

#endif
