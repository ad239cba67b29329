package nn

import (
	"flag"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var torchFolder = flag.String("torch", "", "compare whole resnet18 and vit-b16 with what testdata/fixtures.py --full wrote to this `folder`")

// integers are n integers in [−2¹⁵, 2¹⁵) that depend on the name, those of fixtures.py: FNV-1a of it plus the index, through the
// finalizer of SplitMix64.
func integers(name string, n int) []int {
	h := uint64(0xcbf29ce484222325)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	out := make([]int, n)
	for i := range out {
		z := uint64(i)*0x9e3779b97f4a7c15 + h
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		out[i] = int(z>>48) - 1<<15
	}
	return out
}

// torchNumbers are the values that fixtures.py gives a tensor, in the order of its shape; they need not be stored.
func torchNumbers(name string, shape []int) []float32 {
	size := 1
	for _, d := range shape {
		size *= d
	}
	s := 0.25
	if len(shape) > 1 && !strings.Contains(name, "token") && !strings.Contains(name, "pos_embed") {
		s = math.Exp2(math.RoundToEven(math.Log2(math.Sqrt(3 / float64(size/shape[0])))))
	}
	offset := 0.0
	if len(shape) == 1 && (strings.HasSuffix(name, ".weight") || strings.HasSuffix(name, ".running_var")) {
		offset = 1
	}
	out := make([]float32, size)
	for i, k := range integers(name, size) {
		out[i] = float32(float64(k)*(s/(1<<15)) + offset)
	}
	return out
}

// digest is what fixtures.py keeps of a large tensor: its 2-norm, its largest magnitude and some of its entries, evenly spaced.
func digest(values []float32) []float64 {
	const entries = 8
	var norm, top float64
	for _, v := range values {
		norm += float64(v) * float64(v)
		top = max(top, math.Abs(float64(v)))
	}
	out := []float64{math.Sqrt(norm), top}
	step := max(1, len(values)/entries)
	for i := 0; i < len(values) && len(out) < entries+2; i += step {
		out = append(out, float64(values[i]))
	}
	return out
}

// digested compares a tensor with a digest: the norm with the norm, entries relative to the largest.
func (f *torchFile) digested(name string, got []float32) {
	f.Helper()
	want := wide(f.tensor(name).Data)
	have := digest(got)
	if len(have) != len(want) {
		f.Fatalf("%s: %d entries, PyTorch has %d", name, len(have), len(want))
	}
	f.note(name, math.Abs(have[0]-want[0])/want[0])
	f.note(name, distance(have[1:], want[1:]))
}

func TestTorchNets(t *testing.T) {
	f := openTorch(t, "testdata/nets.safetensors", torchTolerance)
	for _, c := range []struct {
		name, kind string
		input      [3]int
		classes    int
	}{
		{"resnet-small", "resnet-small", [3]int{1, 28, 28}, 10},
		{"vit-small", "vit-small", [3]int{1, 28, 28}, 10},
		{"resnet-small-8", "resnet-small", [3]int{3, 8, 8}, 4},
		{"vit-small-8", "vit-small", [3]int{3, 8, 8}, 4},
	} {
		for _, train := range []bool{true, false} {
			n, err := New(c.kind, c.input, c.classes)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, p := range n.Params() {
				p.Import(torchNumbers(p.Name, p.Shape))
			}
			name := c.name + "/eval"
			if train {
				name = c.name + "/train"
			}
			x := NewTensor(append([]int{3}, c.input[:]...)...)
			for i, v := range torchNumbers("images "+strconv.Itoa(f.labels(name + "/images")[0]), x.Shape) {
				x.Data[i] = 8 * v
			}
			d := f.pass(name+"/", n, x, []int{0, 1, 2}, Mode{Train: train})
			f.equal(name+"/dfeatures", d)
			for _, p := range n.Params() {
				switch {
				case !p.Buffer:
					f.digested(name+"/d/"+p.Name, p.ExportGrad())
				case train:
					f.digested(name+"/after/"+p.Name, p.Export())
				}
			}
		}
	}
	f.finish()
}

// pass computes a net, compares features, logits and the label-smoothed loss, and computes all gradients. It returns the one in the
// features.
func (f *torchFile) pass(prefix string, n *Net, x *Tensor, labels []int, mode Mode) []float32 {
	f.Helper()
	features := n.Features(x, mode)
	f.equal(prefix+"features", features.Data)
	logits := n.Logits(features, mode)
	f.equal(prefix+"logits", logits.Data)
	grad := &Tensor{}
	f.equal(prefix+"loss", []float32{float32(CrossEntropy(logits, labels, 0.1, grad))})
	d := n.Head.Backward(grad, true)
	kept := slices.Clone(d.Data)
	n.Backward(d)
	return kept
}

// TestTorchWhole compares whole nets for images of 224×224, with the weights that PyTorch drew.
func TestTorchWhole(t *testing.T) {
	if *torchFolder == "" {
		t.Skip("no -torch FOLDER; testdata/fixtures.py --full FOLDER writes one")
	}
	for _, kind := range []string{"resnet18", "vit-b16"} {
		t.Run(kind, func(t *testing.T) {
			n, err := New(kind, [3]int{3, 224, 224}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Load(openTorch(t, filepath.Join(*torchFolder, kind+".safetensors"), 0).File); err != nil {
				t.Fatal(err)
			}
			f := openTorch(t, filepath.Join(*torchFolder, kind+"-reference.safetensors"), torchTolerance)
			x := f.tensor("x")
			features := n.Features(x, Mode{})
			f.equal("eval-features", features.Data)
			f.equal("eval-logits", n.Logits(features, Mode{}).Data)
			f.pass("train-", n, x, f.labels("labels"), Mode{Train: true})
			for _, p := range n.Params() {
				if p.Buffer {
					f.equal("after/"+p.Name, p.Export())
				} else {
					f.equal("d/"+p.Name, p.ExportGrad())
				}
			}
			f.finish()
			own := f.Metadata()
			for _, key := range slices.Sorted(maps.Keys(own)) {
				t.Logf("PyTorch's own float32 from %-18s %s", key, own[key])
			}
		})
	}
}
