package cli

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	gblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"kappa/engine/blas"
	"kappa/runner"
	"kappa/store"
)

// paceSpan is how long what other programs leave of the cores is taken to stay as it is.
const paceSpan = time.Hour

// foretell finds how large the runs of a plan that are to be executed are, and how long they will take.
func (a *app) foretell(ctx context.Context, db *store.DB, p *planned, jobs int) error {
	if p.todo() == 0 {
		return nil
	}
	cpu := cpuName()
	past, err := db.History(ctx, runner.SizeMetrics()...)
	if err != nil {
		return err
	}
	pace, err := db.Pace(ctx, cpu, a.env.Now().Add(-paceSpan))
	if err != nil {
		return err
	}
	cores := runtime.GOMAXPROCS(0)
	if jobs == 0 {
		jobs = cores
	}
	return p.await(ctx, p.file.Shown+": estimating how long its runs will take", func() error {
		p.sizes = runner.Sizes(ctx, p.plan, p.data, past)
		machine := runner.Machine{CPU: cpu, Kernel: blas.Kernel(), Cores: cores, Speed: a.coreSpeed}
		p.forecast = runner.Predict(p.decisions, p.sizes, past, pace, machine, jobs)
		return nil
	})
}

// coreSpeed measures the speed of one core in GFLOP/s of a matrix product, in a few hundredths of a second; 0 where the clock tells
// nothing. It measures once.
func (a *app) coreSpeed() float64 {
	const (
		n    = 384 // as fast as an order of 512, in less time
		span = 40 * time.Millisecond
	)
	if a.speed == 0 {
		for range runtime.GOMAXPROCS(0) {
			defer blas.Occupy()()
		}
		x := blas64.General{Rows: n, Cols: n, Stride: n, Data: unevenly[float64](n * n)}
		y := blas64.General{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
		best := fastest(func() { blas64.Gemm(gblas.NoTrans, gblas.NoTrans, 1, x, x, 0, y) }, span, a.env.Now)
		a.speed = 2 * n * n * n / best.Seconds() / 1e9
		if blas.Kernel() == "gonum" { // which takes all cores in any case
			a.speed /= float64(runtime.GOMAXPROCS(0))
		}
	}
	return a.speed
}

// duration says in one sentence how long a plan's runs will take.
func (p planned) duration() string { return p.spec.Name + ": " + forecastText(p.forecast) }

func forecastText(f runner.Forecast) string {
	if f.Unknown == f.Count {
		return "how long they will take cannot be told: their data are not there, or do not make the tasks"
	}
	at := counted(f.Cores, "core")
	if f.Jobs != f.Cores {
		at += fmt.Sprintf(", %d at once", f.Jobs)
	}
	s := fmt.Sprintf("%s on %s (%s of processor time)", about(f.Wall), at, shortly(f.CPU))
	switch f.Recorded {
	case 0:
		s += ", by the cost of their computations: no such run is recorded here yet"
	default:
		s += fmt.Sprintf(", from %s", counted(f.Recorded, "recorded run"))
	}
	if f.Share < 1 {
		s += fmt.Sprintf("; other programs are expected to leave %.0f %% of the cores, as in the last hour", 100*f.Share)
	}
	if f.Unknown > 0 {
		s += fmt.Sprintf("; %s not counted, whose data are not there or do not make the tasks", runsWord(f.Unknown))
	}
	return s
}

// together is the forecast of several plans, one after the other.
func together(plans []planned) runner.Forecast {
	sum := runner.Forecast{Share: 1}
	for _, p := range plans {
		f := p.forecast
		if f.Count == 0 {
			continue
		}
		sum.Jobs, sum.Cores, sum.Share = f.Jobs, f.Cores, f.Share
		sum.CPU += f.CPU
		sum.Wall += f.Wall
		sum.Count += f.Count
		sum.Unknown += f.Unknown
		sum.Recorded = max(sum.Recorded, f.Recorded)
	}
	return sum
}

// about is a duration as an estimate.
func about(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return "about " + shortly(d)
}

// shortly writes a duration to two significant digits.
func shortly(d time.Duration) string {
	x, unit := d.Seconds(), "s"
	switch {
	case x >= 95*60:
		x, unit = x/3600, "h"
	case x >= 95:
		x, unit = x/60, "min"
	}
	if x >= 9.95 {
		return fmt.Sprintf("%.0f %s", twoDigits(x), unit)
	}
	return fmt.Sprintf("%.2g %s", x, unit)
}

// twoDigits rounds a number of at least 10 to two significant digits where it has more.
func twoDigits(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/unit) * unit
}
