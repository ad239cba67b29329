package cli

import (
	"io"
	"reflect"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// parquetColumn is how a column of a grid is stored.
type parquetColumn struct {
	name string
	node parquet.Node
	// value is one of the column's values; it is never asked for NULL.
	value func(v any) parquet.Value
}

// exactWhole is up to where every whole number is a double.
const exactWhole = 1 << 53

// parquetColumnOf chooses the type of a column from its values: whole numbers, numbers (NaN and infinities among them), text, or
// bytes; of mixed values each is written as text, as in CSV. A column of NULL alone is text.
func parquetColumnOf(name string, values func(yield func(any) bool)) parquetColumn {
	var whole, real, text, raw, wide bool
	for v := range values {
		switch v := v.(type) {
		case int64:
			whole = true
			wide = wide || v > exactWhole || v < -exactWhole
		case float64:
			real = true
		case string:
			text = text || utf8.ValidString(v)
			raw = raw || !utf8.ValidString(v)
		case []byte:
			raw = true
		case nil:
		default:
			text = true
		}
	}
	numbers := whole || real
	switch {
	case whole && !real && !text && !raw:
		return parquetColumn{name, parquet.Int(64), func(v any) parquet.Value { return parquet.Int64Value(v.(int64)) }}
	case numbers && !text && !raw && !(wide && real):
		return parquetColumn{name, parquet.Leaf(parquet.DoubleType), func(v any) parquet.Value {
			if n, ok := v.(int64); ok {
				return parquet.DoubleValue(float64(n))
			}
			x, _ := v.(float64)
			return parquet.DoubleValue(x)
		}}
	case raw && !numbers:
		return parquetColumn{name, parquet.Leaf(parquet.ByteArrayType), func(v any) parquet.Value {
			if b, ok := v.([]byte); ok {
				return parquet.ByteArrayValue(b)
			}
			return parquet.ByteArrayValue([]byte(exactCell(v)))
		}}
	}
	return parquetColumn{name, parquet.String(), func(v any) parquet.Value { return parquet.ByteArrayValue([]byte(exactCell(v))) }}
}

// orderedGroup is a group whose fields keep their order; parquet's own sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

// orderedField is a field of it. The rows that are written are parquet's own: it is never asked for the value of a Go struct.
type orderedField struct {
	parquet.Node
	name string
}

func (f orderedField) Name() string { return f.name }

func (f orderedField) Value(reflect.Value) reflect.Value { return reflect.Value{} }

// rowGroup is how many rows are gathered before they are written.
const rowGroup = 64 << 10

// parquet writes the grid as a Parquet file; every column may hold NULL.
func (g *grid) parquet(w io.Writer) error {
	columns := make([]parquetColumn, len(g.columns))
	group := orderedGroup{Group: parquet.Group{}}
	for i, name := range g.names() {
		columns[i] = parquetColumnOf(name, func(yield func(any) bool) {
			for _, row := range g.rows {
				if !yield(row[i]) {
					return
				}
			}
		})
		node := parquet.Optional(columns[i].node)
		group.Group[name] = node
		group.fields = append(group.fields, orderedField{node, name})
	}
	out := parquet.NewWriter(w, parquet.NewSchema("query", group), parquet.Compression(&parquet.Snappy),
		parquet.MaxRowsPerRowGroup(rowGroup), parquet.CreatedBy("kappa", "", ""))
	for _, row := range g.rows {
		line := make(parquet.Row, len(row))
		for i, v := range row {
			line[i] = parquet.NullValue().Level(0, 0, i)
			if v != nil {
				line[i] = columns[i].value(v).Level(0, 1, i)
			}
		}
		if _, err := out.WriteRows([]parquet.Row{line}); err != nil {
			return err
		}
	}
	return out.Close()
}
