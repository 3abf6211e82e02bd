/* HTTP requests, as far as the embedder allows them. The guest's side of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead.
 *
 * Each function returns a status, PUREWASM_OK for success; `purewasm_error_message(&purewasm_http_box)` tells more. */
#ifndef PUREWASM_HTTP_H
#define PUREWASM_HTTP_H

#include <purewasm_mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weak: every file that includes this defines them, and the linker keeps one of each. */
__attribute__((weak)) uint8_t purewasm_http_first_buffer[PUREWASM_MAILBOX_CAPACITY];
__attribute__((weak)) purewasm_mailbox purewasm_http_box = {PUREWASM_MAGIC, 1, 0, 0, 0, 0, 0, 0, 0, 0};
__asm__(".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\015\\160\\165\\162\\145\\167\\141\\163\\155\\057\\150\\164\\164\\160\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");

__attribute__((import_module("purewasm/http@1"), import_name("__http_call"))) void purewasm_http_import_call(void);

static inline purewasm_mailbox *purewasm_http_ready(void) {
    if (!purewasm_http_box.capacity) {
        purewasm_http_box.buffer = (uint32_t)(uintptr_t)purewasm_http_first_buffer;
        purewasm_http_box.capacity = PUREWASM_MAILBOX_CAPACITY;
    }
    return &purewasm_http_box;
}

__attribute__((weak, export_name("__http"))) uint32_t purewasm_http_export_mailbox(void) {
    return (uint32_t)(uintptr_t)purewasm_http_ready();
}

/* Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE. */
static inline int32_t purewasm_http_request(purewasm_text verb, purewasm_text url, const purewasm_text *headers, uint32_t headers_count, purewasm_bytes body, uint32_t timeout_ms, uint32_t *code, purewasm_list *fields, purewasm_bytes *content) {
    purewasm_mailbox *box = purewasm_http_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 5);
        purewasm_put_str(&out, verb);
        purewasm_put_str(&out, url);
        purewasm_put_array(&out, headers_count);
        for (uint32_t i = 0; i < headers_count; i++) {
            purewasm_put_str(&out, headers[i]);
        }
        purewasm_put_bytes(&out, body);
        purewasm_put_u32(&out, timeout_ms);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 1, &out, purewasm_http_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    in.bad |= purewasm_take_array(&in) != 3;
    *code = purewasm_take_u32(&in);
    *fields = purewasm_take_list(&in);
    *content = purewasm_take_bytes(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

/* True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host. */
static inline int32_t purewasm_http_allowed(purewasm_text verb, purewasm_text url, bool *permitted) {
    purewasm_mailbox *box = purewasm_http_ready();
    purewasm_writer out;
    purewasm_reader in;
    do {
        out = purewasm_begin(box, 2);
        purewasm_put_str(&out, verb);
        purewasm_put_str(&out, url);
    } while (purewasm_again(box, &out));
    int32_t status = purewasm_send(box, 2, &out, purewasm_http_import_call, &in);
    in.bad |= status != PUREWASM_OK;
    *permitted = purewasm_take_bool(&in);
    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;
}

#ifdef __cplusplus
}
#endif

#endif
