package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/audit"
	"kappa/engine/immunize"
	"kappa/engine/probe"
	"kappa/engine/spectrum"
	"kappa/runner/dataset"
)

// problem is an immunization problem with its data factorised; runs share it and change nothing in it.
type problem struct {
	immunize.Problem
	original                   *audit.Original // what the data alone determine
	probePrimary, probeHarmful []float64       // what attackers fit
	warnings                   []string

	harmfulFit, harmfulFitWithOnes func() (*probe.Data, error)
}

// fit returns one task's data and targets as attackers meet them, for extractors with a bias or without.
func (p *problem) fit(side string, bias bool) (*probe.Data, error) {
	switch {
	case side == "primary":
		return p.original.PrimaryFit(bias)
	case bias:
		return p.harmfulFitWithOnes()
	}
	return p.harmfulFit()
}

// problemCache loads and factorises each problem once while runs of it are near: consecutive runs of a plan mostly differ in
// the method alone. It keeps data sets for good and at most limit problems.
type problemCache struct {
	data  fs.FS
	limit int

	mu       sync.Mutex
	problems map[string]*cached[*problem]
	order    []string // least recently used first
	sets     map[string]*cached[*dataset.Set]
	pictures map[string]*cached[*dataset.ImageTask]
	base     baseFigures
}

// cached is computed by the first who asks and waited for by the others.
type cached[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (c *cached[T]) get(compute func() (T, error)) (T, error) {
	c.once.Do(func() {
		c.err = errors.New("load the data: another run panicked over it") // stands only if compute panics
		c.value, c.err = compute()
	})
	return c.value, c.err
}

func newProblemCache(data fs.FS, limit int) *problemCache {
	return &problemCache{data: data, limit: limit, problems: make(map[string]*cached[*problem]), sets: make(map[string]*cached[*dataset.Set]), pictures: make(map[string]*cached[*dataset.ImageTask])}
}

// problemID says which settings have the same problem.
func problemID(r reader) string {
	tables := []string{"primary.", "harmful.", "synthetic."}
	if r.net() {
		tables = append(tables, "model.")
	}
	paths := make([]string, 0, 32)
	for path := range r.s {
		if slices.ContainsFunc(tables, func(table string) bool { return strings.HasPrefix(path, table) }) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	b := make([]byte, 0, 512)
	for _, path := range paths {
		b = append(append(b, path...), '=')
		b = append(append(b, canonicalValue(r.s[path])...), '\n')
	}
	return string(b)
}

// get returns the problem of a run's settings.
func (c *problemCache) get(r reader) (*problem, error) {
	id := problemID(r)
	c.mu.Lock()
	entry, ok := c.problems[id]
	if ok {
		c.order = append(slices.DeleteFunc(c.order, func(s string) bool { return s == id }), id)
	} else {
		entry = new(cached[*problem])
		c.problems[id] = entry
		c.order = append(c.order, id)
		if len(c.order) > c.limit {
			delete(c.problems, c.order[0])
			c.order = c.order[1:]
		}
	}
	c.mu.Unlock()
	value, err := entry.get(func() (*problem, error) { return c.form(r) })
	if err != nil { // a retry may find the file again
		c.forget(func() {
			if c.problems[id] == entry {
				delete(c.problems, id)
				c.order = slices.DeleteFunc(c.order, func(s string) bool { return s == id })
			}
		})
	}
	return value, err
}

// shed drops the problems and the data sets that are not among those named; whoever has one keeps it.
func (c *problemCache) shed(problems, sets map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.problems, func(id string, _ *cached[*problem]) bool { return !problems[id] })
	c.order = slices.DeleteFunc(c.order, func(id string) bool { return !problems[id] })
	maps.DeleteFunc(c.sets, func(key string, _ *cached[*dataset.Set]) bool { return !sets[key] })
	maps.DeleteFunc(c.pictures, func(key string, _ *cached[*dataset.ImageTask]) bool { return !sets[key] })
}

// forget changes the cache under its lock.
func (c *problemCache) forget(drop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drop()
}

// form loads and factorises. Runs that wait for it lend it their cores.
func (c *problemCache) form(r reader) (*problem, error) {
	defer occupy().leave()
	p, h, err := c.tasks(r)
	if err != nil {
		return nil, err
	}
	out := &problem{probePrimary: p.Probe, probeHarmful: h.Probe}
	for _, w := range slices.Concat(p.Warnings, h.Warnings) { // both sides may be the same data
		if !slices.Contains(out.warnings, w) {
			out.warnings = append(out.warnings, w)
		}
	}
	for _, s := range []struct {
		name string
		from *dataset.Task
		to   *immunize.Task
	}{{"primary", p, &out.Primary}, {"harmful", h, &out.Harmful}} {
		f, err := spectrum.NewFactor(s.from.X)
		if err != nil {
			return nil, fmt.Errorf("factorise the %s task: %w", s.name, err)
		}
		*s.to = immunize.Task{X: s.from.X, Y: s.from.Y, Factor: f}
	}
	// The harmful player learns what an attacker would: with the released code's labels, all 0, it would have nothing to learn.
	out.Harmful.Y = h.Probe
	out.original = audit.NewOriginal(out.measured())
	out.Primary.WithOnes, out.Harmful.WithOnes = out.original.PrimaryWithOnes, out.original.HarmfulWithOnes
	out.harmfulFit = sync.OnceValues(func() (*probe.Data, error) {
		return probe.NewData(out.Harmful.Factor, out.Harmful.X, out.probeHarmful)
	})
	out.harmfulFitWithOnes = sync.OnceValues(func() (*probe.Data, error) {
		f, err := out.Harmful.WithOnes()
		if err != nil {
			return nil, err
		}
		return probe.NewData(f, out.Harmful.X, out.probeHarmful)
	})
	return out, nil
}

// measured is what an extractor is measured on.
func (p *problem) measured() audit.Input {
	return audit.Input{
		Primary: p.Primary.Factor, Harmful: p.Harmful.Factor, XPrimary: p.Primary.X, XHarmful: p.Harmful.X,
		Y: p.probePrimary, Original: p.original,
	}
}

// tasks forms the two tasks of a run's settings.
func (c *problemCache) tasks(r reader) (p, h *dataset.Task, err error) {
	primary, harmful := side(r, "primary"), side(r, "harmful")
	if primary.Name == "synthetic" || harmful.Name == "synthetic" {
		syn := synthetic(r)
		return dataset.Pair(c.data, primary, harmful, &syn)
	}
	ps, hs, err := c.pair(primary, harmful)
	if err != nil {
		return nil, nil, err
	}
	return dataset.Form(ps, primary, hs, harmful)
}

// fits reports why the two tasks of a run's settings cannot be formed.
func (c *problemCache) fits(r reader) error {
	if r.net() {
		return c.netFits(r)
	}
	primary, harmful := side(r, "primary"), side(r, "harmful")
	if primary.Name == "synthetic" || harmful.Name == "synthetic" {
		_, _, err := c.tasks(r)
		return err
	}
	ps, hs, err := c.pair(primary, harmful)
	if err != nil {
		return err
	}
	return dataset.Fits(ps, primary, hs, harmful)
}

// pair loads the data sets of both sides; the error tells of both where they are different.
func (c *problemCache) pair(primary, harmful dataset.Ref) (ps, hs *dataset.Set, err error) {
	ps, err = c.set(primary.Source)
	if err != nil {
		err = fmt.Errorf("primary: %w", err)
	}
	if harmful.Source.Key() == primary.Source.Key() {
		return ps, ps, err
	}
	hs, herr := c.set(harmful.Source)
	if herr != nil {
		err = errors.Join(err, fmt.Errorf("harmful: %w", herr))
	}
	return ps, hs, err
}

// set loads a data set once.
func (c *problemCache) set(src dataset.Source) (*dataset.Set, error) {
	key := src.Key()
	c.mu.Lock()
	entry, ok := c.sets[key]
	if !ok {
		entry = new(cached[*dataset.Set])
		c.sets[key] = entry
	}
	c.mu.Unlock()
	value, err := entry.get(func() (*dataset.Set, error) { return dataset.Load(c.data, src) })
	if err != nil {
		c.forget(func() {
			if c.sets[key] == entry {
				delete(c.sets, key)
			}
		})
	}
	return value, err
}

// theta reads a θ₀ from a .npy file.
func (c *problemCache) theta(path string, d int) (*mat.Dense, error) {
	m, _, err := dataset.ReadNPY(c.data, path)
	if err != nil {
		return nil, fmt.Errorf("read θ₀: %w", err)
	}
	if rows, cols := m.Dims(); rows != d || cols != d {
		return nil, fmt.Errorf("read θ₀: %s holds %d×%d; accepted: %d×%d, the number of features", path, rows, cols, d, d)
	}
	return m, nil
}
