package nn

import (
	"math"
	"testing"
)

// TestMultiplyAdds holds the counts to those that their papers and a count by hand give.
func TestMultiplyAdds(t *testing.T) {
	for _, c := range []struct {
		kind    string
		input   [3]int
		classes int
		want    float64
		within  float64 // relative
	}{
		{"mlp", [3]int{1, 28, 28}, 10, 784*256 + 256*64 + 64*10, 0},
		{"resnet-small", [3]int{1, 28, 28}, 10, 784*(9*16+4*9*16*16) + 196*(9*16*32+3*9*32*32+16*32) + 49*(9*32*64+3*9*64*64+32*64) + 640, 0},
		{"resnet18", [3]int{3, 224, 224}, 1000, 1.814e9, 0.01}, // torchvision's documentation: 1.81 GFLOPS
	} {
		net, err := New(c.kind, c.input, c.classes)
		if err != nil {
			t.Skip(err)
		}
		blocks, head := net.MultiplyAdds()
		if len(blocks) != len(net.Blocks) {
			t.Errorf("%s: %d counts for %d blocks", c.kind, len(blocks), len(net.Blocks))
		}
		sum := head
		for _, b := range blocks {
			sum += b
		}
		if math.Abs(sum-c.want) > c.within*c.want {
			t.Errorf("%s: %v multiply-adds, want %v", c.kind, sum, c.want)
		}
	}
	net, err := New("vit-small", [3]int{1, 28, 28}, 10)
	if err != nil {
		t.Fatal(err)
	}
	blocks, _ := net.MultiplyAdds()
	const tokens, d = 50, 64
	if want := float64(tokens * 16 * d); math.Abs(blocks[0]-want) > 16*d {
		t.Errorf("vit-small: the embedding has %v multiply-adds, want %v", blocks[0], want)
	}
}
