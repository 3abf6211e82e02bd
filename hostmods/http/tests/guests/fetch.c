/* Fetches a URL that the host gives: exports where to write it, and says what came back. */
#include <purewasm_http.h>

static char url[256];
static uint8_t body_start[4];

__attribute__((export_name("url"))) char *url_address(void) { return url; }
__attribute__((export_name("body"))) uint8_t *body_address(void) { return body_start; }

/* The code of the answer, or minus the status; the first bytes of the body are at `body`. */
__attribute__((export_name("fetch"))) int32_t fetch(uint32_t size) {
    purewasm_text headers[] = {PUREWASM_TEXT("accept"), PUREWASM_TEXT("text/plain")};
    uint32_t code;
    purewasm_list fields;
    purewasm_bytes content;
    int32_t status = purewasm_http_request(
        PUREWASM_TEXT("GET"), (purewasm_text){url, size}, headers, 2, (purewasm_bytes){0, 0}, 0, &code, &fields, &content);
    if (status != PUREWASM_OK) {
        return -status;
    }
    for (uint32_t i = 0; i < content.size && i < sizeof body_start; i++) {
        body_start[i] = content.data[i];
    }
    bool marked = false;
    for (uint32_t i = 0; i < fields.count; i++) {
        marked |= purewasm_text_equal(purewasm_take_str(&fields.reader), PUREWASM_TEXT("x-test"));
    }
    return marked ? (int32_t)code : 0;
}
