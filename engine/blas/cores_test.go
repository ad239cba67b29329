package blas

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/blas"
)

func TestSplitCoversEveryElementOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, n := range []int{0, 1, 2, 7, 64, 1000, 1001} {
		for _, grain := range []int{0, 1, 3, 64, 5000} {
			seen := make([]atomic.Int32, n)
			var calls atomic.Int32
			Split(n, grain, func(lo, hi int) {
				calls.Add(1)
				if hi-lo < min(grain, n) {
					t.Errorf("n=%d grain=%d: a part of %d", n, grain, hi-lo)
				}
				for i := lo; i < hi; i++ {
					seen[i].Add(1)
				}
			})
			for i := range seen {
				if got := seen[i].Load(); got != 1 {
					t.Fatalf("n=%d grain=%d: element %d was visited %d times", n, grain, i, got)
				}
			}
			if c := int(calls.Load()); c > 4 || n == 0 && c > 0 {
				t.Errorf("n=%d grain=%d: %d parts on 4 cores", n, grain, c)
			}
		}
	}
}

func TestOccupiedCoresAreNotSpare(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	if got := Spare(); got != 3 {
		t.Fatalf("with nobody there, %d of 4 cores are spare, want all but the caller's", got)
	}
	var leave []func()
	for i, want := range []int{3, 2, 1, 0, 0} {
		leave = append(leave, Occupy())
		if got := Spare(); got != want {
			t.Errorf("with %d cores occupied %d of 4 are spare, want %d", i+1, got, want)
		}
	}
	parts := 0
	Split(1000, 1, func(lo, hi int) { parts++ })
	if parts != 1 {
		t.Errorf("without a spare core the work has %d parts", parts)
	}
	for _, f := range leave {
		f()
		f() // a second call does nothing
	}
	if got := Spare(); got != 3 {
		t.Errorf("after all have left %d cores are spare", got)
	}
}

// TestPanicOfAPart: whoever does the part, its panic is the caller's, when nobody is at work any more; the helpers stay.
func TestPanicOfAPart(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for range 30 {
		var begun, ended atomic.Int32
		message := func() (out any) {
			defer func() { out = recover() }()
			Split(4, 1, func(lo, hi int) {
				defer ended.Add(1)
				if begun.Add(1) == 2 {
					panic("part")
				}
				for begun.Load() < 2 { // so that another goroutine is the second
					runtime.Gosched()
				}
			})
			return nil
		}()
		if message != "part" {
			t.Fatalf("Split panics with %v", message)
		}
		if b, e := begun.Load(), ended.Load(); b != e {
			t.Fatalf("%d parts have begun, %d ended", b, e)
		}
	}
	for _, w := range *team.all.Load() {
		for s := w.state.Load(); s != looking && s != asleep; s = w.state.Load() {
			runtime.Gosched()
		}
	}
}

// TestManyCallersAtOnce: goroutines that multiply at the same time get their own results, while helpers come and go.
func TestManyCallersAtOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	every(t, func(t *testing.T, impl Implementation) {
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(g), 2))
				for range 60 {
					m, n, k := 1+rng.IntN(150), 1+rng.IntN(150), 1+rng.IntN(150)
					a, b := random[float64](rng, m*k), random[float64](rng, k*n)
					got, want := make([]float64, m*n), make([]float64, m*n)
					impl.Dgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, got, n)
					p := product[float64]{kernels: impl.d, m: m, n: n, k: k, alpha: 1, a: a, b: b, c: want, lda: k, ldb: n, ldc: n}
					p.part(0, m, 0, n, &scratch[float64]{})
					if !slices.Equal(got, want) {
						t.Errorf("%d×%d×%d: a product among others differs from one alone", m, n, k)
						return
					}
					if rng.IntN(20) == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestHelpersGoToSleep: a team that found nothing to do is asleep, and wakes for the next product.
func TestHelpersGoToSleep(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	work := func() {
		var sum atomic.Int64
		Split(4000, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				sum.Add(int64(i))
			}
		})
		if got := sum.Load(); got != 4000*3999/2 {
			t.Fatalf("the sum of the parts is %d", got)
		}
	}
	work()
	sleeping := func() bool {
		for _, w := range *team.all.Load() {
			if w.state.Load() != asleep {
				return false
			}
		}
		return true
	}
	for i := 0; !sleeping(); i++ {
		if i == 50_000_000 {
			t.Fatal("the helpers do not go to sleep")
		}
		runtime.Gosched()
	}
	for range 3 {
		work()
	}
}
