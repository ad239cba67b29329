package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/runner/dataset"
)

// inputs lists what a run of the settings reads: the data of the primary and the harmful side, and θ₀ where it is a file.
func inputs(r reader) []dataset.Source {
	in := []dataset.Source{source(r, "primary"), source(r, "harmful")}
	if path := initFile(r); path != "" {
		in = append(in, dataset.Source{NPY: path})
	}
	return in
}

// initFile returns the path of θ₀, empty where θ₀ is not a file.
func initFile(r reader) string {
	switch init := r.str("model.init"); init {
	case "", "identity", "torch-linear", pretrainMethod:
		return ""
	default:
		return init
	}
}

// References lists the canonical references of all data that the spec's runs read, sorted.
func References(spec *experiments.Spec, set []experiments.Axis) ([]string, error) {
	sources, err := sources(spec, set)
	return slices.Sorted(maps.Keys(sources)), err
}

func sources(spec *experiments.Spec, set []experiments.Axis) (map[string]dataset.Source, error) {
	// Nothing but these tables, and what decides which keys are read, names data.
	variants, err := spec.Samples(set, func(path string) bool {
		table, _, _ := strings.Cut(path, ".")
		return table == "primary" || table == "harmful" || table == "model"
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]dataset.Source)
	for _, v := range variants {
		r := reader{resolve(v.Settings)}
		for _, src := range inputs(r) {
			out[src.Key()] = src
		}
	}
	return out, nil
}

// Unpublished names, sorted, the data sets known by name that have other digests than the published files.
func Unpublished(spec *experiments.Spec, set []experiments.Axis, digests map[string]string) ([]string, error) {
	sources, err := sources(spec, set)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for ref, src := range sources {
		if pinned := dataset.Pinned(src); pinned != "" && digests[ref] != "" && digests[ref] != pinned {
			names[src.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// Digests returns the digest of every data set that the spec's runs read, by reference. Files are read through data (nil: no
// files); where a file is not there, the digest recorded earlier stands in, so that a report can be rendered without the
// data, or else that of the published file, so that a plan can be made before anything is fetched. The error names everything that is neither there nor recorded.
func Digests(ctx context.Context, data fs.FS, spec *experiments.Spec, set []experiments.Axis, recorded map[string]string) (map[string]string, error) {
	sources, err := sources(spec, set)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	var errs []error
	for _, ref := range slices.Sorted(maps.Keys(sources)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		digest, err := dataset.Digest(ctx, data, sources[ref])
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if old, ok := recorded[ref]; err != nil && ok && errors.Is(err, fs.ErrNotExist) {
			digest, err = old, nil
		}
		if pinned := dataset.Pinned(sources[ref]); err != nil && pinned != "" && errors.Is(err, fs.ErrNotExist) {
			digest, err = pinned, nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", spec.Path, err))
			continue
		}
		out[ref] = digest
	}
	return out, errors.Join(errs...)
}

// CheckData reports everything about the data that can be known before any work: that every pair of the plan's problems can
// be formed (classes exist, columns agree, rows suffice).
func CheckData(ctx context.Context, plan *Plan, data fs.FS) error {
	cache := newProblemCache(data, 1)
	seen, said := make(map[string]bool), make(map[string]bool)
	var errs []error
	for _, run := range plan.Runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := reader{run.Settings}
		say := func(err error) {
			if err != nil && !said[err.Error()] {
				said[err.Error()] = true
				errs = append(errs, located(plan.Spec, r, err))
			}
		}
		if id := problemID(r); !seen[id] {
			seen[id] = true
			say(cache.fits(r))
		}
		if !r.net() {
			continue
		}
		for _, err := range cache.netCounts(r) {
			say(err)
		}
		for i, name := range r.attacks() {
			rank := r.integer(attackKey(i, "rank"))
			if id := fmt.Sprint(problemID(r), "rank=", rank); name == "lora" && !seen[id] {
				seen[id] = true
				say(cache.netAdapters(r, rank))
			}
		}
	}
	return errors.Join(errs...)
}

// CheckNets is CheckData of the runs on nets alone, as far as their data are there.
func CheckNets(ctx context.Context, plan *Plan, data fs.FS) error {
	nets := &Plan{Spec: plan.Spec}
	for _, run := range plan.Runs {
		if (reader{run.Settings}).net() {
			nets.Runs = append(nets.Runs, run)
		}
	}
	err := CheckData(ctx, nets, data)
	list, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // of errors.Join
	if !ok {
		return err
	}
	return errors.Join(slices.DeleteFunc(list.Unwrap(), func(err error) bool { return errors.Is(err, fs.ErrNotExist) })...)
}

// settingError is what is wrong with a setting when the data are known.
type settingError struct {
	path string
	error
}

func (e *settingError) Error() string { return e.path + ": " + e.error.Error() }

func (e *settingError) Unwrap() error { return e.error }

// located gives an error the place in the spec of the setting that it is about, where that is what the run has of it.
func located(spec *experiments.Spec, r reader, err error) error {
	if s, ok := errors.AsType[*settingError](err); ok {
		line := spec.Line(s.path)
		if stated, ok := spec.Base[s.path]; ok && line > 0 && canonicalValue(stated) == canonicalValue(r.s[s.path]) {
			return fmt.Errorf("%s:%d: %w", spec.Path, line, err)
		}
	}
	return fmt.Errorf("%s: %w", spec.Path, err)
}

// datasetName is how results call a side's data.
func datasetName(r reader, side string) string {
	src := source(r, side)
	switch {
	case src.CSV != "":
		return src.CSV
	case src.NPY != "":
		return src.NPY
	case src.Images != "":
		return src.Images
	}
	return src.Name
}

// source reads one side's data set and its preprocessing from settings.
func source(r reader, side string) dataset.Source {
	p := side + ".dataset"
	src := dataset.Source{
		Name: r.str(p), CSV: r.str(p + ".csv"), NPY: r.str(p + ".npy"), LabelsNPY: r.str(p + ".labels"),
		Target: r.str(p + ".target"), Drop: r.strings(p + ".drop"), NoHeader: r.has(p+".header") && !r.boolean(p+".header"),
		Shift: r.number(p + ".shift"), Scale: r.number(p + ".scale"),
		Standardize: r.boolean(p + ".standardize"), Float32: r.boolean(p + ".float32"),
	}
	if r.net() {
		src.Split = true
		photographs(r, side, &src)
		return src
	}
	if dataset.Sided(src.Name) {
		src.Side = side
	}
	if r.has(p + ".missing") {
		missing := r.number(p + ".missing")
		src.Missing = &missing
	}
	if src.CSV != "" {
		src.Categorical = r.str(p + ".categorical")
	}
	return src
}

// side reads one side of a problem from settings.
func side(r reader, name string) dataset.Ref {
	ref := dataset.Ref{Source: source(r, name), Task: r.str(name + ".task"), Class: r.class(name), N: r.integer(name + ".n")}
	return ref
}

// synthetic reads the table [synthetic] from settings.
func synthetic(r reader) dataset.Synthetic {
	spectrum := func(name string) dataset.Spectrum {
		if values := r.numbers("synthetic.spectrum_" + name); values != nil {
			return dataset.Spectrum{Values: values}
		}
		return dataset.Spectrum{Condition: r.number("synthetic.condition_" + name)}
	}
	return dataset.Synthetic{
		D: r.integer("synthetic.dimension"), N: r.integer("synthetic.rows"),
		Primary: spectrum("primary"), Harmful: spectrum("harmful"),
		Angle: r.number("synthetic.angle") * math.Pi / 180,
		Noise: r.number("synthetic.noise"), Seed: int64(r.integer("synthetic.seed")),
	}
}
