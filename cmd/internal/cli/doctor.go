package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kappa/store"
)

// finding is one line of doctor.
type finding struct {
	what, state, value, hint string
}

const (
	stateOK   = "ok"
	stateWarn = "warn"
	stateFail = "fail"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check this machine and project, and say what to do", Args: cobra.NoArgs,
		Long: `Looks at Go, processor, memory, the kernel of the matrix product and its speed, the database, the
folders that are written, how long the disk under the database takes to keep what is written, and the data folder. Exit code 1 if something fails, 5 if it is the database.`,
		RunE: run(func(ctx context.Context, _ []string) error {
			var found []finding
			found = append(found, machine()...)
			found = append(found, products(a.env.Now)...)
			database, code := a.databaseState(ctx)
			found = append(found, database)
			found = append(found, a.folders()...)
			found = append(found, diskSync(ctx, filepath.Dir(a.dbPath()), projectRoot(a.cwd), a.env.Now))
			g := &grid{columns: []string{"what", "state", "value", "do"}}
			for _, f := range found {
				g.add(f.what, f.state, f.value, f.hint)
				if f.state == stateFail && code == exitOK {
					code = exitFailed
				}
			}
			if err := a.list(g, asJSON); err != nil {
				return err
			}
			return silent(code)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// wideRegisters are the processor features that decide how fast a matrix product can be.
var wideRegisters = []string{"fma", "avx2", "avx512f", "asimd"}

func machine() []finding {
	const littleMemory = 2 << 30
	out := []finding{
		{"go", stateOK, runtime.Version(), ""},
		{"system", stateOK, runtime.GOOS + "/" + runtime.GOARCH, ""},
		{"processor", stateOK, strings.TrimSpace(cpuName() + " " + cpuFeatures()), ""},
	}
	cores := finding{"cores", stateOK, fmt.Sprintf("%d, GOMAXPROCS %d", runtime.NumCPU(), runtime.GOMAXPROCS(0)), ""}
	if runtime.GOMAXPROCS(0) < runtime.NumCPU() {
		cores.state, cores.hint = stateWarn, "unset GOMAXPROCS to use every core"
	}
	memory := finding{"memory", stateOK, "unknown on this system", ""}
	if total, free, ok := memoryBytes(); ok {
		memory.value = fmt.Sprintf("%.1f GiB, %.1f GiB free", gib(total), gib(free))
		if free < littleMemory {
			memory.state, memory.hint = stateWarn, "close other programs, or lower -j"
		}
	}
	return append(out, cores, memory)
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }

// cpuFeatures lists the wide registers that the system says the processor has.
func cpuFeatures() string {
	if runtime.GOOS != "linux" {
		return ""
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	flags := procField(string(text), "flags")
	if flags == "" {
		flags = procField(string(text), "Features")
	}
	var have []string
	for f := range strings.FieldsSeq(flags) {
		for _, w := range wideRegisters {
			if f == w {
				have = append(have, w)
			}
		}
	}
	if len(have) == 0 {
		return ""
	}
	return "(" + strings.Join(have, ", ") + ")"
}

// memoryBytes reads the machine's memory where the system tells it in a file.
func memoryBytes() (total, free int64, ok bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0, false
	}
	read := func(name string) int64 {
		number, _, _ := strings.Cut(procField(string(text), name), " ")
		kib, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	total, free = read("MemTotal"), read("MemAvailable")
	return total, free, total > 0
}

func (a *app) databaseState(ctx context.Context) (finding, int) {
	path := a.dbPath()
	f := finding{what: "database", state: stateOK}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.value = shown(a.cwd, path) + ": none yet"
		f.hint = "`kappa run SPEC` makes it"
		return f, exitOK
	}
	fail := func(err error) (finding, int) {
		f.state, f.value = stateFail, err.Error()
		var e *store.Error
		if errors.As(err, &e) {
			f.value, f.hint = fmt.Sprintf("%s: %v", shown(a.cwd, e.Path), e.Err), e.Hint
		}
		f.value = strings.ReplaceAll(withoutEchoes(f.value), "\n", "; ")
		return f, exitDatabase
	}
	db, err := store.OpenReadOnly(ctx, path)
	if err != nil {
		return fail(err)
	}
	defer db.Close()
	info, err := db.Info(ctx)
	if err != nil {
		return fail(err)
	}
	runs := 0
	for _, n := range info.Statuses {
		runs += n
	}
	f.value = fmt.Sprintf("%s: schema %d, journal %s, %s", shown(a.cwd, path), info.SchemaVersion, info.JournalMode, runsWord(runs))
	if info.JournalMode != "wal" && tryWrite(filepath.Dir(path), "kappa-doctor") == nil { // else the journal is not to be seen
		f.state, f.hint = stateWarn, "several processes cannot share it well; is it on a network drive?"
	}
	return f, exitOK
}

// folders checks where files are written and read.
func (a *app) folders() []finding {
	var out []finding
	dir := filepath.Dir(a.dbPath())
	for _, f := range []struct{ what, dir string }{{"project", projectRoot(a.cwd)}, {"database folder", dir}} {
		found := finding{what: f.what, state: stateOK, value: f.dir}
		switch err := tryWrite(f.dir, "kappa-doctor"); {
		case errors.Is(err, fs.ErrNotExist):
			found.value += ": not there yet"
		case errors.Is(err, fs.ErrPermission):
			found.state, found.value, found.hint = stateFail, fmt.Sprintf("%s: %v", f.dir, cause(err)), "make it writable, or name another database with --db"
		case err != nil:
			found.state, found.value, found.hint = stateFail, fmt.Sprintf("%s: %v", f.dir, cause(err)), "is the disk full, or mounted for reading only?"
		}
		out = append(out, found)
	}
	data := finding{"data folder", stateOK, dataFolder(a.env), ""}
	switch info, err := os.Stat(data.value); {
	case err != nil && a.env.Getenv("KAPPA_DATA") != "":
		data.state, data.value, data.hint = stateWarn, fmt.Sprintf("%s: %v", data.value, cause(err)), "KAPPA_DATA names a folder that is not there"
	case err != nil:
		data.value += ": not there yet"
	case !info.IsDir():
		data.state, data.value, data.hint = stateWarn, data.value+": not a folder", "let KAPPA_DATA name a folder"
	}
	return append(out, data)
}

// tryWrite makes a file in a folder under a temporary form of name, fills it a little and removes it.
func tryWrite(dir, name string) error {
	const little = 256 << 10 // about a small database with its log
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		if _, e := os.Stat(dir); e != nil {
			return e
		}
		return err
	}
	_, err = f.Write(make([]byte, little))
	if e := f.Close(); err == nil {
		err = e
	}
	return errors.Join(err, os.Remove(f.Name()))
}
