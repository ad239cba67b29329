package dataset

import (
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestDigits(t *testing.T) {
	set, err := Load(nil, Source{Name: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	rows, cols := set.X.Dims()
	if rows != 1797 || cols != 64 || len(set.Y) != 1797 || len(set.Columns) != 64 {
		t.Fatalf("%d×%d with %d labels and %d names; want 1797×64, 1797, 64", rows, cols, len(set.Y), len(set.Columns))
	}
	if lo, hi := mat.Min(set.X), mat.Max(set.X); lo != 0 || hi != 1 {
		t.Errorf("pixels from %v to %v, want 0 to 1", lo, hi)
	}
	if got := set.X.At(0, 2); got != 5./16 {
		t.Errorf("third pixel of the first image is %v, want 5/16", got)
	}
	counts := make(map[float64]int)
	for _, y := range set.Y {
		counts[y]++
	}
	for digit, want := range []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180} {
		if counts[float64(digit)] != want {
			t.Errorf("%d images of digit %d, want %d", counts[float64(digit)], digit, want)
		}
	}
	if set.Digest != DigitsDigest {
		t.Errorf("digest %s, want %s", set.Digest, DigitsDigest)
	}
	for _, info := range Known() {
		if info.Needs != "" {
			continue
		}
		if digest, err := Digest(t.Context(), nil, Source{Name: info.Name}); err != nil || digest != info.Digest || len(digest) != 64 {
			t.Errorf("%s: digest %q, error %v; want %q", info.Name, digest, err, info.Digest)
		}
	}
}

func TestDigitsPreprocessed(t *testing.T) {
	set, err := Load(nil, Source{Name: "digits", Drop: []string{"1", "64"}, Standardize: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, cols := set.X.Dims(); cols != 62 || set.Columns[0] != "2" || set.Columns[61] != "63" {
		t.Errorf("%d columns from %s to %s, want 62 from 2 to 63", cols, set.Columns[0], set.Columns[61])
	}
	if set.Y[5] != 5 {
		t.Errorf("label of the sixth image is %v after standardising, want 5", set.Y[5])
	}
}
