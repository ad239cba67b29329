package main

import "fmt"

// together is the number of rows that a loop down the columns takes at once: the sums are read and written once for all of them.
const together = 4

// offsets are the registers of the positions in those rows.
var offsets = []string{"DX", "R9", "R10", "R11"}

// sums is a loop down the columns, the sums in float64.
type sums struct {
	*kernel
	mask, low, high int // of the columns left: their float32, and the lower and upper halves' float64
	masked          bool
}

// down writes a loop over the rows of a matrix, steps of step bytes apart, for sums by column: acc are pointers to cols numbers each.
// Of each the registers 2i and 2i+1 hold lower and upper half of the columns at hand; row adds to them what the row'th row at hand has.
func (k *kernel) down(acc []string, row func(s *sums, r int)) {
	s := &sums{kernel: k, mask: k.take()}
	lanes := k.v.Lanes()
	k.F("MOVQ %s, CX", k.at["cols"])
	k.F("ANDQ $%d, CX", lanes-1)
	k.Mask(k.v, s.mask, "CX", "SI")
	if k.v.Bytes == 64 {
		k.F("KSHIFTRW $8, K1, K3")
	} else {
		s.low, s.high = k.take(), k.take()
		k.F("VPMOVSXDQ X%d, Y%d", s.mask, s.low)
		k.F("VEXTRACTF128 $1, Y%d, X%d", s.mask, s.high)
		k.F("VPMOVSXDQ X%d, Y%d", s.high, s.high)
	}
	k.points(k.order()...)
	k.F("MOVQ %s, R8", k.at["rows"])
	k.F("XORQ R12, R12")
	block, single, done := k.Label("block"), k.Label("single"), k.Label("done")
	k.Here(block)
	k.F("SUBQ $%d, R8", together)
	k.F("JLT %s", single)
	s.across(acc, together, row)
	k.F("MOVQ %s, CX", k.at["step"])
	k.F("LEAQ (R12)(CX*%d), R12", together)
	k.advance(together)
	k.F("JMP %s", block)
	k.Here(single)
	k.F("ADDQ $%d, R8", together)
	one := k.Label("one")
	k.Here(one)
	k.F("DECQ R8")
	k.F("JLT %s", done)
	s.across(acc, 1, row)
	k.F("ADDQ %s, R12", k.at["step"])
	k.advance(1)
	k.F("JMP %s", one)
	k.Here(done)
	k.End()
}

// advance moves the pointers to numbers of rows.
func (k *kernel) advance(rows int) {
	for _, p := range names("mean", "rstd") {
		if r, ok := k.pointers[p]; ok {
			k.F("ADDQ $%d, %s", 4*rows, r)
		}
	}
}

// across writes the loop over the columns for n rows.
func (s *sums) across(acc []string, n int, row func(s *sums, r int)) {
	lanes := s.v.Lanes()
	s.F("MOVQ R12, DX")
	s.F("MOVQ %s, CX", s.at["step"])
	for r := 1; r < n; r++ {
		s.F("LEAQ (%s)(CX*1), %s", offsets[r-1], offsets[r])
	}
	s.F("XORQ SI, SI")
	loop, rest, next := s.Label("loop"), s.Label("rest"), s.Label("next")
	s.F("MOVQ %s, CX", s.at["cols"])
	s.F("SUBQ $%d, CX", lanes)
	s.F("JLT %s", rest)
	s.Here(loop)
	s.body(acc, n, false, row)
	for r := range n {
		s.F("ADDQ $%d, %s", s.width(), offsets[r])
	}
	s.F("ADDQ $%d, SI", s.width())
	s.F("SUBQ $%d, CX", lanes)
	s.F("JGE %s", loop)
	s.Here(rest)
	s.F("ADDQ $%d, CX", lanes)
	s.F("JZ %s", next)
	s.body(acc, n, true, row)
	s.Here(next)
}

func (s *sums) body(acc []string, n int, masked bool, row func(s *sums, r int)) {
	s.masked = masked
	for i, p := range acc {
		for h := range 2 {
			s.sum(p, 2*i+h, h, true)
		}
	}
	for r := range n {
		row(s, r)
	}
	for i, p := range acc {
		for h := range 2 {
			s.sum(p, 2*i+h, h, false)
		}
	}
}

// sum loads or stores half of the sums of the columns at hand.
func (s *sums) sum(p string, i, h int, load bool) {
	mem := fmt.Sprintf("%d(%s)(SI*2)", h*s.width(), s.pointers[p])
	k := []string{"K1", "K3"}[h]
	m := []int{s.low, s.high}[h]
	wide := s.v.Bytes == 64
	switch {
	case !s.masked && load:
		s.F("VMOVUPD %s, %s", mem, s.reg(i))
	case !s.masked:
		s.F("VMOVUPD %s, %s", s.reg(i), mem)
	case wide && load:
		s.F("VMOVUPD.Z %s, %s, %s", mem, k, s.reg(i))
	case wide:
		s.F("VMOVUPD %s, %s, %s", s.reg(i), k, mem)
	case load:
		s.F("VMASKMOVPD %s, %s, %s", mem, s.reg(m), s.reg(i))
	default:
		s.F("VMASKMOVPD %s, %s, %s", s.reg(i), s.reg(m), mem)
	}
}

// row is where the columns at hand of row r lie.
func (s *sums) row(p string, r int) string {
	return fmt.Sprintf("(%s)(%s*1)", s.pointers[p], offsets[r])
}

// read loads them.
func (s *sums) read(p string, r, i int) { s.load(s.row(p, r), i, s.mask, s.masked) }

// widen converts the float32 in x to float64 in lo and hi.
func (k *kernel) widen(x, lo, hi int) {
	if k.v.Bytes == 64 {
		k.F("VEXTRACTF64X4 $1, Z%d, Y%d", x, hi)
	} else {
		k.F("VEXTRACTF128 $1, Y%d, X%d", x, hi)
	}
	k.F("VCVTPS2PD %s, %s", k.half(x), k.reg(lo))
	k.F("VCVTPS2PD %s, %s", k.half(hi), k.reg(hi))
}

// addPair adds the pair of registers from x on to that from sum on, addProduct x·y.
func (k *kernel) addPair(x, sum int) {
	for h := range 2 {
		k.F("VADDPD %s, %s, %s", k.reg(x+h), k.reg(sum+h), k.reg(sum+h))
	}
}

func (k *kernel) addProduct(x, y, sum int) {
	for h := range 2 {
		k.F("VFMADD231PD %s, %s, %s", k.reg(x+h), k.reg(y+h), k.reg(sum+h))
	}
}

// columns writes the kernels of sums by column.
func (f *file) columns() {
	size := names("rows", "cols", "step")
	k := f.begin("columnSums", "adds the sums of the columns of a, whose rows are step bytes apart, to sum.", size, names("sum8", "a"), nil)
	k.down(names("sum"), func(s *sums, r int) {
		s.read("a", r, 4)
		s.widen(4, 5, 6)
		s.addPair(5, 0)
	})

	k = f.begin("columnMoments", "adds the sums of the columns of a, whose rows are step bytes apart, to sum, those of the squares to squares.", size, names("sum8", "squares8", "a"), nil)
	k.down(names("sum", "squares"), func(s *sums, r int) {
		s.read("a", r, 4)
		s.widen(4, 5, 6)
		s.addPair(5, 0)
		s.addProduct(5, 5, 2)
	})

	backward := func(name, doc string, relu bool) {
		pointers := names("sum8", "dot8", "dy", "x")
		if relu {
			pointers = append(pointers, "y")
		}
		k := f.begin(name, doc, size, pointers, nil)
		zero := 0
		if relu {
			zero = k.take()
			k.Zero(k.v, zero)
		}
		k.down(names("sum", "dot"), func(s *sums, r int) {
			s.read("dy", r, 4)
			if relu {
				s.read("y", r, 5)
				s.passing(4, 5, zero)
				s.store(4, s.row("dy", r), s.mask, s.masked)
			}
			s.widen(4, 5, 6)
			s.addPair(5, 0)
			s.read("x", r, 4)
			s.widen(4, 7, 8)
			s.addProduct(5, 7, 2)
		})
	}
	backward("batchNormSums", "adds the sums of the columns of dy, whose rows are step bytes apart, to sum, those of dy·x to dot.", false)
	backward("batchNormSumsReLU", "is batchNormSums after dy was set to 0, in place, where y ≤ 0.", true)
}
