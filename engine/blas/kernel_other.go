//go:build !amd64

package blas

// supported returns the implementations that this processor can run: there are kernels for amd64 only.
func supported() []Implementation { return nil }
