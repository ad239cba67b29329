package cli

import (
	"fmt"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/runner"
)

// found refuses an --only that no run of any plan has, which is more likely a slip than a wish: it says what the runs have.
func (p *picked) found(plans []planned) error {
	if len(p.only) == 0 || len(plans) == 0 {
		return nil
	}
	alone := func(axis experiments.Axis) bool {
		return anyRun(plans, (&picked{axes: []experiments.Axis{axis}}).keeps)
	}
	for _, axis := range p.axes {
		if alone(axis) {
			continue
		}
		hint := "no run reads " + axis.Path
		if have := valuesOf(plans, axis.Path); len(have) > 0 {
			hint = "the runs have " + strings.Join(have, ", ")
		}
		var wanted []string
		for _, v := range axis.Values {
			wanted = append(wanted, fmt.Sprint(v))
		}
		return usagef(hint, "--only %s=%s: no run has it", axis.Path, strings.Join(wanted, ","))
	}
	if !anyRun(plans, (&picked{axes: p.axes, variants: p.variants}).keeps) {
		return usagef("each of them alone is some run's; `kappa plan` lists the runs", "--only %s: no run has all of it", strings.Join(p.only, " --only "))
	}
	return nil
}

func anyRun(plans []planned, keeps func(runner.Decision) bool) bool {
	return slices.ContainsFunc(plans, func(p planned) bool { return slices.ContainsFunc(p.decisions, keeps) })
}

// valuesOf lists the values that a key has in some run, in the order of the plans; of many the first, and how many more there are.
func valuesOf(plans []planned, path string) []string {
	const listed = 12
	var out []string
	more := 0
	for _, p := range plans {
		for _, d := range p.decisions {
			v, ok := d.Run.Settings[path]
			if !ok {
				continue
			}
			text := fmt.Sprintf("%s=%v", path, v)
			switch {
			case slices.Contains(out, text):
			case len(out) == listed:
				more++
			default:
				out = append(out, text)
			}
		}
	}
	if more > 0 {
		out = append(out, "…")
	}
	return out
}
