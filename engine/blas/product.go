package blas

// triangle says which elements of C a product touches.
type triangle int

const (
	whole triangle = iota
	upper
	lower
)

// product is C ← α·op(A)·op(B), or C ← C + α·op(A)·op(B), with op(A) m×k and op(B) k×n, k > 0. Each element of C is summed along k in
// blocks whose borders depend on k alone, in one order: it does not matter how C is cut into tiles, panels and parts, or who
// computes which.
type product[T float] struct {
	*kernels[T]
	m, n, k       int
	alpha         T
	a, b, c       []T
	lda, ldb, ldc int
	ta, tb        bool
	add           bool
	shape         triangle
}

// Sizes of the blocks that are meant to stay in a cache: of op(A) a tile's rows along a block of k in the first level, of op(B) a
// block in the second.
const (
	depth      = 256     // longest block along k
	panelBytes = 6 << 17 // of the packed block of op(B)
	maxTile    = maxRows * maxVectors * 16
)

// panel is a strip of columns of op(B), at most maxVectors registers wide.
type panel struct {
	j, cols int // first column, number of columns
	vectors int
	last    int // columns in the last register
	offset  int // in the packed block
}

// scratch is the memory one part of a product works in.
type scratch[T float] struct {
	b      []T // packed op(B)
	a      []T // a partial tile's rows of op(A), filled up with zeros
	tile   []T // a tile of C across the diagonal
	panels []panel
}

// blocks cuts n into as few pieces of at most most as possible, of nearly the same size, and returns that size.
func blocks(n, most int) int {
	pieces := (n + most - 1) / most
	return (n + pieces - 1) / pieces
}

// part computes rows i0 … i1 and columns j0 … j1 of C.
func (p *product[T]) part(i0, i1, j0, j1 int, s *scratch[T]) {
	kc := blocks(p.k, depth)
	most := panelBytes / p.size / (kc * p.lanes) * p.lanes
	for j := j0; j < j1; {
		n := min(j1-j, roundUp(blocks(j1-j, most), p.lanes))
		s.cut(j, n, kc, p.lanes)
		for k := 0; k < p.k; k += kc {
			p.block(i0, i1, k, min(kc, p.k-k), s)
		}
		j += n
	}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// cut cuts n columns from j on into panels. A single register's width at the end is avoided where it can be: it has too little work
// for the loads it needs.
func (s *scratch[T]) cut(j, n, kc, lanes int) {
	s.panels = s.panels[:0]
	left := (n + lanes - 1) / lanes
	offset := 0
	for n > 0 {
		v := min(left, maxVectors)
		if left == 4 {
			v = 2
		}
		cols := min(n, v*lanes)
		s.panels = append(s.panels, panel{j: j, cols: cols, vectors: v, last: cols - (v-1)*lanes, offset: offset})
		offset += v * lanes * kc
		j, n, left = j+cols, n-cols, left-v
	}
	if cap(s.b) < offset {
		s.b = make([]T, offset)
	}
	s.b = s.b[:cap(s.b)]
}

// block adds the products along k0 … k0+kn for the panels of s.
func (p *product[T]) block(i0, i1, k0, kn int, s *scratch[T]) {
	packed := p.tb || i1-i0 > p.direct
	for i := range s.panels {
		if q := &s.panels[i]; packed || q.last < p.lanes {
			p.packPanel(q, k0, kn, s)
		}
	}
	add := 0
	if p.add || k0 > 0 {
		add = 1
	}
	for i := i0; i < i1; i += p.rows {
		rows := min(p.rows, i1-i)
		a, ars, acs := p.tileRows(i, rows, k0, kn, s)
		for x := range s.panels {
			q := &s.panels[x]
			if p.outside(i, rows, q) {
				continue
			}
			b, bs := &s.b[q.offset], q.vectors*p.lanes*p.size
			if !packed && q.last == p.lanes {
				b, bs = &p.b[k0*p.ldb+q.j], p.ldb*p.size
			}
			if p.across(i, rows, q) {
				p.diagonal(i, rows, q, kn, a, ars, acs, b, bs, add, s)
				continue
			}
			p.mul[q.vectors-1](kn, a, ars, acs, b, bs, &p.c[i*p.ldc+q.j], p.ldc*p.size, rows, q.last, add, p.alpha)
		}
	}
}

// tileRows returns where rows i … i+rows of op(A) from column k0 on lie, and the steps between rows and columns in bytes. A partial
// tile's rows are copied and filled up with zeros, since a kernel reads whole ones.
func (p *product[T]) tileRows(i, rows, k0, kn int, s *scratch[T]) (a *T, ars, acs int) {
	if rows == p.rows {
		if p.ta {
			return &p.a[k0*p.lda+i], p.size, p.lda * p.size
		}
		return &p.a[i*p.lda+k0], p.lda * p.size, p.size
	}
	if n := p.rows * kn; cap(s.a) < n {
		s.a = make([]T, p.rows*depth)
	}
	if p.ta {
		s.a = s.a[:p.rows*kn]
		for k := range kn {
			dst := s.a[k*p.rows : (k+1)*p.rows]
			clear(dst[copy(dst, p.a[(k0+k)*p.lda+i:][:rows]):])
		}
		return &s.a[0], p.size, p.rows * p.size
	}
	s.a = s.a[:p.rows*kn]
	for r := range rows {
		copy(s.a[r*kn:(r+1)*kn], p.a[(i+r)*p.lda+k0:])
	}
	clear(s.a[rows*kn:])
	return &s.a[0], kn * p.size, p.size
}

// packPanel copies the panel q of rows k0 … k0+kn of op(B).
func (p *product[T]) packPanel(q *panel, k0, kn int, s *scratch[T]) {
	dst := s.b[q.offset:]
	if !p.tb {
		p.pack[q.vectors-1](kn, &p.b[k0*p.ldb+q.j], p.ldb*p.size, &dst[0], q.last)
		return
	}
	width := q.vectors * p.lanes
	whole := kn / p.turns * p.turns
	j := 0
	for ; j+p.turns <= q.cols && whole > 0; j += p.turns {
		p.turn(whole/p.turns, &p.b[(q.j+j)*p.ldb+k0], p.ldb*p.size, &dst[j], width*p.size)
		for r := range p.turns {
			src := p.b[(q.j+j+r)*p.ldb+k0:][:kn]
			for k := whole; k < kn; k++ {
				dst[k*width+j+r] = src[k]
			}
		}
	}
	for ; j < q.cols; j++ {
		for k, v := range p.b[(q.j+j)*p.ldb+k0:][:kn] {
			dst[k*width+j] = v
		}
	}
	if j < width {
		for k := range kn {
			clear(dst[k*width+j : (k+1)*width])
		}
	}
}

// outside reports whether a tile has no element of the triangle, across whether it has some only.
func (p *product[T]) outside(i, rows int, q *panel) bool {
	switch p.shape {
	case upper:
		return i > q.j+q.cols-1
	case lower:
		return q.j > i+rows-1
	}
	return false
}

func (p *product[T]) across(i, rows int, q *panel) bool {
	switch p.shape {
	case upper:
		return i+rows-1 > q.j
	case lower:
		return q.j+q.cols-1 > i
	}
	return false
}

// diagonal computes a tile across the diagonal in memory of its own, and copies the elements of the triangle.
func (p *product[T]) diagonal(i, rows int, q *panel, kn int, a *T, ars, acs int, b *T, bs, add int, s *scratch[T]) {
	if s.tile == nil {
		s.tile = make([]T, maxTile)
	}
	width := q.vectors * p.lanes
	span := func(r int) (from, to int) { // columns of row i+r in the triangle, counted from the panel's first
		if p.shape == upper {
			return max(0, i+r-q.j), q.cols
		}
		return 0, min(q.cols, i+r-q.j+1)
	}
	if add != 0 {
		for r := range rows {
			if from, to := span(r); from < to {
				copy(s.tile[r*width+from:r*width+to], p.c[(i+r)*p.ldc+q.j+from:])
			}
		}
	}
	p.mul[q.vectors-1](kn, a, ars, acs, b, bs, &s.tile[0], width*p.size, rows, q.last, add, p.alpha)
	for r := range rows {
		if from, to := span(r); from < to {
			copy(p.c[(i+r)*p.ldc+q.j+from:], s.tile[r*width+from:r*width+to])
		}
	}
}
