package dataset

import (
	"testing"
	"testing/fstest"
)

// TestSizesAreThoseOfTheTasks: the rows and columns that Form makes, and its refusals.
func TestSizesAreThoseOfTheTasks(t *testing.T) {
	data := fstest.MapFS{"a.csv": {Data: []byte("a,b,y\n1,2,0\n2,1,1\n3,5,1\n4,4,1\n2,2,2\n7,7,0\n")}}
	src := Source{CSV: "a.csv", Target: "y"}
	set, err := Load(data, src)
	if err != nil {
		t.Fatal(err)
	}
	class := func(c int64) *int64 { return &c }
	for _, tt := range []struct {
		name             string
		primary, harmful Ref
		ok               bool
	}{
		{"one class each", Ref{Class: class(0)}, Ref{Class: class(1)}, true},
		{"a number of rows on one side", Ref{Class: class(0)}, Ref{Class: class(1), N: 3}, true},
		{"one against the rest", Ref{Task: OneVsRest, Class: class(0)}, Ref{Task: OneVsRest, Class: class(1)}, true},
		{"regression", Ref{}, Ref{N: 2}, true},
		{"more rows than there are", Ref{Class: class(0)}, Ref{Class: class(1), N: 9}, false},
		{"a class that is not there", Ref{Class: class(7)}, Ref{Class: class(1)}, false},
	} {
		tt.primary.Source, tt.harmful.Source = src, src
		rows, cols, err := Sizes(set, tt.primary, set, tt.harmful)
		p, h, formErr := Form(set, tt.primary, set, tt.harmful)
		if (err == nil) != tt.ok || (formErr == nil) != tt.ok {
			t.Errorf("%s: %v, Form says %v", tt.name, err, formErr)
		}
		if !tt.ok {
			continue
		}
		n, d := p.X.Dims()
		m, _ := h.X.Dims()
		if rows != [2]int{n, m} || cols != d {
			t.Errorf("%s: %v and %d columns, the tasks are %d and %d × %d", tt.name, rows, cols, n, m, d)
		}
	}
}
