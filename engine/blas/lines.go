package blas

import "gonum.org/v1/gonum/blas/blas32"

// lineKernels are the inner loops of Lines on one kind of processor: one for every height and width of a tile.
type lineKernels struct {
	lanes         int
	rows, vectors int // of the largest tile
	tile          [maxRows][maxVectors]func(s, k int, a *float32, ars, acs, as int, b *float32, bs, bt int, c *float32, cs, cols, add int)
}

const badLines = "blas: the product of lines does not fit its slices"

// segmentTerms is the length of a sum up to which the segments are added up in registers: a longer one's columns of B would fall out
// of the cache between two tiles. It does not depend on the kernels, and so neither does the order of a sum.
const segmentTerms = 2048

// Lines is the product C ← A·B, or C ← C + A·B, of matrices in float32 that are read where they are, at steps that BLAS does not
// know. Rows and sums have two levels each: with g < Groups, r < Rows, j < Cols, s < Segments, k < K
//
//	C[g·CGroup + r·CRow + j] = Σ_s Σ_k A[g·AGroup + r·ARow + s·ASegment + k·ACol] · B[s·BSegment + k·BRow + j].
//
// So the rows of A may overlap, as the windows of a convolution do: with pixels of c numbers and lines of w pixels one after
// another, the 3×3 convolution of h lines has Groups = h, Rows = w, Segments = 3, K = 3c, ARow = c, AGroup = ASegment = w·c. Steps are
// counted in numbers and not negative; elements of C do not share their places.
type Lines struct {
	Groups, Rows, Cols           int
	Segments, K                  int
	A                            []float32
	AGroup, ARow, ASegment, ACol int
	B                            []float32
	BSegment, BRow               int
	C                            []float32
	CGroup, CRow                 int
	Add                          bool
}

// Multiply computes the product on the caller's core. It panics where an index lies outside of its slice. Every element is
// a sum in the order of s and k, with one rounding a term, over at most 2048 terms or one segment at a time; these are added in order,
// to C last. Without a term C ← 0. Nothing is allocated.
func (l *Lines) Multiply() {
	if min(l.Groups, l.Rows, l.Cols, l.Segments, l.K) < 0 ||
		min(l.AGroup, l.ARow, l.ASegment, l.ACol) < 0 || min(l.BSegment, l.BRow, l.CGroup, l.CRow) < 0 {
		panic(badLines)
	}
	if l.Groups == 0 || l.Rows == 0 || l.Cols == 0 {
		return
	}
	if (l.Groups-1)*l.CGroup+(l.Rows-1)*l.CRow+l.Cols > len(l.C) {
		panic(badLines)
	}
	if l.Segments == 0 || l.K == 0 {
		l.erase()
		return
	}
	if (l.Groups-1)*l.AGroup+(l.Rows-1)*l.ARow+(l.Segments-1)*l.ASegment+(l.K-1)*l.ACol >= len(l.A) ||
		(l.Segments-1)*l.BSegment+(l.K-1)*l.BRow+l.Cols > len(l.B) {
		panic(badLines)
	}
	impl, _ := blas32.Implementation().(Implementation)
	add := l.Add
	for s, step := 0, max(1, segmentTerms/l.K); s < l.Segments; s += step {
		if impl.l == nil {
			l.plain(s, min(step, l.Segments-s), add)
		} else {
			l.panels(impl.l, s, min(step, l.Segments-s), add)
		}
		add = true
	}
}

func (l *Lines) erase() {
	if l.Add {
		return
	}
	for g := range l.Groups {
		for r := range l.Rows {
			clear(l.C[g*l.CGroup+r*l.CRow:][:l.Cols])
		}
	}
}

// panels adds up n segments from s on, in strips of columns.
func (l *Lines) panels(k *lineKernels, s, n int, add bool) {
	for j := 0; j < l.Cols; {
		left := (l.Cols - j + k.lanes - 1) / k.lanes
		vectors := min(left, k.vectors)
		if left == k.vectors+1 && left > 2 { // a single register has too little work for the loads it needs
			vectors = (left + 1) / 2
		}
		cols := min(l.Cols-j, vectors*k.lanes)
		l.strip(k, s, n, j, cols, vectors, add)
		j += cols
	}
}

func (l *Lines) strip(k *lineKernels, s, n, j, cols, vectors int, add bool) {
	const size = 4
	more := 0
	if add {
		more = 1
	}
	last := cols - (vectors-1)*k.lanes
	as, bt := (l.ASegment-l.K*l.ACol)*size, (l.BSegment-l.K*l.BRow)*size
	tiles := (l.Rows + k.rows - 1) / k.rows
	for g := range l.Groups {
		a, c := g*l.AGroup+s*l.ASegment, g*l.CGroup+j
		row := 0
		for t := range tiles { // of nearly the same height
			to := (t + 1) * l.Rows / tiles
			k.tile[to-row-1][vectors-1](n, l.K, &l.A[a+row*l.ARow], l.ARow*size, l.ACol*size, as,
				&l.B[s*l.BSegment+j], l.BRow*size, bt, &l.C[c+row*l.CRow], l.CRow*size, last, more)
			row = to
		}
	}
}

// plain is panels without kernels.
func (l *Lines) plain(s, n int, add bool) {
	for g := range l.Groups {
		for r := range l.Rows {
			c := l.C[g*l.CGroup+r*l.CRow:][:l.Cols]
			if !add {
				clear(c)
			}
			for i := s; i < s+n; i++ {
				for k := range l.K {
					x := l.A[g*l.AGroup+r*l.ARow+i*l.ASegment+k*l.ACol]
					b := l.B[i*l.BSegment+k*l.BRow:][:l.Cols]
					for j, v := range b {
						c[j] += x * v
					}
				}
			}
		}
	}
}
