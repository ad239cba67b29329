package nn

import (
	"math"
	"testing"

	"kappa/engine/internal/numtest"
)

// naiveCrossEntropy is the mean cross-entropy with the distribution (1−ε)·1_y + ε/K, as it is defined.
func naiveCrossEntropy(z [][]float64, labels []int, smoothing float64) float64 {
	sum := 0.0
	for i, row := range z {
		total := 0.0
		for _, v := range row {
			total += math.Exp(v)
		}
		for k, v := range row {
			q := smoothing / float64(len(row))
			if k == labels[i] {
				q += 1 - smoothing
			}
			sum -= q * math.Log(math.Exp(v)/total)
		}
	}
	return sum / float64(len(z))
}

func TestCrossEntropy(t *testing.T) {
	rng := numtest.Rand(1)
	for _, test := range []struct {
		rows, classes int
		smoothing     float64
	}{{1, 1, 0}, {1, 2, 0}, {5, 3, 0.1}, {7, 10, 0}, {64, 10, 0.1}, {3, 211, 0.9}} {
		z, wide, labels := NewTensor(test.rows, test.classes), make([][]float64, test.rows), make([]int, test.rows)
		for i := range wide {
			labels[i] = rng.IntN(test.classes)
			wide[i] = make([]float64, test.classes)
			for k := range wide[i] {
				z.Data[i*test.classes+k] = float32(3 * rng.NormFloat64())
				wide[i][k] = float64(z.Data[i*test.classes+k])
			}
		}
		var grad Tensor
		got, want := CrossEntropy(z, labels, test.smoothing, &grad), naiveCrossEntropy(wide, labels, test.smoothing)
		if math.Abs(got-want) > 1e-13*(1+want) {
			t.Errorf("%+v: loss %.17g, want %.17g", test, got, want)
		}
		if alone := CrossEntropy(z, labels, test.smoothing, nil); alone != got {
			t.Errorf("%+v: loss %v without the gradient, %v with it", test, alone, got)
		}
		const h = 1e-5
		for i := range wide {
			for k := range wide[i] {
				at := wide[i][k]
				wide[i][k] = at + h
				up := naiveCrossEntropy(wide, labels, test.smoothing)
				wide[i][k] = at - h
				slope := (up - naiveCrossEntropy(wide, labels, test.smoothing)) / (2 * h)
				wide[i][k] = at
				if g := float64(grad.Data[i*test.classes+k]); math.Abs(g-slope) > 1e-7/float64(test.rows)+1e-9 {
					t.Errorf("%+v: gradient %d, %d is %v, central differences give %v", test, i, k, g, slope)
				}
			}
		}
	}
}

func TestCrossEntropyOfExtremes(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name      string
		z         []float32
		smoothing float64
		want      float64
	}{
		{"large", []float32{3e38, 3e38}, 0, math.Ln2},
		{"far apart", []float32{-3e38, 3e38}, 0, 6e38},
		{"far apart, right", []float32{3e38, -3e38}, 0, 0},
		{"NaN", []float32{0, nan}, 0, math.NaN()},
		{"+Inf", []float32{0, inf}, 0, math.NaN()},
		{"−Inf is impossible", []float32{0, -inf}, 0, 0},
		{"−Inf, smoothed", []float32{0, -inf}, 0.1, math.Inf(1)},
		{"all −Inf", []float32{-inf, -inf}, 0, math.NaN()},
	} {
		got := CrossEntropy(&Tensor{Shape: []int{1, 2}, Data: test.z}, []int{0}, test.smoothing, nil)
		same := got == test.want || math.IsNaN(got) && math.IsNaN(test.want) || math.Abs(got-test.want) < 1e-6*math.Abs(test.want)
		if !same {
			t.Errorf("%s: loss %v, want %v", test.name, got, test.want)
		}
	}
}

func TestCorrect(t *testing.T) {
	nan := float32(math.NaN())
	z := &Tensor{Shape: []int{5, 3}, Data: []float32{
		0, 1, 2, // right
		2, 2, 1, // a tie: the first
		2, 2, 1, // a tie: not the second
		nan, 1, 5, // wrong by its NaN
		-3, -2, -1, // wrong
	}}
	if got := Correct(z, []int{2, 0, 1, 2, 0}); got != 2 {
		t.Errorf("%d correct, want 2", got)
	}
}

func TestLabelsThatDoNotFitPanic(t *testing.T) {
	for _, labels := range [][]int{{0}, {0, 3}, {-1, 0}, {0, 1, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("labels %v for 2×3 logits did not panic", labels)
				}
			}()
			CrossEntropy(NewTensor(2, 3), labels, 0, nil)
		}()
	}
}
