package cli

import (
	"encoding/binary"
	"reflect"
	"runtime"
	"syscall"
)

// machineMemory is the machine's memory in bytes; 0 where the system does not say.
func machineMemory() int64 {
	const (
		size    = 64 // of MEMORYSTATUSEX: its own size, the load, and seven numbers of bytes, of which the first is the memory
		totalAt = 8
	)
	status := make([]byte, size)
	binary.LittleEndian.PutUint32(status, size)
	ok, _, _ := syscall.NewLazyDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx").Call(reflect.ValueOf(status).Pointer())
	runtime.KeepAlive(status)
	if ok == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(status[totalAt:]))
}

func residentMemory() int64 { return runtimeMemory() }
