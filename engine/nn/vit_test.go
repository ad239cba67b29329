package nn

import (
	"fmt"
	"testing"
)

func TestTransformerLayers(t *testing.T) {
	cases := map[string]layerCase{}
	for _, s := range [][3]int{{1, 1, 1}, {3, 5, 7}, {130, 17, 33}, {300, 1, 2}} {
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
	for _, s := range [][4]int{{1, 1, 1, 1}, {2, 5, 6, 3}, {2, 50, 16, 1}, {2, 17, 32, 2}} {
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
