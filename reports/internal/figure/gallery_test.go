package figure

import (
	"fmt"
	"math"
	"math/rand/v2"
)

var methods = []string{"identity", "immunize", "released", "rill-only", "imma", "opt-kappa", "optimum"}

var nan = math.NaN()

// curves returns convergence curves of n methods on the given tasks over seeds.
func curves(names, tasks []string, seeds int) []Point {
	rng := rand.New(rand.NewPCG(1, 2))
	var rows []Point
	for i, m := range names {
		for j, task := range tasks {
			for range seeds {
				rate := 0.5 / (1 + float64(i)*2 + float64(j)*7) * math.Exp(0.3*rng.NormFloat64())
				for _, t := range []float64{0, 1, 2, 5, 10, 20, 50, 100} {
					y := math.Exp(-rate*t) + 1e-4*math.Exp(rng.NormFloat64())
					name := m
					if task != "" {
						name += ", " + task
					}
					rows = append(rows, Point{X: t, Y: y, Low: nan, High: nan, Group: name})
				}
			}
		}
	}
	return rows
}

func digits() []Cell {
	rng := rand.New(rand.NewPCG(3, 4))
	var cells []Cell
	for p := range 10 {
		for h := range 10 {
			if p != h {
				cells = append(cells, Cell{X: fmt.Sprint(p), Y: fmt.Sprint(h), Z: 1 + 1.1*rng.NormFloat64() + 0.2*float64(p)})
			}
		}
	}
	return cells
}

func samples(names []string, n int, scale float64) []Value {
	rng := rand.New(rand.NewPCG(5, 6))
	var rows []Value
	for i, m := range names {
		for range n {
			rows = append(rows, Value{Category: m, V: math.Pow(10, scale*float64(i%7)+0.3*rng.NormFloat64()), Low: nan, High: nan})
		}
	}
	return rows
}

func pairs() []string {
	var names []string
	for p := range 10 {
		for h := range 10 {
			if p != h {
				names = append(names, fmt.Sprintf("%d→%d", p, h))
			}
		}
	}
	return names
}

// long names of methods, as swept settings make them
var longNames = []string{
	"identity (no immunization)", "Algorithm 1, normalized step 0.02", "released code, preconditioner on the mended side",
	"R_ill only", "IMMA with five unrolled inner steps", "gradient descent on log κ", "closed-form optimum (unbounded)",
}

// gallery is one figure of every kind in every condition that has gone wrong somewhere.
func gallery() map[string]*Figure {
	rng := rand.New(rand.NewPCG(7, 8))
	g := map[string]*Figure{}

	conv := Options{Title: "Convergence", XLabel: "step t", YLabel: "excess loss", YLog: true, Band: CI95}
	g["line-direct"] = Line(conv, curves(methods[:5], []string{""}, 5))
	g["line-legend"] = Line(conv, curves(methods, []string{"primary", "harmful"}, 5))
	lin := conv
	lin.YLog, lin.Band, lin.Reference = false, SD, []float64{0.5}
	g["line-linear"] = Line(lin, curves(methods[:3], []string{""}, 5))
	g["line-long-names"] = Line(conv, curves(longNames[:6], []string{""}, 3))
	g["line-one-point"] = Line(conv, []Point{{X: 3, Y: 0.2, Low: nan, High: nan, Group: "immunize"}})
	g["line-one-series"] = Line(Options{XLabel: "step t", YLabel: "κ(H_{H})"}, curves(methods[:1], []string{""}, 1))
	g["line-identical"] = Line(Options{XLabel: "step t", YLabel: "κ(θ)"}, []Point{
		{X: 0, Y: 1, Low: nan, High: nan, Group: "a"},
		{X: 100, Y: 1, Low: nan, High: nan, Group: "a"},
		{X: 0, Y: 1, Low: nan, High: nan, Group: "b"},
		{X: 100, Y: 1, Low: nan, High: nan, Group: "b"},
	})
	bad := curves(methods[:2], []string{""}, 1)
	bad[3].Y, bad[4].Y, bad[9].Y = math.Inf(1), -1, 0
	g["line-filtered"] = Line(Options{XLabel: "step t", YLabel: "excess loss", YLog: true}, bad)
	g["line-nothing"] = Line(conv, nil)
	crossed := make([]Point, 6)
	for i := range crossed {
		x, y := float64(i), 1+0.3*float64(i%3)
		crossed[i] = Point{X: x, Y: y, Low: y - 0.2, High: y + 0.2, Group: methods[1]}
	}
	crossed[2].Low, crossed[2].High = crossed[2].High, crossed[2].Low
	g["line-crossed"] = Line(Options{XLabel: "step t", YLabel: "excess loss"}, crossed)
	var early []Point // one run diverged early; both axes logarithmic; thirteen decades
	for t := 1.0; t <= 1000; t *= 1.25 {
		early = append(early, Point{X: t, Y: 1e-3 * math.Pow(t, 1.2), Low: nan, High: nan, Group: "identity"},
			Point{X: t, Y: 1e-3 * math.Pow(t, 5), Low: nan, High: nan, Group: "immunize"})
		if t < 60 {
			early = append(early, Point{X: t, Y: 2e-3 * math.Pow(t, 6.5), Low: nan, High: nan, Group: "diverged at step 60"})
		}
	}
	g["line-loglog"] = Line(Options{XLabel: "step t", YLabel: "RIR", XLog: true, YLog: true, Reference: []float64{1}}, early)

	var cloud []Point
	for i, m := range methods {
		for range 12 {
			k := math.Pow(10, 0.4*float64(i)+0.3*rng.NormFloat64())
			cloud = append(cloud, Point{X: k, Y: math.Pow(k, 2) * math.Exp(rng.NormFloat64()), Low: nan, High: nan, Group: m})
		}
	}
	g["scatter-groups"] = Scatter(Options{XLabel: "κ(θ)", YLabel: "RIR", XLog: true, YLog: true, Reference: []float64{1}}, cloud)
	var named []Point
	for i, m := range methods {
		y := 0.2 + 0.1*rng.Float64()
		named = append(named, Point{X: float64(i/3) + 0.05*rng.Float64(), Y: y, Low: y - 0.03, High: y + 0.05, Label: m})
	}
	g["scatter-labels"] = Scatter(Options{XLabel: "freedom", YLabel: "primary loss (nats)"}, named)
	g["scatter-one"] = Scatter(Options{XLabel: "κ(θ)", YLabel: "RIR"}, named[:1])

	// What RIR a θ of condition number c can reach, with a curve far above the data, one that leaves the axes and one without a name.
	var bounds []Point
	for c := 0.5; c < 1e4; c *= 1.3 {
		bounds = append(bounds, Point{X: c, Y: min(math.Pow(c, 4), 40*c*c, 1e7), Group: "bound min(c⁴, c²κ(K_{P}), C)"},
			Point{X: c, Y: 0.3 * math.Pow(c, 1.5), Group: "clipped spike"}, Point{X: c, Y: 1e12, Group: "ceiling"})
	}
	limits := Options{XLabel: "κ(θ)", YLabel: "RIR", XLog: true, YLog: true, Curves: bounds}
	g["scatter-curves"] = Scatter(limits, cloud)
	var spike []Point
	for i, m := range methods[1:4] {
		for k := 1.5; k < 400; k *= 2 {
			spike = append(spike, Point{X: k, Y: math.Pow(k, 1.2+0.3*float64(i)), Low: nan, High: nan, Group: m})
		}
	}
	g["line-curves"] = Line(limits, spike)
	plain := Options{XLabel: "κ(θ)", YLabel: "RIR", Curves: []Point{{X: 0, Y: 1}, {X: 4, Y: nan}, {X: 5, Y: 11}, {X: 9, Y: 1}}}
	g["scatter-curve-unnamed"] = Scatter(plain, []Point{{X: 1, Y: 3, Low: nan, High: nan}, {X: 8, Y: 5, Low: nan, High: nan}})

	// The excess loss of the attack panel against the step, from step 0, over five seeds.
	var panel []Point
	seeds := rand.New(rand.NewPCG(9, 10))
	for i, a := range []string{"gd-exact", "gd-fixed", "gd-standardized", "nesterov", "adam", "cg", "lbfgs", "least-squares"} {
		for range 5 {
			for _, t := range []float64{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
				rate := math.Pow(10, -3+0.5*float64(i)+0.1*seeds.NormFloat64())
				y := 0.5*math.Exp(-rate*t) + 0.5*math.Exp(-0.02*rate*t) + 1e-13*math.Exp(seeds.NormFloat64())
				panel = append(panel, Point{X: t, Y: y, Low: nan, High: nan, Group: a})
			}
		}
	}
	g["line-panel"] = Line(Options{XLabel: "step", YLabel: "excess loss", XLog: true, YLog: true, Band: Range, Reference: []float64{0.01}}, panel)

	g["bar-long-names"] = Bar(Options{XLabel: "method", YLabel: "RIR", YLog: true, Reference: []float64{1}}, samples(longNames, 5, 2))
	var grouped []Value
	for i, m := range methods[:4] {
		for j, a := range []string{"gd-exact", "cg", "adam"} {
			v := float64(30 + 100*i - 20*j)
			grouped = append(grouped, Value{Category: a, Group: m, V: v, Low: v * 0.8, High: v * 1.3})
		}
	}
	g["bar-groups"] = Bar(Options{XLabel: "attacker", YLabel: "steps to 1 % excess loss"}, grouped)
	var many []string
	for i := range 22 {
		many = append(many, "m"+itoa(i))
		grouped = append(grouped, Value{Category: "all", Group: many[i], V: float64(22 - i), Low: nan, High: nan})
	}
	g["bar-shades"] = Bar(Options{XLabel: "attacker", YLabel: "steps", Groups: many}, grouped[len(grouped)-22:])
	g["bar-negative"] = Bar(Options{YLabel: "change of log₁₀ κ"}, []Value{
		{Category: "primary", V: -1.2, Low: -1.5, High: -0.8},
		{Category: "harmful", V: 3.4, Low: 3, High: 3.9},
		{Category: "θ", V: 0.2, Low: nan, High: nan},
	})

	g["box-methods"] = Box(Options{XLabel: "method", YLabel: "RIR", YLog: true, Reference: []float64{1}}, samples(methods, 90, 2))
	g["box-90"] = Box(Options{XLabel: "digits (primary→harmful)", YLabel: "RIR", YLog: true}, samples(pairs(), 8, 0.4))
	g["box-few"] = Box(Options{XLabel: "method", YLabel: "accuracy (%)"}, samples(methods[:4], 3, 0))
	g["box-uneven"] = Box(Options{XLabel: "method", YLabel: "RIR", YLog: true, Reference: []float64{1}},
		append(samples(methods[:3], 3, 2), samples(methods[1:3], 27, 2)...))
	g["box-identical"] = Box(Options{XLabel: "method", YLabel: "RIR"}, []Value{
		{Category: "identity", V: 1}, {Category: "identity", V: 1}, {Category: "identity", V: 1}, {Category: "identity", V: 1}, {Category: "identity", V: 1},
	})

	var normal []Value
	for i := range 300 {
		normal = append(normal, Value{V: math.Pow(10, 2+0.5*rng.NormFloat64()), Group: methods[1+i%2]})
	}
	g["histogram-groups"] = Histogram(Options{XLabel: "RIR", XLog: true}, normal)
	g["histogram-one"] = Histogram(Options{XLabel: "log₁₀ RIR"}, samples([]string{""}, 90, 1))
	g["histogram-log-counts"] = Histogram(Options{XLabel: "log₁₀ RIR", YLog: true}, samples([]string{""}, 900, 1))
	g["histogram-identical"] = Histogram(Options{XLabel: "RIR"}, []Value{{V: 1}, {V: 1}, {V: 1}})

	g["histogram-few"] = Histogram(Options{XLabel: "RIR", Bins: 3}, []Value{{V: 1}, {V: 2}, {V: 3}, {V: 3.5}})

	g["heatmap-digits"] = Heatmap(Options{XLabel: "primary digit", YLabel: "harmful digit", ZLabel: "log₁₀ RIR"}, digits())
	g["heatmap-diverging"] = Heatmap(Options{XLabel: "primary digit", YLabel: "harmful digit", ZLabel: "log₁₀ RIR", Diverging: true}, digits())
	var wide []Cell
	for i, m := range longNames {
		for j, a := range []string{"gd-exact", "gd-fixed", "nesterov", "adam", "cg", "lbfgs", "gd-standardized", "least-squares"} {
			wide = append(wide, Cell{X: a, Y: m, Z: math.Pow(10, -3+15*rng.Float64())})
			if i == j {
				wide[len(wide)-1].Z = nan
			}
		}
	}
	g["heatmap-wide"] = Heatmap(Options{XLabel: "attacker", YLabel: "method", ZLabel: "κ(H_{H})", ZLog: true}, wide)
	g["heatmap-one"] = Heatmap(Options{XLabel: "a", YLabel: "b", ZLabel: "κ"}, []Cell{{X: "1", Y: "2", Z: 3}})
	g["heatmap-flat"] = Heatmap(Options{XLabel: "digit", YLabel: "method", ZLabel: "log₁₀ RIR", Height: 3}, []Cell{
		{X: "1", Y: "immunize", Z: -0.001}, {X: "2", Y: "immunize", Z: 1.6}, {X: "3", Y: "immunize", Z: 1.2},
	})
	g["heatmap-nothing"] = Heatmap(Options{XLabel: "a", YLabel: "b", ZLabel: "κ"}, []Cell{{X: "1", Y: "2", Z: math.Inf(1)}})
	return g
}
