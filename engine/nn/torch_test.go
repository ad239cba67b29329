package nn

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kappa/engine/internal/vector"
	"kappa/engine/nn/weights"
)

// torchTolerance is how far a tensor may be from PyTorch's: max|got − want| ≤ 10⁻⁴·max|want|. Entries cannot be held each against
// itself: where a sum cancels, float32 leaves an entry no digits. The largest entry is the stricter of the two scales that remain, as a
// tensor's 2-norm is never smaller. Layers are held to a tenth of it: they have no depth in which rounding could grow.
const (
	torchTolerance      = 1e-4
	torchLayerTolerance = 1e-5
)

// torchFile are PyTorch's tensors, read from a file that testdata/fixtures.py wrote, with a note of the worst deviation from them.
type torchFile struct {
	testing.TB
	*weights.File
	tolerance float64
	used      map[string]bool
	worst     map[string]float64 // by the first part of a tensor's name
}

func openTorch(t testing.TB, path string, tolerance float64) *torchFile {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	w, err := weights.Open(f, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &torchFile{TB: t, File: w, tolerance: tolerance, used: map[string]bool{}, worst: map[string]float64{}}
}

// tensor returns the tensor of a name.
func (f *torchFile) tensor(name string) *Tensor {
	f.Helper()
	info, ok := f.Lookup(name)
	values, err := f.Float32(name)
	if !ok || err != nil {
		f.Fatal(err)
	}
	f.used[name] = true
	return &Tensor{Shape: info.Shape, Data: values}
}

// labels are integers.
func (f *torchFile) labels(name string) []int {
	f.Helper()
	var out []int
	for _, v := range f.tensor(name).Data {
		out = append(out, int(v))
	}
	return out
}

// doubles are numbers of type F64.
func (f *torchFile) doubles(name string) []float64 {
	f.Helper()
	info, ok := f.Lookup(name)
	if !ok || info.DType != weights.F64 {
		f.Fatalf("%s is %v", name, info.DType)
	}
	f.used[name] = true
	data, err := info.Data()
	if err != nil {
		f.Fatal(err)
	}
	out := make([]float64, len(data)/8)
	for i := range out {
		var bits uint64
		for k := range 8 {
			bits |= uint64(data[8*i+k]) << (8 * k)
		}
		out[i] = math.Float64frombits(bits)
	}
	return out
}

// equal compares numbers with the tensor of a name.
func (f *torchFile) equal(name string, got []float32) {
	f.Helper()
	want := f.tensor(name)
	if len(got) != len(want.Data) {
		f.Errorf("%s: %d numbers, PyTorch has %v", name, len(got), want.Shape)
		return
	}
	f.note(name, distance(wide(got), wide(want.Data)))
}

// note records a deviation and fails if it is too large.
func (f *torchFile) note(name string, e float64) {
	f.Helper()
	group, _, _ := strings.Cut(name, "/")
	f.worst[group] = max(f.worst[group], e)
	if !(e <= f.tolerance) {
		f.Errorf("%s: relative deviation from PyTorch %.2g, accepted: %.0g", name, e, f.tolerance)
	}
}

// finish fails if a tensor was left unused, and logs the worst deviations.
func (f *torchFile) finish() {
	f.Helper()
	for _, name := range f.Names() {
		if !f.used[name] {
			f.Errorf("%s is compared with nothing", name)
		}
	}
	for _, group := range slices.SortedFunc(maps.Keys(f.worst), func(a, b string) int { return cmp.Compare(f.worst[b], f.worst[a]) }) {
		f.Logf("%-24s %.1e", group, f.worst[group])
	}
}

// planes returns a tensor as N×C×H×W, or as it is where it has no border.
func planes(x *Tensor) *Tensor {
	if !x.Border {
		return x
	}
	n, h, w, c := x.Maps()
	y := NewTensor(n, c, h, w)
	for i := range n {
		toPlanes(y.Sample(i), x.Sample(i), (w+1)*c, c, h, w)
	}
	return y
}

// bordered returns N×C×H×W as feature maps.
func bordered(x *Tensor) *Tensor {
	n, c, h, w := x.Maps()
	y := newMaps(n, h, w, c)
	for i := range n {
		toPixels(y.Sample(i), (w+1)*c, x.Sample(i), c, h, w)
	}
	return y
}

// rectifier is a layer that is a ReLU alone: in nets one is the end of another layer.
type rectifier struct{ y, dx Tensor }

func (l *rectifier) Params() []*Param { return nil }

func (l *rectifier) Parts() []Part { return nil }

func (l *rectifier) Forward(x *Tensor, _ Mode) *Tensor {
	l.y.ResizeLike(x, x.N())
	vector.ReLU(l.y.Data, x.Data)
	return &l.y
}

func (l *rectifier) Backward(dy *Tensor, _ bool) *Tensor {
	l.dx.ResizeLike(dy, dy.N())
	vector.ReLUBackward(l.dx.Data, dy.Data, l.y.Data)
	return &l.dx
}

// torchLayers are the layers of testdata/layers.safetensors.
var torchLayers = map[string]func() Layer{
	"conv3x3":           func() Layer { return NewConv2d(3, 5, 3, 1, 1, false) },
	"conv3x3-wide":      func() Layer { return NewConv2d(17, 19, 3, 1, 1, false) },
	"conv3x3-stride2":   func() Layer { return NewConv2d(3, 5, 3, 2, 1, false) },
	"conv3x3-one-pixel": func() Layer { return NewConv2d(3, 5, 3, 1, 1, false) },
	"conv1x1":           func() Layer { return NewConv2d(3, 5, 1, 1, 0, false) },
	"conv1x1-stride2":   func() Layer { return NewConv2d(3, 5, 1, 2, 0, false) },
	"conv7x7-stride2":   func() Layer { return NewConv2d(3, 5, 7, 2, 3, false) },
	"batchnorm-train":   func() Layer { return NewBatchNorm2d(3) },
	"batchnorm-eval":    func() Layer { return NewBatchNorm2d(3) },
	"relu":              func() Layer { return &rectifier{} },
	"maxpool":           func() Layer { return NewMaxPool2d(3, 2, 1) },
	"avgpool":           func() Layer { return NewAvgPool() },
	"basicblock":        func() Layer { return NewBasicBlock(3, 3, 1) },
	"basicblock-down":   func() Layer { return NewBasicBlock(3, 4, 2) },
	"basicblock-eval":   func() Layer { return NewBasicBlock(3, 3, 1) },
	"linear":            func() Layer { return NewLinear(7, 5, true) },
	"linear-tokens":     func() Layer { return NewLinear(7, 5, true) },
	"layernorm":         func() Layer { return NewLayerNorm(11, 1e-6) },
	"layernorm-flat":    func() Layer { return NewLayerNorm(11, 1e-5) },
	"gelu":              func() Layer { return NewGELU() },
	"attention":         func() Layer { return NewAttention(12, 3) },
	"encoder":           func() Layer { return NewEncoderBlock(EncoderOptions{Width: 12, Heads: 3, Hidden: 20, Epsilon: 1e-6}) },
	"embed":             func() Layer { return NewEmbed(2, 8, 12, 4, 6) },
}

func TestTorchLayers(t *testing.T) {
	f := openTorch(t, "testdata/layers.safetensors", torchLayerTolerance)
	for _, name := range slices.Sorted(maps.Keys(torchLayers)) {
		f.layer(name, torchLayers[name]())
	}
	for name, smoothing := range map[string]float64{"crossentropy": 0, "crossentropy-smoothed": 0.1} {
		grad := &Tensor{}
		loss := CrossEntropy(f.tensor(name+"/x"), f.labels(name+"/labels"), smoothing, grad)
		f.equal(name+"/y", []float32{float32(loss)})
		f.equal(name+"/dx", grad.Data)
	}
	for name, make := range map[string]func(params []*Param, decay float64) Optimizer{
		"sgd":          func(p []*Param, decay float64) Optimizer { return NewSGD(p, 0, false, decay) },
		"sgd-momentum": func(p []*Param, decay float64) Optimizer { return NewSGD(p, 0.9, false, decay) },
		"sgd-nesterov": func(p []*Param, decay float64) Optimizer { return NewSGD(p, 0.9, true, decay) },
		"adamw":        func(p []*Param, decay float64) Optimizer { return NewAdamW(p, decay) },
		"adam":         func(p []*Param, decay float64) Optimizer { return NewAdamW(p, decay) },
	} {
		f.optimizer(name, make)
	}
	f.clip()
	for _, warmup := range []int{0, 5} {
		name := "cosine-warmup" + strconv.Itoa(warmup)
		for i, want := range f.doubles(name + "/y") {
			f.note(name, math.Abs(Cosine(0.3, i, warmup, 20)-want)/0.3)
		}
	}
	f.finish()
}

// layer compares a layer's pass and all its gradients.
func (f *torchFile) layer(name string, l Layer) {
	f.Helper()
	walk("", l, func(prefix string, l Layer) {
		for _, p := range l.Params() {
			want := f.tensor(name + "/p/" + join(prefix, p.Name))
			if !slices.Equal(p.Shape, want.Shape) {
				f.Fatalf("%s: %s is %v, PyTorch has %v", name, join(prefix, p.Name), p.Shape, want.Shape)
			}
			p.Import(want.Data)
		}
	})
	x, dy := f.tensor(name+"/x"), f.tensor(name+"/dy")
	maps := len(x.Shape) == 4 && name != "embed"
	if maps {
		x = bordered(x)
	}
	y := l.Forward(x, Mode{Train: !strings.HasSuffix(name, "-eval")})
	if !slices.Equal(planes(y).Shape, dy.Shape) {
		f.Fatalf("%s: the output is %v, PyTorch's is %v", name, planes(y).Shape, dy.Shape)
	}
	f.equal(name+"/y", planes(y).Data)
	if y.Border {
		dy = bordered(dy)
	}
	f.equal(name+"/dx", planes(l.Backward(dy, true)).Data)
	walk("", l, func(prefix string, l Layer) {
		for _, p := range l.Params() {
			if p.Buffer {
				f.equal(name+"/after/"+join(prefix, p.Name), p.Export())
			} else {
				f.equal(name+"/d/"+join(prefix, p.Name), p.ExportGrad())
			}
		}
	})
}

// optimizer compares the path of two parameters, of which one decays.
func (f *torchFile) optimizer(name string, make func([]*Param, float64) Optimizer) {
	f.Helper()
	weight, bias := newParam("weight", Transposed, 3, 4), newParam("bias", Plain, 3)
	weight.Decay = true
	params := []*Param{weight, bias}
	var grads, paths []*Tensor
	for _, p := range params {
		p.Import(f.tensor(name + "/p/" + p.Name).Data)
		grads, paths = append(grads, f.tensor(name+"/d/"+p.Name)), append(paths, f.tensor(name+"/after/"+p.Name))
	}
	o := make(params, f.doubles(name + "/decay")[0])
	for step, rate := range f.doubles(name + "/rates") {
		for i, p := range params {
			p.imported(p.Gradient(), grads[i].Sample(step))
		}
		o.Step(rate)
		for i, p := range params {
			f.note(name, distance(wide(p.Export()), wide(paths[i].Sample(step))))
		}
	}
}

// clip compares the clipping of two gradients by their norm.
func (f *torchFile) clip() {
	f.Helper()
	params := []*Param{newParam("weight", Transposed, 3, 4), newParam("bias", Plain, 3)}
	for _, p := range params {
		p.imported(p.Gradient(), f.tensor("clip/d/"+p.Name).Data)
	}
	f.equal("clip/norm", []float32{float32(ClipGradient(params, 2))})
	for _, p := range params {
		f.equal("clip/after/"+p.Name, p.ExportGrad())
	}
}

// TestTorchNames compares the names, shapes and order of tensors with those of the ecosystem.
func TestTorchNames(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for line := range bytes.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		want[kind] = append(want[kind], rest)
	}
	for kind, lines := range want {
		n, err := New(kind, [3]int{3, 224, 224}, 1000)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, x := range n.Tensors() {
			line := x.Name
			for _, d := range x.Shape {
				line += " " + strconv.Itoa(d)
			}
			got = append(got, line)
		}
		if !slices.Equal(got, lines) {
			t.Errorf("%s has\n\t%s\nwant\n\t%s", kind, strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
		}
	}
}
