package assembler

import "fmt"

// Mask prepares the mask of the first n lanes, n in the register count: K1 where there are mask registers, else register i, with the
// help of register tmp.
func (f *File) Mask(v Vector, i int, count, tmp string) {
	if v.Bytes == 64 {
		f.F("MOVQ $-1, %s", tmp)
		f.F("BZHIQ %s, %s, %s", count, tmp, tmp)
		f.F("KMOVW %s, K1", tmp)
		return
	}
	// The table holds lanes full ones and then as many zeros: it is read from where n ones are left.
	f.F("MOVQ $%d, %s", v.Lanes(), tmp)
	f.F("SUBQ %s, %s", count, tmp)
	f.F("SHLQ $%d, %s", map[int]int{4: 2, 8: 3}[v.Size], tmp)
	f.F("LEAQ masks%d<>(SB), R15", v.Size)
	f.F("VMOVUPD (R15)(%s*1), %s", tmp, v.Reg(i))
}

// LoadMasked loads the lanes of the mask, register m or K1, and clears the others.
func (f *File) LoadMasked(v Vector, m int, mem string, dst int) {
	if v.Bytes == 64 {
		f.F("VMOVU%s.Z %s, K1, %s", v.P(), mem, v.Reg(dst))
	} else {
		f.F("VMASKMOV%s %s, %s, %s", v.P(), mem, v.Reg(m), v.Reg(dst))
	}
}

// StoreMasked stores the lanes of the mask.
func (f *File) StoreMasked(v Vector, m, src int, mem string) {
	if v.Bytes == 64 {
		f.F("VMOVU%s %s, K1, %s", v.P(), v.Reg(src), mem)
	} else {
		f.F("VMASKMOV%s %s, %s, %s", v.P(), v.Reg(src), v.Reg(m), mem)
	}
}

// Tables writes what Mask reads.
func (f *File) Tables() {
	for _, size := range []int{4, 8} {
		name := fmt.Sprintf("masks%d<>", size)
		f.Raw("\n")
		for i := range 8 {
			value := "-1"
			if i >= 4 {
				value = "0"
			}
			f.Raw(fmt.Sprintf("DATA %s+%d(SB)/8, $%s\n", name, 8*i, value))
		}
		f.Raw(fmt.Sprintf("GLOBL %s(SB), RODATA|NOPTR, $64\n", name))
	}
}
