package blas

import "gonum.org/v1/gonum/blas/blas32"

// lineKernels are the inner loops of Lines on one kind of processor: one for every height and width of a tile.
type lineKernels struct {
	lanes         int
	rows, vectors int // of the largest tile
	tile          [maxRows][maxVectors]func(s, k int, a *float32, ars, acs, as int, b *float32, bs, bt int, c *float32, cs, cols, add int)
	// blocks are those for several blocks of columns, each in a register; nil: none.
	blocks [maxRows][maxVectors]func(s, k int, a *float32, ars, acs, as int, b *float32, bs, bt int, c *float32, cs, cols, add, bb, cb int)
}

const badLines = "blas: the product of lines does not fit its slices"

// segmentTerms is the length of a sum up to which the segments are added up in registers: a longer one's columns of B would fall out
// of the cache between two tiles. It does not depend on the kernels, and so neither does the order of a sum.
const segmentTerms = 2048

// Lines is the product C ← A·B, or C ← C + A·B, of matrices in float32 that are read where they are, at steps that BLAS does not
// know. Rows and sums have two levels each, and columns two: with g < Groups, r < Rows, b < Blocks, j < Cols, s < Segments, k < K
//
//	C[g·CGroup + r·CRow + b·CBlock + j] = Σ_s Σ_k A[g·AGroup + r·ARow + s·ASegment + k·ACol] · B[s·BSegment + k·BRow + b·BBlock + j].
//
// So the rows of A may overlap, as the windows of a convolution do: with pixels of c numbers and lines of w pixels one after
// another, the 3×3 convolution of h lines has Groups = h, Rows = w, Segments = 3, K = 3c, ARow = c, AGroup = ASegment = w·c.
//
// Steps are counted in numbers and not negative, but for those of blocks: where such a one is, the slice begins with its last block.
// Where Add is set, groups may share elements of C: they are added to one after the other.
type Lines struct {
	Groups, Rows                 int
	Blocks, Cols                 int // no blocks are one
	Segments, K                  int
	A                            []float32
	AGroup, ARow, ASegment, ACol int
	B                            []float32
	BSegment, BRow, BBlock       int
	C                            []float32
	CGroup, CRow, CBlock         int
	Add                          bool
}

// Multiply computes the product on the caller's core. It panics where an index lies outside of its slice. Kernels take the terms of
// an element in the order of s and k, with one rounding a term, at most 2048 of them or one segment to a sum, and add the sums to C in
// their order; without kernels every term is rounded and added to C, in the same order. Without a term C ← 0. Nothing is allocated.
func (l *Lines) Multiply() {
	if min(l.Groups, l.Rows, l.Blocks, l.Cols, l.Segments, l.K) < 0 ||
		min(l.AGroup, l.ARow, l.ASegment, l.ACol) < 0 || min(l.BSegment, l.BRow, l.CGroup, l.CRow) < 0 {
		panic(badLines)
	}
	if l.Groups == 0 || l.Rows == 0 || l.Cols == 0 {
		return
	}
	more := max(1, l.Blocks) - 1
	if (l.Groups-1)*l.CGroup+(l.Rows-1)*l.CRow+more*abs(l.CBlock)+l.Cols > len(l.C) {
		panic(badLines)
	}
	if l.Segments > 0 && l.K > 0 && ((l.Groups-1)*l.AGroup+(l.Rows-1)*l.ARow+(l.Segments-1)*l.ASegment+(l.K-1)*l.ACol >= len(l.A) ||
		(l.Segments-1)*l.BSegment+(l.K-1)*l.BRow+more*abs(l.BBlock)+l.Cols > len(l.B)) {
		panic(badLines)
	}
	b, c := more*max(0, -l.BBlock), more*max(0, -l.CBlock) // where block 0 begins
	if l.Segments == 0 || l.K == 0 {
		l.erase(c)
		return
	}
	impl, _ := blas32.Implementation().(Implementation)
	add := l.Add
	for s, step := 0, max(1, segmentTerms/l.K); s < l.Segments; s += step {
		n := min(step, l.Segments-s)
		switch k := impl.l; {
		case k == nil:
			l.plain(s, n, b, c, add)
		case more == 0:
			l.panels(k, s, n, b, c, l.Groups, 0, add)
		case l.Cols <= k.lanes && more < k.vectors && k.blocks[0][more] != nil:
			l.blocks(k, s, n, b, c, add)
		default:
			for g := range l.Groups {
				for x := range more + 1 {
					l.panels(k, s, n, b+x*l.BBlock, c+x*l.CBlock+g*l.CGroup, 1, g, add)
				}
			}
		}
		add = true
	}
}

func abs(n int) int { return max(n, -n) }

// erase makes C zero; block 0 begins at c.
func (l *Lines) erase(c int) {
	if l.Add {
		return
	}
	for g := range l.Groups {
		for r := range l.Rows {
			for x := range max(1, l.Blocks) {
				clear(l.C[c+g*l.CGroup+r*l.CRow+x*l.CBlock:][:l.Cols])
			}
		}
	}
}

// panels adds up n segments from s on, in strips of columns, for some groups from the given one on; their B and C begin at b and c.
func (l *Lines) panels(k *lineKernels, s, n, b, c, groups, from int, add bool) {
	for j := 0; j < l.Cols; {
		left := (l.Cols - j + k.lanes - 1) / k.lanes
		vectors := min(left, k.vectors)
		if left == k.vectors+1 && left > 2 { // a single register has too little work for the loads it needs
			vectors = (left + 1) / 2
		}
		cols := min(l.Cols-j, vectors*k.lanes)
		l.strip(k, s, n, b+j, c+j, groups, from, cols, vectors, add)
		j += cols
	}
}

const numberSize = 4

// gaps are the steps from the end of a segment to the next, in bytes.
func (l *Lines) gaps() (as, bt int) {
	return (l.ASegment - l.K*l.ACol) * numberSize, (l.BSegment - l.K*l.BRow) * numberSize
}

func (l *Lines) strip(k *lineKernels, s, n, b, c, groups, from, cols, vectors int, add bool) {
	more := 0
	if add {
		more = 1
	}
	last := cols - (vectors-1)*k.lanes
	as, bt := l.gaps()
	tiles := (l.Rows + k.rows - 1) / k.rows
	b += s * l.BSegment
	for g := range groups {
		a, c := (from+g)*l.AGroup+s*l.ASegment, c+g*l.CGroup
		row := 0
		for t := range tiles { // of nearly the same height
			to := (t + 1) * l.Rows / tiles
			k.tile[to-row-1][vectors-1](n, l.K, &l.A[a+row*l.ARow], l.ARow*numberSize, l.ACol*numberSize, as,
				&l.B[b], l.BRow*numberSize, bt, &l.C[c+row*l.CRow], l.CRow*numberSize, last, more)
			row = to
		}
	}
}

// blocks is panels for several blocks that are no wider than a register.
func (l *Lines) blocks(k *lineKernels, s, n, b, c int, add bool) {
	more := 0
	if add {
		more = 1
	}
	as, bt := l.gaps()
	tiles := (l.Rows + k.rows - 1) / k.rows
	b += s * l.BSegment
	for g := range l.Groups {
		a, c := g*l.AGroup+s*l.ASegment, c+g*l.CGroup
		row := 0
		for t := range tiles {
			to := (t + 1) * l.Rows / tiles
			k.blocks[to-row-1][l.Blocks-1](n, l.K, &l.A[a+row*l.ARow], l.ARow*numberSize, l.ACol*numberSize, as,
				&l.B[b], l.BRow*numberSize, bt, &l.C[c+row*l.CRow], l.CRow*numberSize, l.Cols, more, l.BBlock*numberSize, l.CBlock*numberSize)
			row = to
		}
	}
}

// plain is panels without kernels.
func (l *Lines) plain(s, n, b, c int, add bool) {
	for g := range l.Groups {
		for x := range max(1, l.Blocks) {
			for r := range l.Rows {
				c := l.C[c+g*l.CGroup+r*l.CRow+x*l.CBlock:][:l.Cols]
				if !add {
					clear(c)
				}
				for i := s; i < s+n; i++ {
					for k := range l.K {
						v := l.A[g*l.AGroup+r*l.ARow+i*l.ASegment+k*l.ACol]
						for j, w := range l.B[b+i*l.BSegment+k*l.BRow+x*l.BBlock:][:l.Cols] {
							c[j] += float32(v * w) // rounded: a processor that could fuse the two must not
						}
					}
				}
			}
		}
	}
}
