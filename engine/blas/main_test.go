package blas

import "testing"

func TestMain(m *testing.M) {
	Install()
	m.Run()
}
