package runner

import (
	"fmt"
	"math"
)

// netMemory is what nets of a kind take, as measured.
type netMemory struct {
	params func(s netSize) float64 // numbers of the net, about
	// Bytes for an image, of a forward pass, and of one with its backward pass through all blocks.
	forward, backward func(s netSize) float64
	spare             float64                 // what training takes once, in parameters: weights in other orders, gradients in parts
	unfrozen          float64                 // the share of the parameters that methods move where the spec names none
	back              float64                 // the share of the backward pass that this takes
	trunk             func(s netSize) float64 // numbers for an image that come out of what is then frozen
}

func pixelsOf(s netSize) float64 { return float64(s.input[1] * s.input[2]) }

func imageOf(s netSize) float64 { return float64(s.input[0]) * pixelsOf(s) }

// convolutional are the passes of a net of so many bytes a pixel and an image.
func convolutional(pixel, image float64) func(netSize) float64 {
	return func(s netSize) float64 { return pixel*pixelsOf(s) + image }
}

// attentive are the passes of a net of so many bytes for each token, and for each pair of tokens.
func attentive(patch, token, pair float64) func(netSize) float64 {
	return func(s netSize) float64 {
		tokens := tokensOf(s, patch)
		return tokens * (token + pair*tokens)
	}
}

func tokensOf(s netSize, patch float64) float64 { return 1 + pixelsOf(s)/(patch*patch) }

// visionParams are the numbers of a Vision Transformer.
func visionParams(patch, depth, width, hidden float64) func(netSize) float64 {
	return func(s netSize) float64 {
		return depth*width*(4*width+2*hidden) + width*(patch*patch*float64(s.input[0])+tokensOf(s, patch))
	}
}

func constant(v float64) func(netSize) float64 { return func(netSize) float64 { return v } }

// netMemories is the one table of it.
func netMemories() map[string]netMemory {
	return map[string]netMemory{
		"mlp": {
			params:  func(s netSize) float64 { return 256*imageOf(s) + 18000 },
			forward: func(s netSize) float64 { return 4*imageOf(s) + 2000 }, backward: func(s netSize) float64 { return 4*imageOf(s) + 4000 },
			unfrozen: 0.1, back: 0.2, trunk: constant(256),
		},
		"resnet-small": {
			params: constant(178000), forward: convolutional(1280, 40e3), backward: convolutional(1850, 1.5e5), spare: 9,
			unfrozen: 0.75, back: 0.35, trunk: func(s netSize) float64 { return 32 * (pixelsOf(s)/4 + math.Sqrt(pixelsOf(s)) + 1) },
		},
		"resnet18": {
			params: constant(11.2e6), forward: convolutional(490, 3e5), backward: convolutional(650, 5e6), spare: 7,
			unfrozen: 0.75, back: 0.35, trunk: func(s netSize) float64 { return 256 * (pixelsOf(s)/256 + math.Sqrt(pixelsOf(s))/8 + 1) },
		},
		"vit-small": {
			params: visionParams(4, 4, 64, 128), forward: attentive(4, 11400, 47), backward: attentive(4, 22400, 47),
			unfrozen: 0.25, back: 0.25, trunk: func(s netSize) float64 { return 64 * tokensOf(s, 4) },
		},
		"vit-b16": {
			params: visionParams(16, 12, 768, 3072), forward: attentive(16, 590e3, 420), backward: attentive(16, 1.16e6, 420),
			unfrozen: 0.09, back: 1, trunk: func(s netSize) float64 { return 768 * tokensOf(s, 16) },
		},
	}
}

// keptTrunk is the most that an attack keeps of what frozen blocks give.
const keptTrunk = 1 << 30

// netBytes predicts what a run on a net takes beside its data sets: the nets, the gradients and the optimizer, the buffers of a batch
// in each, what is kept of frozen blocks, and the copies in a checkpoint.
func netBytes(r reader, s netSize) float64 {
	m, ok := netMemories()[r.str("model.kind")]
	if !ok {
		return 0
	}
	params := 4 * m.params(s)
	forward, backward, image := m.forward(s), m.backward(s), 4*imageOf(s)
	decoded := 0.0
	if r.has("primary.dataset.images") {
		decoded = 64 << 20 // pictures on their way, and their decoders
	}
	if r.str("train.method") == pretrainMethod {
		batch := r.number("pretrain.batch")
		state := 1 + optimizerNumbers(r.str("pretrain.optimizer"), r.number("pretrain.momentum"))
		return bytesOfRun + decoded + params*(2+m.spare+2*state) + batch*(backward+image)
	}
	unfrozen, back := m.unfrozen, m.back
	if r.has("model.unfrozen") {
		unfrozen, back = 1, 1
	}
	batch := r.number("train.batch")
	if batch == 0 {
		batch = baseBatch
	}
	steps := r.integer("train.steps")
	train := 0.0
	if r.str("train.method") != "identity" {
		train = params * unfrozen * (6 + m.spare) // gradients, velocity, values before the step, and all of it once more in a checkpoint
	}
	net := params + train + max(testBatch*(forward+image), batch*(forward+back*(backward-forward)+2*image))
	own := bytesOfRun + decoded + float64(points(r, steps))*bytesOfStep + net
	beside := params + testBatch*(forward+image) // θ_0, to be measured
	for i, name := range r.attacks() {
		beside = max(beside, attackBytes(r, i, name, m, s, params))
	}
	return own + beside
}

// attackBytes is what one attacker on a net takes: a net of its own.
func attackBytes(r reader, i int, name string, m netMemory, s netSize, params float64) float64 {
	key := func(name string) string { return attackKey(i, name) }
	forward, backward, image := m.forward(s), m.backward(s), 4*imageOf(s)
	batch := r.number(key("batch"))
	if batch == 0 {
		batch = testBatch
	}
	state := 1 + optimizerNumbers(r.str(key("optimizer")), r.number(key("momentum")))
	n, test := min(r.number(key("n")), float64(s.train[1])), min(r.number(key("test_n")), float64(s.test[1]))
	kept := func(numbers float64) float64 { return min(4*n*numbers, keptTrunk) + min(4*test*numbers, keptTrunk) }
	switch name {
	case "full-finetune":
		return params*(2+m.spare+2*state) + batch*(backward+image)
	case "lora":
		return params*(1+m.unfrozen*(2+m.spare)) + batch*(forward+m.back*(backward-forward)+image) + kept(m.trunk(s))
	}
	width := 512.0
	return params + batch*(forward+image) + 4*kept(width)
}

// optimizerNumbers is how many numbers an optimizer keeps for each parameter.
func optimizerNumbers(name string, momentum float64) float64 {
	switch {
	case name == "adam" || name == "adamw":
		return 2
	case momentum > 0:
		return 1
	}
	return 0
}

// netShapes says in a few words what the need of a run on a net comes of.
func netShapes(r reader, s netSize) string {
	text := fmt.Sprintf("%s on images of %d×%d×%d, method %s", r.str("model.kind"), s.input[0], s.input[1], s.input[2], r.str("train.method"))
	largest := max(r.integer("train.batch"), r.integer("pretrain.batch"))
	for i := range r.attacks() {
		largest = max(largest, r.integer(attackKey(i, "batch")))
	}
	if largest > 0 {
		text += fmt.Sprintf(", batches of %d", largest)
	}
	return text
}
