package runner

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"kappa/engine/immunize"
	"kappa/engine/nn"
	"kappa/runner/dataset"
	"kappa/store"
)

// workMetric is the metric of a run on a net that holds its multiply-adds.
const workMetric = "multiply_adds"

// netSpeed is the processor time of a multiply-add in nanoseconds, as cost is measured: of small nets much of it goes to what is no
// product.
var netSpeed = map[string]float64{
	"mlp": 0.04, "resnet18": 0.02, "resnet-small": 0.0225, "vit-b16": 0.022, "vit-small": 0.037,
}

// fixedNetCost is what a run on a net costs whatever it computes, for its files and its record.
const fixedNetCost = 3e7

// netCost is the cost of so many multiply-adds.
func netCost(model string, multiplyAdds float64) cost {
	return fixedNetCost + netSpeed[model]*multiplyAdds
}

// netSize finds how large the tasks of a run on a net are, and their data sets in bytes: from what is known of published data, else from the data.
func (c *problemCache) netSize(r reader) (s netSize, sets [2]float64, ok bool) {
	for i, name := range []string{"primary", "harmful"} {
		if name == "harmful" && r.str("train.method") == pretrainMethod {
			continue
		}
		input, classes, train, test, ok := publishedSize(r.str(name + ".dataset"))
		sets[i] = float64((train + test) * input[0] * input[1] * input[2])
		if !ok {
			task, err := c.images(r, name)
			if err != nil {
				return s, sets, false
			}
			sets[i] = float64(task.Train.Bytes() + task.Test.Bytes())
			input, classes, train, test = dims(task.Train), task.Train.Classes(), task.Train.Len(), task.Test.Len()
		}
		if i > 0 && input != s.input {
			return s, sets, false
		}
		s.input, s.classes[i], s.train[i], s.test[i] = input, classes, train, test
	}
	return s, sets, true
}

// publishedSize is that of a data set of square images known by name.
func publishedSize(name string) (input [3]int, classes, train, test int, ok bool) {
	if train, test = dataset.ImageCounts(name); train == 0 {
		return input, 0, 0, 0, false
	}
	known := dataset.Known()
	i := slices.IndexFunc(known, func(n dataset.Info) bool { return n.Name == name })
	if i < 0 {
		return input, 0, 0, 0, false
	}
	for _, channels := range []int{1, 3} {
		side := int(math.Round(math.Sqrt(float64(known[i].Columns / channels))))
		if channels*side*side == known[i].Columns {
			return [3]int{channels, side, side}, len(known[i].Classes), train, test, true
		}
	}
	return input, 0, 0, 0, false
}

// netCounter counts the multiply-adds of nets, each net once.
type netCounter map[netShape]passes

type netShape struct {
	kind     string
	input    [3]int
	classes  int
	unfrozen string
}

// passes are those of the net of a run; ok is false for a net that cannot be made.
func (c netCounter) passes(r reader, s netSize) (passes, bool) {
	unfrozen := r.strings("model.unfrozen")
	id := netShape{r.str("model.kind"), s.input, s.classes[0], strings.Join(unfrozen, "\n")}
	p, ok := c[id]
	if ok {
		return p, p.all > 0
	}
	if net, err := nn.New(id.kind, id.input, id.classes); err == nil {
		p = passesOf(net, unfrozen)
	}
	c[id] = p
	return p, p.all > 0
}

// netMeasured is a recorded run on a net, as others are compared with it; ok is false for what cannot be, such as a run that did not do all of
// its work: it went on from a checkpoint, or ended early.
func netMeasured(p store.Past, m Machine) (*measuredRun, bool) {
	adds := p.Numbers[workMetric]
	part := strings.Contains(p.Log, resumed) || strings.Contains(p.Log, fmt.Sprintf(": %s after ", immunize.Diverged))
	if part || !netKind(p.Model) || !(adds > 0) || p.CPU != m.CPU || p.Kernel != m.Kernel || !(p.CPUSeconds > 0) {
		return nil, false
	}
	c := netCost(p.Model, adds)
	return &measuredRun{netWay(p.Model, p.Method), wayOf(p.Params), 0, math.Log(c), false, math.Log(p.CPUSeconds * 1e9 / c)}, true
}

// netWay is what recorded runs on nets are told apart by.
func netWay(model, method string) string {
	if method != pretrainMethod {
		method = "immunized"
	}
	return model + " " + method
}

// netSeconds estimates the processor time of a run on a net: by recorded runs on the same net, pre-trainings apart from the others, else by
// those on nets, else by the machine.
func (e *estimator) netSeconds(model, method, way string, multiplyAdds float64) float64 {
	c := netCost(model, multiplyAdds)
	q := query{netWay(model, method), way, 1, c, false}
	if t, ok := e.memo[q]; ok {
		return t
	}
	factor, weight := e.near(e.byMethod[q.method], q)
	if weight < trusted {
		factor = weight*factor + (1-weight)*e.machine()
	}
	t := c * math.Exp(factor) / 1e9
	e.memo[q] = t
	return t
}
