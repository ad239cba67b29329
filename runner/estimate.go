package runner

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"kappa/store"
)

// Machine is what runs are to be executed on.
type Machine struct {
	CPU, Kernel string // as they are recorded
	Cores       int
	// Speed measures the speed of one core, in GFLOP/s of a matrix product of order 512. It is called at most once, and only where
	// recorded runs leave anything open. Nil: not known.
	Speed func() float64
}

// Forecast says how long the runs of a plan that are to be executed will take.
type Forecast struct {
	Jobs, Cores int
	Runs        []RunTime     // in plan order; zero for a run that is not to be executed
	CPU         time.Duration // processor time of all
	Wall        time.Duration // from the first to the last
	Count       int           // runs to be executed
	Unknown     int           // of them, those about which nothing is known; they are in no sum
	Recorded    int           // recorded runs that it rests on
	// Share is the part of the cores that the latest recorded runs got; 1 where they got them all. Wall expects the same.
	Share float64
}

// RunTime is one run's part in a Forecast.
type RunTime struct {
	Known      bool
	CPUSeconds float64
	Seconds    float64 // from its start to its end, among others
}

// Predict estimates how long the runs that decisions execute will take, jobs at once. sizes are those of [Sizes], past and pace those
// of the database. It is pure but for m.Speed.
//
// A run's time is the cost that the catalog gives its method and its attackers, multiplied by what recorded runs near it took
// compared with theirs: those of the same method if there are three at least, and the more weight the nearer they are.
func Predict(decisions []Decision, sizes map[string]Size, past []store.Past, pace store.Pace, m Machine, jobs int) Forecast {
	f := Forecast{Jobs: max(1, jobs), Cores: max(1, m.Cores), Runs: make([]RunTime, len(decisions)), Share: 1}
	e := newEstimator(past, m)
	p := planner{limit: problemsKept(f.Jobs), ones: make(map[string]bool)}
	nets := make(netCounter)
	var total float64
	for i, d := range decisions {
		if !d.Execute {
			continue
		}
		f.Count++
		r := reader{d.Run.Settings}
		id := problemID(r)
		size, sized := sizes[id]
		if r.net() {
			passes, counted := nets.passes(r, size.net)
			if !sized || !counted {
				f.Unknown++
				continue
			}
			adds := workOf(r, size.net, passes, d.Reason.attacksAlone()).total()
			f.Runs[i] = RunTime{Known: true, CPUSeconds: e.netSeconds(r.str("model.kind"), d.Run.Method(), wayOf(params(d.Run.Settings)), adds)}
			total += f.Runs[i].CPUSeconds
			continue
		}
		method, named := methodNamed(d.Run.Method())
		if !sized || !named || method.cost == nil || r.str("model.kind") != "linear" {
			f.Unknown++
			continue
		}
		s := shapeOf(r, size)
		s.reuses = d.Reason.attacksAlone()
		s.forms = p.forms(id)
		s.formsOnes = p.formsOnes(id, method.Name, s.forms)
		f.Runs[i] = RunTime{Known: true, CPUSeconds: e.seconds(method, s, wayOf(params(d.Run.Settings)))}
		total += f.Runs[i].CPUSeconds
	}
	longest := longestChain(decisions, func(i int) float64 { return f.Runs[i].CPUSeconds })
	f.Recorded = len(e.used)
	busy := parallel(min(f.Jobs, f.Count), f.Cores)
	f.Share = share(pace, f.Cores)
	for i := range f.Runs {
		f.Runs[i].Seconds = f.Runs[i].CPUSeconds / f.Share
		if f.Jobs >= f.Cores {
			f.Runs[i].Seconds *= float64(min(f.Jobs, f.Count)) / busy
		}
	}
	f.CPU = duration(total)
	f.Wall = duration(max(total/busy, longest/parallel(1, f.Cores)) / f.Share)
	return f
}

// longestChain is the longest time of runs that need one another, each from one before; of is a run's own.
func longestChain(decisions []Decision, of func(i int) float64) (longest float64) {
	at := make(map[string]int, len(decisions))
	for i, d := range decisions {
		at[d.Run.Key] = i
	}
	ends := make([]float64, len(decisions))
	known := make([]bool, len(decisions))
	var end func(i int) float64
	end = func(i int) float64 {
		if known[i] {
			return ends[i]
		}
		known[i] = true
		begins := 0.0
		for _, dep := range decisions[i].Run.Depends {
			if j, ok := at[dep.Key]; ok {
				begins = max(begins, end(j))
			}
		}
		ends[i] = begins + of(i)
		return ends[i]
	}
	for i := range decisions {
		longest = max(longest, end(i))
	}
	return longest
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// parallel is the number of cores that so many runs at once keep busy: each its own, and the products of fewer some of those left.
func parallel(jobs, cores int) float64 {
	const (
		full  = 0.95 // of a core by a run that has it for itself
		spare = 0.4  // of a spare core
	)
	if jobs >= cores {
		return full * float64(cores)
	}
	return full*float64(max(1, jobs)) + spare*float64(cores-max(1, jobs))
}

// share is the part of the cores that the latest runs got, as far as it can be told; a part that is nearly all counts as all.
func share(p store.Pace, cores int) float64 {
	const (
		enough = 5 * time.Second
		all    = 0.85
		least  = 0.1
	)
	if p.Busy < enough || p.Wall <= 0 {
		return 1
	}
	atOnce := int(math.Round(float64(p.Wall) / float64(p.Busy)))
	got := float64(p.CPU) / float64(p.Busy) / parallel(atOnce, cores)
	if got > all {
		return 1
	}
	return max(got, least)
}

// problemsKept is the number of problems that Run keeps factorised: one a worker, and one that the next run may come back to. A
// pair of MNIST digits takes some 140 MB.
func problemsKept(jobs int) int { return jobs + 1 }

// planner goes along a plan and says which runs factorise data, as problemCache will.
type planner struct {
	limit int
	order []string
	ones  map[string]bool // of the problems at hand, those factorised with a column of ones
}

func (p *planner) forms(id string) bool {
	i := slices.Index(p.order, id)
	if i >= 0 {
		p.order = append(slices.Delete(p.order, i, i+1), id)
		return false
	}
	p.order = append(p.order, id)
	if len(p.order) > p.limit {
		delete(p.ones, p.order[0])
		p.order = p.order[1:]
	}
	return true
}

func (p *planner) formsOnes(id, method string, forms bool) bool {
	if method != "released" || p.ones[id] && !forms {
		return false
	}
	p.ones[id] = true
	return true
}

// measuredRun is a recorded run that others are compared with.
type measuredRun struct {
	method string
	way    string  // see wayOf
	d      float64 // log D
	cost   float64 // log of its cost
	forms  bool
	ratio  float64 // log of the seconds that it took in units of its cost
}

// estimator turns costs into seconds.
type estimator struct {
	all      []*measuredRun
	byMethod map[string][]*measuredRun
	speed    func() float64
	factor   float64               // log of what a cost is multiplied by where nothing is recorded
	measured bool                  // factor is known
	used     map[*measuredRun]bool // those that any estimate rests on
	memo     map[query]float64     // seconds
}

type query struct {
	method string
	way    string
	d      float64
	cost   float64
	forms  bool
}

func newEstimator(past []store.Past, m Machine) *estimator {
	e := &estimator{byMethod: make(map[string][]*measuredRun), speed: m.Speed, used: make(map[*measuredRun]bool), memo: make(map[query]float64)}
	for _, p := range past {
		if k, ok := netMeasured(p, m); ok {
			e.byMethod[k.method] = append(e.byMethod[k.method], k)
			continue
		}
		size, sized := sizeOf(p)
		method, named := methodNamed(p.Method)
		if !sized || !named || method.cost == nil || p.Model != "linear" || p.CPU != m.CPU || p.Kernel != m.Kernel || !(p.CPUSeconds > 0) {
			continue
		}
		s := shapeOf(reader{settingsOf(p.Params)}, size)
		s.forms, s.reuses = p.First, strings.Contains(p.Log, reusedTheta)
		s.formsOnes = method.Name == "released" && p.FirstOfMethod
		c := s.total(method)
		e.all = append(e.all, &measuredRun{method.Name, wayOf(p.Params), math.Log(s.d), math.Log(c), s.forms, math.Log(p.CPUSeconds * 1e9 / c)})
	}
	for _, k := range e.all {
		e.byMethod[k.method] = append(e.byMethod[k.method], k)
	}
	return e
}

// seconds estimates the processor time of a run.
func (e *estimator) seconds(m method, s shape, way string) float64 {
	c := s.total(m)
	q := query{m.Name, way, s.d, c, s.forms}
	if t, ok := e.memo[q]; ok {
		return t
	}
	factor, weight := e.near(e.byMethod[m.Name], q)
	if weight < trusted {
		others, w := e.near(e.all, q)
		rest := w * others
		if w < trusted {
			rest += (1 - w) * e.machine()
		} else {
			rest /= w
		}
		factor = weight*factor + (1-weight)*rest
	}
	t := c * math.Exp(factor) / 1e9
	e.memo[q] = t
	return t
}

// wayOf is how a run trains, but for its random numbers: all settings of [train].
func wayOf(list []store.Param) string {
	var lines []string
	for _, p := range list {
		if strings.HasPrefix(p.Path, "train.") && p.Path != "train.seed" {
			lines = append(lines, settingLine(p))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

const (
	fewest     = 3   // recorded runs that say anything
	neighbours = 9   // recorded runs that are listened to
	alike      = 0.1 // a difference of distances that is none
	trusted    = 0.9 // the weight from which nothing else is listened to
	// A run with data of another size is far off, one with more steps less so.
	farColumns = 1.5
	farCost    = 0.3
	farForms   = 0.5 // one factorised its data, the other did not
	farWay     = 0.2 // other settings of [train], with which it may end earlier or settle more slowly
	reach      = 2.0 // the distance at which recorded runs weigh as much as what else is known
)

// near returns the median of what the recorded runs nearest to q took compared with their costs, as a logarithm, and its weight,
// from 0 (nothing is near) to 1.
func (e *estimator) near(all []*measuredRun, q query) (factor, weight float64) {
	if len(all) < fewest {
		return 0, 0
	}
	type neighbour struct {
		distance float64
		*measuredRun
	}
	list := make([]neighbour, len(all))
	d, c := math.Log(q.d), math.Log(q.cost)
	for i, k := range all {
		distance := farColumns*math.Abs(k.d-d) + farCost*math.Abs(k.cost-c)
		if k.forms != q.forms {
			distance += farForms
		}
		if k.way != q.way {
			distance += farWay
		}
		list[i] = neighbour{distance, k}
	}
	slices.SortStableFunc(list, func(a, b neighbour) int { return cmp.Compare(a.distance, b.distance) })
	list = list[:min(neighbours, len(list))]
	for len(list) > fewest && list[len(list)-1].distance > list[fewest-1].distance+alike {
		list = list[:len(list)-1]
	}
	middle := list[len(list)/2].distance / reach
	var ratios []float64
	for _, n := range list {
		ratios = append(ratios, n.ratio)
		e.used[n.measuredRun] = true
	}
	slices.Sort(ratios)
	return (ratios[len(ratios)/2] + ratios[(len(ratios)-1)/2]) / 2, 1 / (1 + middle*middle)
}

// machine is the factor of this machine where recorded runs say little.
func (e *estimator) machine() float64 {
	if !e.measured && e.speed != nil {
		if speed := e.speed(); speed > 0 {
			e.factor = math.Log(referenceSpeed / speed)
		}
	}
	e.measured = true
	return e.factor
}
