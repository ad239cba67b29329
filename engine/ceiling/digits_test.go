package ceiling

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

// digits returns the images of each digit, 64 pixel counts divided by 16, in file order.
func digits(t *testing.T) [10][][]float64 {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: no folder with digits/digits.csv.gz to test against")
	}
	f, err := os.Open(filepath.Join(dir, "digits", "digits.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out [10][][]float64
	for _, record := range records {
		row := make([]float64, len(record))
		for i, s := range record {
			if row[i], err = strconv.ParseFloat(s, 64); err != nil {
				t.Fatal(err)
			}
			row[i] /= 16
		}
		last := len(row) - 1
		label := int(16 * row[last])
		out[label] = append(out[label], row[:last])
	}
	return out
}

// TestDigits: of the ninety ordered pairs of digits, 78 have a harmful task that uses pixels the primary task never sees.
func TestDigits(t *testing.T) {
	classes := digits(t)
	unbounded, bounded := 0, 0
	for a := range 10 {
		for b := range 10 {
			if a == b {
				continue
			}
			n := min(len(classes[a]), len(classes[b]))
			p, h := factor(t, numtest.Rows(classes[a][:n])), factor(t, numtest.Rows(classes[b][:n]))
			theta, res, err := Optimum(p, h)
			if err != nil {
				t.Fatal(err)
			}
			got := rir(t, p, h, theta)
			if got > Bound(res, spectrum.ThetaCondition(theta))*(1+1e-9) {
				t.Errorf("digits %d, %d: RIR %g exceeds its bound", a, b, got)
			}
			if res.Unbounded {
				unbounded++
				continue
			}
			bounded++
			if numtest.RelError(got, res.Ceiling) > 1e-9 {
				t.Errorf("digits %d, %d: RIR %g at the optimum, ceiling %g", a, b, got, res.Ceiling)
			}
			if k := kappa(t, p, theta); numtest.RelError(k, 1) > 1e-9 {
				t.Errorf("digits %d, %d: κ(H_P) %g at the optimum", a, b, k)
			}
		}
	}
	if unbounded != 78 || bounded != 12 {
		t.Errorf("%d pairs without a ceiling and %d with one, want 78 and 12", unbounded, bounded)
	}
}
