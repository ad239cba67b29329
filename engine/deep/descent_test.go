package deep

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
	"kappa/engine/nn"
)

// drawFrom gives each purpose random numbers of its own.
func drawFrom(seed uint64) Draw {
	return func(purpose ...string) *rand.Rand {
		h := seed
		for _, p := range purpose {
			for _, c := range []byte(p + "\x00") {
				h = (h ^ uint64(c)) * 0x100000001b3
			}
		}
		return numtest.Rand(h)
	}
}

// toyOptions are of a few steps on a toy problem.
func toyOptions() Options {
	balance := immunize.Lambda{Balance: true}
	return Options{
		Steps: 12, Batch: 24, LearningRate: 0.01, Momentum: 0.9, WeightDecay: 1e-4, Warmup: 2, LabelSmoothing: 0.1, ClipNorm: 5,
		LambdaPrimary: balance, LambdaHarmful: balance, BalanceNorm: 1, InnerSteps: 3, InnerRate: 0.1,
		TraceAt: func(step, _ int) bool { return step%5 == 0 },
	}
}

func toyProblem(t testing.TB) Problem {
	return Problem{Net: toyNet(t, 4), Primary: newPatterns(11, 90, 4, toyDims), Harmful: newPatterns(12, 80, 3, toyDims)}
}

// reference is a mlp in float64, written out.
type reference struct{ w, b [3]*mat.Dense }

func newReference(net *nn.Net) reference {
	var r reference
	for i, name := range []string{"layers.0", "layers.1", "head"} {
		for _, p := range net.Params() {
			values := make([]float64, len(p.Value))
			widen(values, p.Export())
			switch p.Name {
			case name + ".weight":
				r.w[i] = mat.NewDense(p.Shape[0], p.Shape[1], values)
			case name + ".bias":
				r.b[i] = mat.NewDense(1, p.Shape[0], values)
			}
		}
	}
	return r
}

// layer is x·Wᵀ + b, without negative numbers where relu is set.
func layer(x, w, b *mat.Dense, relu bool) *mat.Dense {
	var y mat.Dense
	y.Mul(x, w.T())
	y.Apply(func(_, j int, v float64) float64 {
		v += b.At(0, j)
		if relu {
			return max(v, 0)
		}
		return v
	}, &y)
	return &y
}

func (r reference) features(images *patterns, rows []int) *mat.Dense {
	x := mat.NewDense(len(rows), len(images.pixels[0]), nil)
	for i, k := range rows {
		widen(x.RawRowView(i), images.pixels[k])
	}
	return layer(layer(x, r.w[0], r.b[0], true), r.w[1], r.b[1], true)
}

// naiveEntropy is the mean over the rows of −Σ_k q_k·ln p_k, q the smoothed labels.
func naiveEntropy(z *mat.Dense, images *patterns, rows []int, smoothing float64) float64 {
	sum := 0.0
	n, classes := z.Dims()
	for i := range n {
		total := 0.0
		for k := range classes {
			total += math.Exp(z.At(i, k))
		}
		for k := range classes {
			q := smoothing / float64(classes)
			if k == images.labels[rows[i]] {
				q += 1 - smoothing
			}
			sum -= q * (z.At(i, k) - math.Log(total))
		}
	}
	return sum / float64(n)
}

// gramian returns σ_1, σ_k and ‖·‖_F² of FᵀF, and k.
func gramian(f *mat.Dense) (first, last, squares float64, k int) {
	var svd mat.SVD
	svd.Factorize(f, mat.SVDNone)
	s := svd.Values(nil)
	n, d := f.Dims()
	for k < len(s) && s[k] > float64(max(n, d))*math.Pow(2, -24)*s[0] {
		squares += math.Pow(s[k], 4)
		k++
	}
	return s[0] * s[0], s[k-1] * s[k-1], squares, k
}

// The gradient that a step is made of must be that of the whole objective, computed in double precision without any of the
// engine's code, along random directions and single parameters.
func TestObjectives(t *testing.T) {
	well := func(f *mat.Dense) float64 {
		first, _, squares, _ := gramian(f)
		_, d := f.Dims()
		return first*first/2 - squares/float64(2*d)
	}
	ill := func(f *mat.Dense) float64 {
		_, last, squares, k := gramian(f)
		return 1 / (squares/float64(2*k) - last*last/2)
	}
	log := func(f *mat.Dense) float64 {
		first, last, _, _ := gramian(f)
		return math.Log(first / last)
	}
	o := toyOptions()
	a := &adversary{o: &o, head: toyNet(t, 3).Head.Layer}
	for _, c := range []struct {
		name             string
		obj              objective
		primary, harmful func(f *mat.Dense) float64
	}{
		{"immunize", objective{true, rWell(), rIll()}, well, ill},
		{"rill-only", objective{false, nil, rIll()}, nil, ill},
		{"opt-kappa", objective{true, logKappa(), inverseLogKappa()}, log, func(f *mat.Dense) float64 { return 1 / log(f) }},
		{"imma", objective{true, nil, a}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := toyProblem(t)
			primary, harmful := p.Primary.(*patterns), p.Harmful.(*patterns)
			o.Unfrozen = []string{"layers"}
			d, err := newDescent(p, o, drawFrom(1), c.obj)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.balance(); err != nil {
				t.Fatal(err)
			}
			d.net.ZeroGrad()
			for _, s := range []*side{&d.primary, &d.harmful} {
				if ok, err := d.accumulate(s, s == &d.primary && c.obj.loss); err != nil || !ok {
					t.Fatal(ok, err)
				}
			}
			value := func(r reference) float64 {
				v := 0.0
				fp, fh := r.features(primary, d.primary.rows), r.features(harmful, d.harmful.rows)
				if c.obj.loss {
					v += naiveEntropy(layer(fp, r.w[2], r.b[2], false), primary, d.primary.rows, o.LabelSmoothing)
				}
				if c.primary != nil {
					v += d.primary.lambda * c.primary(fp)
				}
				if c.harmful != nil {
					return v + d.harmful.lambda*c.harmful(fh)
				}
				w := a.head.Params()
				weight, bias := make([]float64, len(w[0].Value)), make([]float64, len(w[1].Value))
				widen(weight, w[0].Export())
				widen(bias, w[1].Export())
				z := layer(fh, mat.NewDense(3, 64, weight), mat.NewDense(1, 3, bias), false)
				return v - d.harmful.lambda*naiveEntropy(z, harmful, d.harmful.rows, 0)
			}
			r := newReference(p.Net)
			grad := newReference(p.Net)
			for i, name := range []string{"layers.0", "layers.1", "head"} {
				for _, v := range p.Net.Params() {
					switch v.Name {
					case name + ".weight":
						widen(grad.w[i].RawMatrix().Data, v.ExportGrad())
					case name + ".bias":
						widen(grad.b[i].RawMatrix().Data, v.ExportGrad())
					}
				}
			}
			norm := 0.0
			parts := func(r reference) []*mat.Dense { return append(r.w[:], r.b[:]...) }
			for _, g := range parts(grad) {
				norm = math.Hypot(norm, mat.Norm(g, 2))
			}
			if !(norm > 0) {
				t.Fatal("the gradient is zero")
			}
			rng := numtest.Rand(13)
			for trial := range 12 {
				direction := make([]*mat.Dense, 6)
				length, want := 0.0, 0.0
				for i, g := range parts(grad) {
					m, n := g.Dims()
					direction[i] = mat.NewDense(m, n, nil)
					if trial%2 == 0 { // near the gradient
						direction[i].Scale(math.Sqrt(float64(m*n))/norm, g)
						direction[i].Add(direction[i], numtest.Gaussian(rng, m, n))
					} else if i == trial/2 { // one parameter that the objective feels
						at := 0
						for k, v := range g.RawMatrix().Data {
							if math.Abs(v) > math.Abs(g.RawMatrix().Data[at]) {
								at = k
							}
						}
						direction[i].RawMatrix().Data[at] = 1
					}
					length = math.Hypot(length, mat.Norm(direction[i], 2))
				}
				for i, g := range parts(grad) {
					direction[i].Scale(1/length, direction[i])
					for k, v := range direction[i].RawMatrix().Data {
						want += v * g.RawMatrix().Data[k]
					}
				}
				central := func(h float64) float64 {
					move := func(h float64) float64 {
						next := newReference(p.Net)
						for i, x := range parts(next) {
							var step mat.Dense
							step.Scale(h, direction[i])
							x.Add(x, &step)
						}
						return value(next)
					}
					return (move(h) - move(-h)) / (2 * h)
				}
				const h = 1e-5
				got := (4*central(h/2) - central(h)) / 3
				// Kinks of the ReLUs within h, and float32 in the gradient.
				if e := math.Abs(got-want) / norm; e > 2e-4 {
					t.Errorf("direction %d: %g by differences, %g by the gradient of norm %g (off by %g)", trial, got, want, norm, e)
				}
			}
			if math.IsNaN(value(r)) {
				t.Error("the objective is NaN")
			}
		})
	}
}

// What cores there are must not show.
func TestMethodsAreDeterministic(t *testing.T) {
	for name, method := range map[string]Method{"immunize": Immunize, "rill-only": RillOnly, "opt-kappa": OptKappa, "imma": IMMA, "identity": Identity} {
		t.Run(name, func(t *testing.T) {
			var first string
			for _, cores := range []int{1, 2} {
				before := runtime.GOMAXPROCS(cores)
				p := toyProblem(t)
				res, err := method(context.Background(), p, toyOptions(), drawFrom(2))
				runtime.GOMAXPROCS(before)
				if err != nil {
					t.Fatal(err)
				}
				got := fmt.Sprint(res)
				for _, v := range p.Net.Params() {
					got += fmt.Sprint(v.Name, v.Value)
				}
				if first == "" {
					first = got
				} else if got != first {
					t.Error("one core and two give different bits")
				}
			}
		})
	}
}

// What moves, what does not, and what is recorded.
func TestMethodsMove(t *testing.T) {
	for _, c := range []struct {
		name        string
		method      Method
		moves, head bool
	}{
		{"identity", Identity, false, false},
		{"immunize", Immunize, true, true},
		{"rill-only", RillOnly, true, false},
		{"opt-kappa", OptKappa, true, true},
		{"imma", IMMA, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := toyProblem(t)
			before := p.Net.Clone()
			steps := 0
			o := toyOptions()
			o.Progress = func(step, of int) {
				if steps++; step != steps || of != 12 {
					t.Errorf("progress: step %d of %d after %d", step, of, steps)
				}
			}
			res, err := c.method(context.Background(), p, o, drawFrom(3))
			if err != nil {
				t.Fatal(err)
			}
			want, status, at := 12, immunize.StepLimit, []int{0, 5, 10, 12}
			if !c.moves {
				want, status, at = 0, immunize.Converged, []int{0}
			}
			if res.Status != status || res.Steps != want || steps != want || res.Reason != "" || res.Skipped != 0 {
				t.Errorf("%+v after %d steps", res, steps)
			}
			for i, v := range p.Net.Params() {
				moved := fmt.Sprint(v.Value) != fmt.Sprint(before.Params()[i].Value)
				should := c.moves && strings.HasPrefix(v.Name, "layers.1") || c.head && strings.HasPrefix(v.Name, "head")
				if moved != should {
					t.Errorf("%s moved: %v, want %v", v.Name, moved, should)
				}
				if v.Frozen {
					t.Errorf("%s is left frozen", v.Name)
				}
			}
			var traced []int
			for _, v := range res.Trace {
				traced = append(traced, v.Step)
				for name, n := range map[string]float64{
					"loss": v.LossPrimary, "gradient of the loss": v.GradLoss, "R_well": v.RWell, "R_ill": v.RIll, "κ_P": v.Primary.Rank.Kappa,
					"κ_H": v.Harmful.Rank.Kappa, "κ_H with ridge": v.Harmful.Ridge.Kappa, "gradient of the harmful term": v.GradIll,
				} {
					absent := c.name == "rill-only" && strings.HasSuffix(name, "loss") || c.name == "identity" && strings.HasSuffix(name, "term")
					if n > 0 == absent {
						t.Errorf("step %d: %s is %g", v.Step, name, n)
					}
				}
				if v.GradWell > 0 != (c.name == "immunize" || c.name == "opt-kappa") || v.LossHarmful > 0 != (c.name == "imma") {
					t.Errorf("step %d: %+v", v.Step, v)
				}
			}
			if fmt.Sprint(traced) != fmt.Sprint(at) {
				t.Errorf("traced %v, want %v", traced, at)
			}
		})
	}
}

// The first point is of θ_0 on the first batches, by hand; the weights balance there.
func TestTraceAndBalance(t *testing.T) {
	p := toyProblem(t)
	o := toyOptions()
	o.BalanceNorm = 3
	d, err := newDescent(p, o, drawFrom(4), objective{true, rWell(), rIll()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.balance(); err != nil {
		t.Fatal(err)
	}
	if err := d.trace(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	r := newReference(p.Net)
	if len(d.primary.first) != 48 || fmt.Sprint(d.primary.first[:24]) != fmt.Sprint(d.primary.rows) {
		t.Errorf("κ is traced on %v, the first batch is %v", d.primary.first, d.primary.rows)
	}
	fp, fh := r.features(p.Primary.(*patterns), d.primary.rows), r.features(p.Harmful.(*patterns), d.harmful.rows)
	twoP, twoH := r.features(p.Primary.(*patterns), d.primary.first), r.features(p.Harmful.(*patterns), d.harmful.first)
	point := d.res.Trace[0]
	_, last, squares, k := gramian(fh)
	top, _, all, _ := gramian(fp)
	kappa := func(f *mat.Dense) float64 {
		first, last, _, _ := gramian(f)
		return first / last
	}
	for _, v := range []struct {
		name      string
		got, want float64
	}{
		{"loss", point.LossPrimary, naiveEntropy(layer(fp, r.w[2], r.b[2], false), p.Primary.(*patterns), d.primary.rows, 0.1)},
		{"R_well", point.RWell, top*top/2 - all/128},
		{"R_ill", point.RIll, 1 / (squares/float64(2*k) - last*last/2)},
		{"κ_P", point.Primary.Rank.Kappa, kappa(twoP)},
		{"κ_H", point.Harmful.Rank.Kappa, kappa(twoH)},
		{"λ_P·‖∇R_well‖", d.primary.lambda * point.GradWell, 3},
		{"λ_H·‖∇R_ill‖", d.harmful.lambda * point.GradIll, 3},
	} {
		if e := numtest.RelError(v.got, v.want); e > 1e-3 {
			t.Errorf("%s = %g, want %g", v.name, v.got, v.want)
		}
	}
}

// Every epoch has every image once, but for a rest.
func TestBatches(t *testing.T) {
	b := newBatches(11, 4, numtest.Rand(5))
	for epoch := range 3 {
		seen := map[int]int{}
		for range 2 {
			for _, r := range b.next() {
				seen[r]++
			}
		}
		if len(seen) != 8 {
			t.Errorf("epoch %d: %v", epoch, seen)
		}
	}
	whole := newBatches(3, 3, numtest.Rand(6))
	for range 4 {
		if rows := whole.next(); rows[0]+rows[1]+rows[2] != 3 {
			t.Errorf("a batch of all: %v", rows)
		}
	}
}

// A step allocates nothing once the buffers have grown.
func TestStepsAllocateNothing(t *testing.T) {
	if blas.Kernel() == "gonum" {
		t.Skip("without kernels products are gonum's, which allocate to share themselves out")
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	o := toyOptions()
	for name, obj := range map[string]objective{
		"immunize": {true, rWell(), rIll()}, "opt-kappa": {true, logKappa(), inverseLogKappa()},
		"imma": {true, nil, &adversary{o: &o, head: toyNet(t, 3).Head.Layer}},
	} {
		d, err := newDescent(toyProblem(t), o, drawFrom(14), obj)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.balance(); err != nil {
			t.Fatal(err)
		}
		step := func() {
			if err := d.step(5); err != nil {
				t.Fatal(err)
			}
		}
		step()
		if n := testing.AllocsPerRun(10, step); n != 0 {
			t.Errorf("%s: %g allocations a step", name, n)
		}
	}
}

// TestUnbalancedIsSaid: where a term has no gradient on the first batch, there is nothing to balance its weight by, and the reason says so.
func TestUnbalancedIsSaid(t *testing.T) {
	const said = "lambda_harmful is 0 throughout, because the harmful term has no gradient on the first batch, by which it is balanced"
	for _, same := range []bool{false, true} {
		p := toyProblem(t)
		harmful := p.Harmful.(*patterns)
		if same {
			for i := range harmful.Len() { // κ of equal images is 1
				copy(harmful.pixels[i], harmful.pixels[0])
			}
		}
		for name, method := range map[string]Method{"immunize": Immunize, "rill-only": RillOnly} {
			for _, balanced := range []bool{false, true} {
				o := toyOptions()
				if !balanced {
					o.LambdaHarmful = immunize.Lambda{Value: 1e-3}
				}
				res, err := method(t.Context(), Problem{Net: p.Net.Clone(), Primary: p.Primary, Harmful: p.Harmful}, o, drawFrom(3))
				want := ""
				switch {
				case same && balanced:
					want = said
				case same && name == "rill-only":
					want = "step 1: no term has a gradient, because all non-zero singular values of a batch's features are equal"
				}
				if err != nil || res.Reason != want {
					t.Errorf("%s, equal images %t, balanced %t: %q (%s), %v; want %q", name, same, balanced, res.Reason, res.Status, err, want)
				}
			}
		}
	}
}
