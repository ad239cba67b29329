package dataset

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/fstest"

	"gonum.org/v1/gonum/mat"
)

func digit(class int64) Ref { return Ref{Source: Source{Name: "digits"}, Class: &class} }

func TestPairOneClass(t *testing.T) {
	p, h, err := Pair(nil, digit(3), digit(8), nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(nil, Source{Name: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	for class, task := range map[float64]*Task{3: p, 8: h} {
		if n, d := task.X.Dims(); n != 174 || d != 64 || task.Kind != OneClass {
			t.Fatalf("digit %v: %d×%d, %s; want 174×64 (the smaller class), one-class", class, n, d, task.Kind)
		}
		var want []int // the first 174 in file order
		for i, y := range set.Y {
			if y == class && len(want) < 174 {
				want = append(want, i)
			}
		}
		if !slices.Equal(task.Rows, want) {
			t.Errorf("digit %v: rows %v, want %v", class, task.Rows, want)
		}
		for i, row := range task.Rows {
			if !slices.Equal(task.X.RawRowView(i), set.X.RawRowView(row)) || task.Y[i] != 0 || task.Probe[i] != 1 {
				t.Errorf("digit %v: row %d is not row %d of the data with Y = 0, Probe = 1", class, i, row)
			}
		}
	}
}

// small has labels 1, 0, 1, 2, 1, 0, 1 in column y and its row number in column x.
func small() fstest.MapFS {
	return filesOf("small.csv", "x,y\n0,1\n1,0\n2,1\n3,2\n4,1\n5,0\n6,1\n")
}

func TestForm(t *testing.T) {
	src := Source{CSV: "small.csv", Target: "y"}
	one, zero := new(int64(1)), new(int64(0))
	tests := []struct {
		name    string
		p, h    Ref
		pr, hr  []int // rows
		py, hy  []float64
		py1     []float64 // Probe, if not py
		message []string
	}{
		{
			name: "the smaller class decides",
			p:    Ref{Source: src, Class: one}, h: Ref{Source: src, Class: zero},
			pr: []int{0, 2}, hr: []int{1, 5},
			py: []float64{0, 0}, hy: []float64{0, 0}, py1: []float64{1, 1},
		},
		{
			name: "n of one side bounds the other",
			p:    Ref{Source: src, Class: one, N: 1}, h: Ref{Source: src, Class: zero},
			pr: []int{0}, hr: []int{1}, py: []float64{0}, hy: []float64{0}, py1: []float64{1},
		},
		{
			name: "n of both sides",
			p:    Ref{Source: src, Class: one, N: 3}, h: Ref{Source: src, Class: zero, N: 1},
			pr: []int{0, 2, 4}, hr: []int{1}, py: []float64{0, 0, 0}, hy: []float64{0}, py1: []float64{1, 1, 1},
		},
		{
			name: "one-vs-rest is balanced and in file order",
			p:    Ref{Source: src, Class: one, Task: OneVsRest}, h: Ref{Source: src},
			pr: []int{0, 1, 2, 3, 4, 5}, hr: []int{0, 1, 2, 3, 4, 5},
			py: []float64{1, 0, 1, 0, 1, 0}, hy: []float64{1, 0, 1, 2, 1, 0},
		},
		{
			name: "one-vs-rest takes the first of both halves",
			p:    Ref{Source: src, Class: one, Task: OneVsRest, N: 2}, h: Ref{Source: src, Class: zero, Task: OneVsRest},
			pr: []int{0, 1}, hr: []int{0, 1}, py: []float64{1, 0}, hy: []float64{0, 1},
		},
		{
			name: "an odd number of rows is made even for one-vs-rest",
			p:    Ref{Source: src, Class: one, Task: OneVsRest}, h: Ref{Source: src, Class: one, N: 3},
			pr: []int{0, 1}, hr: []int{0, 2, 4}, py: []float64{1, 0}, hy: []float64{0, 0, 0},
		},
		{name: "class that is not there", p: Ref{Source: src, Class: new(int64(7))}, h: Ref{Source: src, Class: zero}, message: []string{"primary", "small.csv", "class 7", "0 (2 rows), 1 (4 rows), 2 (1 rows)"}},
		{name: "n too large", p: Ref{Source: src, Class: one}, h: Ref{Source: src, Class: zero, N: 3}, message: []string{"harmful", "n is 3", "at most 2"}},
		{name: "n too large for all rows", p: Ref{Source: src, N: 8}, h: Ref{Source: src}, message: []string{"n is 8", "at most 7"}},
		{name: "n too large for balance", p: Ref{Source: src, Class: zero, Task: OneVsRest, N: 6}, h: Ref{Source: src}, message: []string{"n is 6", "at most 4"}},
		{name: "odd n", p: Ref{Source: src, Class: zero, Task: OneVsRest, N: 3}, h: Ref{Source: src}, message: []string{"n is 3", "even"}},
		{name: "no class", p: Ref{Source: src, Task: OneClass}, h: Ref{Source: src}, message: []string{"one-class", "needs a class"}},
		{name: "class of a regression", p: Ref{Source: src, Task: Regression, Class: one}, h: Ref{Source: src}, message: []string{"class 1"}},
		{name: "unknown task", p: Ref{Source: src, Task: "ranking"}, h: Ref{Source: src}, message: []string{"ranking", OneVsRest}},
		{name: "no targets", p: Ref{Source: Source{CSV: "small.csv", Drop: []string{"y"}}}, h: Ref{Source: src}, message: []string{"no targets", "target ="}},
		{name: "columns differ", p: Ref{Source: src}, h: digit(1), message: []string{"1 columns", "64"}},
		{name: "a single row", p: Ref{Source: src, Class: new(int64(2))}, h: Ref{Source: src, Class: one, Task: OneVsRest}, message: []string{"single row"}},
		{name: "synthetic on one side", p: Ref{Source: src}, h: Ref{Source: Source{Name: "synthetic"}}, message: []string{"one side only"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, h, err := Pair(small(), tt.p, tt.h, nil)
			if ps, perr := Load(small(), tt.p.Source); perr == nil {
				if hs, herr := Load(small(), tt.h.Source); herr == nil {
					if fits := Fits(ps, tt.p, hs, tt.h); fmt.Sprint(fits) != fmt.Sprint(err) {
						t.Errorf("Fits says %v, Pair %v", fits, err)
					}
				}
			}
			if tt.message != nil {
				wantError(t, err, tt.message...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.py1 == nil {
				tt.py1 = tt.py
			}
			if !slices.Equal(p.Rows, tt.pr) || !slices.Equal(h.Rows, tt.hr) {
				t.Errorf("rows %v and %v; want %v and %v", p.Rows, h.Rows, tt.pr, tt.hr)
			}
			if !slices.Equal(p.Y, tt.py) || !slices.Equal(h.Y, tt.hy) || !slices.Equal(p.Probe, tt.py1) {
				t.Errorf("targets %v, %v, probe %v; want %v, %v, %v", p.Y, h.Y, p.Probe, tt.py, tt.hy, tt.py1)
			}
			for i, row := range p.Rows {
				if p.X.At(i, 0) != float64(row) {
					t.Errorf("row %d of X is %v, want row %d", i, p.X.At(i, 0), row)
				}
			}
		})
	}
}

func TestFormLeavesSetsAlone(t *testing.T) {
	src := Source{CSV: "small.csv", Target: "y", Standardize: true}
	set, err := Load(small(), src)
	if err != nil {
		t.Fatal(err)
	}
	x, y := mat.DenseCopyOf(set.X), slices.Clone(set.Y)
	p, _, err := Form(set, Ref{Source: src}, set, Ref{Source: src})
	if err != nil {
		t.Fatal(err)
	}
	p.X.Zero()
	p.Y[0], p.Probe[0] = 99, 99
	if !mat.Equal(set.X, x) || !slices.Equal(set.Y, y) {
		t.Error("the set changed with its task")
	}
}

func TestFormWarnsOfNames(t *testing.T) {
	fsys := filesOf("a.csv", "u,v,y\n1,2,3\n", "b.csv", "u,w,y\n1,2,3\n")
	p, _, err := Pair(fsys, Ref{Source: Source{CSV: "a.csv", Target: "y"}}, Ref{Source: Source{CSV: "b.csv", Target: "y"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Warnings) != 1 {
		t.Fatalf("warnings %q, want one", p.Warnings)
	}
	wantError(t, warning(p.Warnings[0]), "column 2", `"v"`, `"w"`)
}

type warning string

func (w warning) Error() string { return string(w) }

func TestStandardizeRegression(t *testing.T) {
	fsys := filesOf("a.csv", "x,c,y\n1,7,10\n2,7,20\n6,7,60\n")
	src := Source{CSV: "a.csv", Target: "y", Standardize: true}
	p, _, err := Pair(fsys, Ref{Source: src, N: 2}, Ref{Source: src}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sd := math.Sqrt((4 + 1 + 9) / 2.) // over all three rows, n−1
	want := mat.NewDense(2, 2, []float64{-2 / sd, 0, -1 / sd, 0})
	if !mat.EqualApprox(p.X, want, 1e-15) || math.Abs(p.Y[0]+2/sd) > 1e-15 || math.Abs(p.Y[1]+1/sd) > 1e-15 {
		t.Errorf("X = %v, y = %v; want %v and its first column", mat.Formatted(p.X), p.Y, mat.Formatted(want))
	}
}
