package runner

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

// peakOf returns by how much what is in use of the heap grows at most while f runs, in bytes. It collects all the time, so that
// hardly anything counts that is not in use.
func peakOf(f func()) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	runtime.GC()
	inUse := func() float64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return float64(s[0].Value.Uint64())
	}
	before := inUse()
	stop, peak := make(chan bool), make(chan float64)
	go func() {
		most := before
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(200 * time.Microsecond):
				most = max(most, inUse())
			}
		}
	}()
	f()
	close(stop)
	return <-peak - before
}

const shapes = `
title = "Shapes"
[primary]
dataset = "synthetic"
[harmful]
dataset = "synthetic"
[synthetic]
dimension = D
rows = N
angle = 30
[train]
method = "METHOD"
steps = 3
`

// TestMemoryIsForetold compares what is predicted with what is taken, at two shapes of each method.
func TestMemoryIsForetold(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes memory of its own")
	}
	var cases []struct{ name, text, method string }
	add := func(name, text, method string) {
		cases = append(cases, struct{ name, text, method string }{name, text, method})
	}
	for _, m := range methods() {
		for i, shape := range [][2]string{{"200", "400"}, {"100", "3000"}} {
			if i > 0 && m.readsInit() && m.Name != "immunize" {
				continue // of a kind with it
			}
			text := strings.NewReplacer("D\n", shape[0]+"\n", "rows = N", "rows = "+shape[1], "METHOD", m.Name).Replace(shapes)
			switch {
			case m.Name == "released":
				text = strings.Replace(text, "steps = 3", "epochs = 1\nbatch = 128", 1)
			case !m.readsInit():
				text = strings.Replace(text, "steps = 3", "", 1)
			}
			add(fmt.Sprintf("%s %s×%s", m.Name, shape[1], shape[0]), text, m.Name)
		}
	}
	attacked := strings.NewReplacer("D\n", "200\n", "rows = N", "rows = 400", "METHOD", "identity", "steps = 3", "").Replace(shapes)
	for _, a := range attackers() {
		attacked += fmt.Sprintf("[[attack]]\nmethod = %q\n", a.Name)
	}
	add("identity, attacked by all", attacked, "identity")
	long := strings.NewReplacer("D\n", "8\n", "rows = N", "rows = 16", "METHOD", "immunize", "steps = 3", "steps = 2500\ntrace = \"all\"").Replace(shapes)
	add("immunize, 2500 recorded steps", long, "immunize")
	for _, kind := range []string{"mlp", "resnet-small", "vit-small"} {
		net := strings.Replace(tinyNet, `kind = "mlp"`, fmt.Sprintf("kind = %q", kind), 1)
		net = strings.Replace(net, `"immunize", "rill-only", "imma", "opt-kappa"`, `"immunize"`, 1)
		net = strings.ReplaceAll(net, "epochs = 2", "epochs = 1")
		add(kind+", pre-training", net, pretrainMethod)
		if kind != "resnet-small" { // measured by hand: 1.0 as well, in a second
			add(kind+", attacked by all", net, "immunize")
		}
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			plan := planOf(t, tt.text)
			sizes := Sizes(t.Context(), plan, nil, nil)
			db := openDB(t)
			at := slices.IndexFunc(plan.Runs, func(r Planned) bool { return r.Method() == tt.method })
			want, ok := Memory(plan.Runs[at], sizes)
			if !ok {
				t.Fatal("nothing is known")
			}
			opt := Options{Jobs: 1, Now: time.Now}
			opt.Filter = func(d Decision) bool { return d.Run.Ordinal < at }
			if _, err := Run(t.Context(), plan, db, opt); err != nil {
				t.Fatal(err)
			}
			opt.Filter = func(d Decision) bool { return d.Run.Ordinal == at }
			got := peakOf(func() {
				if sum, err := Run(t.Context(), plan, db, opt); err != nil || sum.Done != 1 {
					t.Errorf("done %d, %v, %v", sum.Done, sum.Failures, err)
				}
			})
			predicted := float64(want.Total() - processBytes)
			t.Logf("predicted %6.2f MB, taken %6.2f MB: %.2f", predicted/1e6, got/1e6, predicted/got)
			if predicted < got/2 || predicted > 2*got {
				t.Errorf("predicted %.1f MB, taken %.1f MB: more than a factor of 2 apart", predicted/1e6, got/1e6)
			}
		})
	}
}
