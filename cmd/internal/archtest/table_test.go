package archtest

// rule says what the packages that match Room may import. The most specific rule wins: a room itself before "room/...".
// A package that no rule matches is a violation.
type rule struct {
	Room   string   // folder under the module's root, or "folder/..." for it and everything below
	Ours   []string // our packages, in the same notation
	Third  []string // modules of others; a path stands for itself and everything below
	Tests  []string // what _test.go files may import besides
	Only   bool     // Tests only: imported by nothing but _test.go files
	Banned []string // packages of the standard library that files other than tests must not import
}

const (
	gonum   = "gonum.org/v1/gonum"
	gomat   = "gonum.org/v1/gonum/mat"
	plot    = "gonum.org/v1/plot"
	cmpTest = "github.com/google/go-cmp"
)

// impure is what a pure function has no use for: files, clock, network, SQL.
var impure = []string{
	"os", "io/fs", "io/ioutil", "path/filepath", "embed", "net", "syscall", "log", "database/sql", "testing", "flag",
}

// table is the import table. Within engine the arrow is blas ← spectrum ← regularizer ← immunize; ceiling, probe and audit
// stand above spectrum.
var table = []rule{
	{Room: "experiments", Third: []string{"github.com/BurntSushi/toml"}, Tests: []string{"kappa/runner"}},

	{Room: "engine", Tests: []string{"kappa/engine", gonum}, Banned: impure},              // its test holds digests of every method
	{Room: "engine/blas", Third: []string{gonum, "golang.org/x/sys/cpu"}, Banned: impure}, // x/sys/cpu: what the processor has
	{Room: "engine/blas/internal/gen", Ours: []string{"engine/internal/assembler"}},       // writes the kernels' assembly
	{Room: "engine/summary", Third: []string{gonum}, Banned: impure},
	{Room: "engine/spectrum", Ours: []string{"engine/blas"}, Third: []string{gonum}, Banned: impure},
	{Room: "engine/regularizer", Ours: []string{"engine/blas", "engine/spectrum"}, Third: []string{gonum}, Banned: impure},
	{Room: "engine/ceiling", Ours: []string{"engine/blas", "engine/spectrum"}, Third: []string{gonum}, Banned: impure},
	{Room: "engine/probe", Ours: []string{"engine/blas", "engine/spectrum"}, Third: []string{gonum}, Banned: impure},
	{Room: "engine/nn", Ours: []string{"engine/blas", "engine/internal/vector", "engine/nn/weights"}, Third: []string{gonum}, Banned: impure},
	{Room: "engine/nn/weights", Banned: impure},
	{
		Room:  "engine/deep",
		Ours:  []string{"engine/blas", "engine/internal/vector", "engine/nn", "engine/spectrum", "engine/regularizer", "engine/immunize", "engine/summary"},
		Third: []string{gonum}, Banned: impure,
	},
	{Room: "engine/internal/vector", Ours: []string{"engine/blas"}, Banned: impure},
	{Room: "engine/internal/vector/internal/gen", Ours: []string{"engine/internal/assembler"}},
	{Room: "engine/internal/assembler"}, // what both generators of kernels write with
	{
		Room:  "engine/immunize",
		Ours:  []string{"engine/blas", "engine/spectrum", "engine/regularizer", "engine/ceiling"},
		Third: []string{gonum}, Banned: impure,
	},
	{
		Room:  "engine/audit",
		Ours:  []string{"engine/blas", "engine/spectrum", "engine/ceiling", "engine/probe", "engine/summary"},
		Third: []string{gonum}, Banned: impure,
	},
	{Room: "engine/internal/numtest", Ours: []string{"engine/..."}, Third: []string{gonum}, Only: true},

	{Room: "store", Ours: []string{"engine/summary"}, Third: []string{"modernc.org/sqlite", "golang.org/x/sys"}, Tests: []string{"modernc.org/libc"}}, // libc: a disk that is recorded

	{
		Room: "runner", Ours: []string{"experiments", "engine/...", "store", "runner/dataset"}, Third: []string{gomat, "golang.org/x/sync"},
		Tests: []string{gonum},
	},
	{Room: "runner/dataset", Third: []string{gomat}, Tests: []string{gonum}},
	{Room: "runner/dataset/fetch", Ours: []string{"runner/dataset"}, Third: []string{"golang.org/x/sys"}}, // x/sys: locks and free space

	{
		Room: "reports", Ours: []string{"store", "experiments", "engine/summary", "reports/internal/..."},
		Third: []string{plot, gomat},
	},
	{Room: "reports/internal/...", Ours: []string{"engine/summary", "reports/internal/..."}, Third: []string{plot, gomat}},
	{Room: "reports/internal/page", Ours: []string{"reports/internal/mathml"}, Third: []string{"github.com/yuin/goldmark"}}, // Markdown to HTML

	{Room: "cmd/kappa", Ours: []string{"..."}, Tests: []string{"github.com/rogpeppe/go-internal", gomat}},
	{
		Room: "cmd/internal/cli", Ours: []string{"..."},
		// gonum/blas: doctor measures how fast the matrix product is; gonum/mat: audit reads matrices.
		Third: []string{"github.com/spf13/cobra", "github.com/schollz/progressbar/v3", "golang.org/x/term", "github.com/parquet-go/parquet-go", gonum + "/blas", gomat},
	},
	{Room: "cmd/internal/archtest"},
	{Room: "cmd/internal/budget", Ours: []string{"..."}}, // benchmarks at the level of commands
}

// testKit is what any _test.go file may import besides its room's own allowances.
var testKit = []string{cmpTest, "kappa/engine/internal/numtest"}

// sqlRoom is the only room that may import database/sql.
const sqlRoom = "store"

// topLevel are the entries that the project's top folder may hold, besides what .gitignore names.
var topLevel = []string{
	"experiments", "runner", "engine", "store", "reports", "cmd", "go.mod", "go.sum", "README.md",
	".ci", ".git", ".gitignore",
}

// maxLines is the length at which a file has grown more than one concept.
const maxLines = 500

// mainLines is how many lines of code cmd/kappa/main.go may have: it assembles, and nothing else.
const mainLines = 20

// noNouns are package names that say nothing about what is inside.
var noNouns = []string{"util", "utils", "common", "helpers", "types", "misc", "shared"}
