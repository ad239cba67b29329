//go:build !linux && !darwin

package store

// freeSpace does not know: a disk that is full is told when it is.
func freeSpace(string) space { return space{} }
