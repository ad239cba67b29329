package nn

import (
	"fmt"
	"math"
	"testing"
)

func TestTransformerLayers(t *testing.T) {
	cases := map[string]layerCase{}
	for _, s := range [][3]int{{1, 1, 1}, {3, 5, 7}, {130, 17, 9}, {300, 1, 2}} {
		rows, in, out := s[0], s[1], s[2]
		cases[fmt.Sprintf("linear %d %d×%d", rows, out, in)] = layerCase{
			NewLinear(in, out, true),
			[]int{rows, in},
			func(p values, x []float64) []float64 { return naiveLinear(p, "", x, in, out) },
		}
	}
	cases["linear of tokens"] = layerCase{
		NewLinear(6, 4, false),
		[]int{2, 3, 6},
		func(p values, x []float64) []float64 { return naiveLinear(p, "", x, 6, 4) },
	}
	for _, s := range [][2]int{{1, 3}, {7, 17}, {129, 18}, {260, 5}} {
		cases[fmt.Sprintf("norm %d×%d", s[0], s[1])] = layerCase{
			NewLayerNorm(s[1], 1e-5),
			[]int{s[0], s[1]},
			func(p values, x []float64) []float64 { return naiveNorm(p, "", x, s[1], 1e-5) },
		}
	}
	cases["GELU"] = layerCase{NewGELU(), []int{3, 5, 67}, func(_ values, x []float64) []float64 { return naiveGELU(x) }}
	for _, s := range [][4]int{{1, 1, 1, 1}, {2, 5, 6, 3}, {1, 50, 16, 1}, {2, 11, 20, 2}} {
		cases[fmt.Sprintf("attention %v", s)] = layerCase{
			NewAttention(s[2], s[3]),
			[]int{s[0], s[1], s[2]},
			func(p values, x []float64) []float64 { return naiveAttention(p, "", x, s[1], s[2], s[3]) },
		}
	}
	cases["feed forward"] = layerCase{
		NewFeedForward(9, 21),
		[]int{2, 3, 9},
		func(p values, x []float64) []float64 { return naiveFeedForward(p, "", x, 9, 21) },
	}
	o := EncoderOptions{Width: 12, Heads: 3, Hidden: 20, Epsilon: 1e-6}
	cases["encoder"] = layerCase{
		NewEncoderBlock(o),
		[]int{3, 7, 12},
		func(p values, x []float64) []float64 { return naiveEncoder(p, "", x, 7, o) },
	}
	first := EncoderOptions{Width: 12, Heads: 3, Hidden: 20, Epsilon: 1e-6, First: true}
	for _, tokens := range []int{1, 7} {
		cases[fmt.Sprintf("encoder, first of %d tokens", tokens)] = layerCase{
			NewEncoderBlock(first),
			[]int{3, tokens, 12},
			func(p values, x []float64) []float64 {
				var y []float64
				for i, v := range naiveEncoder(p, "", x, tokens, first) {
					if i/12%tokens == 0 {
						y = append(y, v)
					}
				}
				return y
			},
		}
	}
	for _, s := range [][5]int{{1, 4, 4, 4, 3}, {3, 6, 9, 3, 10}, {2, 8, 4, 2, 17}, {3, 3, 2, 1, 4}} {
		cases[fmt.Sprintf("embedding %v", s)] = layerCase{
			NewEmbed(s[0], s[1], s[2], s[3], s[4]),
			[]int{3, s[0], s[1], s[2]},
			func(p values, x []float64) []float64 { return naiveEmbed(p, x, s[0], s[1], s[2], s[3], s[4]) },
		}
	}
	cases["class norm"] = layerCase{
		NewClassNorm(9, 1e-5),
		[]int{4, 3, 9},
		func(p values, x []float64) []float64 { return naiveClassNorm(p, "", x, 3, 9, 1e-5) },
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { c.check(t, 1) })
	}
}

// TestTransformerNaN holds that a NaN in one token is not lost, and stays within its image.
func TestTransformerNaN(t *testing.T) {
	const tokens, width = 5, 8
	for _, first := range []bool{false, true} {
		b := NewEncoderBlock(EncoderOptions{Width: width, Heads: 2, Hidden: 6, Epsilon: 1e-5, First: first})
		x := NewTensor(3, tokens, width)
		for i := range x.Data {
			x.Data[i] = float32(i % 7)
		}
		x.Data[(tokens+2)*width] = float32(math.NaN()) // of the second image
		y := b.Forward(x, Mode{Train: true})
		for i := range 3 {
			for j, v := range y.Sample(i) {
				if math.IsNaN(float64(v)) != (i == 1) {
					t.Fatalf("first %v: element %d of image %d is %v", first, j, i, v)
				}
			}
		}
	}
}

func TestTransformerShapes(t *testing.T) {
	linear, norm, gelu := NewLinear(3, 2, true), NewLayerNorm(3, 1e-5), NewGELU()
	for _, l := range []Layer{linear, norm, gelu} {
		l.Forward(NewTensor(4, 3), Mode{})
	}
	for name, call := range map[string]func(){
		"linear":              func() { linear.Forward(NewTensor(3, 4), Mode{}) },
		"linear's gradient":   func() { linear.Backward(NewTensor(3, 2), true) },
		"linear of maps":      func() { linear.Forward(newMaps(1, 2, 2, 3), Mode{}) },
		"norm":                func() { norm.Forward(NewTensor(3, 4), Mode{}) },
		"norm's gradient":     func() { norm.Backward(NewTensor(3, 3), true) },
		"GELU's gradient":     func() { gelu.Backward(NewTensor(3, 3), true) },
		"heads":               func() { NewAttention(8, 3) },
		"attention":           func() { NewAttention(8, 2).Forward(NewTensor(2, 8), Mode{}) },
		"patch":               func() { NewEmbed(1, 6, 8, 4, 2) },
		"embedding":           func() { NewEmbed(1, 4, 8, 4, 2).Forward(NewTensor(1, 1, 8, 4), Mode{}) },
		"class token":         func() { NewClassNorm(3, 1e-5).Forward(NewTensor(4, 3), Mode{}) },
		"hidden layer":        func() { newHidden(6, 2).Forward(NewTensor(2, 5), Mode{}) },
		"hidden layer of map": func() { newHidden(6, 2).Forward(newMaps(2, 1, 2, 3), Mode{}) },
	} {
		func() {
			defer func() {
				if r := recover(); r != badShape {
					t.Errorf("%s: %v, want a panic with %q", name, r, badShape)
				}
			}()
			call()
		}()
	}
}
