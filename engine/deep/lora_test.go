package deep

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
	"kappa/engine/nn"
)

func TestAdaptersGradient(t *testing.T) {
	dims := [3]int{1, 8, 8}
	task := toyTask(31, 64, 3, dims)
	for _, kind := range []string{"mlp", "vit-small", "resnet-small"} {
		t.Run(kind, func(t *testing.T) {
			net := attacked(t, kind, dims)
			rng := numtest.Rand(32)
			l, err := newAdapters(net, net.Unfrozen, 3, 0.7, rng)
			if err != nil {
				t.Fatal(err)
			}
			var x, d nn.Tensor
			rows := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
			src, err := newPictures(net, task.Train, rows)
			if err != nil || src.read(&x, rows) != nil {
				t.Fatal(err)
			}
			labels := src.label(nil, rows)
			loss := func() float64 {
				l.merge()
				return nn.CrossEntropy(net.Logits(net.Features(&x, nn.Mode{}), nn.Mode{}), labels, 0, &d)
			}
			for _, a := range l {
				for _, p := range []*nn.Param{a.left, a.right} { // away from B = 0
					for i := range p.Value {
						p.Value[i] += float32(0.05 * rng.NormFloat64())
					}
				}
			}
			loss()
			net.ZeroGrad()
			net.Backward(net.Head.Backward(&d, true))
			l.pull()
			for _, a := range l {
				for _, p := range []*nn.Param{a.left, a.right} {
					// Along a direction of length h: the gradient's own, and random ones turned into it by half.
					for try := range 3 {
						dir, norm := make([]float64, len(p.Value)), 0.0
						slope := 0.0
						for i, g := range p.Grad {
							norm += float64(g) * float64(g)
							dir[i] = float64(g)
						}
						norm = math.Sqrt(norm)
						if norm == 0 {
							t.Fatalf("%s: no gradient", p.Name)
						}
						length := 0.0
						for i := range dir {
							dir[i] /= norm
							if try > 0 {
								dir[i] += rng.NormFloat64() / math.Sqrt(float64(len(dir)))
							}
							length += dir[i] * dir[i]
						}
						const h = 2e-3
						base := slices.Clone(p.Value)
						at := func(h float64) float64 {
							for i := range p.Value {
								p.Value[i] = float32(float64(base[i]) + h*dir[i]/math.Sqrt(length))
							}
							return loss()
						}
						fd := (at(h) - at(-h)) / (2 * h)
						copy(p.Value, base)
						for i, g := range p.Grad {
							slope += float64(g) * dir[i] / math.Sqrt(length)
						}
						if math.Abs(fd-slope) > 5e-3*norm+1e-4 {
							t.Errorf("%s: slope %v, central differences give %v", p.Name, slope, fd)
						}
					}
				}
			}
		})
	}
}

func TestLoRAChangesLittle(t *testing.T) {
	const rank = 2
	dims := [3]int{1, 8, 8}
	task := toyTask(33, 160, 3, dims)
	for _, kind := range []string{"mlp", "vit-small", "resnet-small"} {
		t.Run(kind, func(t *testing.T) {
			net := attacked(t, kind, dims)
			_, o := attackers()["lora"]()
			o.Rank = rank
			ctx := t.Context()
			var tr *trainer
			var l adapters
			_, err := attack(t.Context(), "lora", net, task, o, drawFrom(1), func(t *trainer) (err error) {
				tr = t
				l, err = t.adapt(ctx, net.Unfrozen, o)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			adapted := map[string]*adapter{}
			for _, a := range l {
				adapted[a.weight.Name] = a
				if !strings.HasSuffix(a.weight.Name, "weight") || len(a.weight.Shape) < 2 {
					t.Errorf("%s %v is no weight matrix", a.weight.Name, a.weight.Shape)
				}
			}
			for i, p := range net.Params() {
				q := tr.net.Params()[i]
				a := adapted[p.Name]
				switch {
				case strings.HasPrefix(p.Name, net.Head.Name+"."):
				case a == nil:
					if !slices.Equal(p.Value, q.Value) {
						t.Errorf("%s has changed", p.Name)
					}
				default:
					if !slices.Equal(a.base, p.Value) {
						t.Errorf("%s: the base has changed", p.Name)
					}
					update := mat.NewDense(a.rows, a.cols, nil)
					for j := range p.Value {
						update.Set(j/a.cols, j%a.cols, float64(q.Value[j])-float64(p.Value[j]))
					}
					var svd mat.SVD
					svd.Factorize(update, mat.SVDNone)
					s := svd.Values(nil)
					if !(s[0] > 1e-3) || s[rank] > 1e-5*(1+s[0]) {
						t.Errorf("%s: singular values of the update are %.3g; want %d of them", p.Name, s[:min(len(s), rank+2)], rank)
					}
				}
			}
			if len(l) == 0 {
				t.Error("no adapters")
			}
		})
	}
}

// TestLoRAEndsWhereAnAdapterIsNotFinite: the last step of an epoch shows in the adapters alone.
func TestLoRAEndsWhereAnAdapterIsNotFinite(t *testing.T) {
	net := attacked(t, "mlp", toyDims)
	_, o := attackers()["lora"]()
	o.Epochs = 2
	var l adapters
	o.Progress = func(step, steps int) {
		if step == steps {
			l[0].left.Value[0] = float32(math.Inf(1))
		}
	}
	res, err := attack(t.Context(), "lora", net, toyTask(23, 160, 3, toyDims), o, drawFrom(1), func(tr *trainer) (err error) {
		l, err = tr.adapt(t.Context(), net.Unfrozen, o)
		return err
	})
	if err != nil || res.Status != immunize.Diverged || !strings.HasSuffix(res.Reason, "the loss is finite, but "+l[0].left.Name+" is not") || len(res.Epochs) != 2 {
		t.Errorf("%+v, %v; want it diverged in the second epoch, by %s", res, err, l[0].left.Name)
	}
}
