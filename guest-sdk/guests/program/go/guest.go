// The program of guest-sdk/guests/program, in Go. Standard Go and TinyGo compile it.
package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"purewasm/global"
	"purewasm/kv"
	"purewasm/mailbox"
)

func expect(condition bool) {
	if !condition {
		panic("not as expected")
	}
}

//go:wasmexport testGet
func testGet() {
	expect(global.Bool("TEST_BOOL", true) == true)
	expect(global.Uint64("TEST_UINT64", 42) == 42)
	expect(global.Duration("TEST_DURATION", time.Minute) == time.Minute)
}

//go:wasmexport testOverride
func testOverride() {
	expect(global.Bool("TEST_BOOL", true) == false)
	expect(global.Uint64("TEST_UINT64", 42) == 43)
	expect(global.Duration("TEST_DURATION", time.Minute) == time.Second)
}

// count adds one to the decimal number under "count/<word>".
func count(word string) {
	key := "count/" + word
	before := 0
	found, err := kv.Get(key)
	if err == nil {
		before, err = strconv.Atoi(string(found))
		expect(err == nil)
	} else {
		expect(errors.Is(err, mailbox.NotFound))
	}
	expect(kv.Set(key, []byte(strconv.Itoa(before+1)), 0) == nil)
}

//go:wasmexport countWords
func countWords() int32 {
	text, err := kv.Get("text")
	if err != nil {
		return -1
	}
	words := strings.Fields(string(text))
	for _, word := range words {
		count(word)
	}
	return int32(len(words))
}

func main() {}
