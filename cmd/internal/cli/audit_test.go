package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"kappa/runner/dataset"
)

// call runs a command line in a folder.
func call(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, talk bytes.Buffer
	code = Run(context.Background(), args, Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk, Getenv: func(string) string { return "" },
		Getwd: func() (string, error) { return dir, nil }, Now: time.Now,
	})
	return out.String(), talk.String(), code
}

// TestAuditAgreesWithTheVectors measures the six problems whose condition numbers are known to 50 digits, through .npy files.
func TestAuditAgreesWithTheVectors(t *testing.T) {
	text, err := os.ReadFile("../../../engine/internal/numtest/testdata/linear_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	type kappas struct {
		HP float64 `json:"H_P"`
		HH float64 `json:"H_H"`
		KP float64 `json:"K_P"`
		KH float64 `json:"K_H"`
	}
	var vectors struct {
		Sets []struct {
			Name     string      `json:"name"`
			XP       [][]float64 `json:"X_P"`
			XH       [][]float64 `json:"X_H"`
			Theta    [][]float64 `json:"theta"`
			Expected struct {
				RankP   int                          `json:"rank_P"`
				RankH   int                          `json:"rank_H"`
				Kappa   kappas                       `json:"kappa_P_protocol"`
				RIR     struct{ I, II, RIR float64 } `json:"RIR_P_protocol"`
				Ridge   kappas                       `json:"kappa_Z_protocol_exact_arithmetic"`
				Stable  bool                         `json:"Z_is_floating_point_stable"`
				Ceiling *float64                     `json:"ceiling"`
			} `json:"expected"`
		} `json:"sets"`
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Sets) != 6 {
		t.Fatalf("%d problems in the vectors, want 6", len(vectors.Sets))
	}
	for _, set := range vectors.Sets {
		t.Run(set.Name, func(t *testing.T) {
			dir := t.TempDir()
			for name, rows := range map[string][][]float64{"P.npy": set.XP, "H.npy": set.XH, "T.npy": set.Theta} {
				writeNPY(t, filepath.Join(dir, name), rows)
			}
			out, talk, code := call(t, dir, "audit", "--primary", "P.npy", "--harmful", "H.npy", "--theta", "T.npy", "--json")
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, talk)
			}
			type task struct {
				Rank struct {
					Kappa float64
					Rank  int
				}
				Ridge struct{ Kappa float64 }
			}
			var got struct {
				Primary, Harmful task
				Base             struct{ Primary, Harmful task }
				RIR              struct{ Rank float64 }
				RatioHarmful     struct{ Rank float64 } `json:"ratio_harmful"`
				RatioPrimary     struct{ Rank float64 } `json:"ratio_primary"`
				Ceiling          *float64
				Unbounded        bool
				Freedom          int
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			want := set.Expected
			tol := 1e-10 // relative, as is asked of double precision on these problems
			if strings.Contains(set.Name, "ill_conditioned") {
				tol = 1e-9
			}
			near := func(what string, got, want float64) {
				if !(math.Abs(got-want) <= tol*math.Abs(want)) {
					t.Errorf("%s = %.17g, want %.17g", what, got, want)
				}
			}
			near("κ(H_P)", got.Primary.Rank.Kappa, want.Kappa.HP)
			near("κ(H_H)", got.Harmful.Rank.Kappa, want.Kappa.HH)
			near("κ(K_P)", got.Base.Primary.Rank.Kappa, want.Kappa.KP)
			near("κ(K_H)", got.Base.Harmful.Rank.Kappa, want.Kappa.KH)
			near("ratio of the harmful task", got.RatioHarmful.Rank, want.RIR.I)
			near("ratio of the primary task", got.RatioPrimary.Rank, want.RIR.II)
			near("RIR", got.RIR.Rank, want.RIR.RIR)
			if want.Stable {
				near("κ(H_P), ridge", got.Primary.Ridge.Kappa, want.Ridge.HP)
				near("κ(H_H), ridge", got.Harmful.Ridge.Kappa, want.Ridge.HH)
			}
			if got.Primary.Rank.Rank != want.RankP || got.Harmful.Rank.Rank != want.RankH {
				t.Errorf("ranks %d, %d; want %d, %d", got.Primary.Rank.Rank, got.Harmful.Rank.Rank, want.RankP, want.RankH)
			}
			switch {
			case want.Ceiling == nil:
				if !got.Unbounded || got.Ceiling != nil || got.Freedom < 1 {
					t.Errorf("ceiling %v, unbounded %t, freedom %d; want an unbounded one", got.Ceiling, got.Unbounded, got.Freedom)
				}
			case got.Ceiling == nil || got.Unbounded:
				t.Errorf("unbounded, want the ceiling %v", *want.Ceiling)
			default:
				near("ceiling", *got.Ceiling, *want.Ceiling)
			}
		})
	}
}

func writeNPY(t *testing.T, path string, rows [][]float64) {
	t.Helper()
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	var b bytes.Buffer
	if err := dataset.WriteNPY(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestAuditCountsSinglePrecision gives the same features in both precisions: what rounding to float32 leaves counts only in
// the file that does not say it is there.
func TestAuditCountsSinglePrecision(t *testing.T) {
	dir := t.TempDir()
	rows := [][]float64{{1, 1 + 1e-6, 2}, {2, 2 - 1e-6, 1}, {3, 3, -1}, {4, 4 + 1e-6, 5}, {5, 5, 0.5}}
	writeNPY(t, filepath.Join(dir, "double.npy"), rows)
	writeSingle(t, filepath.Join(dir, "single.npy"), rows)
	for file, want := range map[string]string{"double.npy": `"rank": 3`, "single.npy": `"rank": 2`} {
		out, talk, code := call(t, dir, "audit", "--primary", file, "--harmful", file, "--json")
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d, %s%s; want %s", file, code, talk, out, want)
		}
	}
}

// writeSingle writes a .npy file of 32-bit floats.
func writeSingle(t *testing.T, path string, rows [][]float64) {
	t.Helper()
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3), }"
	header += strings.Repeat(" ", 128-10-len(header)-1) + "\n"
	data := append([]byte("\x93NUMPY\x01\x00\x76\x00"), header...)
	for _, row := range rows {
		for _, x := range row {
			bits := math.Float32bits(float32(x))
			data = append(data, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
		}
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestAuditFindsHeaders: a byte order mark, a compressed file and blanks do not hide whether the first line is of numbers.
func TestAuditFindsHeaders(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("1,2\n3,5\n4,4\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text, want string
	}{
		{"mark.csv", "\ufeff1,2\n3,5\n4,4\n", "3×2"},
		{"packed.csv.gz", packed.String(), "3×2"},
		{"blank.csv", "\n1, 2\r\n3,5\r\n4,4\r\n", "3×2"},
		{"quoted.csv", "\"1\",\"2\"\n3,5\n4,4\n", "3×2"},
		{"names.csv", "a,2\n3,5\n4,4\n", "2×2"},
		{"column.csv", "pixel\n1\n2\n", "2×1"},
		{"numbers.csv", "7\n1\n2\n", "3×1"},
	} {
		if err := os.WriteFile(filepath.Join(dir, tt.name), []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, talk, code := call(t, dir, "audit", "--primary", tt.name, "--harmful", tt.name)
		if code != exitOK || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit code %d, %s%s; want features of %s", tt.name, code, talk, out, tt.want)
		}
	}
}
