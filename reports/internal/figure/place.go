package figure

import "slices"

// span is a label on a vertical line: where its middle would like to be and the room it needs.
type span struct {
	want, h float64
	at      float64 // where it may be
}

// nudge moves labels apart as little as possible (least squares), keeping their order and staying in [low, high]. It returns false if
// there is no room for all of them. Pool-adjacent-violators: neighbours that collide become one block around its mean.
func nudge(spans []*span, low, high, apart float64) bool {
	sorted := slices.Clone(spans)
	slices.SortStableFunc(sorted, func(a, b *span) int {
		switch {
		case a.want < b.want:
			return -1
		case a.want > b.want:
			return 1
		}
		return 0
	})
	total := -apart
	for _, s := range sorted {
		total += s.h + apart
	}
	if total > high-low {
		return false
	}
	type block struct {
		first, n   int
		sum, h, at float64 // sum of the starts its members want; bottom
	}
	var blocks []block
	for i, s := range sorted {
		b := block{first: i, n: 1, sum: s.want - s.h/2, h: s.h}
		b.at = clamp(b.sum, low, high-b.h)
		for len(blocks) > 0 && blocks[len(blocks)-1].at+blocks[len(blocks)-1].h+apart > b.at {
			a := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			// b's members want their own start less their offset in the joint block.
			b = block{first: a.first, n: a.n + b.n, sum: a.sum + b.sum - float64(b.n)*(a.h+apart), h: a.h + apart + b.h}
			b.at = clamp(b.sum/float64(b.n), low, high-b.h)
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		y := b.at
		for _, s := range sorted[b.first : b.first+b.n] {
			s.at = y + s.h/2
			y += s.h + apart
		}
	}
	return true
}

// around tries to place a label near a point so that it meets none of the boxes taken, the near places first; leader says
// that the place is so far off that it needs a line.
func around(l label, p pt, r float64, inside rect, taken []rect) (where rect, leader, ok bool) {
	for ring, d := range []float64{r + 1.5, r + 6, r + 13, r + 22} {
		for _, dir := range []struct{ x, y float64 }{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}} {
			k := d
			if dir.x != 0 && dir.y != 0 {
				k = 0.71 * d
			}
			at := l.place(pt{p.x + dir.x*k, p.y + dir.y*k}, align{0.5 - dir.x/2, 0.5 - dir.y/2})
			if at.inside(inside) && !slices.ContainsFunc(taken, at.overlaps) {
				return at, ring > 0, true
			}
		}
	}
	return rect{}, false, false
}
