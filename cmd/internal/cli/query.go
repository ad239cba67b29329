package cli

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kappa/store"
)

const (
	defaultLimit   = 1000
	defaultTimeout = time.Minute
)

// queryFormats are the forms in which the rows of a query can be written.
var queryFormats = append(slices.Clone(formats), "parquet")

func (a *app) queryCommand() *cobra.Command {
	var (
		format, output string
		limit          int
		timeout        time.Duration
		params         []string
		asJSON         bool
	)
	c := &cobra.Command{
		Use: `query "SQL"`, Short: "Ask the database", Args: cobra.ExactArgs(1),
		Long: `Runs one SELECT over the whole history and writes its rows. "-" reads the query from stdin.
"kappa schema" lists the views and their columns. Besides SQLite's own functions there are
median(x), stddev(x), quantile(x, p), ci95(x), ci95_low(x) and ci95_high(x).

Numbers are shortened to six digits in tables only. NULL is empty in CSV and null in JSON;
a blob is written in hexadecimal; infinity is the string "Infinity" in JSON.

Parquet needs -o FILE. A column of whole numbers is INT64, of numbers DOUBLE (infinities stay),
of text STRING, of blobs BYTE_ARRAY, of mixed values STRING as in CSV; each may hold NULL.

A query can only read, on a connection of its own. It ends at --timeout, when its answer has
more than 256 MiB, and when it takes more than 1 GiB of memory.`,
		Example: `  kappa query "SELECT method, count(*), median(rir) FROM results GROUP BY method"
  kappa query -o runs.csv "SELECT * FROM runs"
  kappa query --limit 0 -o metrics.parquet "SELECT * FROM metrics"
  kappa query -p m=immunize "SELECT run, rir FROM results WHERE method = :m ORDER BY rir DESC"`,
		RunE: run(func(ctx context.Context, args []string) error {
			if asJSON {
				format = "json"
			}
			if by := strings.TrimPrefix(strings.ToLower(filepath.Ext(output)), "."); format == "" && slices.Contains(queryFormats, by) {
				format = by
			} else if format == "" {
				format = "table"
			}
			if !slices.Contains(queryFormats, format) {
				return usagef("", "--format %s: %s are accepted", format, strings.Join(queryFormats, ", "))
			}
			if format == "parquet" && output == "" {
				return usagef("-o runs.parquet", "--format parquet is no text: a file to write is needed")
			}
			if err := a.replaceable(output); err != nil {
				return err
			}
			if limit < 0 {
				return usagef("", "--limit %d: a number of rows from 1 is accepted, or 0 for all", limit)
			}
			if timeout < 0 {
				return usagef("", "--timeout %v: a duration such as 90s or 10m is accepted, or 0 for ever", timeout)
			}
			values, err := queryParams(params)
			if err != nil {
				return err
			}
			sql := args[0]
			if sql == "-" {
				text, err := io.ReadAll(a.env.Stdin)
				if err != nil {
					return failf("", "read the query from stdin: %w", err)
				}
				sql = string(text)
			}
			for name := range values {
				if !takes(sql, name) {
					return usagef("write :"+name+" where its value belongs", "--param %s: the query has no such parameter", name)
				}
			}
			return a.query(ctx, sql, format, output, store.QueryOptions{Limit: limit, Timeout: timeout, Params: values, Resident: a.env.Resident})
		}),
	}
	f := c.Flags()
	f.StringVar(&format, "format", "", "`FORMAT`: "+strings.Join(queryFormats, ", ")+" (default: by FILE's extension, else table)")
	f.BoolVar(&asJSON, "json", false, "short for --format json")
	f.IntVar(&limit, "limit", defaultLimit, "`N` rows at most; 0 = all")
	f.DurationVar(&timeout, "timeout", defaultTimeout, "`TIME` at most; 0 = any")
	f.StringArrayVarP(&params, "param", "p", nil, "value of a parameter, `name=value`, for :name in the query (repeatable)")
	f.StringVarP(&output, "output", "o", "", "write to `FILE` instead of stdout")
	return c
}

func (a *app) query(ctx context.Context, sql, format, output string, o store.QueryOptions) error {
	db, err := a.openRead(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Query(ctx, sql, o)
	if errors.Is(err, context.DeadlineExceeded) {
		return failf("--timeout 10m waits longer, --timeout 0 for ever", "query: no answer in %v", o.Timeout)
	}
	if wrong, ok := errors.AsType[*store.QueryError](err); ok && wrong.Hint == "" {
		wrong.Hint = sweptHint(wrong.Msg)
	}
	if err != nil {
		return err
	}
	g := &grid{columns: rows.Columns, rows: rows.Values}
	if output == "" {
		if err := g.write(a.env.Stdout, format, terminalWidth(a.env.Stdout)); err != nil {
			return failf("", "write the rows: %w", err)
		}
	} else {
		err := streamFile(onDisk(a.cwd, output), func(w io.Writer) error { return g.write(w, format, 0) })
		if err != nil {
			return failf("", "write %s: %v", output, cause(err))
		}
	}
	switch {
	case rows.Truncated && o.Limit == 1:
		a.talk("kappa: only the first row; --limit 0 gives all")
	case rows.Truncated:
		a.talk("kappa: only the first %d rows; --limit 0 gives all", o.Limit)
	case output != "":
		a.talk("%s: %s", output, counted(len(rows.Values), "row"))
	}
	return nil
}

// sweptColumn is how SQLite misses a column that only the queries of a report have.
var sweptColumn = regexp.MustCompile(`no such column: (?:\w+\.)?(?:variant|(?:train|primary|harmful|synthetic|model|attack)_\w+)$`)

// sweptHint is advice about a column that results has in the queries of a report alone; empty for other errors.
func sweptHint(message string) string {
	if !sweptColumn.MatchString(message) {
		return ""
	}
	return "swept keys are columns in the queries of a report; here they are in results.swept, as in swept ->> 'variant' or swept ->> 'train.steps', and every setting is in params"
}

// takes says whether a query has a parameter of that name.
func takes(sql, name string) bool {
	return regexp.MustCompile(`[:@$]` + regexp.QuoteMeta(name) + `([^\pL\pN_]|$)`).MatchString(sql)
}

// queryParams reads name=value pairs; a value that looks like a number is one.
func queryParams(pairs []string) (map[string]any, error) {
	out := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if name = strings.TrimLeft(name, ":@$"); !ok || name == "" {
			return nil, usagef("", "--param %q: name=value is accepted, such as m=immunize for :m in the query", pair)
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			out[name] = n
		} else if x, err := strconv.ParseFloat(text, 64); err == nil {
			out[name] = x
		} else {
			out[name] = text
		}
	}
	return out, nil
}
