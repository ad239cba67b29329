package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas/blas32"
)

// withLines runs a test with the kernels of every implementation that this processor has, and without any.
func withLines(t *testing.T, f func(t *testing.T)) {
	for _, i := range append(supported(), Implementation{}) {
		t.Run(i.Kernel(), func(t *testing.T) {
			blas32.Use(i)
			defer blas32.Use(best())
			f(t)
		})
	}
}

// naive is the definition in float64, over every element that is not NaN-poisoned.
func (l *Lines) naive(old []float32) []float64 {
	c := make([]float64, len(old))
	more := max(1, l.Blocks) - 1
	b0, c0 := more*max(0, -l.BBlock), more*max(0, -l.CBlock)
	for i, v := range old {
		c[i] = float64(v)
	}
	for g := range l.Groups {
		for r := range l.Rows {
			for x := range more + 1 {
				for j := range l.Cols {
					sum := 0.0
					for s := range l.Segments {
						for k := range l.K {
							sum += float64(l.A[g*l.AGroup+r*l.ARow+s*l.ASegment+k*l.ACol]) * float64(l.B[b0+s*l.BSegment+k*l.BRow+x*l.BBlock+j])
						}
					}
					at := c0 + g*l.CGroup + r*l.CRow + x*l.CBlock + j
					if l.Add {
						sum += c[at]
					}
					c[at] = sum
				}
			}
		}
	}
	return c
}

func TestLines(t *testing.T) {
	withLines(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			l := Lines{
				Groups: 1 + rng.IntN(3), Rows: 1 + rng.IntN(20), Cols: 1 + rng.IntN(70), Segments: 1 + rng.IntN(4), K: 1 + rng.IntN(30),
				AGroup: rng.IntN(40), ARow: rng.IntN(20), ASegment: rng.IntN(50), ACol: rng.IntN(3), Add: rng.IntN(2) == 0,
			}
			l.BRow = l.Cols + rng.IntN(3)
			l.BSegment = l.K*l.BRow + rng.IntN(5)
			l.CRow = l.Cols + rng.IntN(3)
			l.CGroup = l.Rows*l.CRow + rng.IntN(5)
			more := 0
			if rng.IntN(2) == 0 {
				l.Blocks = 1 + rng.IntN(4)
				more = l.Blocks - 1
				if rng.IntN(2) == 0 {
					l.Cols = 1 + rng.IntN(16)
				}
				l.BBlock, l.CBlock = (1-2*rng.IntN(2))*rng.IntN(200), (1-2*rng.IntN(2))*(l.Groups*l.CGroup+rng.IntN(20))
				if l.Add && rng.IntN(2) == 0 {
					l.CBlock = l.CGroup * (1 - 2*rng.IntN(2)) // blocks of some groups lie on those of others
				}
			}
			// The slices end where the last element is, and what lies behind is poisoned: it must be neither read nor written.
			fill := func(n int) []float32 {
				x := make([]float32, n+64)
				for i := range x {
					x[i] = float32(rng.NormFloat64())
					if i >= n {
						x[i] = float32(math.NaN())
					}
				}
				return x[:n]
			}
			l.A = fill((l.Groups-1)*l.AGroup + (l.Rows-1)*l.ARow + (l.Segments-1)*l.ASegment + (l.K-1)*l.ACol + 1)
			l.B = fill((l.Segments-1)*l.BSegment + (l.K-1)*l.BRow + more*abs(l.BBlock) + l.Cols)
			l.C = fill((l.Groups-1)*l.CGroup + (l.Rows-1)*l.CRow + more*abs(l.CBlock) + l.Cols)
			want := l.naive(l.C)
			l.Multiply()
			for i, v := range l.C {
				if math.Abs(float64(v)-want[i]) > 1e-4*math.Max(1, math.Abs(want[i])) {
					t.Fatalf("%+v: C[%d] = %v, want %v", l, i, v, want[i])
				}
			}
			for _, v := range l.C[:len(l.C)+64][len(l.C):] {
				if v == v {
					t.Fatal("something was written behind C")
				}
			}
		}
	})
}

// The sums of a long product are cut the same way by all kernels.
func TestLinesKernelsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var first []float32
	a, b := random[float32](rng, 9000), random[float32](rng, 5000*50)
	for _, i := range supported() {
		blas32.Use(i)
		c := make([]float32, 50*20)
		l := Lines{
			Groups: 2, Rows: 10, Cols: 50, Segments: 5, K: 1000, A: a, AGroup: 1000, ARow: 100, ASegment: 1000, ACol: 1,
			B: b, BSegment: 50000, BRow: 50, C: c, CGroup: 500, CRow: 50,
		}
		l.Multiply()
		if first == nil {
			first = c
		}
		l = Lines{
			Groups: 4, Rows: 9, Blocks: 3, Cols: 12, Segments: 2, K: 20, A: a, AGroup: 100, ARow: 10, ASegment: 50, ACol: 1,
			B: b, BSegment: 900, BRow: 12, BBlock: -300, C: c, CGroup: 108, CRow: 12, CBlock: 108, Add: true,
		}
		l.Multiply()
		for x := range c {
			if c[x] != first[x] {
				t.Fatalf("%s: C[%d] = %v, other kernels: %v", i.Kernel(), x, c[x], first[x])
			}
		}
	}
	blas32.Use(best())
}

func TestLinesEdges(t *testing.T) {
	withLines(t, func(t *testing.T) {
		c := []float32{1, 2, 3}
		(&Lines{Groups: 1, Rows: 1, Cols: 3, C: c, Add: true}).Multiply()
		if c[1] != 2 {
			t.Error("an empty sum changed what it was added to")
		}
		(&Lines{Groups: 1, Rows: 1, Cols: 2, C: c}).Multiply()
		if c[0] != 0 || c[1] != 0 || c[2] != 3 {
			t.Errorf("an empty sum gave %v", c)
		}
		(&Lines{Groups: 0, Rows: 1, Cols: 2}).Multiply()
		for _, l := range []Lines{
			{Groups: -1},
			{Groups: 1, Rows: 1, Cols: 4, C: c},
			{Groups: 1, Rows: 1, Cols: 3, Segments: 1, K: 2, A: c[:1], ACol: 1, B: make([]float32, 6), BRow: 3, C: c},
			{Groups: 1, Rows: 1, Cols: 3, Segments: 1, K: 2, A: c[:2], ACol: 1, B: make([]float32, 5), BRow: 3, C: c},
			{Groups: 1, Rows: 1, Cols: 3, Segments: 1, K: 1, A: c, ARow: -1, B: c, C: c},
		} {
			func() {
				defer func() {
					if recover() != badLines {
						t.Errorf("%+v did not panic", l)
					}
				}()
				l.Multiply()
			}()
		}
	})
}

func TestLinesAllocate(t *testing.T) {
	l := convolution(64, 8, 8)
	if n := testing.AllocsPerRun(10, l.Multiply); n > 0 {
		t.Errorf("%v allocations a product", n)
	}
}

// convolution is 3×3, of one image with a border.
func convolution(c, h, w int) *Lines {
	return &Lines{
		Groups: h, Rows: w, Cols: c, Segments: 3, K: 3 * c,
		A: make([]float32, (h+3)*(w+1)*c+c), AGroup: (w + 1) * c, ARow: c, ASegment: (w + 1) * c, ACol: 1,
		B: make([]float32, 9*c*c), BSegment: 3 * c * c, BRow: c, C: make([]float32, (h+1)*(w+1)*c), CGroup: (w + 1) * c, CRow: c,
	}
}

// gradient is the product for the gradient in the weights of convolution.
func gradient(c, h, w int) *Lines {
	return &Lines{
		Groups: 3, Rows: 3 * c, Cols: c, Segments: h, K: w,
		A: make([]float32, (h+3)*(w+1)*c+c), AGroup: (w + 1) * c, ARow: 1, ASegment: (w + 1) * c, ACol: c,
		B: make([]float32, (h+1)*(w+1)*c), BSegment: (w + 1) * c, BRow: c, C: make([]float32, 9*c*c), CGroup: 3 * c * c, CRow: c, Add: true,
	}
}

func BenchmarkLines(b *testing.B) {
	for _, s := range [][2]int{{16, 28}, {32, 14}, {64, 7}, {512, 7}} {
		for name, l := range map[string]*Lines{"forward": convolution(s[0], s[1], s[1]), "weights": gradient(s[0], s[1], s[1])} {
			b.Run(fmt.Sprintf("%s/c=%d", name, s[0]), func(b *testing.B) {
				for b.Loop() {
					l.Multiply()
				}
				flops := 18 * float64(s[0]*s[0]*s[1]*s[1])
				b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// TestLinesWithoutKernels: the plain form rounds every product and every sum, on all processors, and adds to C from the first term on.
func TestLinesWithoutKernels(t *testing.T) {
	blas32.Use(Implementation{})
	defer blas32.Use(best())
	const ulp = 1.0 / (1 << 23)
	l := Lines{
		Groups: 1, Rows: 1, Cols: 1, Segments: 1, K: 2, A: []float32{1 + ulp, 1}, ACol: 1, B: []float32{1 - ulp, -1}, BRow: 1,
		C: []float32{1 / ulp}, Add: true,
	}
	l.Multiply()
	if l.C[0] != 1/ulp { // (1 + ulp)(1 − ulp) is rounded to 1
		t.Errorf("C = %v, want %v", l.C[0], 1/ulp)
	}
	l.C[0], l.Add = 7, false
	if l.Multiply(); l.C[0] != 0 { // fused it would be −ulp²
		t.Errorf("C = %v, want 0", l.C[0])
	}
	l.C[0], l.Add, l.A, l.B = 1/ulp, true, []float32{1, 1}, []float32{0.6, 0.6}
	if l.Multiply(); l.C[0] != 1/ulp+2 { // 2²³ + 0.6 is 2²³ + 1; 2²³ + 1.2 is that too
		t.Errorf("C = %v, want %v", l.C[0], 1/ulp+2)
	}
}
