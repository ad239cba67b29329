package runner

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"kappa/engine/spectrum"
	"kappa/runner/dataset"
)

var everyPair = flag.Bool("pairs", false, "measure every pair of digits with a reference value, not the first alone")

// TestMNIST holds the tasks of pairs of digits, as the paper's code forms them, to what numpy measured: ranks exactly, the
// condition numbers, which are above 1e10, to 1e-3.
func TestMNIST(t *testing.T) {
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the MNIST files are not in this repository")
	}
	if _, err := os.Stat(filepath.Join(dir, "mnist")); err != nil {
		t.Fatalf("KAPPA_DATA is set, and the MNIST files are not there: %v", err)
	}
	src := dataset.Source{Name: "mnist"}
	set, err := dataset.Load(os.DirFS(dir), src)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range []struct {
		primary, harmful int64
		n                int
		rank             [2]int
		kappa            [2]float64
	}{
		{0, 1, 5923, [2]int{539, 528}, [2]float64{1.419e11, 1.378e13}},
		{3, 8, 5851, [2]int{565, 550}, [2]float64{1.087e10, 4.531e10}},
	} {
		p, h, err := dataset.Form(set, dataset.Ref{Source: src, Class: &pair.primary}, set, dataset.Ref{Source: src, Class: &pair.harmful})
		if err != nil {
			t.Fatal(err)
		}
		for i, task := range []*dataset.Task{p, h} {
			if n, d := task.X.Dims(); n != pair.n || d != 784 {
				t.Fatalf("digits %d, %d: %d×%d, want %d×784", pair.primary, pair.harmful, n, d, pair.n)
			}
			f, err := spectrum.NewFactor(task.X)
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.Spectrum(nil, false)
			if err != nil {
				t.Fatal(err)
			}
			if c := s.RankCondition(); c.Rank != pair.rank[i] || math.Abs(c.Kappa/pair.kappa[i]-1) > 1e-3 {
				t.Errorf("digits %d, %d, side %d: rank %d, κ %.5g; want %d, %.5g", pair.primary, pair.harmful, i, c.Rank, c.Kappa, pair.rank[i], pair.kappa[i])
			}
		}
		if !*everyPair {
			break
		}
	}
}
