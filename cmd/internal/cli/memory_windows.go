package cli

import (
	"syscall"
	"unsafe"
)

// memoryStatus is MEMORYSTATUSEX.
type memoryStatus struct {
	length, load                                        uint32
	total, free, pageTotal, pageFree, virtual, vfree, x uint64
}

// machineMemory is the machine's memory in bytes; 0 where the system does not say.
func machineMemory() int64 {
	s := memoryStatus{}
	s.length = uint32(unsafe.Sizeof(s))
	ok, _, _ := syscall.NewLazyDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx").Call(uintptr(unsafe.Pointer(&s)))
	if ok == 0 {
		return 0
	}
	return int64(s.total)
}

func residentMemory() int64 { return runtimeMemory() }
