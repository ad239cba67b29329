package deep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/nn"
)

// patterns are images of a few classes: a pattern of each class and noise, the same for the same seed.
type patterns struct {
	dims    [3]int
	classes int
	pixels  [][]float32
	labels  []int
	bad     error // what Batch returns
}

func newPatterns(seed uint64, n, classes int, dims [3]int) *patterns {
	rng := numtest.Rand(seed)
	p := &patterns{dims: dims, classes: classes}
	size := dims[0] * dims[1] * dims[2]
	base := make([][]float64, classes)
	for c := range base {
		base[c] = make([]float64, size)
		for i := range base[c] {
			base[c][i] = rng.NormFloat64()
		}
	}
	for i := range n {
		class := i % classes
		x := make([]float32, size)
		for j := range x {
			x[j] = float32(base[class][j] + 0.5*rng.NormFloat64())
		}
		p.pixels, p.labels = append(p.pixels, x), append(p.labels, class)
	}
	return p
}

func (p *patterns) Len() int              { return len(p.pixels) }
func (p *patterns) Dims() (int, int, int) { return p.dims[0], p.dims[1], p.dims[2] }
func (p *patterns) Classes() int          { return p.classes }
func (p *patterns) Label(i int) int       { return p.labels[i] }
func (p *patterns) Batch(dst []float32, rows []int) error {
	for k, i := range rows {
		copy(dst[k*len(p.pixels[i]):], p.pixels[i])
	}
	return p.bad
}

var toyDims = [3]int{1, 4, 4}

// toyNet is an mlp with drawn parameters: 64 features.
func toyNet(t testing.TB, classes int) *nn.Net {
	t.Helper()
	net, err := nn.New("mlp", toyDims, classes)
	if err != nil {
		t.Fatal(err)
	}
	net.Init(numtest.Rand(7))
	return net
}

func TestDrawGroups(t *testing.T) {
	p, h := newPatterns(1, 40, 4, toyDims), newPatterns(2, 30, 3, toyDims)
	g, err := DrawGroups(p, h, 6, 30, numtest.Rand(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range []struct {
		groups [][]int
		n      int
	}{{g.Primary, 40}, {g.Harmful, 30}} {
		seen := make([]bool, task.n)
		if len(task.groups) != 6 {
			t.Fatalf("%d groups", len(task.groups))
		}
		for i, rows := range task.groups {
			sorted := slices.Sorted(slices.Values(rows))
			if len(slices.Compact(sorted)) != 30 || sorted[0] < 0 || sorted[29] >= task.n {
				t.Errorf("group %d of %d images: %v", i, task.n, rows)
			}
			for _, r := range rows {
				seen[r] = true
			}
			if i > 0 && slices.Equal(rows, task.groups[0]) {
				t.Error("two groups are one")
			}
		}
		if slices.Contains(seen, false) {
			t.Error("an image is in no group")
		}
	}
	again, _ := DrawGroups(p, h, 6, 30, numtest.Rand(3))
	if fmt.Sprint(again) != fmt.Sprint(g) {
		t.Error("the same seed gives other groups")
	}
	for _, bad := range [][2]int{{0, 30}, {1, 1}, {1, 31}} {
		if _, err := DrawGroups(p, h, bad[0], bad[1], numtest.Rand(3)); err == nil {
			t.Errorf("%d groups of %d are no error", bad[0], bad[1])
		}
	}
	if _, err := DrawGroups(p, h, 2, 31, numtest.Rand(3)); err == nil || !strings.Contains(err.Error(), "the harmful task has 30") {
		t.Errorf("too few images: %v", err)
	}
}

// κ of every group must be that of gonum's decomposition of features computed one image at a time, in both protocols.
func TestMeasure(t *testing.T) {
	ctx := context.Background()
	p, h := newPatterns(1, 150, 4, toyDims), newPatterns(2, 130, 3, toyDims)
	g, err := DrawGroups(p, h, 3, 110, numtest.Rand(4))
	if err != nil {
		t.Fatal(err)
	}
	net := toyNet(t, 4)
	before, err := Measure(ctx, net, p, h, g)
	if err != nil {
		t.Fatal(err)
	}
	byHand := func(net *nn.Net, images *patterns, rows []int) (rank, ridge float64) {
		f := mat.NewDense(len(rows), net.Width, nil)
		x := nn.NewTensor(1, 1, 4, 4)
		for i, r := range rows {
			copy(x.Data, images.pixels[r])
			for j, v := range net.Features(x, nn.Mode{}).Data {
				f.Set(i, j, float64(v))
			}
		}
		var svd mat.SVD
		if !svd.Factorize(f, mat.SVDNone) {
			t.Fatal("no decomposition")
		}
		s := svd.Values(nil)
		k := 0
		for k < len(s) && s[k] > float64(max(len(rows), net.Width))*math.Pow(2, -24)*s[0] {
			k++
		}
		ratio := s[0] / s[k-1]
		var hessian mat.SymDense
		hessian.SymOuterK(1, f.T())
		for i := range net.Width {
			hessian.SetSym(i, i, hessian.At(i, i)+1e-6)
		}
		var eig mat.EigenSym
		eig.Factorize(&hessian, false)
		low := math.Inf(1)
		for _, v := range eig.Values(nil) {
			if v > 1e-6 {
				low = min(low, v)
			}
		}
		return ratio * ratio, slices.Max(eig.Values(nil)) / low
	}
	// A change of the net that is not a scale: part of the last layer's weights doubled.
	after := net.Clone()
	for _, v := range after.Params() {
		if v.Name == "layers.1.weight" {
			for i := range len(v.Value) / 3 {
				v.Value[i] *= 2
			}
		}
	}
	then, err := Measure(ctx, after, p, h, g)
	if err != nil {
		t.Fatal(err)
	}
	rank, ridge := RIR(before, then)
	for i := range 3 {
		var kappa [2][2][2]float64 // task, net, protocol
		for task, images := range []*patterns{p, h} {
			rows := [][][]int{g.Primary, g.Harmful}[task][i]
			for n, net := range []*nn.Net{net, after} {
				kappa[task][n][0], kappa[task][n][1] = byHand(net, images, rows)
				m := [][]Measured{{before, then}}[0][n]
				got := [][]float64{{m.Primary[i].Rank.Kappa, m.Primary[i].Ridge.Kappa}, {m.Harmful[i].Rank.Kappa, m.Harmful[i].Ridge.Kappa}}[task]
				for protocol := range 2 {
					// Features differ by the rounding of float32, which σ_k feels by κ(F).
					if e := numtest.RelError(got[protocol], kappa[task][n][protocol]); e > 2e-3 {
						t.Errorf("group %d, task %d, net %d, protocol %d: κ = %g, want %g", i, task, n, protocol, got[protocol], kappa[task][n][protocol])
					}
				}
			}
		}
		for protocol, r := range []Ratios{rank, ridge} {
			primary, harmful := kappa[0][1][protocol]/kappa[0][0][protocol], kappa[1][1][protocol]/kappa[1][0][protocol]
			for _, v := range []struct {
				name      string
				got, want float64
			}{{"(ii)", r.Primary[i], primary}, {"(i)", r.Harmful[i], harmful}, {"RIR", r.RIR[i], harmful / primary}} {
				if e := numtest.RelError(v.got, v.want); e > 5e-3 {
					t.Errorf("group %d, protocol %d: %s = %g, want %g", i, protocol, v.name, v.got, v.want)
				}
			}
			if math.Abs(math.Log(r.RIR[i])) < 1e-3 {
				t.Error("nothing changed: the case tests nothing")
			}
		}
	}
	rir, harmful, primary := rank.Summaries()
	mean := (rank.RIR[0] + rank.RIR[1] + rank.RIR[2]) / 3
	if math.Abs(rir.Mean-mean) > 1e-12*mean || rir.N != 3 || !(rir.SD > 0) || !(harmful.Mean > 0) || !(primary.Mean > 0) {
		t.Errorf("summaries: %+v", rir)
	}
	same, _ := RIR(before, before)
	if same.RIR[0] != 1 || same.Harmful[1] != 1 || same.Primary[2] != 1 {
		t.Errorf("a net against itself: %+v", same)
	}
}

func TestMeasureBadInput(t *testing.T) {
	ctx := context.Background()
	p, h := newPatterns(1, 20, 4, toyDims), newPatterns(2, 20, 3, toyDims)
	g, err := DrawGroups(p, h, 2, 10, numtest.Rand(5))
	if err != nil {
		t.Fatal(err)
	}
	net := toyNet(t, 4)
	large := newPatterns(3, 20, 4, [3]int{1, 5, 5})
	if _, err := Measure(ctx, net, p, large, g); err == nil || !strings.Contains(err.Error(), "the harmful task has images of 1×5×5") {
		t.Errorf("images of another size: %v", err)
	}
	broken := newPatterns(3, 20, 4, toyDims)
	broken.bad = errors.New("torn.jpg: unexpected EOF")
	if _, err := Measure(ctx, net, broken, h, g); !errors.Is(err, broken.bad) || !strings.Contains(err.Error(), "group 1 of the primary task") {
		t.Errorf("an image that cannot be read: %v", err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := Measure(stopped, net, p, h, g); err != context.Canceled {
		t.Errorf("stopped: %v", err)
	}
	before, err := Measure(ctx, net, p, h, g)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float32{"NaN": float32(math.NaN()), "zero": 0} {
		bad := net.Clone()
		for _, q := range bad.Params() {
			for i := range q.Value {
				q.Value[i] = v
			}
		}
		m, err := Measure(ctx, bad, p, h, g)
		if err != nil {
			t.Fatal(err)
		}
		rank, ridge := RIR(before, m)
		if !math.IsNaN(rank.RIR[0]) || !math.IsNaN(ridge.Harmful[1]) && name == "NaN" {
			t.Errorf("%s: RIR %v and %v", name, rank.RIR, ridge.RIR)
		}
		if rir, _, _ := rank.Summaries(); rir.N != 0 || rir.Excluded != 2 {
			t.Errorf("%s: %+v", name, rir)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("different numbers of groups do not panic")
		}
	}()
	RIR(before, Measured{})
}
