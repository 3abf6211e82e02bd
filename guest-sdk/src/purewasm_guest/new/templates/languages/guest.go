// Counts greetings in the host's key-value store, up to the host's setting LIMIT.
package main

import (
	"errors"

	"purewasm/global"
	"purewasm/kv"
	"purewasm/mailbox"
)

// greet is the count, -1 at the limit, -2 where the store fails.
//
//go:wasmexport greet
func greet() int32 {
	count := []byte{0}
	found, err := kv.Get("greetings")
	if err == nil && len(found) == 1 {
		count = found
	} else if !errors.Is(err, mailbox.NotFound) {
		return -2
	}
	if uint64(count[0]) >= global.Uint64("LIMIT", 100) {
		return -1
	}
	count[0]++
	if kv.Set("greetings", count, 0) != nil {
		return -2
	}
	return int32(count[0])
}

func main() {}
