package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
)

// plainDriver opens every connection but those of a Report: a driver of our own, so that the helpers in SQL are
// nobody else's and nobody else's functions are ours. It never changes once it is made.
var plainDriver = sync.OnceValue(func() *sqlite.Driver {
	d := new(sqlite.Driver)
	registerHelpers(d)
	return d
})

// connector opens connections to one file with one driver; sql.OpenDB needs no global registration for it.
type connector struct {
	drv *sqlite.Driver
	dsn string
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dc, err := c.drv.Open(c.dsn)
	if _, settings, _ := strings.Cut(c.dsn, "?"); err == nil && strings.Contains(settings, "mode="+string(readWrite)) {
		dc = keep(dc)
	}
	return dc, err
}

func (c connector) Driver() driver.Driver { return c.drv }

// mode is how a file is opened.
type mode string

const (
	readWrite mode = "rwc"       // create it where it is missing
	readOnly  mode = "ro"        //
	immutable mode = "immutable" // read-only, and nobody else writes either: no locks, no WAL
)

// dsn is the name of the connection: every pragma stands in it, so that each connection of a pool gets them.
func dsn(path string, m mode, busy time.Duration) string {
	v := url.Values{}
	v.Add("_pragma", "busy_timeout("+strconv.FormatInt(busy.Milliseconds(), 10)+")")
	v.Add("_pragma", "foreign_keys(1)")
	v.Add("_pragma", "temp_store(memory)")
	v.Add("_pragma", "cache_size(-65536)") // KiB at most; the 2 MiB that are usual make a large history be read again and again
	v.Add("_txlock", "immediate")
	v.Add("_dqs", "0")       // "text" in double quotes is a column's name, never a string
	v.Add("_defensive", "1") // no statement may damage the file
	v.Add("_error_rc", "1")  // no stale messages
	switch m {
	case readWrite:
		v.Add("mode", "rwc")
		v.Add("_pragma", "synchronous(normal)")
		v.Add("_pragma", "wal_autocheckpoint(0)") // DB.foldLog does it
	case readOnly:
		v.Add("mode", "ro")
	case immutable:
		v.Add("mode", "ro")
		v.Add("immutable", "1")
	}
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/… becomes /C:/…, as SQLite wants it
	}
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + v.Encode()
}

// openPool opens the file at path (absolute) with at most conns connections. Nothing is touched before the first use.
func openPool(drv *sqlite.Driver, path string, m mode, busy time.Duration, conns int) *sql.DB {
	p := sql.OpenDB(connector{drv, dsn(path, m, busy)})
	p.SetMaxOpenConns(conns)
	p.SetMaxIdleConns(conns)
	return p
}

// maxLength and maxQuery are how many bytes a value in a query, and a query itself, may have.
const (
	maxLength = 64 << 20
	maxQuery  = 1 << 20
)

// queryLimits are SQLite's run-time limits (SQLITE_LIMIT_…) for queries of other people's making.
var queryLimits = [...]struct{ id, most int }{
	{0, maxLength},    // LENGTH
	{1, 2 * maxQuery}, // SQL_LENGTH: what goes around a query counts too
	{4, 100},          // COMPOUND_SELECT
	{6, 100},          // FUNCTION_ARG
	{7, 0},            // ATTACHED
	{8, 1000},         // LIKE_PATTERN_LENGTH
	{10, 0},           // TRIGGER_DEPTH
	{11, 0},           // WORKER_THREADS
}

// guard makes c a connection that can only read: it bounds the length of values, and lets nothing but SELECT compile.
// It cannot be undone.
func guard(c *sql.Conn) error {
	for _, l := range queryLimits {
		if _, err := sqlite.Limit(c, l.id, l.most); err != nil {
			return err
		}
	}
	return c.Raw(func(dc any) error {
		r, ok := dc.(sqlite.AuthorizerRegisterer)
		if !ok {
			return fmt.Errorf("the driver has no authorizer: %T", dc)
		}
		return r.RegisterAuthorizer(authorize)
	})
}

// authorize allows reading and nothing else. mode=ro is not enough: it lets ATTACH and VACUUM INTO create files.
func authorize(action sqlite.AuthorizerActionCode, arg1, arg2, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRead, sqlite.AuthRecursive:
		return sqlite.AuthorizerOK
	case sqlite.AuthFunction:
		if strings.EqualFold(arg2, "load_extension") {
			return sqlite.AuthorizerDeny
		}
		return sqlite.AuthorizerOK
	case sqlite.AuthPragma:
		switch strings.ToLower(arg1) {
		case "table_info", "table_xinfo", "index_list":
			return sqlite.AuthorizerOK
		}
	}
	return sqlite.AuthorizerDeny
}
