package runner

import (
	"bytes"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/immunize"
	"kappa/runner/dataset"
)

// keepLimit is the size up to which θ is kept by default.
const keepLimit = 1 << 20

// keep writes θ (and the bias, where there is one) beside the database, before the run is recorded: a run in the database
// never points at a file that is not there.
func (t *trial) keep(r reader, res immunize.Result) error {
	if r.str("train.keep") == "none" || res.Theta == nil {
		return nil
	}
	rows, cols := res.Theta.Dims()
	if 8*rows*cols > keepLimit {
		t.logf("θ is not kept: %d×%d is more than 1 MiB", rows, cols)
		return nil
	}
	files := []struct {
		name string
		m    *mat.Dense
	}{{"theta", res.Theta}}
	if res.Bias != nil {
		files = append(files, struct {
			name string
			m    *mat.Dense
		}{"bias", mat.NewDense(1, len(res.Bias), res.Bias)})
	}
	for _, f := range files {
		var b bytes.Buffer
		if err := dataset.WriteNPY(&b, f.m); err != nil {
			return fmt.Errorf("keep %s: %w", f.name, err)
		}
		a, err := t.of.db.WriteArtifact(t.run.Key, f.name, b.Bytes())
		if err != nil {
			return fmt.Errorf("keep %s: %w", f.name, err)
		}
		t.out.Artifacts = append(t.out.Artifacts, a)
	}
	return nil
}
