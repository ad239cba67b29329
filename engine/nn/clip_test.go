package nn

import (
	"math"
	"testing"
)

func TestClipGradient(t *testing.T) {
	params := func() []*Param {
		a, b, frozen, bare := newParam("a", Plain, 2), newParam("b", Plain, 1), newParam("frozen", Plain, 1), newParam("bare", Plain, 3)
		copy(a.Gradient(), []float32{3, 4})
		b.Gradient()[0] = -12
		frozen.Gradient()[0], frozen.Frozen = 100, true
		return []*Param{a, b, frozen, bare}
	}
	for _, test := range []struct{ limit, want float64 }{{0, 13}, {13.1, 13}, {26, 13}, {6.5, 6.5}, {1e-3, 1e-3}} {
		p := params()
		if norm := ClipGradient(p, test.limit); norm != 13 {
			t.Errorf("limit %v: the norm was %v, want 13", test.limit, norm)
		}
		if norm := GradientNorm(p); math.Abs(norm-test.want) > 1e-6*test.want {
			t.Errorf("limit %v: the norm is now %v, want %v", test.limit, norm, test.want)
		}
		if p[2].Grad[0] != 100 {
			t.Errorf("limit %v: a frozen parameter's gradient changed", test.limit)
		}
	}
	p := params()
	p[1].Grad[0] = float32(math.Inf(1))
	if norm := ClipGradient(p, 1); !math.IsInf(norm, 1) || p[0].Grad[0] != 3 {
		t.Errorf("an infinite gradient has the norm %v and leaves %v of 3", norm, p[0].Grad[0])
	}
	p[1].Grad[0] = 1e30 // its square is no float32
	if norm := ClipGradient(p, 1); math.Abs(norm-1e30) > 1e24 || math.Abs(GradientNorm(p)-1) > 1e-6 {
		t.Errorf("a gradient of 1e30 has the norm %v and is cut to %v, want 1", norm, GradientNorm(p))
	}
	if norm := ClipGradient(nil, 1); norm != 0 {
		t.Errorf("no gradients have the norm %v, want 0", norm)
	}
}
