package runner

import (
	"testing"

	"kappa/engine/blas"
)

func TestMain(m *testing.M) {
	blas.Install()
	m.Run()
}
