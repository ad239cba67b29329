package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestConv2d(t *testing.T) {
	for _, c := range []struct{ n, h, w, in, out, kernel, stride, pad int }{
		{1, 1, 1, 1, 1, 1, 1, 0},
		{2, 1, 1, 1, 2, 3, 1, 1},
		{5, 7, 5, 3, 16, 3, 1, 1},
		{3, 7, 5, 16, 17, 3, 2, 1},
		{3, 8, 6, 17, 3, 3, 2, 1},
		{2, 7, 5, 16, 32, 1, 2, 0},
		{2, 6, 4, 3, 5, 1, 2, 0},
		{2, 9, 11, 3, 4, 7, 2, 3},
		{2, 6, 7, 2, 3, 5, 1, 2},
		{2, 6, 7, 2, 3, 3, 1, 0},
		{2, 8, 8, 3, 8, 4, 4, 0},
		{2, 7, 9, 2, 3, 2, 3, 1},
		{9, 2, 3, 4, 64, 3, 1, 1},
		{5, 7, 5, 32, 48, 3, 1, 1},
		{2, 1, 1, 32, 32, 3, 1, 1},
		{2, 6, 3, 48, 32, 3, 1, 1},
		{17, 1, 3, 32, 32, 3, 1, 1}, // several partial gradients
		{9, 7, 3, 32, 32, 3, 1, 1},  // of which each is summed up in several groups
		{19, 3, 4, 3, 5, 3, 2, 1},
	} {
		for _, images := range []bool{false, true} {
			t.Run(fmt.Sprintf("%+v/%v", c, images), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				l := NewConv2d(c.in, c.out, c.kernel, c.stride, c.pad, images)
				randomize(l, rng)
				x := newMaps(c.n, c.h, c.w, c.in)
				if images {
					x = NewTensor(c.n, c.in, c.h, c.w)
				}
				checkLayer(t, l, randomLike(x, rng), Mode{Train: true}, func(x maps64, v values64) maps64 {
					return naiveConv(x, v["weight"], v["bias"], c.out, c.kernel, c.stride, c.pad)
				})
			})
		}
	}
}
