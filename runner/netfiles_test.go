package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"kappa/engine/nn"
)

// TestWeightsThatChange: the user's file is that of the plan, or is refused.
func TestWeightsThatChange(t *testing.T) {
	net, err := nn.New("mlp", [3]int{1, 8, 8}, 10)
	if err != nil {
		t.Fatal(err)
	}
	net.Init(rand.New(rand.NewPCG(1, 2)))
	data, err := saveNet(net)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	files := fstest.MapFS{"theta.safetensors": {Data: data}}
	for _, digest := range []string{hex.EncodeToString(sum[:]), ""} {
		if _, err := readTheta0(files, "theta.safetensors", digest, net); err != nil {
			t.Errorf("digest %q: %v", digest, err)
		}
	}
	sum[0]++
	if _, err := readTheta0(files, "theta.safetensors", hex.EncodeToString(sum[:]), net); err == nil ||
		!strings.Contains(err.Error(), "model.init: theta.safetensors: the file has changed since it was planned with") {
		t.Errorf("another file: %v", err)
	}
}
