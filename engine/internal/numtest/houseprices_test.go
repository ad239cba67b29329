package numtest

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestHousePrices(t *testing.T) {
	var b strings.Builder
	b.WriteString("Id,LotArea,Zone,Same,SalePrice\n")
	for i := range 300 {
		zone := []string{"RL", "", "FV"}[i%3] // sorted: 0, FV, RL
		fmt.Fprintf(&b, "%d,%d,%s,7,%d\n", i, 2*i, zone, 300-i)
	}
	x, y, err := HousePrices(strings.NewReader(b.String()), "LotArea")
	if err != nil {
		t.Fatal(err)
	}
	if r, c := x.Dims(); r != 200 || c != 3 || len(y) != 200 {
		t.Fatalf("X is %d×%d and y has %d, want 200×3 and 200", r, c, len(y))
	}
	deviation := math.Sqrt(300 * 301 / 12.0) // of 0…299, n−1
	want := float64(float32((5 - 149.5) / deviation))
	if RelError(x.At(5, 0), want) > 1e-6 || RelError(y[5], want) > 1e-6 {
		t.Errorf("row 5: Id %g, LotArea %g, want %g", x.At(5, 0), y[5], want)
	}
	if !(x.At(1, 1) < x.At(2, 1) && x.At(2, 1) < x.At(0, 1)) || math.Abs(x.At(2, 1)) > 1e-15 {
		t.Errorf("zones RL, missing, FV became %g, %g, %g", x.At(0, 1), x.At(1, 1), x.At(2, 1))
	}
	if x.At(0, 2) != 0 {
		t.Errorf("a constant column became %g", x.At(0, 2))
	}
	if _, _, err := HousePrices(strings.NewReader("a,b\n1,2\n"), "a"); err == nil {
		t.Error("a short file is no error")
	}
}
