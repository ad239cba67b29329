package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

// app is one call of the program: its surroundings and the flags that every command shares.
type app struct {
	env Env
	cwd string
	db  string // --db

	hushed  bool    // --quiet
	helpErr error   // of a question for help about a command that does not exist
	speed   float64 // of a core, once it is measured

	digests map[string]*dataDigests // by project

	told []string // what databases had to say for themselves
	said bool     // that the command was interrupted, and how to go on
}

// Run executes one command line (without the program's name) and returns the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	cwd, err := env.Getwd()
	if err != nil {
		fmt.Fprintf(env.Stderr, "kappa: find the current folder: %v\n", err)
		return exitFailed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if env.Interrupts != nil {
		signals, release := env.Interrupts()
		defer release()
		go func() {
			select {
			case <-signals:
				release() // the next one kills
				cancel(errInterrupted)
			case <-ctx.Done():
			}
		}()
	}
	a := &app{env: env, cwd: cwd}
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = a.helpErr
	}
	if ours, ok := errors.AsType[*reported](err); ok {
		err = ours.error
	} else if err != nil {
		// cobra's own: an unknown command or flag, a wrong number of arguments.
		hint := "`kappa --help` lists the commands, `kappa COMMAND --help` their flags"
		if cmd != nil && cmd.HasParent() {
			hint = "`" + cmd.CommandPath() + " --help` says what it takes: " + strings.TrimSuffix(cmd.UseLine(), " [flags]")
		}
		err = &failure{code: exitUsage, err: err, hint: hint}
	}
	say(env.Stderr, err)
	code := exitCode(err, exitFailed)
	if code == exitInterrupted && !a.said {
		a.talk("kappa: interrupted")
	}
	return code
}

// errInterrupted is the cause of a context that a request to stop has ended.
var errInterrupted = errors.New("interrupted")

// reported marks an error of a command, as against one of cobra's.
type reported struct{ error }

func (r *reported) Unwrap() error { return r.error }

// run makes a command's function out of ours.
func run(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd.Context(), args)
		if err == nil {
			return nil
		}
		if context.Cause(cmd.Context()) != nil && !errors.Is(err, context.Canceled) {
			// Whatever fails after a request to stop fails because of it.
			err = errors.Join(err, context.Canceled)
		}
		return &reported{err}
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kappa",
		Short: "A laboratory notebook for model immunization",
		Long: `A laboratory notebook for model immunization, measured by condition numbers.

An experiment is one TOML file: prose, hyper-parameters, sweep, tables, figures, claims.
"kappa run" executes what is missing, records every run in one SQLite file and renders
the experiment into a Markdown report in which every number comes from a query.`,
		Example: `  kappa run digits                 # a shipped experiment; again: nothing left to do
  kappa new mine && kappa run mine # one of your own
  kappa query "SELECT method, median(rir) FROM results GROUP BY method"`,
		SilenceUsage: true, SilenceErrors: true,
		Args: knownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		// "kappa nonsense --help" is no question about kappa: its answer is the one without --help.
		if rest := cmd.Flags().Args(); cmd.HasSubCommands() && len(rest) > 0 {
			a.helpErr = unknownCommand(cmd, rest)
			return
		}
		help(cmd, args)
	})
	root.SetHelpCommand(helpCommand())
	root.SetIn(a.env.Stdin)
	root.SetOut(a.env.Stdout)
	root.SetErr(a.env.Stderr)
	root.PersistentFlags().StringVar(&a.db, "db", "", "database `FILE` (default: $KAPPA_DB, else .kappa/runs.db under the project's root)")
	root.AddGroup(
		&cobra.Group{ID: "experiment", Title: "Experiments:"},
		&cobra.Group{ID: "record", Title: "What is recorded:"},
		&cobra.Group{ID: "tool", Title: "Tools:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("experiment", a.initCommand(), a.newCommand(), a.validateCommand(), a.planCommand(), a.runCommand(), a.statusCommand(), a.reportCommand(), a.verifyCommand())
	add("record", a.runsCommand(), a.queryCommand(), a.schemaCommand(), a.exportCommand(), a.importCommand(), a.dbCommand(), a.gcCommand())
	add("tool", a.auditCommand(), a.dataCommand(), a.doctorCommand(), a.versionCommand())
	root.SetHelpCommandGroupID("tool")
	root.SetCompletionCommandGroupID("tool")
	return root
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name())
	}
	g := &cobra.Command{
		Use: use, Short: short,
		RunE: run(func(_ context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("", "%s: one of %s is needed", use, strings.Join(names, ", "))
			}
			return usagef("", "%s %s: there is no such command: %s are accepted", use, args[0], strings.Join(names, ", "))
		}),
	}
	g.AddCommand(commands...)
	return g
}

// talk writes a line to people.
func (a *app) talk(format string, args ...any) { fmt.Fprintf(a.env.Stderr, format+"\n", args...) }

// list writes a listing to stdout, as a table or as JSON.
func (a *app) list(g *grid, asJSON bool) error {
	format := "table"
	if asJSON {
		format = "json"
	}
	g.null = "–" // nothing to say: SQL's word is for its own queries
	if err := g.write(a.env.Stdout, format, terminalWidth(a.env.Stdout)); err != nil {
		return failf("", "write the listing: %w", err)
	}
	return nil
}

// dbPath is the database of the current folder.
func (a *app) dbPath() string { return a.dbPathFor(projectRoot(a.cwd)) }

// dbPathFor is the database of a project.
func (a *app) dbPathFor(root string) string {
	return databasePath(a.cwd, a.db, a.env.Getenv("KAPPA_DB"), root)
}

// openRead opens the database of the current folder for reading; one that does not exist is an error.
func (a *app) openRead(ctx context.Context) (*store.DB, error) {
	path := a.dbPath()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, a.noDatabase(path)
	}
	return a.noticed(store.OpenReadOnly(ctx, path))
}

func (a *app) noDatabase(path string) error {
	return &failure{
		code: exitDatabase, err: fmt.Errorf("open database %s: there is none", shown(a.cwd, path)),
		hint: "`kappa run SPEC` makes it; --db FILE names another",
	}
}

// completeSpecs proposes the specs at hand.
func (a *app) completeSpecs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	out := shippedNames()
	for _, f := range ownSpecs(a.cwd) {
		out = append(out, shown(a.cwd, f))
	}
	return out, cobra.ShellCompDirectiveDefault
}

// helpCommand is help as a command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command",
		RunE: func(help *cobra.Command, args []string) error {
			cmd, rest, err := help.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(cmd, rest)
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// unknownCommand is the answer to the name of a command that does not exist.
func unknownCommand(parent *cobra.Command, args []string) error {
	if !parent.HasParent() {
		return knownCommand(parent, args)
	}
	if parent.HasSubCommands() {
		return parent.RunE(parent, args)
	}
	return &reported{usagef("", "%s has no command %q", parent.CommandPath(), args[0])}
}

// badValue is how the flags' package says that a value is none.
var badValue = regexp.MustCompile(`^invalid argument (".*") for "(?:-., )?(--[a-z-]+)" flag: (.*)$`)

// flagError says what a flag accepts instead of how its text is parsed.
func flagError(err error) error {
	m := badValue.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	accepted := "another value"
	switch {
	case strings.Contains(m[3], "ParseInt"):
		accepted = "a whole number"
	case strings.Contains(m[3], "ParseFloat"):
		accepted = "a number"
	case strings.Contains(m[3], "ParseBool"):
		accepted = "true or false"
	case strings.Contains(m[3], "time:"):
		accepted = "a duration, such as 90s or 10m,"
	}
	return fmt.Errorf("%s %s: %s is accepted", m[2], m[1], accepted)
}

// someSpecs wants at least one spec.
func someSpecs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("at least one SPEC is needed: a file, or the name of an experiment")
	}
	return nil
}

// knownCommand refuses a command that does not exist, and says which one may be meant.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "`kappa --help` lists the commands"
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean `kappa " + strings.Join(near, "` or `kappa ") + "`?"
	}
	return &reported{usagef(hint, "unknown command %q", args[0])}
}
