package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"kappa/engine/audit"
	"kappa/engine/spectrum"
)

// auditText writes a report for people: what was measured, what follows from it, and what has to be known to judge it.
type auditText struct {
	r       audit.Report
	files   *auditFiles
	remarks remarks
}

// tellAudit writes a report for people.
func (a *app) tellAudit(r audit.Report, files *auditFiles, o auditFlags) error {
	t := &auditText{r: r, files: files}
	parts := []*grid{t.conditions(), t.ratios(), t.pair(), t.definition()}
	t.onRanks(o)
	written := false
	for _, g := range parts {
		if len(g.rows) == 0 {
			continue
		}
		if written {
			fmt.Fprintln(a.env.Stdout)
		}
		written = true
		if err := a.list(g, false); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.env.Stdout, "\n%s", t.remarks.String())
	return nil
}

// known is a figure, nil where it has no value.
func known(x float64) any {
	if math.IsNaN(x) {
		return nil
	}
	return x
}

// conditions is the table of condition numbers, a line for each matrix of features.
func (t *auditText) conditions() *grid {
	g := &grid{columns: []string{"task", "features", "κ (rank)", "σ_max", "σ_min", "rank", "κ (ridge)"}}
	line := func(name string, f auditFile, theta bool, c spectrum.Conditions) {
		n, d := f.x.Dims()
		if theta {
			_, d = t.files.theta.x.Dims()
		}
		g.add(name, fmt.Sprintf("%d×%d", n, d),
			known(c.Rank.Kappa), c.Rank.SigmaMax, known(c.Rank.SigmaMin), c.Rank.Rank, known(c.Ridge.Kappa))
		t.remarks.onTask(name, c)
	}
	theta := t.files.theta.x != nil
	line("primary", t.files.primary, theta, t.r.Primary)
	line("harmful", t.files.harmful, theta, t.r.Harmful)
	if t.r.Base == nil {
		return g
	}
	primary, harmful := t.files.basePrimary, t.files.baseHarmful
	if theta {
		primary, harmful = t.files.primary, t.files.harmful
	}
	line("original primary", primary, false, t.r.Base.Primary)
	line("original harmful", harmful, false, t.r.Base.Harmful)
	return g
}

// ratios is the table of what is compared with the original.
func (t *auditText) ratios() *grid {
	g := &grid{columns: []string{"figure", "rank", "ridge"}}
	if t.r.Base == nil {
		return g
	}
	add := func(name string, p audit.Pair) { g.add(name, known(p.Rank), known(p.Ridge)) }
	add("RIR", t.r.RIR)
	add("κ(H_H) to the original's", t.r.RatioHarmful)
	add("κ(H_P) to the original's", t.r.RatioPrimary)
	return g
}

// pair is the list of what belongs to the pair of tasks, to θ and to the primary task's targets.
func (t *auditText) pair() *grid {
	g := &grid{columns: []string{"figure", ""}}
	r := t.r
	if t.files.basePrimary.x == nil {
		switch {
		case r.Unbounded:
			g.add("ceiling of RIR", fmt.Sprintf("unbounded, freedom %d", r.Freedom))
			directions, them := fmt.Sprintf("%d directions", r.Freedom), "them"
			if r.Freedom == 1 {
				directions, them = "a direction", "it"
			}
			t.remarks.add(fmt.Sprintf("unbounded: the harmful task uses %s that the primary task never sees; θ can scale %s at no cost to the primary task, so RIR has no ceiling", directions, them), "")
		case math.IsNaN(r.Ceiling):
			g.add("ceiling of RIR", nil)
		default:
			g.add("ceiling of RIR", tableCell(r.Ceiling))
		}
	}
	if t.files.theta.x != nil {
		switch {
		case math.IsInf(r.KappaTheta, 1):
			g.add("κ(θ)", "infinite: θ is singular")
		case math.IsNaN(r.KappaTheta):
			g.add("κ(θ)", nil)
			t.remarks.add("κ(θ) is undefined: θ is zero", "")
		default:
			g.add("κ(θ)", tableCell(r.KappaTheta))
		}
		t.limits(g)
	}
	if t.files.yPrimary.x != nil {
		text := tableCell(r.LossPrimary)
		if r.Base != nil {
			text += ", original " + tableCell(r.LossBase)
		}
		g.add("least mean squared error on D_P", text)
	}
	return g
}

// limits adds how far θ went towards the limits of RIR, in logarithms: 100 % at the limit, 0 % at RIR = 1.
func (t *auditText) limits(g *grid) {
	r := t.r
	if d, m := t.files.theta.x.Dims(); m < d {
		t.remarks.add(fmt.Sprintf("θ is %d×%d and loses directions: the ceiling, and what follows from κ(θ), hold for extractors that lose none, and do not limit it", d, m), "")
		return
	}
	percent := func(x float64) any {
		if math.IsNaN(x) {
			return nil
		}
		return fmt.Sprintf("%.3g %%", 100*x)
	}
	if !r.Unbounded {
		g.add("ln RIR to that of the ceiling", percent(r.Reached))
	}
	if !math.IsNaN(r.Bound) && !math.IsInf(r.Bound, 1) {
		g.add("bound of RIR at this κ(θ)", tableCell(r.Bound))
		g.add("ln RIR to that of the bound", percent(r.ReachedBound))
	}
}

// definition is the table of the verdicts of Definition 3.1.
func (t *auditText) definition() *grid {
	g := &grid{columns: []string{"Definition 3.1", "rank", "ridge"}}
	r := t.r
	if r.Base == nil {
		return g
	}
	verdict := func(holds bool, figures ...float64) any {
		for _, x := range figures {
			if math.IsNaN(x) {
				return nil
			}
		}
		if holds {
			return "yes"
		}
		return "no"
	}
	g.add(fmt.Sprintf("(a) κ(H_H) at least %d times the original's", audit.MuchWorse),
		verdict(r.DefA, r.RatioHarmful.Rank), verdict(r.DefARidge, r.RatioHarmful.Ridge))
	g.add("(b) κ(H_P) at most the original's", verdict(r.DefB, r.RatioPrimary.Rank), verdict(r.DefBRidge, r.RatioPrimary.Ridge))
	c := verdict(r.DefC, r.LossPrimary, r.LossBase)
	g.add(fmt.Sprintf("(c) least loss on D_P at most %.0f %% above the original's", 100*(audit.AsGood-1)), c, c)
	if t.files.yPrimary.x == nil {
		text := "(c) is judged with the targets of the primary task, --y-primary"
		if theta := t.files.theta.x; theta != nil {
			if d, m := theta.Dims(); m >= d && !math.IsInf(r.KappaTheta, 1) && !math.IsNaN(r.KappaTheta) {
				text += "; it holds in exact arithmetic, because this θ loses no direction"
			}
		}
		t.remarks.add(text, "")
	}
	return g
}

// onRanks says how ranks were counted.
func (t *auditText) onRanks(o auditFlags) {
	const single = "singular values of the features above max(rows, columns)·2⁻²⁴·σ_max, because float32 holds them"
	data := "features"
	if t.files.theta.x != nil {
		data = "inputs"
	}
	double := "singular values of the " + data + " above 2⁻²⁶·σ_max"
	switch {
	case o.rankSet:
		t.remarks.add(fmt.Sprintf("rank: %d, as --rank says", o.rank), "")
		return
	case o.tolSet:
		t.remarks.add(fmt.Sprintf("rank: singular values of the %s above %s·σ_max, as --rank-tol says", data, tableCell(o.tol)), "")
		return
	}
	var of [2][]string // names of files, double precision first
	for _, f := range []auditFile{t.files.primary, t.files.harmful, t.files.basePrimary, t.files.baseHarmful} {
		switch {
		case f.x == nil, slices.Contains(of[0], f.path), slices.Contains(of[1], f.path):
		case f.single && t.files.theta.x == nil:
			of[1] = append(of[1], f.path)
		default:
			of[0] = append(of[0], f.path)
		}
	}
	switch {
	case len(of[1]) == 0:
		t.remarks.add("rank: "+double, "")
	case len(of[0]) == 0:
		t.remarks.add("rank: "+single, "")
	default:
		t.remarks.add(fmt.Sprintf("rank: of %s, %s; of %s, %s", strings.Join(of[0], ", "), double, strings.Join(of[1], ", "), single), "")
	}
}

// remarks are sentences, each said once with the names it is about.
type remarks struct {
	texts []string
	about map[string][]string
}

// add notes a sentence; about is what it is about, or "".
func (m *remarks) add(text, about string) {
	if m.about == nil {
		m.about = make(map[string][]string)
	}
	if _, ok := m.about[text]; !ok {
		m.texts = append(m.texts, text)
		m.about[text] = nil
	}
	if about != "" {
		m.about[text] = append(m.about[text], about)
	}
}

// String is the sentences, one a line.
func (m *remarks) String() string {
	var b strings.Builder
	for _, text := range m.texts {
		if about := m.about[text]; len(about) > 0 {
			fmt.Fprintf(&b, "%s: ", strings.Join(about, ", "))
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// onTask says in words what has to be known to judge a task's condition numbers.
func (m *remarks) onTask(name string, c spectrum.Conditions) {
	if c.Rank.Rank == 0 {
		m.add("zero: all features are 0, κ is undefined", name)
		return
	}
	if c.Rank.Unresolved {
		m.add("unresolved: σ_min is below what double precision can tell from zero, κ (rank) has no value", name)
	}
	if c.Rank.RankUnclear {
		m.add("rank-unclear: the singular values do not fall tenfold where they are cut, and κ (rank) hangs on where; --rank or --rank-tol decide", name)
	}
	if c.Ridge.RidgeDominated {
		m.add("ridge-dominated: σ_min is the ridge itself, κ (ridge) is σ_max/10⁻⁶ and measures the norm alone", name)
	}
}
