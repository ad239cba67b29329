package nn

import "kappa/engine/blas"

// convNorm is a convolution, its batch norm, and what may follow: a sum with other maps and a ReLU. An image is taken through all that
// can be done with it while it is in the cache. conv and norm stand in the net under their own names.
type convNorm struct {
	conv    *Conv2d
	norm    *BatchNorm2d
	forward func(lo, hi int)
	back    func(lo, hi int)
	below   *convNorm
	memory  spares[between]
}

// between is the gradient between the norm and the convolution, in one image: it is all that is in the cache at a time.
type between struct {
	maps Tensor
	in   window
}

func newConvNorm(in, out, kernel, stride, pad int) *convNorm {
	u := &convNorm{conv: NewConv2d(in, out, kernel, stride, pad, false), norm: NewBatchNorm2d(out)}
	u.forward, u.back = u.images, u.backPieces
	return u
}

// pass returns the maps of x; see [BatchNorm2d.pass].
func (u *convNorm) pass(x, r *Tensor, relu bool, mode Mode) *Tensor {
	u.conv.begin(x)
	u.norm.begin(&u.conv.y, mode)
	blas.Split(x.N(), 1, u.forward)
	return u.norm.finish(r, relu)
}

func (u *convNorm) images(lo, hi int) {
	for i := lo; i < hi; i++ {
		u.conv.image(i)
		if u.norm.batch {
			u.norm.imageMoments(i)
		}
	}
}

// trained says whether a backward pass has to give a parameter a gradient.
func (u *convNorm) trained() bool { return u.conv.weight.Trained() || u.norm.trained() }

// backward takes the gradient in the result of pass. A ReLU takes dy itself to the gradient before it, which is also that of
// what was added. The gradient in x is stored in dx, or added to it, if dx is not nil. If dx is the gradient in the result of another
// unit, below, its first half is done with each image at once: what comes next is below's finishBack.
func (u *convNorm) backward(dy, dx *Tensor, add bool, below *convNorm) {
	u.norm.beginBack(dy)
	blas.Split(dy.N(), 1, u.norm.backSums)
	u.finishBack(dx, add, below)
}

// finishBack is backward from where dy has been summed up.
func (u *convNorm) finishBack(dx *Tensor, add bool, below *convNorm) {
	u.norm.coefficients()
	u.below = below
	if below != nil {
		below.norm.beginBack(dx)
	}
	if dx == nil && !u.conv.weight.Trained() {
		return
	}
	u.conv.beginBack(dx, add)
	blas.Split(u.conv.back.pieces, 1, u.back)
	u.conv.endBack()
}

func (u *convNorm) backPieces(lo, hi int) {
	b := &u.conv.back
	d := u.memory.take()
	_, h, w, c := u.conv.y.Maps()
	d.maps.ResizeMaps(1, h, w, c)
	d.in.set(&d.maps, b.before, b.after)
	for i := lo * b.piece; i < min(b.sizes[0], hi*b.piece); i++ {
		u.norm.imageBackApply(i, d.maps.Sample(0))
		u.conv.backImage(i, &d.maps, &d.in, 0)
		if u.below != nil {
			u.below.norm.imageBackSums(i)
		}
	}
	u.memory.give(d)
}
