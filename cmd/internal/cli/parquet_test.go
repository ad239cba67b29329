package cli

import (
	"bytes"
	"io"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestParquet reads back what was written: names in their order, types by the values, NULL, and numbers that JSON has not.
func TestParquet(t *testing.T) {
	g := &grid{columns: []string{"whole", "z", "a", "text", "z", "blob", "mixed", "null", "wide", "σ \U0001f9ea"}}
	g.add(int64(math.MinInt64), 1.5, int64(3), "é", "", []byte{0, 255}, int64(1), nil, int64(1)<<60, math.Copysign(0, -1))
	g.add(int64(7), math.Inf(-1), 0.5, nil, "\xff", nil, "x", nil, 0.25, 5e-324)
	g.add(nil, math.NaN(), nil, "", "b", []byte{}, 2.5, nil, nil, nil)
	var b bytes.Buffer
	if err := g.write(&b, "parquet", 0); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names, types []string
	for _, c := range f.Root().Columns() {
		names = append(names, c.Name())
		types = append(types, c.Type().String())
		if !c.Optional() {
			t.Errorf("column %s cannot hold NULL", c.Name())
		}
	}
	if d := cmp.Diff([]string{"whole", "z", "a", "text", "z_2", "blob", "mixed", "null", "wide", "σ \U0001f9ea"}, names); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"INT(64,true)", "DOUBLE", "DOUBLE", "STRING", "BYTE_ARRAY", "BYTE_ARRAY", "STRING", "STRING", "STRING", "DOUBLE"}, types); d != "" {
		t.Errorf("types (-want +got):\n%s", d)
	}
	rows := parquet.NewReader(f)
	var got [][]any
	buf := make([]parquet.Row, 1)
	for {
		n, err := rows.ReadRows(buf)
		if n == 1 {
			var line []any
			for _, v := range buf[0] {
				switch {
				case v.IsNull():
					line = append(line, nil)
				case v.Kind() == parquet.Int64:
					line = append(line, v.Int64())
				case v.Kind() == parquet.Double:
					line = append(line, math.Float64bits(v.Double()))
				default:
					line = append(line, string(v.ByteArray()))
				}
			}
			got = append(got, line)
		}
		if err == io.EOF { //nolint:errorlint // as io.Reader says
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	bits := math.Float64bits
	want := [][]any{
		{int64(math.MinInt64), bits(1.5), bits(3), "é", "", "\x00\xff", "1", nil, "1152921504606846976", bits(math.Copysign(0, -1))},
		{int64(7), bits(math.Inf(-1)), bits(0.5), nil, "\xff", nil, "x", nil, "0.25", bits(5e-324)},
		{nil, bits(math.NaN()), nil, "", "b", "", "2.5", nil, nil, nil},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	for _, g := range []*grid{{columns: []string{"none"}}, {columns: []string{"a", "a", "a_2"}, rows: [][]any{{nil, nil, nil}}}} {
		if err := g.parquet(io.Discard); err != nil {
			t.Errorf("%v: %v", g.columns, err)
		}
	}
}
