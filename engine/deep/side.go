package deep

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/nn"
	"kappa/engine/regularizer"
)

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

// draw takes up the next batch.
func (s *side) draw() { s.rows = s.draws.next() }

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
