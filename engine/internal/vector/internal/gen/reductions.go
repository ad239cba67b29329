package main

import "fmt"

// terms is the number of partial sums of a sum along a row: so many consecutive numbers are in different ones, whatever the width of a
// register.
const terms = 16

// parts is the number of registers that so many float32 take.
func (k *kernel) parts() int { return terms / k.v.Lanes() }

// along is a loop along a row, or a vector of n.
type along struct {
	*kernel
	masks  []int // of what is left at the end of a row, for every part
	part   int   // at hand
	masked bool
}

// begin prepares the masks. It comes before the pointers are loaded.
func (k *kernel) along() *along {
	s := &along{kernel: k}
	lanes := k.v.Lanes()
	size := k.at["cols"]
	if size == "" {
		size = k.at["n"]
	}
	k.F("MOVQ %s, CX", size)
	k.F("ANDQ $%d, CX", terms-1)
	for p := range k.parts() {
		m := k.take()
		s.masks = append(s.masks, m)
		if k.parts() == 1 {
			k.Mask(k.v, m, "CX", "SI")
			k.F("KSHIFTRW $8, K1, K3")
			continue
		}
		k.F("MOVQ CX, R12") // part p has the numbers from p·lanes on, at most lanes of them
		k.F("SUBQ $%d, R12", p*lanes)
		k.F("XORQ R13, R13")
		k.F("CMPQ R12, R13")
		k.F("CMOVQLT R13, R12")
		k.F("MOVQ $%d, R13", lanes)
		k.F("CMPQ R12, R13")
		k.F("CMOVQGT R13, R12")
		k.Mask(k.v, m, "R12", "SI")
	}
	k.points(k.order()...)
	return s
}

// pass writes a loop along the row that begins at R12 in the matrices and at 0 in vectors of cols. It ends with DX at the row's end if
// cols is a multiple of 16.
func (s *along) pass(body func()) {
	size := s.at["cols"]
	if size == "" {
		size = s.at["n"]
	}
	loop, rest, done := s.Label("loop"), s.Label("rest"), s.Label("done")
	s.F("MOVQ R12, DX")
	s.F("XORQ SI, SI")
	s.F("MOVQ %s, CX", size)
	s.F("SUBQ $%d, CX", terms)
	s.F("JLT %s", rest)
	s.Here(loop)
	each := func(masked bool) {
		s.masked = masked
		for s.part = range s.parts() {
			body()
		}
	}
	each(false)
	s.F("ADDQ $%d, DX", 4*terms)
	s.F("ADDQ $%d, SI", 4*terms)
	s.F("SUBQ $%d, CX", terms)
	s.F("JGE %s", loop)
	s.Here(rest)
	s.F("ADDQ $%d, CX", terms)
	s.F("JZ %s", done)
	each(true)
	s.Here(done)
}

// eachRow writes a loop over rows; body finds the row's beginning in R12.
func (s *along) eachRow(body func()) {
	row := s.Label("row")
	s.F("MOVQ %s, R8", s.at["rows"])
	s.F("XORQ R12, R12")
	s.Here(row)
	body()
	s.F("MOVQ %s, CX", s.at["cols"])
	s.F("LEAQ (R12)(CX*4), R12")
	s.F("DECQ R8")
	s.F("JNZ %s", row)
}

// data and column are where the part at hand of a matrix and of a row lies.
func (s *along) data(p string) string {
	return fmt.Sprintf("%d(%s)(DX*1)", s.part*s.width(), s.pointers[p])
}

func (s *along) column(p string) string {
	return fmt.Sprintf("%d(%s)(SI*1)", s.part*s.width(), s.pointers[p])
}

// read and write move the part at hand.
func (s *along) read(mem string, i int)  { s.load(mem, i, s.masks[s.part], s.masked) }
func (s *along) write(i int, mem string) { s.store(i, mem, s.masks[s.part], s.masked) }

// keep clears what lies beyond the row in register i.
func (s *along) clip(i int) {
	switch {
	case !s.masked:
	case s.v.Bytes == 64:
		s.F("VMOVAPS.Z %s, K1, %s", s.reg(i), s.reg(i))
	default:
		s.F("VANDPS %s, %s, %s", s.reg(s.masks[s.part]), s.reg(i), s.reg(i))
	}
}

// partial is the first register of the part at hand of 16 partial sums in float64 that begin at register sum.
func (s *along) partial(sum int) int { return sum + 2*s.part }

// partials is the number of registers that 16 partial sums take.
func (k *kernel) partials() int { return 2 * k.parts() }

// fold adds the partial sums from register sum on in halves, and leaves the result in the lowest lane of X<sum>. tmp is lost.
func (k *kernel) fold(sum, tmp int) {
	for n := k.partials(); n > 1; n /= 2 {
		for i := range n / 2 {
			k.F("VADDPD %s, %s, %s", k.reg(sum+i+n/2), k.reg(sum+i), k.reg(sum+i))
		}
	}
	if k.v.Bytes == 64 {
		k.F("VEXTRACTF64X4 $1, Z%d, Y%d", sum, tmp)
		k.F("VADDPD Y%d, Y%d, Y%d", tmp, sum, sum)
	}
	k.F("VEXTRACTF128 $1, Y%d, X%d", sum, tmp)
	k.F("VADDPD X%d, X%d, X%d", tmp, sum, sum)
	k.F("VUNPCKHPD X%d, X%d, X%d", sum, sum, tmp)
	k.F("VADDSD X%d, X%d, X%d", tmp, sum, sum)
}

// clear zeroes registers from … from+n−1.
func (k *kernel) clear(from, n int) {
	for i := range n {
		k.Zero(k.v, from+i)
	}
}

// reductions writes the kernels of sums along vectors and rows.
func (f *file) reductions() {
	f.dot()
	f.finite()
	f.exp()
	f.softmax()
	if f.v.Bytes == 64 { // with registers for whole rows
		f.softmaxShort()
	}
	f.softmaxBackward()
	f.layerNorm()
	f.layerNormBackward()
}

func (f *file) dot() {
	k := f.begin("dot", "stores the scalar product of a and b, n numbers, in dst.", names("n"), names("dst8", "a", "b"), nil)
	s := k.along()
	n := k.partials()
	k.clear(0, n)
	k.F("XORQ R12, R12")
	s.pass(func() {
		s.read(s.data("a"), n)
		s.widen(n, n+1, n+2)
		s.read(s.data("b"), n)
		s.widen(n, n+3, n+4)
		s.addProduct(n+1, n+3, s.partial(0))
	})
	k.fold(0, n)
	k.F("VMOVSD X0, (%s)", k.pointers["dst"])
	k.End()
}

// finite sums x·0, which is 0 for finite numbers alone.
func (f *file) finite() {
	k := f.begin("zeros", "stores 0 in dst if all n numbers of a are finite, else NaN.", names("n"), names("dst", "a"), nil)
	s := k.along()
	n := k.parts()
	k.clear(0, n+1)
	k.F("XORQ R12, R12")
	s.pass(func() {
		s.read(s.data("a"), n+1)
		k.F("VFMADD231PS %s, %s, %s", k.reg(n), k.reg(n+1), k.reg(s.part))
	})
	k.across("VADDPS", 0, n+1)
	k.F("VMOVSS X0, (%s)", k.pointers["dst"])
	k.End()
}

// across combines the lanes of register x, and for narrow ones of the next too, in its lowest lane. The order does not matter to op.
func (k *kernel) across(op string, x, tmp int) {
	if k.v.Bytes == 64 {
		k.F("VEXTRACTF64X4 $1, Z%d, Y%d", x, tmp)
		k.F("%s Y%d, Y%d, Y%d", op, tmp, x, x)
	} else {
		k.F("%s Y%d, Y%d, Y%d", op, x+1, x, x)
	}
	k.F("VEXTRACTF128 $1, Y%d, X%d", x, tmp)
	k.F("%s X%d, X%d, X%d", op, tmp, x, x)
	k.F("VPERMILPS $14, X%d, X%d", x, tmp)
	k.F("%s X%d, X%d, X%d", op, tmp, x, x)
	k.F("VPERMILPS $1, X%d, X%d", x, tmp)
	k.F("%s X%d, X%d, X%d", op, tmp, x, x)
}
