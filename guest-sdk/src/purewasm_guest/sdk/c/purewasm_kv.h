/* Bytes by text keys, kept by the host. The guest's side of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead.
 *
 * Each function returns a status, PUREWASM_OK for success; `purewasm_error_message(&purewasm_kv_box)` tells more. */
#ifndef PUREWASM_KV_H
#define PUREWASM_KV_H

#include <purewasm_mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weak: every file that includes this defines them, and the linker keeps one of each. */
__attribute__((weak)) uint8_t purewasm_kv_first_buffer[PUREWASM_MAILBOX_CAPACITY];
__attribute__((weak)) purewasm_mailbox purewasm_kv_box = {PUREWASM_MAGIC, 1, 0, 0, 0, 0, 0, 0, 0, 0};
__asm__(".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\013\\160\\165\\162\\145\\167\\141\\163\\155\\057\\153\\166\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");

__attribute__((import_module("purewasm/kv@1"), import_name("__kv_call"))) void purewasm_kv_import_call(void);

static inline purewasm_mailbox *purewasm_kv_ready(void) {
    if (!purewasm_kv_box.capacity) {
        purewasm_kv_box.buffer = (uint32_t)(uintptr_t)purewasm_kv_first_buffer;
        purewasm_kv_box.capacity = PUREWASM_MAILBOX_CAPACITY;
    }
    return &purewasm_kv_box;
}

__attribute__((weak, export_name("__kv"))) uint32_t purewasm_kv_export_mailbox(void) {
    return (uint32_t)(uintptr_t)purewasm_kv_ready();
}

/* The value of a key. Errors: NOT_FOUND, INVALID. */
static inline int32_t purewasm_kv_get(purewasm_text key, purewasm_bytes *value) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 1);
        purewasm_put_str(&out, key);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 1, &out, purewasm_kv_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *value = purewasm_take_bytes(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE, DENIED. */
static inline int32_t purewasm_kv_set(purewasm_text key, purewasm_bytes value, uint64_t ttl_ms) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 3);
        purewasm_put_str(&out, key);
        purewasm_put_bytes(&out, value);
        purewasm_put_u64(&out, ttl_ms);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 2, &out, purewasm_kv_import_call, &in);
    return status;
}

/* Remove a key; true if it was there. Errors: INVALID, DENIED. */
static inline int32_t purewasm_kv_delete(purewasm_text key, bool *existed) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 1);
        purewasm_put_str(&out, key);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 3, &out, purewasm_kv_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *existed = purewasm_take_bool(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* True if the key has a value. Errors: INVALID. */
static inline int32_t purewasm_kv_exists(purewasm_text key, bool *found) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 1);
        purewasm_put_str(&out, key);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 4, &out, purewasm_kv_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *found = purewasm_take_bool(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as many as the host gives at once). Errors: INVALID. */
static inline int32_t purewasm_kv_list(purewasm_text prefix, purewasm_text after, uint32_t limit, purewasm_list *keys) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 3);
        purewasm_put_str(&out, prefix);
        purewasm_put_str(&out, after);
        purewasm_put_u32(&out, limit);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 5, &out, purewasm_kv_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *keys = purewasm_take_list(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED. */
static inline int32_t purewasm_kv_add(purewasm_text key, purewasm_bytes value, uint64_t ttl_ms) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 3);
        purewasm_put_str(&out, key);
        purewasm_put_bytes(&out, value);
        purewasm_put_u64(&out, ttl_ms);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 6, &out, purewasm_kv_import_call, &in);
    return status;
}

/* Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors: NOT_FOUND, INVALID, TOO_LARGE, DENIED. */
static inline int32_t purewasm_kv_compare_and_set(purewasm_text key, purewasm_bytes expected, purewasm_bytes value, bool *swapped) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 3);
        purewasm_put_str(&out, key);
        purewasm_put_bytes(&out, expected);
        purewasm_put_bytes(&out, value);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 7, &out, purewasm_kv_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *swapped = purewasm_take_bool(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* The values of several keys at once; a key without one has an empty value, and false in `found`. Errors: INVALID. */
static inline int32_t purewasm_kv_get_many(const purewasm_text *keys, uint32_t keys_count, purewasm_list *found, purewasm_list *values) {
    purewasm_mailbox *box = purewasm_kv_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 1);
        purewasm_put_array(&out, keys_count);
        for (uint32_t i = 0; i < keys_count; i++) {
            purewasm_put_str(&out, keys[i]);
        }
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 8, &out, purewasm_kv_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    in.bad |= purewasm_take_array(&in) != 2;
    *found = purewasm_take_list(&in);
    *values = purewasm_take_list(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

#ifdef __cplusplus
}
#endif

#endif
