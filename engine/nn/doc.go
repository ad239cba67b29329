// Package nn is deep nets in single precision: layers with explicit forward and backward passes, the nets of the paper made of
// them (ResNet, ViT) and small ones, and what trains them. It knows nothing of immunization, files or the clock.
//
// # Layout
//
// Images come in as PyTorch has them, N×C×H×W. Inside a net feature maps are N×H×W×C with a border of zeros that neighbouring
// images and lines share (see [Tensor]): a 3×3 convolution is then three products of matrices that read the maps where they
// are. Token sequences are N×T×D. Parameters have the names and, when they are read or written, the shapes and the order of
// torchvision and timm; inside a layer they lie as its products want them ([Param]).
//
// # Passes
//
// A layer keeps what its backward pass needs from its last forward pass, and owns the tensors it returns until its next one: a
// net takes part in one computation at a time. Backward adds to the gradients of parameters that are not frozen; a net does not go
// further down than its lowest block with such a parameter.
//
// # What can be relied on
//
// The same inputs, parameters and random numbers give the same bits, whatever the number of cores: work is cut into pieces that
// depend on its size alone, and sums over pieces are taken in order. Shapes that do not fit panic. NaN and Inf propagate;
// [Net.Locate] says where the first came from.
package nn
