package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes files (content: their own name) and folders (names that end in /) in a temporary folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProjectRoot(t *testing.T) {
	dir := tree(t, "git/.git/", "git/a/b/", "git/a/.kappa/", "worktree/.git", "worktree/c/", "none/d/", "file/.kappa", "file/e/")
	for _, tt := range []struct{ from, want string }{
		{"git", "git"},
		{"git/a/b", "git/a"},
		{"worktree/c", "worktree"},
		{"none/d", "none/d"},
		{"file/e", "file/e"},
	} {
		if got := projectRoot(filepath.Join(dir, tt.from)); got != filepath.Join(dir, tt.want) {
			t.Errorf("projectRoot(%s) = %s, want %s", tt.from, got, tt.want)
		}
	}
}

func TestSpecRoot(t *testing.T) {
	dir := tree(t, "none/exp/deep/", "git/.git/", "git/exp/", "marked/exp/.kappa/", "other/")
	for _, tt := range []struct{ cwd, spec, want string }{
		{"none", "none", "none"},
		{"none", "none/exp", "none"},
		{"none", "none/exp/deep", "none"},
		{"none/exp", "none", "none"},
		{"other", "none/exp", "none/exp"},
		{"git/exp", "git/exp", "git"},
		{"other", "git/exp", "git"},
		{"marked", "marked/exp", "marked/exp"},
	} {
		if got := specRoot(filepath.Join(dir, tt.cwd), filepath.Join(dir, tt.spec)); got != filepath.Join(dir, tt.want) {
			t.Errorf("specRoot(%s, %s) = %s, want %s", tt.cwd, tt.spec, got, tt.want)
		}
	}
}

func TestNear(t *testing.T) {
	names := []string{"angle", "digits", "with blank"}
	for typed, want := range map[string]string{"digit": "digits", "dgits": "digits", "anlge": "angle", "resnet": ""} {
		if got := strings.Join(near(typed, names), " "); got != want {
			t.Errorf("near(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestFindSpecOrder(t *testing.T) {
	dir := tree(
		t, ".git/", "a.toml", "experiments/a.toml", "experiments/b.toml", "sub/deep/", "sub/c.toml", "sub/experiments/c.toml",
		"sub/plain", "../outside-the-root-"+filepath.Base(t.TempDir())+".toml",
	)
	deep := filepath.Join(dir, "sub", "deep")
	tests := []struct{ cwd, arg, want string }{
		{dir, "a", "a.toml"},
		{dir, "a.toml", "a.toml"},
		{dir, "experiments/a.toml", "experiments/a.toml"},
		{dir, "b", "experiments/b.toml"},
		{deep, "c", "sub/c.toml"},
		{deep, "b", "experiments/b.toml"},
		{deep, "../plain", "sub/plain"},
		{deep, "a", "a.toml"},
	}
	for _, tt := range tests {
		got, err := findSpec(tt.cwd, tt.arg)
		if err != nil || got.Path != filepath.Join(dir, filepath.FromSlash(tt.want)) || string(got.Bytes) != tt.want || got.Root != dir {
			t.Errorf("findSpec(%s) = %+v, %v; want %s", tt.arg, got, err, tt.want)
		}
	}
	for _, arg := range []string{"nowhere", "sub", "x/y", "", ".."} {
		if got, err := findSpec(dir, arg); exitCode(err, -1) != exitUsage {
			t.Errorf("findSpec(%q) = %+v, %v; want a usage error", arg, got, err)
		}
	}
	for _, name := range shippedNames() {
		got, err := findSpec(deep, name)
		if err != nil || !got.Shipped || got.Dir != deep || got.Root != dir || got.name() != name {
			t.Errorf("findSpec(%s) = %+v, %v; want the shipped one, as if in the current folder", name, got, err)
		}
	}
}

func TestDatabasePath(t *testing.T) {
	cwd, root := filepath.FromSlash("/work/sub"), filepath.FromSlash("/work")
	for _, tt := range []struct{ flag, env, want string }{
		{"", "", "/work/.kappa/runs.db"},
		{"x.db", "/y.db", "/work/sub/x.db"},
		{"", "y.db", "/work/sub/y.db"},
	} {
		if got := databasePath(cwd, tt.flag, tt.env, root); got != filepath.FromSlash(tt.want) {
			t.Errorf("databasePath(--db %q, KAPPA_DB=%q) = %s, want %s", tt.flag, tt.env, got, tt.want)
		}
	}
}

func TestDataFSStaysInside(t *testing.T) {
	dir := tree(t, "project/.git/", "project/exp/here.csv", "project/data/up.csv", "data/set.csv", "else/x.csv")
	link := func(target, name string) {
		if err := os.Symlink(filepath.Join(dir, target), filepath.Join(dir, name)); err != nil {
			t.Skip("this system makes no symbolic links here: ", err)
		}
	}
	link("else/x.csv", "project/exp/out.csv")
	link("data", "project/exp/linked")
	link("else", "project/exp/folder")
	spec := specFile{Dir: filepath.Join(dir, "project", "exp"), Root: filepath.Join(dir, "project")}
	tests := []struct {
		name  string
		path  string
		allow []string
		want  string // "" = refused
	}{
		{name: "beside the spec", path: "here.csv", want: "project/exp/here.csv"},
		{name: "elsewhere in the project", path: "../data/up.csv", want: "project/data/up.csv"},
		{name: "the data folder through a link", path: "linked/set.csv", want: "data/set.csv"},
		{name: "the data folder by its path", path: filepath.Join(dir, "data/set.csv"), want: "data/set.csv"},
		{name: "out of the project", path: "../../else/x.csv"},
		{name: "out by its path", path: filepath.Join(dir, "else/x.csv")},
		{name: "out through a link", path: "out.csv"},
		{name: "out through a folder's link", path: "folder/x.csv"},
		{name: "admitted", path: "out.csv", allow: []string{filepath.Join(dir, "else")}, want: "else/x.csv"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys, err := newDataFS(spec, filepath.Join(dir, "data"), tt.allow)
			if err != nil {
				t.Fatal(err)
			}
			f, err := fsys.Open(tt.path)
			if tt.want == "" {
				if err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("open %s: %v, want a refusal", tt.path, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got, err := io.ReadAll(f); err != nil || string(got) != tt.want {
				t.Errorf("open %s: %q, %v; want %s", tt.path, got, err, tt.want)
			}
		})
	}
	fsys, err := newDataFS(spec, filepath.Join(dir, "not-there"), nil)
	if err != nil {
		t.Fatalf("a data folder that is not there: %v", err)
	}
	if _, err := fsys.Open("nothing.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v, want fs.ErrNotExist", err)
	}
}
