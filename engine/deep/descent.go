package deep

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/immunize"
	"kappa/engine/nn"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// objective is what a method minimises: the supervised loss, if loss, and its two terms, each with a weight.
type objective struct {
	loss             bool // L(D_P, ω, θ), label-smoothed; it also trains the head
	primary, harmful term // of H̃_P and H̃_H; nil: none
}

// side is one task in the loop, with the memory of a batch.
type side struct {
	name   string
	images Images
	term   term
	lambda float64
	draws  *batches
	rows   []int // of the step
	first  []int // of the first batch, and the second behind it: κ is traced on them

	x        nn.Tensor
	labels   []int
	out      *nn.Tensor // the features, as the net gave them
	f, d     *mat.Dense // and as float64; the gradient in them
	df, dz   nn.Tensor  // the gradients in features and logits that go back
	spectrum regularizer.Features
	loss     float64 // of the last pass
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
	if err := d.steps(ctx); err != nil {
		return Result{}, err
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

// draw takes up the next batch.
func (s *side) draw() { s.rows = s.draws.next() }

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

// forward computes the features of some images of a task, and the supervised loss on them where loss is set, with its gradient in
// the features in s.d, else zeros; the head gets its gradient where the loss trains it.
func (d *descent) forward(s *side, rows []int, loss, play bool) error {
	if err := gather(&s.x, s.images, rows); err != nil {
		return fmt.Errorf("images of the %s task: %w", s.name, err)
	}
	for i, r := range rows {
		s.labels[i] = s.images.Label(r)
	}
	s.out = d.net.Features(&s.x, nn.Mode{})
	for i := range rows {
		widen(s.f.RawRowView(i), s.out.Sample(i))
	}
	s.loss = math.NaN()
	s.d.Zero()
	if loss {
		s.loss = nn.CrossEntropy(d.net.Logits(s.out, nn.Mode{}), s.labels, d.o.LabelSmoothing, &s.dz)
		if s.loss-s.loss != 0 {
			return d.diverged(s, fmt.Sprintf("the loss on the primary task is %v", s.loss))
		}
		df := d.net.Head.Backward(&s.dz, true)
		for i := range rows {
			widen(s.d.RawRowView(i), df.Sample(i))
		}
	}
	if err := s.spectrum.Set(s.f); err != nil {
		return d.diverged(s, fmt.Sprintf("features of the %s task are not finite", s.name))
	}
	if s.term != nil {
		s.term.set(s.f, &s.spectrum, s.labels, play)
	}
	return nil
}

// backward takes c times the gradient in s.d back through the net.
func (d *descent) backward(s *side) {
	s.df.Resize(s.out.Shape...)
	for i := range s.out.N() {
		row := s.df.Sample(i)
		for j, v := range s.d.RawRowView(i) {
			row[j] = float32(v)
		}
	}
	d.net.Backward(&s.df)
}

// accumulate adds the gradient of a task's part of the objective on the step's batch to those of the parameters, and reports whether
// the task's term has one, or there is no term.
func (d *descent) accumulate(s *side, loss bool) (ok bool, err error) {
	if !loss && (s.term == nil || s.lambda == 0) {
		return true, nil
	}
	if err := d.forward(s, s.rows, loss, true); err != nil {
		return false, err
	}
	ok = true
	if s.term != nil && s.lambda != 0 {
		ok = s.term.add(s.d, s.lambda)
	}
	if ok || loss {
		d.backward(s)
	}
	return ok, nil
}

// steps is the loop.
func (d *descent) steps(ctx context.Context) error {
	if err := d.balance(); err != nil {
		return d.stop(err)
	}
	for t := 0; ; t++ {
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

// balance sets the weights of the terms.
func (d *descent) balance() error {
	for _, v := range []struct {
		s *side
		l immunize.Lambda
	}{{&d.primary, d.o.LambdaPrimary}, {&d.harmful, d.o.LambdaHarmful}} {
		v.s.lambda = v.l.Value
		if v.s.term == nil || !v.l.Balance {
			continue
		}
		v.s.lambda = 0
		norm, err := d.norm(v.s, v.s.first[:d.o.Batch], false)
		if err != nil {
			return err
		}
		if norm > 0 {
			v.s.lambda = d.o.BalanceNorm / norm
		}
	}
	return nil
}

// norm returns the norm of the gradient of a side's term, or of the loss, in the extractor's parameters; NaN where there is none. Their
// gradients are overwritten.
func (d *descent) norm(s *side, rows []int, loss bool) (float64, error) {
	if err := d.forward(s, rows, loss, false); err != nil {
		return math.NaN(), err
	}
	if !loss && !s.term.add(s.d, 1) {
		return math.NaN(), nil
	}
	d.net.ZeroGrad()
	d.backward(s)
	return nn.GradientNorm(d.extractor), nil
}

// trace measures state t.
func (d *descent) trace(ctx context.Context, t int) error {
	nan := math.NaN()
	point := Point{Step: t, LossPrimary: nan, LossHarmful: nan, GradLoss: nan, GradWell: nan, GradIll: nan}
	var err error
	if d.obj.loss {
		if point.GradLoss, err = d.norm(&d.primary, d.primary.rows, true); err != nil {
			return err
		}
		point.LossPrimary = d.primary.loss
	}
	for _, v := range []struct {
		s    *side
		norm *float64
	}{{&d.primary, &point.GradWell}, {&d.harmful, &point.GradIll}} {
		if v.s.term != nil {
			*v.norm, err = d.norm(v.s, v.s.rows, false)
		} else {
			err = d.forward(v.s, v.s.rows, false, false)
		}
		if err != nil {
			return err
		}
	}
	point.RWell, point.RIll = d.primary.spectrum.Values().Well, d.harmful.spectrum.Values().Ill
	if a, ok := d.obj.harmful.(*adversary); ok {
		point.LossHarmful = a.loss
	}
	for _, v := range []struct {
		s  *side
		to *spectrum.Conditions
	}{{&d.primary, &point.Primary}, {&d.harmful, &point.Harmful}} {
		var f mat.Dense
		if err := Features(ctx, &f, d.net, v.s.images, v.s.first); err != nil {
			return err
		}
		*v.to = ConditionsOf(&f)
	}
	d.res.Trace = append(d.res.Trace, point)
	return nil
}
