package main

import (
	"fmt"

	"kappa/engine/internal/assembler"
)

// file is the kernels for one width of registers.
type file struct {
	*assembler.File
	v       assembler.Vector // of float32
	kernels []declared
	values  map[string]float32 // constants
	used    []string           // those that a kernel reads from memory, in order
}

// declared is what a kernel looks like from Go, its name without the width.
type declared struct {
	name   string
	params []assembler.Parameter
}

// kernel is the one that is being written.
type kernel struct {
	*file
	at       map[string]string // where an argument lies
	pointers map[string]string // the register of a pointer
	regs     map[string]string // the registers of scalars and constants
	top      int               // the vector registers from here on are taken
}

// pointerRegisters are handed out to pointers in order. The loops use CX, DX, SI, R8 and R12, and the loop down columns also R9 to R11.
var pointerRegisters = []string{"AX", "BX", "DI", "R15", "R14", "R13", "R9", "R10", "R11"}

// begin writes the head of a kernel: sizes first, then pointers, then scalars, which are broadcast. Pointers are to float32, and scalars
// float32, but for those whose names end with an 8, which is cut off: they are float64, such scalars not broadcast.
func (f *file) begin(name, doc string, sizes, pointers, scalars []string) *kernel {
	k := &kernel{file: f, pointers: map[string]string{}, regs: map[string]string{}, top: f.v.Regs()}
	var params []assembler.Parameter
	for _, s := range sizes {
		params = append(params, assembler.Param(s, "int"))
	}
	for i, p := range pointers {
		kind := "*float32"
		if name, is := cutWide(p); is {
			pointers[i], kind = name, "*float64"
		}
		params = append(params, assembler.Param(pointers[i], kind))
	}
	for _, s := range scalars {
		kind := "float32"
		if name, is := cutWide(s); is {
			s, kind = name, "float64"
		}
		params = append(params, assembler.Param(s, kind))
	}
	f.kernels = append(f.kernels, declared{name, params})
	k.at = f.Begin(fmt.Sprint(name, 8*f.v.Bytes), doc, params...)
	for i, p := range pointers {
		k.pointers[p] = pointerRegisters[i]
	}
	for _, s := range scalars {
		if _, wide := cutWide(s); wide {
			continue
		}
		k.top--
		k.regs[s] = f.v.Reg(k.top)
		f.F("VBROADCASTSS %s, %s", k.at[s], k.regs[s])
	}
	return k
}

// cutWide cuts the mark of a pointer to float64 off.
func cutWide(p string) (string, bool) {
	if p[len(p)-1] == '8' {
		return p[:len(p)-1], true
	}
	return p, false
}

// points loads the pointers; masks must be there before, since their preparation uses a register.
func (k *kernel) points(names ...string) {
	for _, p := range names {
		k.Load(k.at, p, k.pointers[p])
	}
}

// width is the vector registers' size in bytes.
func (k *kernel) width() int { return k.v.Bytes }

// reg names a vector register.
func (k *kernel) reg(i int) string { return k.v.Reg(i) }

// take sets a register aside and returns its number.
func (k *kernel) take() int {
	k.top--
	return k.top
}

// half names the lower half of a vector register.
func (k *kernel) half(i int) string {
	if k.v.Bytes == 64 {
		return fmt.Sprint("Y", i)
	}
	return fmt.Sprint("X", i)
}

// load and store move a vector of float32, under the mask m if masked.
func (k *kernel) load(mem string, i, m int, masked bool) {
	if masked {
		k.LoadMasked(k.v, m, mem, i)
	} else {
		k.F("VMOVUPS %s, %s", mem, k.reg(i))
	}
}

func (k *kernel) store(i int, mem string, m int, masked bool) {
	if masked {
		k.StoreMasked(k.v, m, i, mem)
	} else {
		k.F("VMOVUPS %s, %s", k.reg(i), mem)
	}
}

// relu sets register dst to max(x, 0), and to x where that is NaN; zero holds zeros.
func (k *kernel) relu(x, zero, dst int) {
	k.F("VMAXPS %s, %s, %s", k.reg(x), k.reg(zero), k.reg(dst))
}

// passing clears d where y is not greater than 0, and not NaN; y and tmp are lost, zero holds zeros.
func (k *kernel) passing(d, y, zero int) {
	const notLessOrEqual = 6
	if k.v.Bytes == 64 {
		k.F("VCMPPS $%d, %s, %s, K2", notLessOrEqual, k.reg(zero), k.reg(y))
		k.F("VMOVAPS.Z %s, K2, %s", k.reg(d), k.reg(d))
		return
	}
	k.F("VCMPPS $%d, %s, %s, %s", notLessOrEqual, k.reg(zero), k.reg(y), k.reg(y))
	k.F("VANDPS %s, %s, %s", k.reg(y), k.reg(d), k.reg(d))
}
