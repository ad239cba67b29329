package deep

import (
	"context"
	"fmt"

	"kappa/engine/nn"
)

// source is what a net, or the part of one above its trunk, is trained and tested on.
type source interface {
	count() int
	label(dst []int, rows []int) []int // appends to dst
	read(x *nn.Tensor, rows []int) error
}

// pictures are some images of a data set, in an order.
type pictures struct {
	images Images
	which  []int // nil: all, in their order
	dims   [3]int
	rows   []int
}

// newPictures checks that a net can read images.
func newPictures(net *nn.Net, images Images, which []int) (*pictures, error) {
	c, h, w := images.Dims()
	switch {
	case [3]int{c, h, w} != net.Input:
		return nil, fmt.Errorf("the images are %d×%d×%d (channels, height, width), the net reads %d×%d×%d", c, h, w, net.Input[0], net.Input[1], net.Input[2])
	case images.Classes() > net.Classes():
		return nil, fmt.Errorf("the images have %d classes, the net's head %d", images.Classes(), net.Classes())
	}
	return &pictures{images: images, which: which, dims: net.Input}, nil
}

func (p *pictures) count() int {
	if p.which == nil {
		return p.images.Len()
	}
	return len(p.which)
}

// of returns the rows of the data set.
func (p *pictures) of(rows []int) []int {
	if p.which == nil {
		return rows
	}
	p.rows = p.rows[:0]
	for _, r := range rows {
		p.rows = append(p.rows, p.which[r])
	}
	return p.rows
}

func (p *pictures) label(dst []int, rows []int) []int {
	for _, r := range p.of(rows) {
		dst = append(dst, p.images.Label(r))
	}
	return dst
}

func (p *pictures) read(x *nn.Tensor, rows []int) error {
	x.Resize(len(rows), p.dims[0], p.dims[1], p.dims[2])
	return p.images.Batch(x.Data, p.of(rows))
}

// outputs are what a net's trunk gives for pictures, computed once.
type outputs struct {
	all    nn.Tensor
	labels []int
}

func (o *outputs) count() int { return len(o.labels) }

func (o *outputs) label(dst []int, rows []int) []int {
	for _, r := range rows {
		dst = append(dst, o.labels[r])
	}
	return dst
}

func (o *outputs) read(x *nn.Tensor, rows []int) error {
	x.Gather(&o.all, rows)
	return nil
}

// trunk computes what a net's trunk gives each time anew.
type trunk struct {
	pictures
	net  *nn.Net
	to   int
	x    nn.Tensor
	self []int
}

func (t *trunk) read(x *nn.Tensor, rows []int) error {
	if err := t.pictures.read(&t.x, rows); err != nil {
		return err
	}
	y := t.net.Through(0, t.to, &t.x, nn.Mode{})
	for len(t.self) < len(rows) {
		t.self = append(t.self, len(t.self))
	}
	x.Gather(y, t.self[:len(rows)])
	return nil
}

// keptNumbers is how many numbers of a trunk's outputs are kept: 1 GiB. Above that they are computed again in each step.
const keptNumbers = 1 << 28

// above returns what the first to blocks of a net, in eval mode, give for pictures, in batches of batch.
func above(ctx context.Context, net *nn.Net, to int, p *pictures, batch int) (source, error) {
	if to == 0 {
		return p, nil
	}
	n := p.count()
	through := &trunk{pictures: *p, net: net, to: to}
	out := &outputs{labels: make([]int, 0, n)}
	var y nn.Tensor
	rows := make([]int, 0, batch)
	for at := 0; at < n; at += len(rows) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows = rows[:0]
		for i := at; i < min(at+batch, n); i++ {
			rows = append(rows, i)
		}
		if err := through.read(&y, rows); err != nil {
			return nil, err
		}
		if at == 0 {
			if y.SampleSize()*n > keptNumbers {
				return through, nil
			}
			out.all.ResizeLike(&y, n)
		}
		y.Scatter(&out.all, at)
		out.labels = p.label(out.labels, rows)
	}
	return out, nil
}
