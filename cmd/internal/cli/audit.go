package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kappa/engine/audit"
	"kappa/engine/spectrum"
	"kappa/runner/dataset"
)

// auditFlags are the flags of audit.
type auditFlags struct {
	primary, harmful, theta  string
	basePrimary, baseHarmful string
	rank                     int
	tol                      float64
	asJSON                   bool

	rankSet, tolSet bool
}

func (a *app) auditCommand() *cobra.Command {
	var o auditFlags
	c := &cobra.Command{
		Use: "audit --primary FILE --harmful FILE", Short: "Measure how immunized a model is, from matrices of any framework", Args: cobra.NoArgs,
		Long: `Measures condition numbers of the Hessians of linear probes, without a spec. Files are .npy or
CSV (numbers only, a header is recognised), one example a row. Three settings:

  inputs of both tasks with --theta   a linear extractor θ (features X·θ), compared with θ = I
  features with --base-primary and    the immunized model's features, compared with the original's
    --base-harmful                    on the same examples
  features alone                      condition numbers and the ceiling; no RIR

κ is given under two protocols: "rank" is σ_max/σ_k over the non-zero singular values, "ridge" adds
10⁻⁶ to the diagonal as the paper's released code does. The rank k is that of the data at √ε = 2⁻²⁶;
for features stored in float32, at max(rows, columns)·2⁻²⁴. --rank or --rank-tol say otherwise.`,
		Example: `  kappa audit --primary P.npy --harmful H.npy --theta theta.npy
  kappa audit --primary fP.npy --harmful fH.npy --base-primary f0P.npy --base-harmful f0H.npy --json`,
	}
	f := c.Flags()
	f.StringVar(&o.primary, "primary", "", "primary task: inputs (with --theta) or features, `FILE`")
	f.StringVar(&o.harmful, "harmful", "", "harmful task, `FILE`")
	f.StringVar(&o.theta, "theta", "", "linear extractor θ, D×m, `FILE`")
	f.StringVar(&o.basePrimary, "base-primary", "", "features of the original model, primary task, `FILE`")
	f.StringVar(&o.baseHarmful, "base-harmful", "", "features of the original model, harmful task, `FILE`")
	f.IntVar(&o.rank, "rank", 0, "use `K` non-zero singular values everywhere")
	f.Float64Var(&o.tol, "rank-tol", 0, "count singular values above `T`·σ_max as non-zero")
	f.BoolVar(&o.asJSON, "json", false, "write JSON")
	c.RunE = run(func(context.Context, []string) error {
		o.rankSet, o.tolSet = f.Changed("rank"), f.Changed("rank-tol")
		if err := o.check(); err != nil {
			return err
		}
		report, err := a.measure(o)
		if err != nil {
			return err
		}
		if o.asJSON {
			text, err := json.MarshalIndent(report, "", "  ")
			if err != nil {
				return failf("", "write the audit: %w", err)
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s\n", text)
			return err
		}
		return a.tellAudit(report, o)
	})
	return c
}

// check refuses flags that do not fit together, before any file is opened.
func (o auditFlags) check() error {
	const settings = "accepted: both tasks with --theta, with --base-primary and --base-harmful, or alone"
	switch {
	case o.primary == "" || o.harmful == "":
		return usagef("", "audit: --primary and --harmful are both needed")
	case (o.basePrimary == "") != (o.baseHarmful == ""):
		return usagef("", "audit: --base-primary and --base-harmful go together; %s", settings)
	case o.theta != "" && o.basePrimary != "":
		return usagef("", "audit: --theta is compared with the identity, so --base-… does not go with it; %s", settings)
	case o.rankSet && o.tolSet:
		return usagef("", "audit: --rank and --rank-tol both say what is non-zero: one is accepted")
	case o.rankSet && o.rank < 1:
		return usagef("", "audit: --rank %d: a number from 1 is accepted", o.rank)
	case o.tolSet && (o.tol < 0 || o.tol >= 1 || o.tol != o.tol): //nolint:gocritic // NaN differs from itself
		return usagef("", "audit: --rank-tol %v: a number from 0 and below 1 is accepted", o.tol)
	}
	return nil
}

// measure reads the files and measures.
func (a *app) measure(o auditFlags) (audit.Report, error) {
	var in audit.Input
	var errs []error
	for _, f := range []struct {
		flag, path string
		into       **spectrum.Factor
	}{
		{"primary", o.primary, &in.Primary},
		{"harmful", o.harmful, &in.Harmful},
		{"base-primary", o.basePrimary, &in.BasePrimary},
		{"base-harmful", o.baseHarmful, &in.BaseHarmful},
	} {
		if f.path == "" {
			continue
		}
		set, err := a.readMatrix(f.flag, f.path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if *f.into, err = o.factor(set); err != nil {
			errs = append(errs, usagef("", "--%s %s: %w", f.flag, f.path, err))
		}
	}
	if o.theta != "" {
		set, err := a.readMatrix("theta", o.theta)
		if err != nil {
			errs = append(errs, err)
		} else {
			in.Theta = set.X
		}
	}
	if err := errors.Join(errs...); err != nil {
		return audit.Report{}, err
	}
	report, err := audit.Measure(in)
	if err != nil {
		return report, &failure{code: exitUsage, err: err}
	}
	return report, nil
}

// factor factorises one matrix with the rank rule that the flags and the file ask for.
func (o auditFlags) factor(set *dataset.Set) (*spectrum.Factor, error) {
	const single = 1.0 / (1 << 24) // rounding of float32
	rows, cols := set.X.Dims()
	switch {
	case o.rankSet:
		if o.rank > min(rows, cols) {
			return nil, fmt.Errorf("--rank %d: a matrix of %d×%d has at most rank %d", o.rank, rows, cols, min(rows, cols))
		}
		return spectrum.NewFactorRank(set.X, o.rank)
	case o.tolSet:
		return spectrum.NewFactorTol(set.X, o.tol)
	case set.Float32 && o.theta == "":
		return spectrum.NewFactorTol(set.X, float64(max(rows, cols))*single)
	}
	return spectrum.NewFactor(set.X)
}

// specAdvice is advice about keys of a spec, which audit does not have.
var specAdvice = regexp.MustCompile(` \(or (missing|categorical|header) = [^)]*\)`)

// readMatrix reads a .npy or CSV file of numbers.
func (a *app) readMatrix(flag, path string) (*dataset.Set, error) {
	full := onDisk(a.cwd, path)
	dir, base := filepath.Split(full)
	src := dataset.Source{NPY: base}
	switch name := strings.TrimSuffix(strings.ToLower(base), ".gz"); filepath.Ext(name) {
	case ".npy":
	case ".csv":
		numbers, err := startsWithNumbers(full)
		if err != nil {
			return nil, usagef("", "--%s %s: %v", flag, path, cause(err))
		}
		src = dataset.Source{CSV: base, NoHeader: numbers}
	default:
		return nil, usagef("", "--%s %s: a .npy or a .csv file is accepted", flag, path)
	}
	set, err := dataset.Load(os.DirFS(dir), src)
	if err != nil {
		return nil, usagef("", "--%s: %s", flag, specAdvice.ReplaceAllString(err.Error(), ""))
	}
	return set, nil
}

// startsWithNumbers says whether the first line of a CSV file holds numbers alone, so that it is no header. A compressed
// file is taken to have one.
func startsWithNumbers(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if line == "" && err != nil {
		return false, nil // empty: whoever reads it says so
	}
	for cell := range strings.SplitSeq(strings.TrimSpace(line), ",") {
		if _, err := strconv.ParseFloat(strings.TrimSpace(cell), 64); err != nil {
			return false, nil
		}
	}
	return true, nil
}

// tellAudit writes a report for people.
func (a *app) tellAudit(r audit.Report, o auditFlags) error {
	g := &grid{columns: []string{"task", "κ (rank)", "σ_max", "σ_min", "rank", "κ (ridge)"}}
	var remarks []string
	line := func(name string, c spectrum.Conditions) {
		g.add(name, c.Rank.Kappa, c.Rank.SigmaMax, c.Rank.SigmaMin, c.Rank.Rank, c.Ridge.Kappa)
		remarks = append(remarks, remarksOn(name, c)...)
	}
	line("primary", r.Primary)
	line("harmful", r.Harmful)
	if r.Base != nil {
		line("primary, original", r.Base.Primary)
		line("harmful, original", r.Base.Harmful)
	}
	if err := a.list(g, false); err != nil {
		return err
	}
	more := &grid{columns: []string{"figure", "rank", "ridge"}}
	if r.Base != nil {
		more.add("RIR", r.RIR.Rank, r.RIR.Ridge)
		more.add("κ(H_H) to the original's", r.RatioHarmful.Rank, r.RatioHarmful.Ridge)
		more.add("κ(H_P) to the original's", r.RatioPrimary.Rank, r.RatioPrimary.Ridge)
	}
	if o.basePrimary == "" {
		if r.Unbounded {
			more.add("ceiling of RIR", "unbounded", "")
			remarks = append(remarks, fmt.Sprintf(
				"unbounded: the harmful task uses %d directions that the primary task never sees; θ can scale them at no cost, so RIR has no ceiling", r.Freedom))
		} else {
			more.add("ceiling of RIR", r.Ceiling, "")
		}
	}
	if o.theta != "" {
		more.add("κ(θ)", r.KappaTheta, "")
	}
	if len(more.rows) > 0 {
		fmt.Fprintln(a.env.Stdout)
		if err := a.list(more, false); err != nil {
			return err
		}
	}
	if len(remarks) > 0 {
		fmt.Fprintln(a.env.Stdout)
	}
	for _, text := range remarks {
		fmt.Fprintf(a.env.Stdout, "%s\n", text)
	}
	return nil
}

// remarksOn says in words what has to be known to judge a task's condition numbers.
func remarksOn(name string, c spectrum.Conditions) []string {
	var out []string
	add := func(text string) { out = append(out, name+": "+text) }
	if c.Rank.Rank == 0 {
		add("zero: the matrix is zero, κ is undefined")
		return out
	}
	if c.Rank.Unresolved {
		add("unresolved: σ_min is below what double precision can tell from zero, κ (rank) has no value")
	}
	if c.Rank.RankUnclear {
		add(fmt.Sprintf("rank-unclear: the singular values do not fall tenfold after the %d-th, κ (rank) hangs on where they are cut; --rank or --rank-tol decide", c.Rank.Rank))
	}
	if c.Ridge.RidgeDominated {
		add("ridge-dominated: σ_min is the ridge itself, κ (ridge) is σ_max/10⁻⁶ and measures the norm alone")
	}
	return out
}
