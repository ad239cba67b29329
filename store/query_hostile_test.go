package store

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "

// doubling unfolds to 2ⁿ terms when it is compiled.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("WITH t0 AS (SELECT 1 AS x)")
	for i := range n {
		p := "t" + string(rune('0'+i%10)) + strings.Repeat("_", i/10)
		q := "t" + string(rune('0'+(i+1)%10)) + strings.Repeat("_", (i+1)/10)
		b.WriteString(", " + q + " AS (SELECT a.x FROM " + p + " AS a, " + p + " AS b)")
	}
	return b.String() + " SELECT count(*) FROM t" + string(rune('0'+n%10)) + strings.Repeat("_", n/10)
}

// TestHostileQueries: what a query can do to harm, to take for ever, or to fill the memory ends soon, with a sentence that says why.
func TestHostileQueries(t *testing.T) {
	t.Parallel()
	db := openTest(t, newPath(t), Options{})
	record(t, db, 1)
	before := listFiles(t, db.Dir())
	for _, c := range []struct{ name, query, says string }{
		// no end
		{"endless count", endless + "SELECT count(*) FROM c", "longer than"},
		{"endless rows", endless + "SELECT x FROM c", "longer than"},
		{"no row ever", endless + "SELECT x FROM c WHERE x < 0", "longer than"},
		{"endless sum of text", endless + "SELECT sum(length(printf('%100d', x))) FROM c", "longer than"},
		{"endless sample", endless + "SELECT median(x) FROM c", "longer than"},
		{"endless window", endless + "SELECT row_number() OVER (ORDER BY x) FROM c", "longer than"},
		{"endless sort", endless + "SELECT x FROM c ORDER BY -x", "longer than"},
		{"endless distinct", endless + "SELECT DISTINCT x FROM c", "longer than"},
		{"endless groups", endless + "SELECT x, count(*) FROM c GROUP BY x", "longer than"},
		{"endless union", "WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c) SELECT max(x) FROM c", "longer than"},
		{"two recursions", "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a), b(y) AS (SELECT x FROM a UNION ALL SELECT y FROM b) SELECT count(*) FROM b", "longer than"},
		{"cross joins", "SELECT count(*) FROM sqlite_schema a, sqlite_schema b, sqlite_schema c, sqlite_schema d, sqlite_schema e, sqlite_schema f, sqlite_schema g, sqlite_schema h", "longer than"},
		{"subquery a row", endless + "SELECT (SELECT count(*) FROM c AS d WHERE d.x < c.x) FROM c", "longer than"},
		// growth
		{"text that doubles", "WITH RECURSIVE c(x) AS (SELECT 'xx' UNION ALL SELECT x || x FROM c) SELECT length(x) FROM c", "too big"},
		{"rows of megabytes", endless + "SELECT zeroblob(4000000) FROM c LIMIT 70", "the answer has more than 256 MiB; 67 rows of it fit"},
		{"group_concat", endless + "SELECT group_concat(printf('%1000000d', x)) FROM (SELECT x FROM c LIMIT 100)", "too big"},
		{"json_group_array", endless + "SELECT json_group_array(printf('%1000000d', x)) FROM (SELECT x FROM c LIMIT 100)", "too big"},
		{"zeroblob", "SELECT zeroblob(2000000000)", "too big"},
		{"randomblob", "SELECT randomblob(2000000000)", "too big"},
		{"printf", "SELECT printf('%2000000000d', 1)", "too big"},
		{"format with a star", "SELECT format('%.*c', 2000000000, 'x')", "too big"},
		{"hex of hex", "SELECT hex(hex(hex(zeroblob(20000000))))", "too big"},
		{"replace", "SELECT replace(hex(zeroblob(3000)), '0', hex(zeroblob(9000)))", "too big"},
		{"a row of blobs", "SELECT " + strings.Repeat("zeroblob(60000000), ", 3) + "1", "too big"},
		// depth and length
		{"parentheses", "SELECT " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), ""},
		{"a long sum", "SELECT 1" + strings.Repeat(" + 1", 5000), "too large"},
		{"nested selects", strings.Repeat("SELECT * FROM (", 3000) + "SELECT 1" + strings.Repeat(")", 3000), ""},
		{"many terms", "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 2000), "too many terms in compound SELECT"},
		{"many columns", "SELECT " + strings.Repeat("1, ", 4000) + "1", "too many columns"},
		{"many arguments", "SELECT max(" + strings.Repeat("1, ", 500) + "1)", "too many arguments on function max"},
		{"many tables", "SELECT 1 FROM runs" + strings.Repeat(", runs", 300), "too many FROM clause terms"},
		{"it unfolds", doubling(40), ""},
		{"deep JSON", "SELECT json('" + strings.Repeat("[", 100000) + "')", "malformed JSON"},
		{"a megabyte", "SELECT '" + strings.Repeat("x", 1<<20) + "'", "the query has 1048585 bytes; up to 1048576 are accepted"},
		{"commas", "SELECT " + strings.Repeat("),(", 20000), "syntax error"},
		{"a long pattern", "SELECT 'x' LIKE '" + strings.Repeat("%x", 1000) + "'", "LIKE or GLOB pattern too complex"},
		{"a long glob", "SELECT 'x' GLOB '" + strings.Repeat("*x", 1000) + "'", "LIKE or GLOB pattern too complex"},
		// doors
		{"attach", "ATTACH 'x.db' AS x", "can only read"},
		{"vacuum into", "VACUUM INTO 'x.db'", "can only read"},
		{"second statement", "SELECT 1; DELETE FROM run", "a second one begins"},
		{"writing with", "WITH a AS (SELECT 1) INSERT INTO digest SELECT 'a', 'b', 'c' FROM a", "can only read"},
		{"insert in a comment's shadow", "SELECT 1 /* ; */ ; /* */ INSERT INTO digest VALUES ('a', 'b', 'c')", "a second one begins"},
		{"explain a write", "EXPLAIN DELETE FROM run", "not allowed"},
		{"explain a pragma", "EXPLAIN PRAGMA user_version = 9", "not allowed"},
		{"pragma in capitals", "PRAGMA USER_VERSION(9)", "not allowed"},
		{"pragma of main", "PRAGMA main.journal_mode = off", "not allowed"},
		{"pragma as a function", "SELECT * FROM pragma_user_version", "not allowed"},
		{"limits away", "PRAGMA soft_heap_limit = 1", "not allowed"},
		{"trusted schema", "PRAGMA trusted_schema = 1", "not allowed"},
		{"extension", "SELECT load_extension('/tmp/x.so')", "not authorized"},
		{"extension in quotes", "SELECT \"load_extension\"('x')", "not authorized"},
		{"tokenizer", "SELECT fts3_tokenizer('x', zeroblob(8))", ""},
		{"a file", "SELECT readfile('/etc/passwd')", "no such function: readfile"},
		{"write a file", "SELECT writefile('x', 'y')", "no such function: writefile"},
		{"shell", "SELECT edit('x')", "no such function: edit"},
		{"virtual table", "CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')", "can only read"},
		{"table of nothing", "SELECT * FROM fsdir('/')", "no such table: fsdir"},
		{"raw pages", "UPDATE sqlite_dbpage SET data = zeroblob(4096)", "can only read"},
		{"returning", "DELETE FROM run RETURNING key", "can only read"},
		{"temporary", "CREATE TEMP TABLE x AS SELECT 1", "can only read"},
		{"out of the brackets", "SELECT 1) SELECT 1 --", ""},
		{"out of the brackets with a limit", "SELECT 1\n) LIMIT 0) SELECT 2 --", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			most := 20 * time.Second
			if c.says == "longer than" {
				most = 30 * time.Millisecond
			}
			begun := time.Now()
			rows, err := db.Query(t.Context(), c.query, QueryOptions{Timeout: most, Resident: residentTest})
			if d := time.Since(begun); d > most+5*time.Second {
				t.Errorf("it took %v", d)
			}
			if c.says == "" && err == nil && len(rows.Values) <= 1 {
				return // SQLite sees nothing wrong, and nothing is
			}
			_, fault := errors.AsType[*QueryError](err)
			if !fault && !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%.300v; want %q", err, c.says)
			}
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("the sentence has %d bytes", len(err.Error()))
			}
		})
	}
	if d := cmp.Diff(before, listFiles(t, db.Dir())); d != "" {
		t.Errorf("files (-before +after):\n%s", d)
	}
	mustCheck(t, db)
}

// residentTest is what this process takes of the memory.
func residentTest() int64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var pages int64
	for _, f := range strings.Fields(string(b))[1:2] {
		for _, d := range f {
			pages = 10*pages + int64(d-'0')
		}
	}
	return pages * int64(os.Getpagesize())
}

// TestQueryMemory: a query is ended when the process has grown too much.
func TestQueryMemory(t *testing.T) {
	t.Parallel()
	db := openTest(t, newPath(t), Options{})
	size := int64(1)
	resident := func() int64 { size += QueryMemory / 4; return size }
	_, err := db.Query(t.Context(), endless+"SELECT count(*) FROM c", QueryOptions{Resident: resident})
	if _, ok := errors.AsType[*QueryError](err); !ok || !strings.Contains(err.Error(), "it needs more than 1024 MiB of memory") {
		t.Errorf("%v", err)
	}
}
