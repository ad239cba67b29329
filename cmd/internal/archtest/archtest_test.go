package archtest

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package.
const root = "../../.."

func TestEveryFileKeepsToTheTable(t *testing.T) {
	files := sources(t)
	if len(files) < 20 {
		t.Fatalf("only %d Go files found under %s: the walk is broken", len(files), root)
	}
	for _, s := range files {
		for _, v := range check(table, s) {
			t.Error(v)
		}
	}
}

func TestTableNamesNoUnknownRule(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range table {
		if seen[r.Room] {
			t.Errorf("%s stands twice in the table", r.Room)
		}
		seen[r.Room] = true
		for _, ours := range r.Ours {
			if _, ok := ruleFor(table, strings.TrimSuffix(ours, "/...")); !ok && ours != "..." && !parentOfRoom(ours) {
				t.Errorf("%s may import %s, which is no room", r.Room, ours)
			}
		}
	}
}

func parentOfRoom(pattern string) bool {
	return slices.ContainsFunc(table, func(r rule) bool { return within(pattern, strings.TrimSuffix(r.Room, "/...")) })
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	docs := make(map[string]string)  // folder → package comment
	names := make(map[string]string) // folder → package name
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.Name, s.Text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		names[s.Folder] = f.Name.Name
		docs[s.Folder] += f.Doc.Text()
	}
	for folder, name := range names {
		want := "Package " + name + " "
		if name == "main" {
			want = "Command " + path.Base(folder) + " "
		}
		if !strings.HasPrefix(docs[folder], want) {
			t.Errorf("%s: the package comment must begin %q, it begins %q", folder, want, new(doc.Package).Synopsis(docs[folder]))
		}
	}
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignored := ignoredNames(t)
	for _, e := range entries {
		if !slices.Contains(topLevel, e.Name()) && !ignored(e.Name()) {
			t.Errorf("%s: the top level holds only %s", e.Name(), strings.Join(topLevel, " "))
		}
	}
}

func TestMainOnlyAssembles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "cmd/kappa/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "main.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	first := fset.Position(f.Package).Line
	if n := lines(string(text)) - first + 1; n > mainLines {
		t.Errorf("cmd/kappa/main.go has %d lines from its package clause on, at most %d are allowed", n, mainLines)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name != "main" {
			t.Errorf("cmd/kappa/main.go declares %s: it belongs to cmd/internal/cli", fn.Name.Name)
		}
	}
}

// sources reads every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		out = append(out, source{Folder: path.Dir(filepath.ToSlash(rel)), Name: d.Name(), Text: string(text)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ignoredNames reads the top-level patterns of .gitignore.
func ignoredNames(t *testing.T) func(string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) bool {
		for line := range strings.Lines(string(text)) {
			pattern := strings.Trim(strings.TrimSpace(line), "/")
			if ok, err := path.Match(pattern, name); err == nil && ok {
				return true
			}
		}
		return false
	}
}
