package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// allConstants are the numbers that kernels may read.
func allConstants() map[string]float32 {
	out := map[string]float32{"infinite": float32(math.Inf(-1))}
	for _, group := range []map[string]float64{expConstants(), distribution.constants(), slope.constants()} {
		for name, v := range group {
			out[name] = float32(v)
		}
	}
	return out
}

// constant returns the operand that holds a constant: a register that keeps it, or memory.
func (k *kernel) constant(name string) string {
	if r, ok := k.regs[name]; ok {
		return r
	}
	return k.memory(name)
}

// memory returns where a constant lies in memory.
func (k *kernel) memory(name string) string {
	if _, ok := k.values[name]; !ok {
		panic("gen: no constant " + name)
	}
	if !slices.Contains(k.used, name) {
		k.used = append(k.used, name)
	}
	return fmt.Sprintf("%s<>(SB)", name)
}

// keep puts constants into registers of their own, where there are enough of them.
func (k *kernel) keep(group map[string]float64) {
	if k.v.Bytes == 32 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(group)) {
		mem := k.constant(name)
		r := k.reg(k.take())
		k.F("VMOVUPS %s, %s", mem, r)
		k.regs[name] = r
	}
}

// constantIn returns a register that holds a constant: its own, or tmp.
func (k *kernel) constantIn(name string, tmp int) string {
	if r, ok := k.regs[name]; ok {
		return r
	}
	k.F("VMOVUPS %s, %s", k.constant(name), k.reg(tmp))
	return k.reg(tmp)
}

// constants writes those that kernels read: as many times each as a register has lanes.
func (f *file) constants() {
	for _, name := range f.used {
		bits := uint64(math.Float32bits(f.values[name]))
		f.Raw(fmt.Sprintf("\n// %s = %v\n", name, f.values[name]))
		for i := range f.v.Bytes / 8 {
			f.Raw(fmt.Sprintf("DATA %s<>+%d(SB)/8, $0x%016x\n", name, 8*i, bits<<32|bits))
		}
		f.Raw(fmt.Sprintf("GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", name, f.v.Bytes))
	}
}
