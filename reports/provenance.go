package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// provenanceHeading begins the section.
const provenanceHeading = "\n## Provenance"

// provenance is the last section: all that differs between two computations of the same plan.
func (b *builder) provenance() string {
	var s strings.Builder
	s.WriteString(provenanceHeading + "\n\n")
	s.WriteString("What follows describes this computation; everything above is the same for every computation of the same plan.\n\n")
	var first, last string
	wall, cpu, repeated := 0.0, 0.0, 0
	for _, r := range b.runs {
		if t := text(r.row["started"]); t != "" && (first == "" || t < first) {
			first = t
		}
		if t := text(r.row["finished"]); t > last {
			last = t
		}
		wall += orZero(r.row["wall_seconds"])
		cpu += orZero(r.row["cpu_seconds"])
		if orZero(r.row["attempt"]) > 1 {
			repeated++
		}
	}
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&s, "- %s: %s\n", name, value)
		}
	}
	if first != "" {
		line("Computed", fmt.Sprintf("%s to %s (UTC)", minutes(first), minutes(last)))
	}
	line("Time", fmt.Sprintf("%s by the clock, %s of processors, summed over the runs", duration(wall), duration(cpu)))
	if repeated > 0 {
		line("Attempts", fmt.Sprintf("%s needed or got more than one", plural(repeated, "run")))
	}
	line("Engine", b.tally("engine_version"))
	line("Commit", b.commits())
	line("Go", b.tally("go_version"))
	line("Kernel", b.tally("kernel"))
	if b.distinct("kernel") > 1 {
		s.WriteString("  **The runs mix kernels:** their results agree to rounding, not always to the last bit.\n")
	}
	line("Processor", b.tally("cpu"))
	line("System", b.tally("os"))
	return s.String()
}

func orZero(v any) float64 {
	x, ok := number(v)
	if !ok {
		return 0
	}
	return x
}

// minutes writes a stored time to the minute.
func minutes(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return escape(s)
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// duration writes seconds for people.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// counted lists the different values with the number of runs each, in plan order.
func (b *builder) counted(value func(runState) string) (values []string, counts map[string]int) {
	counts = map[string]int{}
	for _, r := range b.runs {
		v := value(r)
		if v == "" {
			continue
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
		counts[v]++
	}
	return values, counts
}

func list(values []string, counts map[string]int) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = escape(v)
		if len(values) > 1 {
			out[i] += " (" + plural(counts[v], "run") + ")"
		}
	}
	return strings.Join(out, ", ")
}

// tally writes the values of a column.
func (b *builder) tally(column string) string {
	return list(b.counted(func(r runState) string { return text(r.row[column]) }))
}

func (b *builder) distinct(column string) int {
	values, _ := b.counted(func(r runState) string { return text(r.row[column]) })
	return len(values)
}

// commits writes the commits of the working tree that the runs were computed from.
func (b *builder) commits() string {
	return list(b.counted(func(r runState) string {
		commit := shortKey(text(r.row["git_commit"]))
		if commit != "" && orZero(r.row["git_dirty"]) != 0 {
			commit += " with uncommitted changes"
		}
		return commit
	}))
}
