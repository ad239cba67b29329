package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"kappa/experiments"
	"kappa/store"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Make a project: a database and a folder for experiments", Args: cobra.MaximumNArgs(1),
		Long: `Makes DIR (default: the current folder) the root of a project: .kappa/ with an empty database,
which git is told to ignore, and experiments/. What is there already is left as it is.`,
		RunE: run(func(ctx context.Context, args []string) error {
			dir := a.cwd
			if len(args) == 1 {
				dir = onDisk(a.cwd, args[0])
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return failf("", "make project folder %s: %v", shown(a.cwd, dir), cause(err))
			}
			file := a.dbPathFor(dir)
			_, statErr := os.Stat(file)
			db, err := store.Open(ctx, file, store.Options{Now: a.env.Now})
			if err != nil {
				return err
			}
			if err := db.Close(); err != nil {
				return err
			}
			a.made(file, errors.Is(statErr, fs.ErrNotExist))
			folder := filepath.Join(dir, "experiments")
			err = os.Mkdir(folder, 0o755)
			if err != nil && !errors.Is(err, fs.ErrExist) {
				return failf("", "make %s: %v", shown(a.cwd, folder), cause(err))
			}
			a.made(folder, err == nil)
			a.talk("next: `kappa new NAME` writes an experiment, `kappa run NAME` executes it")
			return nil
		}),
	}
}

// made says whether something was made or found.
func (a *app) made(path string, made bool) {
	what := "is there already"
	if made {
		what = "made"
	}
	fmt.Fprintf(a.env.Stdout, "%s: %s\n", shown(a.cwd, path), what)
}

// specName is what a spec's name may be: it becomes part of file names and links.
var specName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (a *app) newCommand() *cobra.Command {
	var from string
	c := &cobra.Command{
		Use: "new NAME", Short: "Write an experiment to start from", Args: cobra.ExactArgs(1),
		Long: `Writes NAME.toml, a small commented experiment on handwritten digits that runs in seconds, or a
copy of a shipped one with --from. It goes into experiments/ if there is such a folder here,
else into the current folder; a path such as exp/NAME.toml says otherwise.`,
		Example: `  kappa new first && kappa run first
  kappa new mine --from digits`,
		RunE: run(func(_ context.Context, args []string) error {
			path, name, err := a.newPath(args[0])
			if err != nil {
				return err
			}
			text := strings.ReplaceAll(starter, "NAME", name)
			if from != "" {
				data, err := experiments.Shipped.ReadFile(from + ".toml")
				if err != nil {
					return usagef("", "--from %s: there is no such experiment: %s are accepted", from, strings.Join(shippedNames(), ", "))
				}
				text = string(data)
			}
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return usagef("choose another name, or remove it", "write spec %s: it exists", shown(a.cwd, path))
			}
			if err != nil {
				return failf("", "write spec %s: %v", shown(a.cwd, path), cause(err))
			}
			_, err = f.WriteString(text)
			if e := f.Close(); err == nil {
				err = e
			}
			if err != nil {
				_ = os.Remove(path) // half a spec is worse than none
				return failf("", "write spec %s: %v", shown(a.cwd, path), cause(err))
			}
			fmt.Fprintln(a.env.Stdout, shown(a.cwd, path))
			a.talk("next: `kappa run %s`", a.callable(path, name))
			return nil
		}),
	}
	c.Flags().StringVar(&from, "from", "", "copy the shipped `EXPERIMENT`")
	return c
}

// newPath is where a new spec goes.
func (a *app) newPath(arg string) (path, name string, err error) {
	dir, file := filepath.Split(filepath.FromSlash(arg))
	name = strings.TrimSuffix(file, ".toml")
	if !specName.MatchString(name) {
		return "", "", usagef("", "spec name %q: lower-case letters, digits, - and _ are accepted, such as first-try", name)
	}
	if dir == "" {
		if info, err := os.Stat(filepath.Join(a.cwd, "experiments")); err == nil && info.IsDir() {
			dir = "experiments"
		}
	}
	return filepath.Join(onDisk(a.cwd, dir), name+".toml"), name, nil
}

// starter is the experiment that new writes. It must validate, run in seconds, and its claim must hold.
const starter = `# An experiment is this one file. "kappa run NAME" executes what is missing, records it, and
# renders NAME.md beside this file. "kappa validate NAME" checks it, "kappa plan NAME" says what would run.
title = "NAME: a first look at immunization"

# The task the model is made for, and the one it is immunized against: images of one handwritten digit each.
[primary]
dataset = "digits"
class   = 0

[harmful]
dataset = "digits"
class   = 1

[model]
kind = "linear"                     # features X·θ, θ of shape 64×64

[train]
method = "immunize"
steps  = 50

# Every key that is swept takes each of its values: 3 pairs × 3 methods.
[sweep]
"harmful.class" = [1, 2, 3]
"train.method"  = ["identity", "immunize", "optimum"]

# What an attacker does with the features: fit a linear probe to the harmful task.
[[attack]]
method = "gd-exact"
steps  = 50

[[cell]]
kind = "prose"
text = '''
The condition number κ(H) of a task's Hessian says how slowly gradient descent learns the task. RIR, the ratio of
what immunization does to the harmful task and to the primary one, should be large. Over the
{{ sql "SELECT count(*) FROM results" }} runs below, the median RIR of Algorithm 1 is
{{ sql "SELECT median(rir) FROM results WHERE method = 'immunize'" | sig 3 }}.
'''

[[cell]]
kind    = "table"
id      = "by-method"
caption = "RIR by method: median over the pairs, half-width of the 95 % interval of the mean, and the number of pairs."
sql     = "SELECT method, median(rir) AS median, ci95(rir) AS ci95, count(rir) AS n FROM results GROUP BY method ORDER BY method"
format  = { median = "sig 3", ci95 = "sig 2" }

[[cell]]
kind    = "figure"
id      = "convergence"
type    = "line"
caption = "Excess loss of the attacker on the harmful task: flatter is safer. Mean over the pairs."
sql     = """SELECT method, step, avg(excess) AS excess FROM attacks JOIN runs ON runs.key = attacks.run
WHERE task = 'harmful' AND step > 0 GROUP BY method, step ORDER BY method, step"""
x       = "step"
y       = "excess"
group   = "method"
x_scale = "log"
y_scale = "log"
x_label = "attacker's step"
y_label = "excess loss"

[[cell]]
kind   = "claim"
id     = "optimum-immunizes"
text   = "The closed form immunizes every pair: its smallest RIR is above 1."
sql    = "SELECT min(rir) FROM results WHERE method = 'optimum'"
op     = ">"
expect = 1.0
`

// callable is what a spec is called from the current folder: its name where that finds it, else its path.
func (a *app) callable(path, name string) string {
	if found, err := findSpec(a.cwd, name); err == nil && found.Path == path {
		return name
	}
	return shown(a.cwd, path)
}
