package vector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// forms are the names of those that this processor can run, the last of which it runs.
var forms = []string{"plain", "avx2", "avx512"}[:best+1]

// with runs f with one form.
func with(one form, f func()) {
	was := best
	defer func() { best = was }()
	best = one
	f()
}

// every runs f with every form that this processor can run.
func every(t *testing.T, f func(t *testing.T)) {
	for i, name := range forms {
		t.Run(name, func(t *testing.T) { with(form(i), func() { f(t) }) })
	}
}

const (
	// guard is what lies around every slice: a NaN, which would show in what is computed from it.
	guard = 0x7fc0beef
	// around is the number of guards on each side, more than a register.
	around = 24
	// unit is half of the distance between 1 and the next float32.
	unit = 0x1p-24
)

// trial is one call of a function on random input.
type trial struct {
	rng     *rand.Rand
	rows    int
	cols    int
	buffers [][]float32
	wide    [][]float64
	out     []uint64 // the bits of all that was checked
	failed  string
}

func (c *trial) n() int { return c.rows * c.cols }

// guarded returns a slice for n numbers amid guards.
func (c *trial) guarded(n int) []float32 {
	b := make([]float32, n+2*around)
	for i := range b {
		b[i] = math.Float32frombits(guard)
	}
	c.buffers = append(c.buffers, b)
	return b[around : around+n : around+n]
}

// random returns n numbers, some of them 0.
func (c *trial) random(n int) []float32 {
	s := c.guarded(n)
	for i := range s {
		if s[i] = float32(2 * c.rng.NormFloat64()); c.rng.IntN(16) == 0 {
			s[i] = 0
		}
	}
	return s
}

// sums returns n random float64 amid guards.
func (c *trial) sums(n int) []float64 {
	b := make([]float64, n+2*around)
	for i := range b {
		b[i] = math.Float64frombits(guard << 32)
		if i >= around && i < around+n {
			b[i] = c.rng.NormFloat64()
		}
	}
	c.wide = append(c.wide, b)
	return b[around : around+n : around+n]
}

// checkGuards looks for numbers beyond slices that were written.
func (c *trial) checkGuards() {
	for k, b := range c.buffers {
		for i, v := range b {
			if (i < around || i >= len(b)-around) && math.Float32bits(v) != guard {
				c.fail("buffer %d: wrote %v at %d, outside of its %d numbers", k, v, i-around, len(b)-2*around)
			}
		}
	}
	for k, b := range c.wide {
		for i, v := range b {
			if (i < around || i >= len(b)-around) && math.Float64bits(v) != guard<<32 {
				c.fail("sums %d: wrote %v at %d, outside of its %d numbers", k, v, i-around, len(b)-2*around)
			}
		}
	}
}

func (c *trial) fail(format string, args ...any) {
	if c.failed == "" {
		c.failed = fmt.Sprintf(format, args...)
	}
}

// want compares with float64 computed otherwise: at gives the value and the size of the numbers that it is computed from; times
// roundings of that size are allowed.
func want[T float32 | float64](c *trial, what string, got []T, times float64, at func(i int) (value, size float64)) {
	for i, v := range got {
		value, size := at(i)
		g := float64(v)
		c.out = append(c.out, math.Float64bits(g))
		if !(math.Abs(g-value) <= times*unit*size) {
			c.fail("%s[%d] = %v, want %v ± %g", what, i, g, value, times*unit*size)
		}
	}
}

// lengths straddle the registers' and some of the nets' sizes.
var lengths = []int{1, 7, 15, 16, 17, 31, 33, 64, 100, 1000}

// check runs f on many shapes, with every form, and demands the same bits of those in assembly.
func check(t *testing.T, f func(c *trial)) {
	t.Helper()
	for seed, cols := range lengths {
		for _, rows := range []int{1, 2, 3, 4, 5, 9} {
			var narrow []uint64
			for i, name := range forms {
				c := &trial{rng: rand.New(rand.NewPCG(uint64(seed), uint64(rows))), rows: rows, cols: cols}
				with(form(i), func() { f(c) })
				c.checkGuards()
				if c.failed != "" {
					t.Fatalf("%s, %d×%d: %s", name, rows, cols, c.failed)
				}
				switch form(i) {
				case wide256:
					narrow = c.out
				case wide512:
					for j, bits := range c.out {
						if a, b := math.Float64frombits(narrow[j]), math.Float64frombits(bits); bits != narrow[j] && a == a {
							t.Fatalf("%d×%d: number %d is %v with AVX2 and %v with AVX-512", rows, cols, j, a, b)
						}
					}
				}
			}
		}
	}
}

func clone(s []float32) []float32 { return append([]float32(nil), s...) }

func clone64(s []float64) []float64 { return append([]float64(nil), s...) }

func f64(x float32) float64 { return float64(x) }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
