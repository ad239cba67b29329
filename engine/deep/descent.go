package deep

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/immunize"
	"kappa/engine/nn"
)

// objective is what a method minimises: the supervised loss, if loss, and its two terms, each with a weight.
type objective struct {
	loss             bool // L(D_P, ω, θ), label-smoothed; it also trains the head
	primary, harmful term // of H̃_P and H̃_H; nil: none
}

// descent is the loop that the methods on nets share.
type descent struct {
	net              *nn.Net
	o                *Options
	obj              objective
	primary, harmful side
	extractor        []*nn.Param // that move
	params           []*nn.Param // those, and the head's where there is a loss
	optimizer        *nn.SGD
	before           [][]float32 // values of params before the last step
	res              Result
}

// run takes the steps of a method that minimises obj.
func run(ctx context.Context, p Problem, o Options, draw Draw, obj objective) (Result, error) {
	d, err := newDescent(p, o, draw, obj)
	if err != nil {
		return Result{}, err
	}
	defer p.Net.Thaw()
	if o.From != nil {
		if err := d.restore(o.From); err != nil {
			return Result{}, err
		}
	}
	if err := d.steps(ctx); err != nil {
		return Result{}, err
	}
	if note := d.unbalanced(); note != "" {
		d.res.Reason = strings.TrimPrefix(d.res.Reason+"; "+note, "; ")
	}
	return d.res, nil
}

func newDescent(p Problem, o Options, draw Draw, obj objective) (*descent, error) {
	for _, t := range []struct {
		name   string
		images Images
	}{{"primary", p.Primary}, {"harmful", p.Harmful}} {
		if err := fits(p.Net, t.images, t.name); err != nil {
			return nil, err
		}
	}
	if have, want := p.Net.Classes(), p.Primary.Classes(); obj.loss && have < want {
		return nil, fmt.Errorf("the primary task has %d classes, the net's head %d", want, have)
	}
	_, inner := obj.harmful.(*adversary)
	if err := o.check(p, inner); err != nil {
		return nil, err
	}
	unfrozen := o.Unfrozen
	if unfrozen == nil {
		unfrozen = p.Net.Unfrozen
	}
	if err := p.Net.Freeze(unfrozen...); err != nil {
		p.Net.Thaw()
		return nil, err
	}
	d := &descent{net: p.Net, o: &o, obj: obj}
	head := p.Net.Head.Params()
	for _, v := range p.Net.Trained() {
		if !slices.Contains(head, v) {
			d.extractor = append(d.extractor, v)
		}
	}
	d.params = d.extractor
	if obj.loss {
		d.params = p.Net.Trained()
	}
	if len(d.extractor) == 0 {
		p.Net.Thaw()
		return nil, fmt.Errorf("nothing of the net %s is unfrozen but its head: no features can change", p.Net.Kind)
	}
	d.optimizer = nn.NewSGD(d.params, o.Momentum, o.Momentum > 0, o.WeightDecay)
	for _, v := range d.params {
		d.before = append(d.before, make([]float32, len(v.Value)))
	}
	d.primary = side{name: "primary", images: p.Primary, term: obj.primary, draws: newBatches(p.Primary.Len(), o.Batch, draw("primary"))}
	d.harmful = side{name: "harmful", images: p.Harmful, term: obj.harmful, draws: newBatches(p.Harmful.Len(), o.Batch, draw("harmful"))}
	for _, s := range []*side{&d.primary, &d.harmful} {
		s.f, s.d = mat.NewDense(o.Batch, p.Net.Width, nil), mat.NewDense(o.Batch, p.Net.Width, nil)
		s.labels = make([]int, o.Batch)
		s.draw()
		s.first = slices.Clone(s.draws.order[:min(2*o.Batch, s.images.Len())])
	}
	return d, nil
}

// trouble is why no step can be taken.
type trouble struct {
	status immunize.Status
	reason string
}

func (t *trouble) Error() string { return t.reason }

// diverged says where a number that is not finite came from.
func (d *descent) diverged(s *side, what string) *trouble {
	reason := fmt.Sprintf("step %d: %s", d.res.Steps+1, what)
	if where := d.net.Locate(&s.x); where != "" {
		reason += "; the first number that is not finite is in " + where
	}
	return &trouble{immunize.Diverged, reason}
}

// steps is the loop.
func (d *descent) steps(ctx context.Context) error {
	if d.o.From == nil {
		if err := d.balance(); err != nil {
			return d.stop(err)
		}
	}
	for t := d.res.Steps; ; t++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t == 0 || t == d.o.Steps || d.o.TraceAt != nil && d.o.TraceAt(t, d.o.Steps) {
			if err := d.trace(ctx, t); err != nil {
				return d.stop(err)
			}
		}
		if t == d.o.Steps {
			d.res.Status = immunize.StepLimit
			return nil
		}
		if err := d.step(t); err != nil {
			return d.stop(err)
		}
		if d.o.Progress != nil {
			d.o.Progress(t+1, d.o.Steps)
		}
		if d.o.Checkpoint != nil && d.o.CheckpointAt != nil && d.o.CheckpointAt(t+1, d.o.Steps) {
			if err := d.o.Checkpoint(d.state()); err != nil {
				return err
			}
		}
	}
}

// stop ends the method where no step can be taken; another error it returns. After a step that led to numbers that are not finite the
// parameters are those before it.
func (d *descent) stop(err error) error {
	t, ok := err.(*trouble)
	if !ok {
		return err
	}
	d.res.Status, d.res.Reason = t.status, t.reason
	if t.status == immunize.Diverged && d.res.Steps > 0 {
		for i, v := range d.params {
			copy(v.Value, d.before[i])
		}
		d.res.Steps--
	}
	return nil
}

// step takes the step from state t.
func (d *descent) step(t int) error {
	d.net.ZeroGrad()
	p, err := d.accumulate(&d.primary, d.obj.loss)
	if err != nil {
		return err
	}
	h, err := d.accumulate(&d.harmful, false)
	if err != nil {
		return err
	}
	if !p || !h {
		d.res.Skipped++
		if !d.obj.loss && !(p && d.obj.primary != nil) && !(h && d.obj.harmful != nil) {
			return &trouble{immunize.Degenerate, fmt.Sprintf("step %d: no term has a gradient, because all non-zero singular values of a batch's features are equal", t+1)}
		}
	}
	norm := nn.ClipGradient(d.params, d.o.ClipNorm)
	if norm-norm != 0 {
		return d.diverged(&d.harmful, fmt.Sprintf("the norm of the gradient is %v", norm))
	}
	for i, v := range d.params {
		copy(d.before[i], v.Value)
	}
	d.optimizer.Step(nn.Cosine(d.o.LearningRate, t, d.o.Warmup, d.o.Steps))
	d.res.Steps++
	d.primary.draw()
	d.harmful.draw()
	return nil
}
