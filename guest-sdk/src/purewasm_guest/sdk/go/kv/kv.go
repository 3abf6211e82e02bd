// Package kv: Bytes by text keys, kept by the host. The guest's side of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead.
package kv

import "purewasm/mailbox"

//go:wasmimport purewasm/kv@1 __kv_call
func hostCall()

var box = mailbox.New(1, 0, hostCall)

//go:wasmexport __kv
func mailboxAddress() uint32 { return box.Address() }

// Get: The value of a key. Errors: NOT_FOUND, INVALID.
func Get(key string) (value []byte, err error) {
	var request mailbox.Writer
	request.Array(1)
	request.Str(key)
	in, err := box.Send(1, request)
	if err != nil {
		return value, err
	}
	value = in.Bytes()
	return value, in.Err()
}

// Set: Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE, DENIED.
func Set(key string, value []byte, ttlMs uint64) (err error) {
	var request mailbox.Writer
	request.Array(3)
	request.Str(key)
	request.Bytes(value)
	request.Uint(uint64(ttlMs))
	_, err = box.Send(2, request)
	return err
}

// Delete: Remove a key; true if it was there. Errors: INVALID, DENIED.
func Delete(key string) (existed bool, err error) {
	var request mailbox.Writer
	request.Array(1)
	request.Str(key)
	in, err := box.Send(3, request)
	if err != nil {
		return existed, err
	}
	existed = in.Bool()
	return existed, in.Err()
}

// Exists: True if the key has a value. Errors: INVALID.
func Exists(key string) (found bool, err error) {
	var request mailbox.Writer
	request.Array(1)
	request.Str(key)
	in, err := box.Send(4, request)
	if err != nil {
		return found, err
	}
	found = in.Bool()
	return found, in.Err()
}

// List: Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as many as the host gives at once). Errors: INVALID.
func List(prefix string, after string, limit uint32) (keys []string, err error) {
	var request mailbox.Writer
	request.Array(3)
	request.Str(prefix)
	request.Str(after)
	request.Uint(uint64(limit))
	in, err := box.Send(5, request)
	if err != nil {
		return keys, err
	}
	for count := in.Array(); count > 0 && in.Err() == nil; count-- {
		keys = append(keys, in.Str())
	}
	return keys, in.Err()
}

// Add: Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED.
func Add(key string, value []byte, ttlMs uint64) (err error) {
	var request mailbox.Writer
	request.Array(3)
	request.Str(key)
	request.Bytes(value)
	request.Uint(uint64(ttlMs))
	_, err = box.Send(6, request)
	return err
}

// CompareAndSet: Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors: NOT_FOUND, INVALID, TOO_LARGE, DENIED.
func CompareAndSet(key string, expected []byte, value []byte) (swapped bool, err error) {
	var request mailbox.Writer
	request.Array(3)
	request.Str(key)
	request.Bytes(expected)
	request.Bytes(value)
	in, err := box.Send(7, request)
	if err != nil {
		return swapped, err
	}
	swapped = in.Bool()
	return swapped, in.Err()
}

// GetMany: The values of several keys at once; a key without one has an empty value, and false in `found`. Errors: INVALID.
func GetMany(keys []string) (found []bool, values [][]byte, err error) {
	var request mailbox.Writer
	request.Array(1)
	request.Array(len(keys))
	for _, item := range keys {
		request.Str(item)
	}
	in, err := box.Send(8, request)
	if err != nil {
		return found, values, err
	}
	in.Expect(2)
	for count := in.Array(); count > 0 && in.Err() == nil; count-- {
		found = append(found, in.Bool())
	}
	for count := in.Array(); count > 0 && in.Err() == nil; count-- {
		values = append(values, in.Bytes())
	}
	return found, values, in.Err()
}
