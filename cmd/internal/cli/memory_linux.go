package cli

import (
	"os"
	"strconv"
	"strings"
)

// machineMemory is what this process may have of the machine's memory, in bytes; 0 where the system does not say.
func machineMemory() int64 { return systemMemory(os.DirFS("/")) }

// residentMemory is what this process takes of the machine's memory, in bytes; 0 where the system does not say.
func residentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm") // pages: size resident …
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
