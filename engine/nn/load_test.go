package nn

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kappa/engine/nn/weights"
)

// twoLayers is a net made by hand: a block "body" 3→4, a block "norm" with its own statistics, a head of some classes.
func twoLayers(classes int) *Net {
	n := newNet(&Net{
		Kind: "by-hand", Width: 4,
		Blocks: []Part{{"body", NewLinear(3, 4, true)}, {"norm", &statistics{newParam("running_mean", Plain, 4)}}},
		Head:   Part{"fc", NewLinear(4, classes, true)},
	})
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range n.params {
		p.fill((*rand.Rand).NormFloat64, rng)
	}
	return n
}

// statistics is a layer with a buffer that computes nothing.
type statistics struct{ mean *Param }

func (s *statistics) Forward(x *Tensor, _ Mode) *Tensor   { return x }
func (s *statistics) Backward(dy *Tensor, _ bool) *Tensor { return dy }
func (s *statistics) Parts() []Part                       { return nil }
func (s *statistics) Params() []*Param                    { return []*Param{s.mean} }

// written opens what tensors become in a file.
func written(t *testing.T, tensors []weights.Tensor) *weights.File {
	t.Helper()
	var buf bytes.Buffer
	if err := weights.Write(&buf, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// renamed returns tensors with other names, without those whose name becomes "".
func renamed(tensors []weights.Tensor, name func(string) string) []weights.Tensor {
	var out []weights.Tensor
	for _, x := range tensors {
		if x.Name = name(x.Name); x.Name != "" {
			out = append(out, x)
		}
	}
	return out
}

func constant(name string, v float32, shape ...int) weights.Tensor {
	return weights.Of(name, shape, func() []float32 {
		size := 1
		for _, d := range shape {
			size *= d
		}
		return slices.Repeat([]float32{v}, size)
	})
}

// cleared is a net of twoLayers without values.
func cleared(classes int) *Net {
	n := twoLayers(classes)
	for _, p := range n.params {
		clear(p.Value)
	}
	return n
}

func TestLoadTensors(t *testing.T) {
	n := twoLayers(2)
	var names []string
	for _, x := range n.Tensors() {
		names = append(names, fmt.Sprint(x.Name, x.Shape, x.DType))
	}
	want := []string{"body.weight[4 3]F32", "body.bias[4]F32", "norm.running_mean[4]F32", "fc.weight[2 4]F32", "fc.bias[2]F32"}
	if !slices.Equal(names, want) {
		t.Errorf("tensors %v, want %v", names, want)
	}
	counter := weights.Tensor{Name: "norm.num_batches_tracked", DType: weights.I64, Data: func() ([]byte, error) { return make([]byte, 8), nil }}
	for name, tensors := range map[string][]weights.Tensor{
		"as written":   n.Tensors(),
		"with counter": append(n.Tensors(), counter),
		"with prefix":  renamed(append(n.Tensors(), counter), func(s string) string { return "module.net." + s }),
	} {
		t.Run(name, func(t *testing.T) {
			m := cleared(2)
			if err := m.Load(written(t, tensors)); err != nil {
				t.Fatal(err)
			}
			for i, p := range m.params {
				if !slices.Equal(p.Value, n.params[i].Value) {
					t.Errorf("%s = %v, want %v", p.Name, p.Value, n.params[i].Value)
				}
			}
		})
	}
	// Row-major, whatever the order inside: body.weight[1][2] is number 1·3 + 2.
	f := written(t, n.Tensors())
	values, err := f.Float32("body.weight")
	x := NewTensor(1, 3)
	x.Data[2] = 1
	if got := n.Blocks[0].Forward(x, Mode{}).Data[1] - n.params[1].Value[1]; err != nil || math.Abs(float64(got-values[5])) > 1e-6 {
		t.Errorf("the weight from input 2 to output 1 is %v in the file and %v in the net (%v)", values[5], got, err)
	}
}

func TestLoadPretrainedHead(t *testing.T) {
	src := twoLayers(2)
	noHead := renamed(src.Tensors(), func(s string) string {
		if strings.HasPrefix(s, "fc.") {
			return ""
		}
		return s
	})
	for name, c := range map[string]struct {
		tensors []weights.Tensor
		classes int
		left    string
	}{
		"same":            {src.Tensors(), 2, ""},
		"absent":          {noHead, 2, "the file has no head (fc.weight)"},
		"other":           {src.Tensors(), 5, "the file's head (fc.weight) has 2 classes and the net 5"},
		"other, prefixed": {renamed(src.Tensors(), func(s string) string { return "backbone." + s }), 5, "the file's head (fc.weight) has 2 classes and the net 5"},
	} {
		t.Run(name, func(t *testing.T) {
			m, before := cleared(c.classes), twoLayers(c.classes)
			m.CopyFrom(before)
			clear(m.params[0].Value)
			left, err := m.LoadPretrained(written(t, c.tensors))
			if err != nil || left != c.left {
				t.Fatalf("left %q, err %v; want %q", left, err, c.left)
			}
			if !slices.Equal(m.params[0].Value, src.params[0].Value) {
				t.Error("the body was not read")
			}
			head := src.params[3].Value
			if left != "" {
				head = before.params[3].Value
			}
			if !slices.Equal(m.params[3].Value, head) {
				t.Errorf("the head is %v, want %v", m.params[3].Value, head)
			}
		})
	}
	// What Load itself says of these.
	if err := cleared(2).Load(written(t, noHead)); err == nil || !strings.Contains(err.Error(), `"fc.weight" is missing; the net has it with the shape [2 4]`) {
		t.Errorf("Load without a head: %v", err)
	}
	// A head of another width, or half of one, is no head of another number of classes.
	for name, tensors := range map[string][]weights.Tensor{
		"width": append(slices.Clone(noHead), constant("fc.weight", 1, 5, 3), constant("fc.bias", 1, 5)),
		"half":  append(slices.Clone(noHead), constant("fc.weight", 1, 5, 4)),
		"mixed": append(slices.Clone(noHead), constant("fc.weight", 1, 5, 4), constant("fc.bias", 1, 6)),
	} {
		if left, err := cleared(2).LoadPretrained(written(t, tensors)); err == nil || left != "" || !strings.Contains(err.Error(), `"fc.weight" has the shape [5 `) {
			t.Errorf("%s: left %q, err %v", name, left, err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	without := func(drop string, more ...weights.Tensor) []weights.Tensor {
		return append(renamed(twoLayers(2).Tensors(), func(s string) string {
			if s == drop {
				return ""
			}
			return s
		}), more...)
	}
	integers := weights.Tensor{Name: "body.bias", DType: weights.U8, Shape: []int{4}, Data: func() ([]byte, error) { return make([]byte, 4), nil }}
	huge := weights.Tensor{Name: "body.bias", DType: weights.F64, Shape: []int{4}, Data: func() ([]byte, error) {
		return append(make([]byte, 24), 0, 0, 0, 0, 0, 0, 0xe0, 0x7f), nil // the last is 2¹⁰²³
	}}
	var many []weights.Tensor
	for i := range 30 {
		many = append(many, constant(fmt.Sprint("extra", i), 0, i))
	}
	for name, c := range map[string]struct {
		tensors []weights.Tensor
		want    []string
	}{
		"missing": {without("body.bias"), []string{"load by-hand: 1 tensor does not fit:", `"body.bias" is missing; the net has it with the shape [4]`}},
		"shape":   {without("body.weight", constant("body.weight", 1, 3, 4)), []string{`"body.weight" has the shape [3 4] in the file and [4 3] in the net`}},
		"extra":   {without("", constant("body.scale", 1, 2, 2)), []string{`"body.scale", with the shape [2 2], is nothing of the net`}},
		"all at once": {
			without("body.bias", constant("a", 1, 2), constant("norm.num_batches_tracked", 1, 2), constant("none.num_batches_tracked", 1)),
			[]string{"4 tensors do not fit:", `"body.bias" is missing`, `"a", with`, `"norm.num_batches_tracked", with the shape [2]`, `"none.num_batches_tracked", with the shape []`},
		},
		"many":        {without("", many...), []string{"30 tensors do not fit", `"extra19", with the shape [19]`, "… and 10 more"}},
		"type":        {without("body.bias", integers), []string{`"body.bias" has the type U8; accepted: F32, F64, F16, BF16`}},
		"not finite":  {without("body.bias", constant("body.bias", float32(math.NaN()), 4)), []string{`number 1 of tensor "body.bias" is NaN`}},
		"overflow":    {without("body.bias", huge), []string{`number 4 of tensor "body.bias" is +Inf as a float32`}},
		"torchvision": {[]weights.Tensor{constant("conv_proj.weight", 1, 2)}, []string{"torchvision's names of a ViT", `"body.weight" is missing`}},
		"prefix":      {renamed(without("body.bias"), func(s string) string { return "m." + s }), []string{`all names are taken to begin with "m."`, `"m.body.bias" is missing`}},
		"two prefixes": {
			append(renamed(without(""), func(s string) string { return "q." + s }), renamed(without(""), func(s string) string { return "k." + s })...),
			[]string{"15 tensors do not fit", `"body.weight" is missing`, `"q.body.weight", with the shape [4 3], is nothing`},
		},
		"nothing": {nil, []string{"5 tensors do not fit"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := twoLayers(2)
			err := n.Load(written(t, c.tensors))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nwant %q in it", err, want)
				}
			}
			if lines := strings.Count(err.Error(), "\n"); lines > shownTensors+1 {
				t.Errorf("%d lines", lines)
			}
			if strings.Contains(err.Error(), "not fit") {
				for i, p := range twoLayers(2).params {
					if !slices.Equal(p.Value, n.params[i].Value) {
						t.Errorf("%s was changed", p.Name)
					}
				}
			}
		})
	}
}

func TestLoadPositions(t *testing.T) {
	n := newNet(&Net{Kind: "by-hand", Input: [3]int{1, 28, 28}, Blocks: []Part{{"", &statistics{newParam("pos_embed", Plain, 1, 50, 4)}}}, Head: Part{"head", NewLinear(4, 2, true)}})
	err := n.Load(written(t, append(n.Tensors()[1:], constant("pos_embed", 1, 1, 197, 4))))
	for _, want := range []string{`"pos_embed" has the shape [1 197 4] in the file and [1 50 4] in the net`, "images of 28×28", "img_size=28"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}
