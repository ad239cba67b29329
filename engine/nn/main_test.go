package nn

import (
	"os"
	"testing"

	"kappa/engine/blas"
)

func TestMain(m *testing.M) {
	blas.Install()
	os.Exit(m.Run())
}
