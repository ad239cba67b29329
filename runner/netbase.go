package runner

import (
	"fmt"
	"strings"
	"sync"

	"kappa/engine/deep"
)

// baseFigures are what was measured of nets as they were pre-trained: the runs of several methods have one θ_0. They are few numbers, and
// are kept.
type baseFigures struct {
	mu      sync.Mutex
	groups  map[string]deep.Measured
	testing map[string]tested
}

// tested are the accuracy and the loss of a net on test images.
type tested struct{ Accuracy, Loss float64 }

// theta0ID says which runs have the same θ_0 and data: the digests say what is read, the settings how.
func (n *netRun) theta0ID() string {
	id := problemID(n.r) + strings.Join(n.run.Data, " ")
	if n.theta0.Run == "" { // a head that a file of weights lacks is drawn
		id += fmt.Sprint(" ", n.r.integer("train.seed"))
	}
	return id
}

// measured returns the condition numbers of θ_0 on the run's groups. Two runs that ask at the same time may both compute them.
func (b *baseFigures) measured(n *netRun, compute func() (deep.Measured, error)) (deep.Measured, error) {
	id := fmt.Sprint(n.theta0ID(), " ", n.r.integer("train.seed"), " ", n.r.integer("train.groups"), " ", n.r.integer("train.group_size"))
	return keepOnce(&b.mu, &b.groups, id, compute)
}

// tested returns accuracy and loss of θ_0.
func (b *baseFigures) tested(n *netRun, compute func() (tested, error)) (tested, error) {
	return keepOnce(&b.mu, &b.testing, n.theta0ID(), compute)
}

func keepOnce[T any](mu *sync.Mutex, kept *map[string]T, id string, compute func() (T, error)) (T, error) {
	mu.Lock()
	v, ok := (*kept)[id]
	mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := compute()
	if err != nil {
		return v, err
	}
	mu.Lock()
	defer mu.Unlock()
	if *kept == nil {
		*kept = make(map[string]T)
	}
	(*kept)[id] = v
	return v, nil
}
