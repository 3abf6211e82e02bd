// Package log: Messages for the host's log. The guest's side of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead.
package log

import "purewasm/mailbox"

//go:wasmimport purewasm/log@1 __log_call
func hostCall()

var box = mailbox.New(1, 0, hostCall)

//go:wasmexport __log
func mailboxAddress() uint32 { return box.Address() }

// Write: Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and values in turn. Errors: INVALID, TOO_LARGE.
func Write(level uint32, logger string, message string, fields []string) (err error) {
	var request mailbox.Writer
	request.Array(4)
	request.Uint(uint64(level))
	request.Str(logger)
	request.Str(message)
	request.Array(len(fields))
	for _, item := range fields {
		request.Str(item)
	}
	_, err = box.Send(1, request)
	return err
}

// Enabled: True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID.
func Enabled(level uint32, logger string) (kept bool, err error) {
	var request mailbox.Writer
	request.Array(2)
	request.Uint(uint64(level))
	request.Str(logger)
	in, err := box.Send(2, request)
	if err != nil {
		return kept, err
	}
	kept = in.Bool()
	return kept, in.Err()
}

// LowestLevel: The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before each message.
//
//go:wasmimport purewasm/log@1 __log_lowest_level
func LowestLevel() int32
