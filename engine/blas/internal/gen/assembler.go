package main

import (
	"bytes"
	"fmt"
	"strings"
)

// vector is a register full of numbers.
type vector struct {
	bytes int // 32 or 64
	size  int // of a number: 4 or 8
}

// lanes returns how many numbers it holds.
func (v vector) lanes() int { return v.bytes / v.size }

// reg names the i-th register of this width.
func (v vector) reg(i int) string {
	if v.bytes == 64 {
		return fmt.Sprint("Z", i)
	}
	return fmt.Sprint("Y", i)
}

// regs returns how many registers there are.
func (v vector) regs() int { return v.bytes / 2 }

// p is the suffix of instructions on packed numbers, s of those on one number.
func (v vector) p() string { return map[int]string{4: "PS", 8: "PD"}[v.size] }
func (v vector) s() string { return map[int]string{4: "SS", 8: "SD"}[v.size] }

// float is the Go type of a number.
func (v vector) float() string { return fmt.Sprint("float", 8*v.size) }

// name returns the name of a kernel: d or s for the numbers, as in BLAS, then what it does and the bits of a register.
func (v vector) name(what string) string {
	return fmt.Sprintf("%s%s%d", map[int]string{4: "s", 8: "d"}[v.size], what, 8*v.bytes)
}

// assembler collects the text of one file.
type assembler struct {
	text   bytes.Buffer
	decls  *bytes.Buffer
	labels int
}

// f writes one line of assembly.
func (a *assembler) f(format string, args ...any) {
	fmt.Fprintf(&a.text, "\t"+format+"\n", args...)
}

// label returns a label that is new in this file; here puts it down.
func (a *assembler) label(what string) string {
	a.labels++
	return fmt.Sprintf("%s%d", what, a.labels)
}

func (a *assembler) here(label string) { fmt.Fprintf(&a.text, "%s:\n", label) }

// parameter is one argument of a kernel.
type parameter struct{ name, kind string }

func (p parameter) size() int {
	if p.kind == "float32" {
		return 4
	}
	return 8
}

// begin writes the declaration and the head of a kernel and returns where each argument lies.
func (a *assembler) begin(name, doc string, params ...parameter) map[string]string {
	at, offset := make(map[string]string), 0
	var list []string
	for _, p := range params {
		if n := p.size(); offset%n != 0 {
			offset += n - offset%n
		}
		at[p.name] = fmt.Sprintf("%s+%d(FP)", p.name, offset)
		offset += p.size()
		list = append(list, p.name+" "+p.kind)
	}
	fmt.Fprintf(a.decls, "\n// %s %s\n//\n//go:noescape\nfunc %s(%s)\n", name, doc, name, strings.Join(list, ", "))
	fmt.Fprintf(&a.text, "\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, strings.Join(list, ", "), name, offset)
	return at
}

// load moves arguments, at where begin says, to registers: a name, its register, the next name, …
func (a *assembler) load(at map[string]string, to ...string) {
	for i := 0; i < len(to); i += 2 {
		a.f("MOVQ %s, %s", at[to[i]], to[i+1])
	}
}

func (a *assembler) end() {
	a.f("VZEROUPPER")
	a.f("RET")
}

// zero clears register i.
func (a *assembler) zero(v vector, i int) {
	r := v.reg(i)
	if v.bytes == 64 {
		a.f("VPXORQ %s, %s, %s", r, r, r)
	} else {
		a.f("VXORPD %s, %s, %s", r, r, r)
	}
}

// mask prepares the mask of the first n lanes, n in the register count: K1 where there are mask registers, else register i, with the
// help of register tmp.
func (a *assembler) mask(v vector, i int, count, tmp string) {
	if v.bytes == 64 {
		a.f("MOVQ $-1, %s", tmp)
		a.f("BZHIQ %s, %s, %s", count, tmp, tmp)
		a.f("KMOVW %s, K1", tmp)
		return
	}
	// The table holds lanes full ones and then as many zeros: it is read from where n ones are left.
	a.f("MOVQ $%d, %s", v.lanes(), tmp)
	a.f("SUBQ %s, %s", count, tmp)
	a.f("SHLQ $%d, %s", map[int]int{4: 2, 8: 3}[v.size], tmp)
	a.f("LEAQ masks%d<>(SB), R15", v.size)
	a.f("VMOVUPD (R15)(%s*1), %s", tmp, v.reg(i))
}

// loadMasked loads the lanes of the mask, register m or K1, and clears the others.
func (a *assembler) loadMasked(v vector, m int, mem string, dst int) {
	if v.bytes == 64 {
		a.f("VMOVU%s.Z %s, K1, %s", v.p(), mem, v.reg(dst))
	} else {
		a.f("VMASKMOV%s %s, %s, %s", v.p(), mem, v.reg(m), v.reg(dst))
	}
}

// storeMasked stores the lanes of the mask.
func (a *assembler) storeMasked(v vector, m, src int, mem string) {
	if v.bytes == 64 {
		a.f("VMOVU%s %s, K1, %s", v.p(), v.reg(src), mem)
	} else {
		a.f("VMASKMOV%s %s, %s, %s", v.p(), v.reg(src), v.reg(m), mem)
	}
}

// tables writes what mask reads.
func (a *assembler) tables() {
	for _, size := range []int{4, 8} {
		name := fmt.Sprintf("masks%d<>", size)
		a.text.WriteString("\n")
		for i := range 8 {
			value := "-1"
			if i >= 4 {
				value = "0"
			}
			fmt.Fprintf(&a.text, "DATA %s+%d(SB)/8, $%s\n", name, 8*i, value)
		}
		fmt.Fprintf(&a.text, "GLOBL %s(SB), RODATA|NOPTR, $64\n", name)
	}
}
