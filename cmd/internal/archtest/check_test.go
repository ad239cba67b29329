package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

const module = "kappa"

// source is one Go file to be checked.
type source struct {
	Folder string // of its package, relative to the module's root, with slashes
	Name   string // file name
	Text   string
}

func (s source) test() bool       { return strings.HasSuffix(s.Name, "_test.go") }
func (s source) position() string { return s.Folder + "/" + s.Name }

// check returns what one file does against the table, one sentence each.
func check(table []rule, s source) []string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, s.Name, s.Text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", s.position(), err)}
	}
	r, ok := ruleFor(table, s.Folder)
	if !ok {
		return []string{fmt.Sprintf("%s: folder %s is no room of the table", s.position(), s.Folder)}
	}
	var out []string
	complain := func(format string, args ...any) { out = append(out, s.position()+": "+fmt.Sprintf(format, args...)) }

	names := make(map[string]string) // local name → path of an imported package
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		names[localName(spec, path)] = path
		if spec.Name != nil && spec.Name.Name == "." {
			complain("dot import of %s", path)
		}
		if why := refuse(table, r, s, path); why != "" {
			complain("imports %s: %s", path, why)
		}
	}
	if n := lines(s.Text); n > maxLines && !ast.IsGenerated(file) {
		complain("%d lines: split it at %d", n, maxLines)
	}
	if slices.Contains(noNouns, file.Name.Name) {
		complain("package name %q says nothing about what is inside", file.Name.Name)
	}
	if s.test() {
		return out
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				complain("func init: nothing registers itself, tables name it")
			}
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if !ok || !within("engine/...", s.Folder) {
				break
			}
			if why := impureUse(names[id.Name], n.Sel.Name); why != "" {
				complain("line %d uses %s.%s: %s", fset.Position(n.Pos()).Line, id.Name, n.Sel.Name, why)
			}
		}
		return true
	})
	return out
}

// refuse says why a file may not import a package, or "".
func refuse(table []rule, r rule, s source, path string) string {
	if s.test() {
		for _, extra := range [][]string{testKit, r.Tests} {
			if anyBelow(extra, path) {
				return ""
			}
		}
	}
	if s.Folder == strings.TrimPrefix(path, module+"/") && s.test() {
		return "" // an external test of its own package
	}
	switch first, _, _ := strings.Cut(path, "/"); {
	case first == module:
		folder := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
		if within("cmd/...", folder) && !within("cmd/...", s.Folder) {
			return "nothing imports cmd"
		}
		if target, ok := ruleFor(table, folder); ok && target.Only {
			return "only tests may"
		}
		for _, pattern := range r.Ours {
			if within(pattern, folder) {
				return ""
			}
		}
		return fmt.Sprintf("%s may import of ours: %s", r.Room, orNothing(r.Ours))
	case strings.Contains(first, "."):
		if anyBelow(r.Third, path) {
			return ""
		}
		return fmt.Sprintf("%s may import of others: %s", r.Room, orNothing(r.Third))
	}
	if path == "database/sql" && !within(sqlRoom+"/...", s.Folder) {
		return "SQL is spoken in " + sqlRoom + " alone"
	}
	recorder := s.test() && s.Folder == sqlRoom // tests that put themselves between SQLite and the disk speak with it as C does
	if path == "C" || path == "unsafe" && !within("engine/blas/...", s.Folder) && !recorder {
		return "the project is pure Go"
	}
	if !s.test() && anyBelow(r.Banned, path) {
		return r.Room + " is pure: no files, clock, network, SQL"
	}
	return ""
}

// impureUse says why a use of an imported name breaks engine's purity, or "".
func impureUse(path, name string) string {
	switch path {
	case "time":
		if slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, name) {
			return "the clock is an argument"
		}
	case "math/rand", "math/rand/v2":
		// Types and constructors take a source; every other exported function draws from the global one.
		if !slices.Contains([]string{"Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf", "New", "NewPCG", "NewChaCha8", "NewZipf", "NewSource"}, name) {
			return "randomness is an argument (*rand.Rand)"
		}
	}
	return ""
}

// ruleFor returns the most specific rule for a folder.
func ruleFor(table []rule, folder string) (rule, bool) {
	best, found := rule{}, false
	for _, r := range table {
		if r.Room == folder {
			return r, true
		}
		if within(r.Room, folder) && (!found || len(r.Room) > len(best.Room)) {
			best, found = r, true
		}
	}
	return best, found
}

// within says whether a folder matches a pattern: itself, or "pattern/..." for everything below too.
func within(pattern, folder string) bool {
	if pattern == "..." || pattern == folder {
		return true
	}
	base, below := strings.CutSuffix(pattern, "/...")
	return below && (folder == base || strings.HasPrefix(folder, base+"/"))
}

// anyBelow says whether a path is one of the given ones or below it.
func anyBelow(prefixes []string, path string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

func localName(spec *ast.ImportSpec, path string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = parts[len(parts)-2]
	}
	return last
}

func lines(text string) int { return strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1 }

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
