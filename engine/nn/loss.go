package nn

import "math"

const badLabel = "nn: no such class"

// CrossEntropy returns the mean cross-entropy of B×K logits z with labels in [0, K), smoothed by ε in [0, 1):
//
//	L = 1/B·Σ_i [ lse(z_i) − (1−ε)·z_i,y(i) − ε/K·Σ_k z_ik ],  lse(z) = ln Σ_k exp(z_k),
//
// which is the cross-entropy with the distribution (1−ε)·1_y + ε/K (Szegedy et al., Rethinking the Inception Architecture for
// Computer Vision, CVPR 2016, section 7), PyTorch's CrossEntropyLoss(label_smoothing=ε). Sums are in float64. Where grad is not
// nil it becomes ∂L/∂z, B×K: (softmax(z_i) − (1−ε)·1_y(i) − ε/K)/B.
//
// A logit that is NaN or +Inf makes the loss NaN. It panics if a label is no class, or if there are not as many labels as rows.
func CrossEntropy(logits *Tensor, labels []int, smoothing float64, grad *Tensor) float64 {
	rows, classes := classesOf(logits, labels)
	if grad != nil {
		grad.Resize(rows, classes)
	}
	sum := 0.0
	each, scale := smoothing/float64(classes), 1/float64(rows)
	for i, y := range labels {
		z := logits.Data[i*classes : (i+1)*classes]
		top, total := LogSumExp(z)
		// Σ_k q_k·(lse − z_k), with the logits less their largest: large ones do not hide their differences.
		term := math.Log(total) - (1-smoothing)*(float64(z[y])-top)
		if smoothing > 0 {
			linear := 0.0
			for _, v := range z {
				linear += float64(v) - top
			}
			term -= each * linear
		}
		sum += term
		if grad == nil {
			continue
		}
		g := grad.Data[i*classes : (i+1)*classes]
		for k, v := range z {
			p := math.Exp(float64(v)-top)/total - each
			if k == y {
				p -= 1 - smoothing
			}
			g[k] = float32(p * scale)
		}
	}
	return sum * scale
}

// LogSumExp returns the largest of z and Σ_k exp(z_k − top): ln Σ_k exp(z_k) = top + ln total, without overflow. NaN and +Inf in z
// give a total of NaN. z is not empty.
func LogSumExp(z []float32) (top, total float64) {
	top = math.Inf(-1)
	for _, v := range z {
		top = max(top, float64(v))
	}
	for _, v := range z {
		total += math.Exp(float64(v) - top)
	}
	return top, total
}

// Correct returns how many of the labels have the largest of the logits in their row, the first where several are. A row with a NaN is
// wrong. It panics as CrossEntropy does.
func Correct(logits *Tensor, labels []int) int {
	_, classes := classesOf(logits, labels)
	right := 0
	for i, y := range labels {
		z := logits.Data[i*classes : (i+1)*classes]
		best, sound := 0, true
		for k, v := range z {
			sound = sound && v == v
			if v > z[best] {
				best = k
			}
		}
		if sound && best == y {
			right++
		}
	}
	return right
}

// classesOf returns the sizes of logits, and panics if labels do not go with them.
func classesOf(logits *Tensor, labels []int) (rows, classes int) {
	if len(logits.Shape) != 2 || logits.Border || logits.Shape[0] != len(labels) || logits.Shape[1] < 1 {
		panic(badShape)
	}
	for _, y := range labels {
		if y < 0 || y >= logits.Shape[1] {
			panic(badLabel)
		}
	}
	return logits.Shape[0], logits.Shape[1]
}
