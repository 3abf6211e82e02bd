// Package http: HTTP requests, as far as the embedder allows them. The guest's side of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead.
package http

import "purewasm/mailbox"

//go:wasmimport purewasm/http@1 __http_call
func hostCall()

var box = mailbox.New(1, 0, hostCall)

//go:wasmexport __http
func mailboxAddress() uint32 { return box.Address() }

// Request: Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE.
func Request(verb string, url string, headers []string, body []byte, timeoutMs uint32) (code uint32, fields []string, content []byte, err error) {
	var request mailbox.Writer
	request.Array(5)
	request.Str(verb)
	request.Str(url)
	request.Array(len(headers))
	for _, item := range headers {
		request.Str(item)
	}
	request.Bytes(body)
	request.Uint(uint64(timeoutMs))
	in, err := box.Send(1, request)
	if err != nil {
		return code, fields, content, err
	}
	in.Expect(3)
	code = uint32(in.Uint(32))
	for count := in.Array(); count > 0 && in.Err() == nil; count-- {
		fields = append(fields, in.Str())
	}
	content = in.Bytes()
	return code, fields, content, in.Err()
}

// Allowed: True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host.
func Allowed(verb string, url string) (permitted bool, err error) {
	var request mailbox.Writer
	request.Array(2)
	request.Str(verb)
	request.Str(url)
	in, err := box.Send(2, request)
	if err != nil {
		return permitted, err
	}
	permitted = in.Bool()
	return permitted, in.Err()
}
