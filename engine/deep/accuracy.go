package deep

import (
	"context"
	"fmt"

	"kappa/engine/nn"
)

// Accuracy returns the share of the images whose label has the largest logit, and their mean cross-entropy without smoothing, of a net
// in eval mode on batches of at most batch images, all of them. Both are NaN where there are no images; the loss is where a logit is. The
// error is ctx.Err() once ctx is done, or the images'.
func Accuracy(ctx context.Context, net *nn.Net, images Images, batch int) (accuracy, loss float64, err error) {
	src, err := newPictures(net, images, nil)
	if err != nil {
		return 0, 0, err
	}
	if batch < 1 {
		return 0, 0, fmt.Errorf("batches of %d images; accepted: 1 or more", batch)
	}
	return evaluate(ctx, net, 0, src, batch)
}

// evaluate is Accuracy of a net whose blocks from … are computed, on what the one before gives.
func evaluate(ctx context.Context, net *nn.Net, from int, src source, batch int) (accuracy, loss float64, err error) {
	var x nn.Tensor
	var labels []int
	rows := make([]int, 0, batch)
	n, right := src.count(), 0
	for at := 0; at < n; at += len(rows) {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		rows = rows[:0]
		for i := at; i < min(at+batch, n); i++ {
			rows = append(rows, i)
		}
		if err := src.read(&x, rows); err != nil {
			return 0, 0, err
		}
		labels = src.label(labels[:0], rows)
		logits := net.Logits(net.Through(from, len(net.Blocks), &x, nn.Mode{}), nn.Mode{})
		right += nn.Correct(logits, labels)
		loss += nn.CrossEntropy(logits, labels, 0, nil) * float64(len(rows))
	}
	return float64(right) / float64(n), loss / float64(n), nil
}
