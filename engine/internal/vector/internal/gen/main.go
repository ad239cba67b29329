// Command gen writes the assembly of the kernels in package vector, their declarations, and the methods that choose between them. It
// is run by go generate in the folder of that package, and prints to the folder that -out names.
package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"kappa/engine/internal/assembler"
)

func main() {
	out := assembler.Folder()
	var decls, choices, none bytes.Buffer
	decls.WriteString(assembler.Header + "package vector\n")
	choices.WriteString(assembler.Header + "package vector\n")
	none.WriteString(assembler.Header + "//go:build !amd64\n\npackage vector\n")
	wide, narrow := write(out, "avx512_amd64.s", 64, &decls), write(out, "avx2_amd64.s", 32, &decls)
	for _, k := range wide {
		choose(&choices, &none, k, slices.ContainsFunc(narrow, func(n declared) bool { return n.name == k.name }))
	}
	assembler.Write(out, "stubs_amd64.go", decls.Bytes())
	assembler.Write(out, "choose_amd64.go", choices.Bytes())
	assembler.Write(out, "choose_other.go", none.Bytes())
}

// write writes the kernels for registers of so many bytes and returns what there is.
func write(folder, name string, width int, decls *bytes.Buffer) []declared {
	f := &file{File: assembler.New(decls), v: assembler.Vector{Bytes: width, Size: 4}, values: allConstants()}
	f.elementwise()
	f.rows()
	f.columns()
	f.reductions()
	f.normal()
	f.steps()
	f.winograd()
	f.constants()
	if width == 32 {
		f.Tables()
	}
	assembler.Write(folder, name, f.Bytes())
	return f.kernels
}

// choose writes the method that calls the kernel of a form, for amd64 and for other processors. Some kernels are for wide registers
// alone.
func choose(amd64, other *bytes.Buffer, k declared, narrow bool) {
	var names []string
	for _, p := range k.params {
		names = append(names, p.Name)
	}
	list := strings.Join(names, ", ")
	second := ""
	if narrow {
		second = fmt.Sprintf("\tcase wide256:\n\t\t%s256(%s)\n", k.name, list)
	}
	fmt.Fprintf(amd64, `
// %[1]s calls the kernel of this form, and returns false if it has none.
func (f form) %[1]s(%[2]s) bool {
	switch f {
	case wide512:
		%[1]s512(%[3]s)
%[4]s	default:
		return false
	}
	return true
}
`, k.name, assembler.Signature(k.params), list, second)
	for i := range k.params {
		k.params[i].Name = "_"
	}
	fmt.Fprintf(other, "\nfunc (form) %s(%s) bool { return false }\n", k.name, assembler.Signature(k.params))
}
