package nn

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"kappa/engine/nn/weights"
)

// shownTensors is how many tensors an error of Load lists; of the rest it gives the number.
const shownTensors = 20

// countedBatches ends the name of the counter that PyTorch's batch norms keep beside their statistics; nothing here reads it.
const countedBatches = ".num_batches_tracked"

// Tensors returns all parameters and buffers as they are written: names, shapes and order of the ecosystem, F32. Values are read when
// a tensor is written: until then nothing may train the net.
func (n *Net) Tensors() []weights.Tensor {
	out := make([]weights.Tensor, len(n.params))
	for i, p := range n.params {
		out[i] = weights.Of(p.Name, p.Shape, p.Export)
	}
	return out
}

// Load takes all parameters and buffers from f, which holds them under their names and in their shapes and nothing else, as
// [Net.Tensors] or PyTorch's state_dict give them: of type F32, F64, F16 or BF16, all finite. Counters named num_batches_tracked may be
// there. All names may have the same prefix, such as "module.".
//
// The error lists the tensors that are missing, that belong to nothing, or whose shape or type does not fit; the net is then as it
// was. After an error of reading, or of a number that is NaN or infinite, it holds some of the file's values.
func (n *Net) Load(f *weights.File) error {
	_, err := n.load(f, false)
	return err
}

// LoadPretrained is [Net.Load] for a net whose head is to be trained anew: the file may have none, or one of another number of
// classes. The head is then left as it is, and left says why; otherwise left is "".
func (n *Net) LoadPretrained(f *weights.File) (left string, err error) { return n.load(f, true) }

func (n *Net) load(f *weights.File, anyHead bool) (left string, err error) {
	l := &loading{net: n, file: f, prefix: n.prefixIn(f)}
	if anyHead {
		left = l.skipHead()
	}
	l.compare(left != "")
	if err := l.failed(); err != nil {
		return "", err
	}
	for _, p := range n.params {
		if left != "" && within(n.Head.Name, p.Name) {
			continue
		}
		values, err := f.Float32(l.prefix + p.Name)
		if err != nil {
			return "", fmt.Errorf("load %s: %w", n.Kind, err)
		}
		for i, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return "", fmt.Errorf("load %s: number %d of tensor %q is %v as a float32; accepted: finite numbers", n.Kind, i+1, p.Name, v)
			}
		}
		p.Import(values)
	}
	return left, nil
}

// prefixIn returns what stands before all names in f: "" unless the net's first name is not there and exactly one ends in it after a
// dot.
func (n *Net) prefixIn(f *weights.File) string {
	if len(n.params) == 0 {
		return ""
	}
	first := n.params[0].Name
	if _, ok := f.Lookup(first); ok {
		return ""
	}
	found := ""
	for _, name := range f.Names() {
		if strings.HasSuffix(name, "."+first) {
			if found != "" {
				return ""
			}
			found = strings.TrimSuffix(name, first)
		}
	}
	return found
}

// loading compares a file with a net.
type loading struct {
	net      *Net
	file     *weights.File
	prefix   string
	problems []string // one for each tensor
}

func (l *loading) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

// skipHead says why the head is not to be read, "" if it is: the file has none, or one that differs in the number of classes alone.
func (l *loading) skipHead() string {
	var have, other []int // the head's first dimensions in the file
	for _, p := range l.net.params {
		if !within(l.net.Head.Name, p.Name) {
			continue
		}
		t, ok := l.file.Lookup(l.prefix + p.Name)
		switch {
		case !ok:
			other = append(other, 0)
		case len(t.Shape) != len(p.Shape) || !slices.Equal(t.Shape[1:], p.Shape[1:]):
			return "" // compare names it
		default:
			have = append(have, t.Shape[0])
			other = append(other, t.Shape[0])
		}
	}
	switch {
	case len(have) == 0:
		return fmt.Sprintf("the file has no head (%s.weight)", l.net.Head.Name)
	case slices.Min(other) == slices.Max(other) && other[0] != l.net.Classes():
		return fmt.Sprintf("the file's head (%s.weight) has %d classes and the net %d", l.net.Head.Name, other[0], l.net.Classes())
	}
	return ""
}

// compare notes what is missing, what does not fit and what belongs to nothing.
func (l *loading) compare(withoutHead bool) {
	known := make(map[string]bool, len(l.net.params))
	for _, p := range l.net.params {
		name := l.prefix + p.Name
		known[name] = true
		if withoutHead && within(l.net.Head.Name, p.Name) {
			continue
		}
		t, ok := l.file.Lookup(name)
		switch {
		case !ok:
			l.problem("%q is missing; the net has it with the shape %v", name, p.Shape)
		case !slices.Equal(t.Shape, p.Shape) && p.Name == "pos_embed":
			l.problem("%q has the shape %v in the file and %v in the net: it is of another size of images; export it for images of %d×%d (timm: create_model(…, img_size=%d) resamples it)",
				name, t.Shape, p.Shape, l.net.Input[1], l.net.Input[2], l.net.Input[1])
		case !slices.Equal(t.Shape, p.Shape):
			l.problem("%q has the shape %v in the file and %v in the net", name, t.Shape, p.Shape)
		case !slices.Contains([]weights.DType{weights.F32, weights.F64, weights.F16, weights.BF16}, t.DType):
			l.problem("%q has the type %s; accepted: F32, F64, F16, BF16", name, t.DType)
		}
	}
	for _, t := range l.file.Tensors() {
		if known[t.Name] || l.counter(t, known) {
			continue
		}
		l.problem("%q, with the shape %v, is nothing of the net", t.Name, t.Shape)
	}
}

// counter says whether a tensor is a batch norm's counter.
func (l *loading) counter(t weights.Tensor, known map[string]bool) bool {
	norm, ok := strings.CutSuffix(t.Name, countedBatches)
	return ok && known[norm+".running_mean"] && len(t.Shape) == 0
}

// failed is the error of all problems; nil if there are none.
func (l *loading) failed() error {
	if len(l.problems) == 0 {
		return nil
	}
	count := "1 tensor does"
	if len(l.problems) > 1 {
		count = fmt.Sprintf("%d tensors do", len(l.problems))
	}
	text := fmt.Sprintf("load %s: %s not fit%s:", l.net.Kind, count, l.hint())
	for i, p := range l.problems {
		if i == shownTensors {
			text += fmt.Sprintf("\n\t… and %d more", len(l.problems)-i)
			break
		}
		text += "\n\t" + p
	}
	return fmt.Errorf("%s", text)
}

// hint says what the file may be where it is known.
func (l *loading) hint() string {
	if _, ok := l.file.Lookup("conv_proj.weight"); ok {
		return " (these are torchvision's names of a ViT; accepted: timm's, as of vit_base_patch16_224)"
	}
	if l.prefix != "" {
		return fmt.Sprintf(" (all names are taken to begin with %q)", l.prefix)
	}
	return ""
}
