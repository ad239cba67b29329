package dataset

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func second(x *mat.Dense) *mat.Dense {
	var k mat.Dense
	k.Mul(x.T(), x)
	return &k
}

// eigenvalue is vᵀKv if v is an eigenvector of K to 1e-12‖K‖.
func eigenvalue(t *testing.T, k *mat.Dense, v mat.Vector) float64 {
	t.Helper()
	var kv, r mat.VecDense
	kv.MulVec(k, v)
	value := mat.Dot(v, &kv)
	r.AddScaledVec(&kv, -value, v)
	if mat.Norm(&r, 2) > 1e-12*mat.Norm(k, 2) {
		t.Errorf("not an eigenvector: ‖Kv − λv‖ = %v", mat.Norm(&r, 2))
	}
	return value
}

func TestSyntheticSpectra(t *testing.T) {
	for _, s := range []Synthetic{
		{D: 1, Primary: Spectrum{Condition: 1}, Harmful: Spectrum{Values: []float64{3}}},
		{D: 2, Primary: Spectrum{Condition: 10}, Harmful: Spectrum{Condition: 1}, Angle: 1},
		{D: 5, N: 5, Primary: Spectrum{Values: []float64{1, 5, 3, 2, 4}}, Harmful: Spectrum{Condition: 1e4, Max: 7}, Angle: 0.3, Seed: -4},
		{D: 64, N: 200, Primary: Spectrum{Condition: 1e3, Rank: 50}, Harmful: Spectrum{Condition: 1e6, Max: 1e5}, Angle: math.Pi / 4, Seed: 3},
	} {
		p, h, err := s.Draw()
		if err != nil {
			t.Fatal(err)
		}
		for side, c := range map[string]struct {
			task     *Task
			spectrum Spectrum
		}{"P": {p, s.Primary}, "H": {h, s.Harmful}} {
			want, err := c.spectrum.Eigenvalues(s.D)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			slices.Reverse(want)
			var svd mat.SVD
			if !svd.Factorize(c.task.X, mat.SVDNone) {
				t.Fatal("no singular values")
			}
			for i, sigma := range svd.Values(nil) {
				if math.Abs(sigma*sigma-want[i]) > 1e-12*want[0] {
					t.Errorf("D = %d, K_%s: eigenvalue %d is %.16g, want %.16g", s.D, side, i+1, sigma*sigma, want[i])
				}
			}
			if n, d := c.task.X.Dims(); n != s.rows() || d != s.D || len(c.task.Y) != n {
				t.Errorf("D = %d, X_%s is %d×%d with %d targets", s.D, side, n, d, len(c.task.Y))
			}
		}
	}
}

// TestSyntheticAngle: the first eigenvector of K_H lies at the angle asked for from the first of K_P, towards its last.
func TestSyntheticAngle(t *testing.T) {
	for _, d := range []int{4, 7} {
		for _, angle := range []float64{0, 0.4, math.Pi / 2, -1, 2} {
			s := Synthetic{D: d, Primary: Spectrum{Condition: 100}, Harmful: Spectrum{Condition: 1000}, Angle: angle, Seed: 5}
			p, h, err := s.Draw()
			if err != nil {
				t.Fatal(err)
			}
			kp, kh := second(p.X), second(h.X)
			v := orthonormal(d, d, s.stream(streamV))
			sp, _ := s.Primary.Eigenvalues(d)
			sh, _ := s.Harmful.Eigenvalues(d)
			for i := range d {
				if got := eigenvalue(t, kp, v.RowView(i)); math.Abs(got-sp[i]) > 1e-12 {
					t.Errorf("D = %d, angle %v: v_%d has the eigenvalue %v of K_P, want %v", d, angle, i+1, got, sp[i])
				}
				// (VR)_i = cos α v_i ± sin α v_{D+1−i}
				opposite, sin := d-1-i, math.Sin(angle)
				switch {
				case opposite < i:
					sin = -sin
				case opposite == i:
					if got := eigenvalue(t, kh, v.RowView(i)); math.Abs(got-sh[i]) > 1e-12 {
						t.Errorf("D = %d, angle %v: the middle eigenvector moved", d, angle)
					}
					continue
				}
				var u mat.VecDense
				u.ScaleVec(math.Cos(angle), v.RowView(i))
				u.AddScaledVec(&u, sin, v.RowView(opposite))
				if got := eigenvalue(t, kh, &u); math.Abs(got-sh[i]) > 1e-12 {
					t.Errorf("D = %d, angle %v: the turned v_%d has the eigenvalue %v of K_H, want %v", d, angle, i+1, got, sh[i])
				}
				if angle == 0 || angle == math.Pi/2 { // aligned; the ends exchanged
					j := i
					if angle != 0 {
						j = opposite
					}
					if got := eigenvalue(t, kh, v.RowView(j)); math.Abs(got-sh[i]) > 1e-12 {
						t.Errorf("D = %d, angle %v: v_%d has the eigenvalue %v of K_H, want that of rank %d, %v", d, angle, j+1, got, i+1, sh[i])
					}
				}
			}
		}
	}
}

func TestSyntheticTargets(t *testing.T) {
	quiet := Synthetic{D: 6, N: 400, Primary: Spectrum{Condition: 10}, Harmful: Spectrum{Condition: 10}, Seed: 1}
	noisy := quiet
	noisy.Noise = 0.5
	a, _, err := quiet.Draw()
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := noisy.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(a.X, b.X) {
		t.Error("noise changed X")
	}
	var w, fit mat.VecDense
	y := mat.NewVecDense(len(a.Y), slices.Clone(a.Y))
	if err := w.SolveVec(a.X, y); err != nil {
		t.Fatal(err)
	}
	fit.MulVec(a.X, &w)
	fit.SubVec(&fit, y)
	if mat.Norm(&fit, 2) > 1e-12*mat.Norm(y, 2) {
		t.Errorf("without noise the targets are off the columns of X by %v", mat.Norm(&fit, 2))
	}
	diff := mat.NewVecDense(len(b.Y), slices.Clone(b.Y))
	diff.SubVec(diff, y)
	if ratio := mat.Norm(diff, 2) / mat.Norm(y, 2); math.Abs(ratio-0.5) > 0.1 { // sd of the ratio: 0.5/√800 = 0.018
		t.Errorf("noise is %v of the signal, want 0.5", ratio)
	}
}

func TestSyntheticReproducible(t *testing.T) {
	s := Synthetic{D: 3, Primary: Spectrum{Condition: 10}, Harmful: Spectrum{Condition: 100}, Angle: 1, Noise: 0.1, Seed: 7}
	p, h, _ := s.Draw()
	p2, h2, _ := s.Draw()
	if !mat.Equal(p.X, p2.X) || !mat.Equal(h.X, h2.X) || !slices.Equal(h.Y, h2.Y) {
		t.Error("equal settings gave different numbers")
	}
	// A change of these numbers must change syntheticVersion too.
	want := []float64{0.10524100, 0.03695499, -0.15705351}
	for j, w := range want {
		if got := h.X.At(0, j); math.Abs(got-w) > 1e-7 {
			t.Errorf("X_H[0][%d] = %.8f, want %.8f", j, got, w)
		}
	}
	s.Seed = 8
	if q, _, _ := s.Draw(); mat.EqualApprox(p.X, q.X, 1e-3) {
		t.Error("another seed gave the same numbers")
	}
}

func TestSyntheticRefusals(t *testing.T) {
	ok := Synthetic{D: 2, Primary: Spectrum{Condition: 10}, Harmful: Spectrum{Condition: 10}}
	for name, c := range map[string]struct {
		change func(*Synthetic)
		words  []string
	}{
		"no columns":        {func(s *Synthetic) { s.D = 0 }, []string{"d is 0"}},
		"too few rows":      {func(s *Synthetic) { s.N = 1 }, []string{"n is 1", "at least d = 2"}},
		"too large":         {func(s *Synthetic) { s.N = math.MaxInt }, []string{"at most"}},
		"too large at once": {func(s *Synthetic) { s.D = 1 << 62 }, []string{"at most"}},
		"angle":             {func(s *Synthetic) { s.Angle = math.NaN() }, []string{"angle is NaN"}},
		"noise":             {func(s *Synthetic) { s.Noise = -1 }, []string{"noise is -1"}},
		"list length":       {func(s *Synthetic) { s.Harmful = Spectrum{Values: []float64{1}} }, []string{"K_H", "1 eigenvalues", "2"}},
		"negative":          {func(s *Synthetic) { s.Primary = Spectrum{Values: []float64{1, -1}} }, []string{"K_P", "eigenvalue 2 is -1"}},
		"infinite":          {func(s *Synthetic) { s.Primary = Spectrum{Values: []float64{1, math.Inf(1)}} }, []string{"eigenvalue 2 is +Inf"}},
		"zero":              {func(s *Synthetic) { s.Primary = Spectrum{Values: []float64{0, 0}} }, []string{"all eigenvalues are 0"}},
		"both":              {func(s *Synthetic) { s.Primary.Values = []float64{1, 1} }, []string{"either"}},
		"condition":         {func(s *Synthetic) { s.Primary.Condition = 0.5 }, []string{"condition is 0.5"}},
		"condition of rank 1": {func(s *Synthetic) { s.Primary.Rank = 1 }, []string{
			"single non-zero",
		}},
		"rank":      {func(s *Synthetic) { s.Primary.Rank = 3 }, []string{"rank is 3"}},
		"max":       {func(s *Synthetic) { s.Primary.Max = math.Inf(1) }, []string{"largest eigenvalue is +Inf"}},
		"underflow": {func(s *Synthetic) { s.Primary.Max, s.Primary.Condition = 1e-300, 1e300 }, []string{"rounds to 0"}},
	} {
		s := ok
		c.change(&s)
		_, _, err := s.Draw()
		t.Run(name, func(t *testing.T) { wantError(t, err, append(c.words, "synthetic")...) })
	}
	ref := Ref{Source: Source{Name: "synthetic"}}
	if _, _, err := Pair(nil, ref, ref, &ok); err != nil {
		t.Error(err)
	}
	_, _, err := Pair(nil, ref, ref, nil)
	wantError(t, err, "settings")
	_, err = Load(nil, ref.Source)
	wantError(t, err, "drawn")
	scaled := ref
	scaled.N, scaled.Standardize, scaled.Class, scaled.Task = 3, true, new(int64(1)), OneClass
	_, _, err = Pair(nil, scaled, ref, &ok)
	wantError(t, err, "no classes", "n is 3", "no preprocessing")
}
