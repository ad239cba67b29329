package runner

import (
	"runtime"
	"slices"
	"strings"
	"sync"

	"kappa/engine"
	"kappa/experiments"
)

// candidate is what a combination of a sweep makes: a run, which may be another combination's too.
type candidate struct {
	ordinal  int // of the combination
	variant  int
	swept    []experiments.Assignment // by the combination, whether the run reads it or not
	run      Planned
	theta0   *Planned // the pre-training that the run starts from; nil: none
	problems experiments.Problems
	missing  []string // references of data without a digest; the run is not made then
}

// candidates works out every combination of a sweep, on all cores, in order.
func candidates(spec *experiments.Spec, set []experiments.Axis, digests map[string]string) ([]candidate, error) {
	parts := runtime.GOMAXPROCS(0)
	found, errs := make([][]candidate, parts), make([]error, parts)
	var wait sync.WaitGroup
	for part := range parts {
		wait.Go(func() {
			d := &drafter{spec: spec, digests: digests, data: make(map[plainData][]string)}
			errs[part] = spec.EachCombination(set, part, parts, func(v experiments.Combination) {
				if len(found[part]) == cap(found[part]) { // in large steps: a sweep of 100,000 runs is nothing to copy again and again
					found[part] = slices.Grow(found[part], max(64, 3*len(found[part])))
				}
				found[part] = append(found[part], d.draft(v))
			})
		})
	}
	wait.Wait()
	if errs[0] != nil { // all have the same
		return nil, errs[0]
	}
	total := 0
	for _, list := range found {
		total += len(list)
	}
	out := make([]candidate, total)
	for _, list := range found {
		for _, c := range list {
			out[c.ordinal] = c
		}
	}
	return out, nil
}

// drafter makes candidates, one after the other.
type drafter struct {
	spec    *experiments.Spec
	digests map[string]string
	keys    keyWriter
	data    map[plainData][]string
}

// plainData names the data of a run that reads nothing but data sets known by name.
type plainData struct{ primary, harmful, model string }

func (d *drafter) draft(v experiments.Combination) (c candidate) {
	c.ordinal, c.variant, c.swept = v.Ordinal, v.Variant, v.Swept
	settings := resolve(v.Settings)
	r := reader{settings}
	c.problems = check(d.spec, r)
	var data []string
	if data, c.missing = d.dataOf(r); len(c.missing) > 0 {
		return c
	}
	unread := func(a experiments.Assignment) bool {
		_, ok := settings[a.Path]
		return !ok && a.Path != experiments.VariantPath && a.Path != rotateKey // such as the seed of a method that draws nothing
	}
	c.run = Planned{Settings: settings, Swept: v.Swept, Data: data}
	if slices.ContainsFunc(v.Swept, unread) {
		c.run.Swept = slices.DeleteFunc(slices.Clone(v.Swept), unread)
	}
	if r.net() && r.str("model.init") == pretrainMethod {
		theta0 := pretraining(settings, c.run.Swept, data[0])
		c.theta0 = &theta0
		c.run.Data = append(data[:len(data):len(data)], theta0.Key)
		c.run.Depends = []Dependency{{theta0.Key, Theta0}}
	}
	c.run.TrainKey, c.run.Key = d.keys.make(settings, c.run.Data, engine.Version)
	return c
}

// dataOf returns the digests of what a run reads, or the references of the data that have none. Runs may share the slice.
func (d *drafter) dataOf(r reader) (data, missing []string) {
	id := plainData{r.str("primary.dataset"), r.str("harmful.dataset"), r.str("model.kind")}
	plain := id.primary != "" && id.harmful != "" && initFile(r) == "" && !d.keys.ownData(r.s)
	if plain {
		if data, ok := d.data[id]; ok {
			return data, nil
		}
	}
	for _, src := range inputs(r) {
		ref := src.Key()
		digest, ok := d.digests[ref]
		if !ok {
			missing = append(missing, ref)
		}
		data = append(data, digest)
	}
	if plain && len(missing) == 0 {
		d.data[id] = data
	}
	return data, missing
}

// ownData says whether the settings describe data beyond their names, as far as the paths of the last keys tell.
func (w *keyWriter) ownData(s experiments.Settings) bool {
	w.sort(s)
	return w.describes
}

// describesData says whether a path describes data of one's own.
func describesData(path string) bool {
	return strings.HasPrefix(path, "primary.dataset.") || strings.HasPrefix(path, "harmful.dataset.")
}
