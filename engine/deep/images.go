package deep

import "math/rand/v2"

// Images are labelled images that can be read in any order, also by several goroutines at once.
type Images interface {
	Len() int
	Dims() (channels, height, width int)
	Classes() int    // labels are 0 … Classes−1
	Label(i int) int // of image i
	// Batch writes the images rows, preprocessed, one after another to dst, each C×H×W.
	Batch(dst []float32, rows []int) error
}

// Task is a data set with the part that is trained on and the part that is tested on.
type Task struct{ Train, Test Images }

// Draw returns random numbers for one purpose; they depend on the purpose and on the run's seed alone.
type Draw func(purpose ...string) *rand.Rand
