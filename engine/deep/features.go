package deep

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/nn"
)

// evalBatch is the number of images that a net sees at once where nothing is trained: a net keeps what a backward pass would need of
// all of them.
const evalBatch = 50

// gather stores the images rows of a data set in x, N×C×H×W.
func gather(x *nn.Tensor, images Images, rows []int) error {
	c, h, w := images.Dims()
	x.Resize(len(rows), c, h, w)
	return images.Batch(x.Data, rows)
}

// Features stores the features of the images rows in dst, which is empty or len(rows)×net.Width: float32 numbers, in the evaluation mode
// of the net. The error is that of reading the images, or ctx.Err(). The net's last forward pass is then one of these.
func Features(ctx context.Context, dst *mat.Dense, net *nn.Net, images Images, rows []int) error {
	if dst.IsEmpty() {
		dst.ReuseAs(len(rows), net.Width)
	}
	var x nn.Tensor
	for at := 0; at < len(rows); at += evalBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := rows[at:min(at+evalBatch, len(rows))]
		if err := gather(&x, images, part); err != nil {
			return err
		}
		f := net.Features(&x, nn.Mode{})
		for i := range part {
			widen(dst.RawRowView(at+i), f.Sample(i))
		}
	}
	return nil
}

// widen stores float32 numbers as float64 ones.
func widen(dst []float64, src []float32) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}

// fits says what of a data set does not go with a net.
func fits(net *nn.Net, images Images, name string) error {
	c, h, w := images.Dims()
	if in := net.Input; in != [3]int{c, h, w} {
		return fmt.Errorf("the %s task has images of %d×%d×%d (channels, height, width), the net %s takes %d×%d×%d", name, c, h, w, net.Kind, in[0], in[1], in[2])
	}
	if images.Len() == 0 {
		return fmt.Errorf("the %s task has no images", name)
	}
	return nil
}
