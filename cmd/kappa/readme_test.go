package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"gonum.org/v1/gonum/mat"

	"kappa/runner/dataset"
)

// auditFiles is where the files are that the section on auditing works on: models.py, which defines the two models that its lines of
// Python speak of, and the .npy files that those lines write.
const auditFiles = "testdata/audit"

// copyAuditFiles puts the .npy files of the section on auditing into a script's folder.
func copyAuditFiles(env *testscript.Env) error {
	files, err := filepath.Glob(filepath.Join(auditFiles, "*.npy"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, filepath.Base(file)), data, 0o644); err != nil {
			return err
		}
	}
	return setup(env)
}

// auditSection returns the section of README.md on auditing.
func auditSection(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Auditing a PyTorch model\n")
	if !found {
		t.Fatal("README.md has no section on auditing a PyTorch model")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// block returns the first code block of a language.
func block(t *testing.T, section, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(section, "\n```"+language+"\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("the section has no block of %s", language)
	}
	return text
}

// TestReadmeAuditOutput: the command of the section writes what the section shows.
func TestReadmeAuditOutput(t *testing.T) {
	section := auditSection(t)
	lines := shellLines("```sh\n" + block(t, section, "sh") + "```\n")
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "./kappa audit ") {
		t.Fatalf("the section shows the commands %q, want one audit", lines)
	}
	dir := t.TempDir()
	script := "exec " + strings.TrimPrefix(lines[0], "./") + "\ncmp stdout want\n-- want --\n" + block(t, section, "text")
	if err := os.WriteFile(filepath.Join(dir, "audit.txtar"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	p := params(dir)
	p.Setup, p.UpdateScripts = copyAuditFiles, false
	testscript.Run(t, p)
}

// TestReadmePython: the lines of Python write the files that the command reads.
func TestReadmePython(t *testing.T) {
	python := ""
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import numpy").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		t.Skip("no python3 with NumPy here: the lines of Python in README.md are not run")
	}
	models, err := os.ReadFile(filepath.Join(auditFiles, "models.py"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, "-")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(string(models)+block(t, auditSection(t), "python"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"primary-before", "primary-after", "harmful-before", "harmful-after"} {
		got, single, err := dataset.ReadNPY(os.DirFS(dir), name+".npy")
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := dataset.ReadNPY(os.DirFS(auditFiles), name+".npy")
		if err != nil {
			t.Fatal(err)
		}
		const close = 1e-5 // the mathematics of another NumPy may round otherwise, and float32 does in any case
		if !single || !mat.EqualApprox(got, want, close) {
			t.Errorf("%s.npy is not the one in %s, or not in float32", name, auditFiles)
		}
	}
}
