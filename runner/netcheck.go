package runner

import (
	"fmt"
	"path"
	"slices"
)

// checkNet returns what is wrong with the settings of a run on a net that no single key shows.
func checkNet(r reader, problem func(path, message, hint string)) {
	if init := r.str("model.init"); init != pretrainMethod && path.Ext(init) != ".safetensors" {
		problem("model.init", fmt.Sprintf("%q is no beginning of a net", init), `want "pretrain", or a .safetensors file`)
	}
	if r.has("train.batch") && r.integer("train.batch") < 2 {
		problem("train.batch", fmt.Sprintf("%d images make no batch of a net", r.integer("train.batch")), "want an integer ≥ 2")
	}
	for _, key := range []string{"train.momentum", "pretrain.momentum"} {
		if r.number(key) == 1 {
			problem(key, "a momentum of 1 never ends", "want a number ≥ 0 and < 1")
		}
	}
	for _, key := range []string{"train.label_smoothing", "pretrain.label_smoothing"} {
		if r.number(key) == 1 {
			problem(key, "smoothed by 1 labels say nothing", "want a number ≥ 0 and < 1")
		}
	}
	if r.has("model.unfrozen") && len(r.strings("model.unfrozen")) == 0 {
		problem("model.unfrozen", "the list is empty, and nothing would be immunized", "want names of parameters, or leave the key out for those of the paper")
	}
	if n, batch := r.integer("pretrain.n"), r.integer("pretrain.batch"); n > 0 && n < batch {
		problem("pretrain.n", fmt.Sprintf("%d images do not fill a batch of %d", n, batch), "want as many as pretrain.batch at least")
	}
	seen := make(map[string]bool)
	for i, name := range r.attacks() {
		label := netAttackLabel(r, i, name)
		if seen[label] {
			problem(attackKey(i, "method"), fmt.Sprintf("a second attack is recorded as %q, and nothing would tell the two apart", label),
				"one attack for each method and optimizer; swept settings make a run each")
		}
		seen[label] = true
		if r.number(attackKey(i, "momentum")) == 1 {
			problem(attackKey(i, "momentum"), "a momentum of 1 never ends", "want a number ≥ 0 and < 1")
		}
		if n, batch := r.integer(attackKey(i, "n")), r.integer(attackKey(i, "batch")); n < batch {
			problem(attackKey(i, "n"), fmt.Sprintf("%d images do not fill a batch of %d", n, batch), "want as many as the attack's batch at least")
		}
	}
}

// checkLinearInit refuses beginnings of nets for a linear extractor.
func checkLinearInit(r reader, problem func(path, message, hint string)) {
	init := r.str("model.init")
	if init == pretrainMethod || slices.Contains([]string{".safetensors", ".pt", ".pth"}, path.Ext(init)) {
		problem("model.init", fmt.Sprintf("%q is for nets, and the model is %s", init, r.str("model.kind")),
			`want "identity", "torch-linear", or a .npy file`)
	}
}
