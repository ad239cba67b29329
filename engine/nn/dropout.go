package nn

const (
	badDropout = "nn: probability of dropout outside [0, 1]"
	noRandom   = "nn: dropout without random numbers"
)

// Dropout sets every number of x to zero with probability P where Mode.Train is set, and multiplies the others by 1/(1−P), so that
// the expectation is x; otherwise it changes nothing. It draws from Mode.Rand, number after number: what is dropped depends on the
// generator alone.
type Dropout struct {
	P float64 // in [0, 1]

	dropped bool      // by the last Forward
	scale   []float32 // what each number was multiplied by
	y, dx   Tensor
}

// NewDropout returns the layer. It panics unless 0 ≤ p ≤ 1.
func NewDropout(p float64) *Dropout {
	if !(p >= 0 && p <= 1) {
		panic(badDropout)
	}
	return &Dropout{P: p}
}

// Params are none.
func (l *Dropout) Params() []*Param { return nil }

// Parts are none.
func (l *Dropout) Parts() []Part { return nil }

// Forward returns x with numbers dropped, or x itself where nothing is. It panics where it has to drop and mode has no Rand.
func (l *Dropout) Forward(x *Tensor, mode Mode) *Tensor {
	l.dropped = mode.Train && l.P > 0
	if !l.dropped {
		return x
	}
	if mode.Rand == nil {
		panic(noRandom)
	}
	if x.Border {
		panic(badShape)
	}
	l.y.Resize(x.Shape...)
	l.scale = sized(l.scale, len(x.Data))
	keep := float32(0) // where all is dropped
	if l.P < 1 {
		keep = float32(1 / (1 - l.P))
	}
	for i, v := range x.Data {
		l.scale[i] = 0
		if mode.Rand.Float64() >= l.P {
			l.scale[i] = keep
		}
		l.y.Data[i] = l.scale[i] * v
	}
	return &l.y
}

// Backward returns dy with the same numbers dropped.
func (l *Dropout) Backward(dy *Tensor, want bool) *Tensor {
	if !want {
		return nil
	}
	if !l.dropped {
		return dy
	}
	if len(dy.Data) != len(l.scale) {
		panic(badShape)
	}
	l.dx.Resize(l.y.Shape...)
	for i, d := range dy.Data {
		l.dx.Data[i] = l.scale[i] * d
	}
	return &l.dx
}
