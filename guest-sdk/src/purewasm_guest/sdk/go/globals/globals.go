// Package globals: Named values that the host sets, many at once. The guest's side of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead.
package globals

import "purewasm/mailbox"

//go:wasmimport purewasm/globals@1 __globals_call
func hostCall()

var box = mailbox.New(1, 0, hostCall)

//go:wasmexport __globals
func mailboxAddress() uint32 { return box.Address() }

// GetMany: The values of several names, the default of each where the host has none. Errors: INVALID.
func GetMany(names []string, defaults []uint64) (values []uint64, err error) {
	var request mailbox.Writer
	request.Array(2)
	request.Array(len(names))
	for _, item := range names {
		request.Str(item)
	}
	request.Array(len(defaults))
	for _, item := range defaults {
		request.Uint(uint64(item))
	}
	in, err := box.Send(1, request)
	if err != nil {
		return values, err
	}
	for count := in.Array(); count > 0 && in.Err() == nil; count-- {
		values = append(values, uint64(in.Uint(64)))
	}
	return values, in.Err()
}

// List: The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000.
func List(prefix string, after string) (names []string, err error) {
	var request mailbox.Writer
	request.Array(2)
	request.Str(prefix)
	request.Str(after)
	in, err := box.Send(2, request)
	if err != nil {
		return names, err
	}
	for count := in.Array(); count > 0 && in.Err() == nil; count-- {
		names = append(names, in.Str())
	}
	return names, in.Err()
}
