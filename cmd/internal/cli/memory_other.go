//go:build !linux && !darwin && !windows

package cli

// machineMemory is not known.
func machineMemory() int64 { return 0 }

func residentMemory() int64 { return runtimeMemory() }
