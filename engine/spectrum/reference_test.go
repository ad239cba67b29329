package spectrum

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// dataFile opens a file of the data folder, and skips the test where that is not given.
func dataFile(t *testing.T, elem ...string) *os.File {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the data sets are needed")
	}
	file, err := os.Open(filepath.Join(append([]string{dir}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// The House Prices problem: expected values measured with numpy.
func TestHousePrices(t *testing.T) {
	for _, c := range []struct {
		file, target              string
		top, bottom, kappa, ridge float64
	}{
		{"D1.csv", "LotArea", 1755.7543067, 0.22465863850, 7815.2094145, 1.75575e9},
		{"D2.csv", "SalePrice", 1950.3160559, 0.0096680059323, 201728.8849, 1.95032e9},
	} {
		t.Run(c.file, func(t *testing.T) {
			x, _, err := numtest.HousePrices(dataFile(t, "house-prices", c.file), c.target)
			if err != nil {
				t.Fatal(err)
			}
			f := factor(t, x)
			s := spectrumOf(t, f, nil, true)
			checkVectors(t, c.file, s)
			k := s.Condition()
			for _, v := range []struct {
				name           string
				got, want, tol float64
			}{
				{"σ_max", k.Rank.SigmaMax, c.top, 1e-10},
				{"σ_min", k.Rank.SigmaMin, c.bottom, 1e-9},
				{"κ (rank)", k.Rank.Kappa, c.kappa, 1e-9},
				{"κ (ridge)", k.Ridge.Kappa, c.ridge, 1e-5},
			} {
				if e := numtest.RelError(v.got, v.want); e > v.tol {
					t.Errorf("%s = %.12g, want %.12g", v.name, v.got, v.want)
				}
			}
			if k.Rank.Rank != 74 || k.Rank.RankUnclear || k.Rank.Degenerate || k.Rank.Unresolved {
				t.Errorf("rank protocol: %+v, want rank 74 and no flag", k.Rank)
			}
			if !k.Ridge.RidgeDominated {
				t.Errorf("ridge protocol: %+v, want ridge-dominated", k.Ridge)
			}
			// Rounding to float32 left a singular value of X near 2.5·10⁻⁷, which is noise.
			if next := math.Sqrt(k.Rank.Next); next < 1e-7 || next > 1e-6 {
				t.Errorf("σ_75(X) = %g, want about 2.5e-7", next)
			}
			if _, null := f.NullBasis().Dims(); null != 5 {
				t.Errorf("null space of dimension %d, want 5", null)
			}
			var w Workspace
			rng := numtest.Rand(50)
			for _, theta := range []*mat.Dense{eye(79, 79), numtest.Gaussian(rng, 79, 79), numtest.Orthogonal(rng, 79)} {
				compare(t, c.file, f, theta, &w)
			}
			if w.fallbacks > 0 {
				t.Errorf("%d fallbacks to the full decomposition", w.fallbacks)
			}
			// The rank holds for an extractor of any condition; it is a property of the data.
			steep := numtest.WithSingularValues(rng, 79, 79, numtest.Geometric(1, 1e-3, 79))
			if got := spectrumOf(t, f, steep, false).Condition().Rank; got.Rank != 74 || got.Unresolved {
				t.Errorf("under a steep θ: %+v, want rank 74", got)
			}
		})
	}
}

// Digit 1 of MNIST: κ of the Gram matrix would find rank 527.
func TestMNIST(t *testing.T) {
	if testing.Short() {
		t.Skip("one factorisation of 5923×784")
	}
	const n, pixels = 5923, 784
	x := mat.NewDense(n, pixels, nil)
	images := idx(t, "train-images-idx3-ubyte.gz", 16)
	labels := idx(t, "train-labels-idx1-ubyte.gz", 8)
	row := 0
	for i, label := range labels {
		if label != 1 || row == n {
			continue
		}
		for j, v := range images[i*pixels : (i+1)*pixels] {
			x.Set(row, j, float64((float32(v)/255-0.1307)/0.3081))
		}
		row++
	}
	k := spectrumOf(t, factor(t, x), nil, false).RankCondition()
	if k.Rank != 528 || k.RankUnclear || k.Unresolved || numtest.RelError(k.Kappa, 1.378e13) > 1e-3 {
		t.Errorf("digit 1: %+v, want rank 528 and κ = 1.378e13", k)
	}
}

// idx returns the bytes of an IDX file after its header.
func idx(t *testing.T, name string, header int) []byte {
	t.Helper()
	r, err := gzip.NewReader(dataFile(t, "mnist", name))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if binary.BigEndian.Uint32(data[4:]) != 60000 {
		t.Fatalf("%s does not hold 60000 items", name)
	}
	return data[header:]
}
