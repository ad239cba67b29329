package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kappa/runner"
	"kappa/store"
)

// outdated counts the runs of a plan that are recorded only as they were for other data or under another engine version,
// and names the data that have changed since they were last read.
type outdated struct {
	data, engine int
	changed      []string
}

func (t *target) outdated(ctx context.Context, db *store.DB) (outdated, error) {
	var o outdated
	decisions, err := runner.Decide(ctx, t.plan, db, false)
	if err != nil {
		return o, err
	}
	for _, d := range decisions {
		switch {
		case d.Reason == runner.ReasonData:
			o.data++
		case strings.HasPrefix(string(d.Reason), string(runner.ReasonEngine)):
			o.engine++
		}
	}
	if o.data == 0 {
		return o, nil
	}
	recorded, err := db.Digests(ctx)
	if err != nil {
		return o, err
	}
	for ref, digest := range t.digests {
		if old, ok := recorded[ref]; ok && old != digest {
			o.changed = append(o.changed, dataName(ref))
		}
	}
	slices.Sort(o.changed)
	o.changed = slices.Compact(o.changed)
	return o, nil
}

// dataName is the file or the name in a canonical data reference, such as csv="houses.csv" target="y".
func dataName(ref string) string {
	if _, rest, ok := strings.Cut(ref, "="); ok {
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			if name, err := strconv.Unquote(quoted); err == nil {
				return name
			}
		}
	}
	return ref
}

// String says it in words, "" if there are none.
func (o outdated) String() string {
	var parts []string
	if o.data > 0 {
		text := stands(o.data) + " on other data"
		switch len(o.changed) {
		case 0:
		case 1:
			text += ": " + o.changed[0] + " has changed"
		default:
			text += ": " + strings.Join(o.changed, ", ") + " have changed"
		}
		parts = append(parts, text)
	}
	if o.engine > 0 {
		parts = append(parts, stands(o.engine)+" on another version of the engine")
	}
	return strings.Join(parts, "; ")
}

func stands(n int) string {
	if n == 1 {
		return "1 recorded run stands"
	}
	return fmt.Sprintf("%d recorded runs stand", n)
}
