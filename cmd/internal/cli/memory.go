package cli

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"kappa/runner"
)

// defaultMemory is the part of the machine's memory that run may take.
const defaultMemory = "80%"

// units of bytes, the longest names first.
var units = []struct {
	name string
	size float64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"tib", 1 << 40},
	{"kb", 1e3},
	{"mb", 1e6},
	{"gb", 1e9},
	{"tb", 1e12},
	{"k", 1 << 10},
	{"m", 1 << 20},
	{"g", 1 << 30},
	{"t", 1 << 40},
	{"b", 1},
}

// memoryLimit reads --memory-limit: a number of bytes with a unit or without, a part of the machine's memory (total, 0: not known), or 0 for
// no limit. It returns 0 for none.
func memoryLimit(text string, total int64) (int64, error) {
	bad := func(why string) (int64, error) {
		return 0, usagef("", "--memory-limit %q: %s; a size such as 2GiB or 500MB is accepted, a part of the machine's memory such as %s, or 0 for no limit", text, why, defaultMemory)
	}
	number := func(s string) (float64, bool) {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return v, err == nil && v >= 0 && !math.IsInf(v, 0)
	}
	s := strings.ToLower(strings.TrimSpace(text))
	if part, ok := strings.CutSuffix(s, "%"); ok {
		v, ok := number(part)
		switch {
		case !ok || v == 0 || v > 100:
			return bad("a part is more than 0 % and at most 100 %")
		case total <= 0 && text == defaultMemory:
			return 0, nil
		case total <= 0:
			return bad("this system does not say how much memory it has")
		}
		return int64(max(1, v/100*float64(total))), nil
	}
	size := 1.0
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, size = rest, u.size
			break
		}
	}
	v, ok := number(s)
	switch {
	case !ok:
		return bad("it is no size")
	case v > 0 && v*size < 1: // 0.8, which would be none, is meant as a part
		return bad("it is less than a byte")
	case v*size >= math.MaxInt64:
		return 0, nil
	}
	return int64(v * size), nil
}

// boundedMemory gives the collector less than the limit, so that it works before the watchdog has to, until the returned function is
// called. A lower limit from the environment stays.
func boundedMemory(limit int64) (restore func()) {
	const part = 0.9
	before := debug.SetMemoryLimit(-1)
	if ours := int64(part * float64(limit)); limit > 0 && ours < before {
		debug.SetMemoryLimit(ours)
	}
	return func() { debug.SetMemoryLimit(before) }
}

// systemMemory is what this process may have of a Linux machine, by its files under root: all of it, or the least that a control group,
// of either version, that it is in leaves; 0 where the system does not say.
func systemMemory(root fs.FS) int64 {
	read := func(name string) (int64, bool) {
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		return n, err == nil && n > 0 // "max" is no number
	}
	least := int64(math.MaxInt64)
	if info, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		if kib, err := strconv.ParseInt(strings.TrimSuffix(procField(string(info), "MemTotal"), " kB"), 10, 64); err == nil {
			least = kib << 10
		}
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // lines of ID:CONTROLLERS:PATH
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		folder, file := "sys/fs/cgroup", "memory.max"
		if parts[1] != "" {
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			if n, ok := read(path.Join(folder, at, file)); ok {
				least = min(least, n)
			}
			if at == "/" {
				break
			}
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// total is the memory of the machine in bytes, 0 where it is not known.
func (e Env) total() int64 {
	if e.Memory == nil {
		return 0
	}
	return e.Memory()
}

// overMemory refuses runs that take more than the limit, each alone.
func (a *app) overMemory(p planned, limit int64) error {
	const listed = 3
	d := runner.Demands(p.decisions, p.sizes, limit)
	if len(d.Over) == 0 {
		return nil
	}
	var lines []string
	for _, i := range d.Over[:min(listed, len(d.Over))] {
		run := p.decisions[i].Run
		need, _ := runner.Memory(run, p.sizes)
		name := short(run.Key)
		if s := sweptText(p.spec, run.Swept); s != "" {
			name += " (" + s + ")"
		}
		lines = append(lines, fmt.Sprintf("%s: run %s would take about %s of memory: %s; %s", p.file.Shown, name, runner.Bytes(need.Total()), runner.Shapes(run, p.sizes), a.allowed(limit)))
	}
	if more := len(d.Over) - listed; more > 0 {
		lines = append(lines, fmt.Sprintf("%s: %s more would take more than that", p.file.Shown, runsWord(more)))
	}
	return usagef("fewer rows or columns, a smaller batch or fewer recorded steps take less; a larger --memory-limit allows more, --memory-limit 0 anything",
		"%s", strings.Join(lines, "\nkappa: "))
}

// allowed says how much memory may be taken.
func (a *app) allowed(limit int64) string {
	text := runner.Bytes(limit) + " are allowed"
	if total := a.env.total(); total > 0 {
		text += " of the " + runner.Bytes(total) + " of this machine"
	}
	return text
}

// memory says in one sentence what the largest run of a plan takes; "" where nothing is known or executed.
func (a *app) memory(p planned) string {
	limit, err := memoryLimit(defaultMemory, a.env.total())
	if err != nil {
		limit = 0
	}
	d := runner.Demands(p.decisions, p.sizes, limit)
	if d.Largest < 0 {
		return ""
	}
	text := fmt.Sprintf("%s: the largest run takes about %s of memory (%s)", p.spec.Name, runner.Bytes(d.Bytes), runner.Shapes(p.decisions[d.Largest].Run, p.sizes))
	if n := len(d.Over); n > 0 {
		text += fmt.Sprintf("; run refuses %s: %s", runsWord(n), a.allowed(limit))
	}
	return text
}
