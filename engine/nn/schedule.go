package nn

import "math"

// Cosine returns the learning rate of step t = 0, 1, …, T−1 of T = steps, with the highest rate peak: a linear warm-up of w = warmup
// steps and the rest of a cosine's half period (Loshchilov and Hutter, SGDR, ICLR 2017, Eq. 5, without restarts),
//
//	peak·(t+1)/(w+1)                       for t < w,
//	peak/2·(1 + cos(π(t − w)/(T − w)))     from t = w on.
//
// Step 0 has peak/(w+1), thus peak without a warm-up; step w has peak; the last step has peak·sin²(π/(2(T−w))), small but not
// 0, which would be that of step T. With w ≥ T the peak is not reached.
func Cosine(peak float64, t, warmup, steps int) float64 {
	if t < warmup {
		return peak * float64(t+1) / float64(warmup+1)
	}
	if t >= steps {
		return 0
	}
	return peak / 2 * (1 + math.Cos(math.Pi*float64(t-warmup)/float64(steps-warmup)))
}
