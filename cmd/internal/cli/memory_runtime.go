//go:build !linux

package cli

import "runtime/metrics"

// runtimeMemory is what the Go runtime has of the machine's memory, in bytes: nearly all that this process takes.
func runtimeMemory() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64()) - int64(s[1].Value.Uint64())
}
