package reports

import (
	"testing"

	"kappa/store"
)

// TestCSVAlone: a NULL alone in its row is no empty line, which readers skip, and with it the row's place.
func TestCSVAlone(t *testing.T) {
	rows := &store.Rows{Columns: []string{"x"}, Values: [][]any{{1.5}, {nil}, {int64(2)}, {""}}}
	got := csvFile(rows)
	if want := "x\n1.5\n\"\"\n2\n\"\"\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	changes := compareRows([]byte("x\n1.5\n3\n2\n\"\"\n"), got)
	if len(changes) != 1 || changes[0].Where != "row 2: x" || *changes[0].New != none {
		t.Errorf("rows without a value are passed over: %+v", changes)
	}
	rows = &store.Rows{Columns: []string{"x", "y"}, Values: [][]any{{nil, nil}}}
	if got := csvFile(rows); string(got) != "x,y\n,\n" {
		t.Errorf("two columns: %q", got)
	}
}

// TestRowsWithCommas: rows whose fields make the same text with commas between them are two.
func TestRowsWithCommas(t *testing.T) {
	was := "m,n,x\na,\"b, c\",1\n\"a, b\",c,2\na,d,3\n"
	now := "m,n,x\na,\"b, c\",1\n\"a, b\",c,2\na,d,4\n"
	if c := compareRows([]byte(was), []byte(now)); len(c) != 1 || c[0].Where != "a, d: x" {
		t.Errorf("%+v", c)
	}
}
