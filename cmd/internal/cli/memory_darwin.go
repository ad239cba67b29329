package cli

import (
	"encoding/binary"
	"syscall"
)

// machineMemory is the machine's memory in bytes; 0 where the system does not say.
func machineMemory() int64 {
	text, err := syscall.Sysctl("hw.memsize") // eight bytes, of which the last zero is taken for the end of a text
	if err != nil || len(text) > 8 {
		return 0
	}
	var b [8]byte
	copy(b[:], text)
	return int64(binary.LittleEndian.Uint64(b[:]))
}

func residentMemory() int64 { return runtimeMemory() }
