package immunize

import (
	"fmt"
	"testing"
	"time"

	"kappa/engine/regularizer"
)

func TestScratch(t *testing.T) {
	p := house(t)
	fmt.Println(p.Primary.Factor.Rank(), p.Harmful.Factor.Rank())
	at := func(s, l int) bool { return s == 100 || s == 300 || s == 1000 || s == 10 }
	for _, c := range []struct {
		name string
		f    Func
		o    Options
	}{
		{"alg 0.02", Algorithm1, Options{Step: Normalized, Form: regularizer.Cancelled}},
		{"alg 0.05", Algorithm1, Options{Step: Normalized, Form: regularizer.Cancelled, StepFraction: 0.05}},
		{"printed", Algorithm1, Options{Form: regularizer.Cancelled, LambdaPrimary: Lambda{Balance: true}, LambdaHarmful: Lambda{Balance: true}, Supervised: true}},
		{"rill", RillOnly, Options{Step: Normalized, Form: regularizer.Cancelled}},
		{"opt", OptKappa, Options{Step: Normalized}},
		{"imma", IMMA, Options{Step: Normalized}},
	} {
		c.o.Steps = 1000
		c.o.TraceAt = at
		start := time.Now()
		r, err := c.f(t.Context(), p, c.o, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Print(c.name, " ", time.Since(start), " ")
		b := r.Trace[0]
		for _, q := range r.Trace[1:] {
			fmt.Printf(" %d: %.5g κθ %.4g ;", q.Step, q.Harmful.Rank.Kappa/b.Harmful.Rank.Kappa/(q.Primary.Rank.Kappa/b.Primary.Rank.Kappa), q.KappaTheta)
		}
		fmt.Printf("%v %v %+v\n", r.Status, r.Reason, r.Counts)
	}
}
