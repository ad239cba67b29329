package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kappa/engine/audit"
)

// auditFlags are the flags of audit.
type auditFlags struct {
	primary, harmful, theta  string
	basePrimary, baseHarmful string
	yPrimary, header         string
	rank                     int
	tol                      float64
	asJSON                   bool

	rankSet, tolSet bool
}

func (a *app) auditCommand() *cobra.Command {
	var o auditFlags
	c := &cobra.Command{
		Use: "audit --primary FILE --harmful FILE", Short: "Measure how immunized a model is, from matrices of any framework", Args: cobra.NoArgs,
		Long: `Measures condition numbers of the Hessians FᵀF of linear probes on features F, without a spec.
Files are .npy or CSV (numbers only, a header is recognised), one example a row. Three settings:

  inputs of both tasks with --theta   a linear extractor θ (features X·θ), compared with θ = I
  features with --base-primary and    the immunized model's features, compared with the original's
    --base-harmful                    on the same examples
  features alone                      condition numbers and the ceiling; no RIR

κ is given under two protocols: "rank" is σ_max/σ_k over the non-zero singular values, "ridge" adds
10⁻⁶ to the diagonal as the paper's released code does. The rank k is that of the inputs at √ε = 2⁻²⁶,
kept for every θ; of features stored in float32 it is counted in each matrix, above
max(rows, columns)·2⁻²⁴·σ_max. --rank or --rank-tol say otherwise.

Definition 3.1 is judged where there is something to compare with; its part (c), the loss on the
primary task, needs that task's targets, --y-primary: one column of numbers.`,
		Example: `  kappa audit --primary P.npy --harmful H.npy --theta theta.npy
  kappa audit --primary fP.npy --harmful fH.npy --base-primary f0P.npy --base-harmful f0H.npy --json`,
	}
	f := c.Flags()
	f.StringVar(&o.primary, "primary", "", "primary task: inputs (with --theta) or features, `FILE`")
	f.StringVar(&o.harmful, "harmful", "", "harmful task, `FILE`")
	f.StringVar(&o.theta, "theta", "", "linear extractor θ, D×m, `FILE`")
	f.StringVar(&o.basePrimary, "base-primary", "", "features of the original model, primary task, `FILE`")
	f.StringVar(&o.baseHarmful, "base-harmful", "", "features of the original model, harmful task, `FILE`")
	f.StringVar(&o.yPrimary, "y-primary", "", "targets of the primary task, one column, `FILE`")
	f.StringVar(&o.header, headerFlag, headerAuto, "whether CSV files begin with a line of names: auto, yes or no")
	f.IntVar(&o.rank, "rank", 0, "use `K` non-zero singular values everywhere")
	f.Float64Var(&o.tol, "rank-tol", 0, "count singular values above `T`·σ_max as non-zero")
	f.BoolVar(&o.asJSON, "json", false, "write JSON")
	c.RunE = run(func(context.Context, []string) error {
		o.rankSet, o.tolSet = f.Changed("rank"), f.Changed("rank-tol")
		if err := o.check(); err != nil {
			return err
		}
		files, err := a.readFiles(o)
		if err != nil {
			return err
		}
		in, err := files.input(o)
		if err != nil {
			return err
		}
		report, err := audit.Measure(in)
		if err != nil {
			return &failure{code: exitUsage, err: err}
		}
		if o.asJSON {
			text, err := json.MarshalIndent(report, "", "  ")
			if err != nil {
				return failf("", "write the audit: %w", err)
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s\n", text)
			return err
		}
		return a.tellAudit(report, files, o)
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
	case o.header != headerAuto && o.header != headerYes && o.header != headerNo:
		return usagef("", "audit: --%s %q: %s, %s and %s are accepted", headerFlag, o.header, headerAuto, headerYes, headerNo)
	}
	return nil
}
