package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"kappa/engine/blas"
	"kappa/store"
)

// gitPatience bounds the questions to git: provenance is no reason to wait.
const gitPatience = 3 * time.Second

// provenance says on what and from what the runs of a project are computed; keepDiff also keeps the text of what is not committed.
func (a *app) provenance(ctx context.Context, root string, keepDiff bool) store.Provenance {
	p := store.Provenance{
		GoVersion: runtime.Version(), Kernel: blas.Kernel(), CPU: cpuName(),
		OS: runtime.GOOS + "/" + runtime.GOARCH, Argv: withoutSecrets(a.env.Argv),
	}
	p.Host, _ = os.Hostname() // a machine without a name has no name
	p.GitCommit, p.GitDirty = gitState(ctx, root)
	if p.GitDirty {
		bounded, cancel := context.WithTimeout(ctx, gitPatience)
		defer cancel()
		d := gitDiff(bounded, root, keepDiff)
		p.DiffHash, p.DiffBytes, p.Diff = d.hash, d.bytes, d.text
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		p.Modules = append(p.Modules, m.Path+"@"+m.Version)
	}
	slices.Sort(p.Modules)
	if p.GitCommit == "" {
		p.GitCommit, p.GitDirty = vcsState(info)
	}
	return p
}

// secrets are the parts of addresses that are nobody's business: user and password, and what is given as a token.
var secrets = regexp.MustCompile(`(://)[^/@\s]+@|(?i)([?&][^=&\s]*(?:token|key|secret|password|signature|credential)[^=&\s]*=)[^&\s]+`)

// withoutSecrets is a command line for the record.
func withoutSecrets(argv []string) []string {
	var out []string
	for _, arg := range argv {
		out = append(out, secrets.ReplaceAllStringFunc(arg, func(found string) string {
			m := secrets.FindStringSubmatch(found)
			if m[1] != "" {
				return m[1] + "…@"
			}
			return m[2] + "…"
		}))
	}
	return out
}

// gitState asks git for the commit of the project and whether files differ from it; "" where there is no repository.
func gitState(ctx context.Context, dir string) (commit string, dirty bool) {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	out, err := git(ctx, dir, "rev-parse", "HEAD").Output()
	if err != nil {
		return "", false
	}
	commit = strings.TrimSpace(string(out))
	out, err = git(ctx, dir, "status", "--porcelain", "--untracked-files=no").Output()
	return commit, err == nil && len(bytes.TrimSpace(out)) > 0
}

// vcsState reads the revision that the binary was built from, where the build recorded it.
func vcsState(info *debug.BuildInfo) (commit string, dirty bool) {
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return commit, dirty
}

// cpuName returns the processor's name as the system tells it.
func cpuName() string {
	switch runtime.GOOS {
	case "linux":
		if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
			if name := procField(string(text), "model name"); name != "" {
				return name
			}
		}
	case "darwin":
		if out, err := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
			return strings.TrimSpace(string(out))
		}
	case "windows":
		return os.Getenv("PROCESSOR_IDENTIFIER")
	}
	return ""
}

// procField returns the first value of a "name : value" line.
func procField(text, name string) string {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
