// Command gen writes the assembly of the kernels in package vector, their declarations, and the methods that choose between them. It
// is run by go generate in the folder of that package, and prints to the folder that -out names.
package main

import (
	"bytes"
	"fmt"
	"strings"

	"kappa/engine/internal/assembler"
)

func main() {
	out := assembler.Folder()
	var decls, choices, none bytes.Buffer
	decls.WriteString(assembler.Header + "package vector\n")
	choices.WriteString(assembler.Header + "package vector\n")
	none.WriteString(assembler.Header + "//go:build !amd64\n\npackage vector\n")
	for _, set := range []struct {
		file  string
		width int // bytes of a register
	}{{"avx512_amd64.s", 64}, {"avx2_amd64.s", 32}} {
		f := &file{File: assembler.New(&decls), v: assembler.Vector{Bytes: set.width, Size: 4}, values: allConstants()}
		f.elementwise()
		f.rows()
		f.columns()
		f.reductions()
		f.normal()
		f.steps()
		f.constants()
		if set.width == 32 {
			f.Tables()
		}
		assembler.Write(out, set.file, f.Bytes())
		if set.width == 32 {
			for _, k := range f.kernels {
				choose(&choices, &none, k)
			}
		}
	}
	assembler.Write(out, "stubs_amd64.go", decls.Bytes())
	assembler.Write(out, "choose_amd64.go", choices.Bytes())
	assembler.Write(out, "choose_other.go", none.Bytes())
}

// choose writes the method that calls the kernel of a form, for amd64 and for other processors.
func choose(amd64, other *bytes.Buffer, k declared) {
	var names []string
	for _, p := range k.params {
		names = append(names, p.Name)
	}
	list := strings.Join(names, ", ")
	fmt.Fprintf(amd64, `
// %[1]s calls the kernel of this form, and returns false if it has none.
func (f form) %[1]s(%[2]s) bool {
	switch f {
	case wide512:
		%[1]s512(%[3]s)
	case wide256:
		%[1]s256(%[3]s)
	default:
		return false
	}
	return true
}
`, k.name, assembler.Signature(k.params), list)
	for i := range k.params {
		k.params[i].Name = "_"
	}
	fmt.Fprintf(other, "\nfunc (form) %s(%s) bool { return false }\n", k.name, assembler.Signature(k.params))
}
