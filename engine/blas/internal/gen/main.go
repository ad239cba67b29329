// Command gen writes the assembly of the kernels in package blas, and their declarations. It is run by go generate in the folder of
// that package, and prints to the folder that -out names.
package main

import (
	"bytes"

	"kappa/engine/internal/assembler"
)

// vector is a register full of numbers.
type vector = assembler.Vector

// kernels is a file of them.
type kernels struct{ *assembler.File }

// param returns a kernel's parameter.
func param(name, kind string) assembler.Parameter { return assembler.Param(name, kind) }

func main() {
	out := assembler.Folder()
	var decls bytes.Buffer
	decls.WriteString(assembler.Header + "package blas\n")
	for _, set := range []struct {
		file  string
		width int // bytes of a register
	}{{"avx512_amd64.s", 64}, {"avx2_amd64.s", 32}} {
		a := &kernels{assembler.New(&decls)}
		for _, size := range []int{8, 4} {
			v := vector{Bytes: set.width, Size: size}
			for n := 1; n <= maxVectors; n++ {
				a.multiply(v, n)
				a.pack(v, n)
			}
			if set.width == 32 {
				a.transpose(v)
			}
		}
		v := vector{Bytes: set.width, Size: 8}
		a.dot(v, 1)
		a.dot(v, fused)
		a.axpy(v, 1)
		a.axpy(v, fused)
		a.rankOne(v)
		if set.width == 64 { // with registers for so many sums
			for m := 2; m <= fused; m++ {
				a.dots(v, m)
				a.axpys(v, m)
			}
		}
		a.sweep(v, 1)
		a.sweep(v, fused)
		if set.width == 64 {
			a.sweep(v, 2*fused)
		}
		s := vector{Bytes: set.width, Size: 4}
		for rows := 1; rows <= lineRows(s); rows++ {
			for n := 1; n <= lineVectors(s); n++ {
				a.lines(s, rows, n)
				if n > 1 && set.width == 64 {
					a.blocks(s, rows, n)
				}
			}
		}
		if set.width == 32 {
			a.Tables()
		}
		assembler.Write(out, set.file, a.Bytes())
	}
	assembler.Write(out, "stubs_amd64.go", decls.Bytes())
}
