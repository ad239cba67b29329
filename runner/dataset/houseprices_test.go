package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// housePrices are the facts of testdata/house_prices.json.
type housePrices struct {
	Rows            map[string]int
	Columns         []string
	Texts           map[string]map[string]int
	Mean, Deviation map[string]map[string]float64
	Target          map[string][2]float64
	Checksums       map[string]struct {
		Sum, Sumsq    float64
		First5, Last5 []float64
		SHA256        string `json:"sha256_le_f64"`
	}
	SingularValues map[string][]float64 `json:"singular_values"`
	Rank           map[string]int
	Kappa          map[string]float64
}

func (housePrices) refs() (p, h Ref) {
	p = Ref{N: 200, Source: Source{CSV: "house-prices/D1.csv", Target: "LotArea", Drop: []string{"SalePrice"}, Missing: new(0.0), Categorical: CategoricalSortedIndex, Standardize: true, Float32: true}}
	h = p
	h.CSV, h.Target, h.Drop = "house-prices/D2.csv", "SalePrice", []string{"LotArea"}
	return p, h
}

func loadFacts(t *testing.T) housePrices {
	t.Helper()
	data, err := os.ReadFile("testdata/house_prices.json")
	if err != nil {
		t.Fatal(err)
	}
	var want housePrices
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

// near says whether got and want agree to 1e-9, the agreement that the preprocessing must reach.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want)) }

func TestHousePrices(t *testing.T) {
	dir := realData(t)
	want := loadFacts(t)
	pr, hr := want.refs()
	p, h, err := Pair(os.DirFS(dir), pr, hr, nil)
	if err != nil {
		t.Fatal(err)
	}
	// No house of D1 has a pool.
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], `"PoolQC"`) || len(h.Warnings) > 0 {
		t.Errorf("warnings %q, %q; want one, of PoolQC", p.Warnings, h.Warnings)
	}
	for side, task := range map[string]*Task{"P": p, "H": h} {
		x := task.X.RawMatrix().Data
		for name, got := range map[string][]float64{"X_" + side: x, "y_" + side: task.Y} {
			c := want.Checksums[name]
			if !near(floats.Sum(got), c.Sum) || !near(floats.Dot(got, got), c.Sumsq) {
				t.Errorf("%s: sum %.12g, sum of squares %.12g; want %.12g, %.12g", name, floats.Sum(got), floats.Dot(got, got), c.Sum, c.Sumsq)
			}
			if !slices.Equal(got[:5], c.First5) || !slices.Equal(got[len(got)-5:], c.Last5) {
				t.Errorf("%s: begins %v, ends %v; want %v, %v", name, got[:5], got[len(got)-5:], c.First5, c.Last5)
			}
			// Digests of 15,800 numbers are equal only if no float32 fell to the other side.
			var b bytes.Buffer
			if err := binary.Write(&b, binary.LittleEndian, got); err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(b.Bytes()); hex.EncodeToString(sum[:]) != c.SHA256 {
				t.Errorf("%s: SHA-256 %x, want %s", name, sum, c.SHA256)
			}
		}
		var svd mat.SVD
		if !svd.Factorize(task.X, mat.SVDNone) {
			t.Fatal("no singular values")
		}
		sv := svd.Values(nil)
		for i, s := range want.SingularValues[side] {
			if math.Abs(sv[i]-s) > 1e-9*s {
				t.Errorf("%s: singular value %d is %.15g, want %.15g", side, i+1, sv[i], s)
			}
		}
		k := want.Rank[side]
		if kappa := math.Pow(sv[0]/sv[k-1], 2); math.Abs(kappa/want.Kappa[side]-1) > 1e-9 {
			t.Errorf("κ(K_%s) = %.12g, want %.12g", side, kappa, want.Kappa[side])
		}
	}
}

// TestHousePricesColumns holds every column, before it is standardised, to pandas' numbers.
func TestHousePricesColumns(t *testing.T) {
	dir := realData(t)
	want := loadFacts(t)
	p, h := want.refs()
	for name, src := range map[string]Source{"D1": p.Source, "D2": h.Source} {
		src.Standardize, src.Float32 = false, false
		set, err := Load(os.DirFS(dir), src)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := set.X.Dims(); n != want.Rows[name] || !slices.Equal(set.Columns, want.Columns) {
			t.Fatalf("%s: %d rows, columns %v; want %d rows, %v", name, n, set.Columns, want.Rows[name], want.Columns)
		}
		for j, c := range set.Columns {
			x := mat.Col(nil, j, set.X)
			mean, dev := stat.MeanStdDev(x, nil)
			if dev == 0 {
				dev = 1
			}
			if !near(mean, want.Mean[name][c]) || !near(dev, want.Deviation[name][c]) {
				t.Errorf("%s %s: mean %v, deviation %v; want %v, %v", name, c, mean, dev, want.Mean[name][c], want.Deviation[name][c])
			}
			if n, ok := want.Texts[name][c]; ok && int(floats.Max(x)) != n-1 {
				t.Errorf("%s %s: the largest index is %v, want %d", name, c, floats.Max(x), n-1)
			}
		}
		target := map[string]string{"D1": "D1_LotArea", "D2": "D2_SalePrice"}[name]
		if mean, dev := stat.MeanStdDev(set.Y, nil); !near(mean, want.Target[target][0]) || !near(dev, want.Target[target][1]) {
			t.Errorf("%s: targets have mean %v, deviation %v; want %v", name, mean, dev, want.Target[target])
		}
	}
}
