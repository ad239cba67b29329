package runner

import (
	"slices"

	"kappa/engine/deep"
	"kappa/experiments"
)

// The families of models; names of methods and attackers mean something else in each.
const (
	linearFamily = "linear extractors"
	netFamily    = "deep nets"
)

// netMethod joins a name in a spec to the function that immunizes a net.
type netMethod struct {
	experiments.Entry
	run deep.Method
}

// netAttacker joins a name in a spec to the function that attacks a net.
type netAttacker struct {
	experiments.Entry
	run deep.Attack
}

// pretrainMethod is the method of the runs that train θ_0. No spec names it: a plan has such a run where others depend on it.
const pretrainMethod = "pretrain"

// always marks what an entry reads as read whatever the conditions of the keys say: those are about the linear ones.
func always(e experiments.Entry, but ...string) experiments.Entry {
	e.Family = netFamily
	for _, path := range e.Uses {
		if !slices.Contains(but, path) {
			e.Always = append(e.Always, path)
		}
	}
	return e
}

// measureKeys are read by every method on nets.
var measureKeys = []string{"train.seed", "train.keep", "train.groups", "train.group_size"}

// netSteps are the keys of training a net, with those of a method.
func netSteps(keys ...string) []string {
	return slices.Concat(measureKeys, []string{
		"train.steps", "train.batch", "train.learning_rate", "train.momentum", "train.weight_decay", "train.warmup", "train.clip_norm", "train.trace",
	}, keys)
}

// netMethods is the one table of methods on nets. All draw: batches, and the attacks on what they give.
func netMethods() []netMethod {
	defaults := func(more experiments.Settings) experiments.Settings {
		s := experiments.Settings{
			"train.steps": int64(100), "train.batch": int64(64), "train.learning_rate": 1e-3, "train.warmup": int64(0),
		}
		for path, v := range more {
			s[path] = v
		}
		return s
	}
	methods := []netMethod{
		{experiments.Entry{
			Name: "identity", Doc: "θ_0: the net as it was pre-trained, the base line of every ratio.", Uses: measureKeys,
		}, deep.Identity},
		{experiments.Entry{
			Name: "immunize", Doc: "The paper's method: descends the cross-entropy on D_P + λ_P R_well(H̃_P) + λ_H R_ill(H̃_H) in the unfrozen blocks.",
			Uses:     netSteps("train.label_smoothing", "train.lambda_primary", "train.lambda_harmful", "train.balance_norm"),
			Defaults: defaults(nil),
		}, deep.Immunize},
		{experiments.Entry{
			Name: "rill-only", Doc: "Descends λ_H R_ill(H̃_H) alone; the head stays as it is.",
			Uses:     netSteps("train.lambda_harmful", "train.balance_norm"),
			Defaults: defaults(nil),
		}, deep.RillOnly},
		{experiments.Entry{
			Name: "imma", Doc: "Bi-level immunization (Zheng and Yeh 2024): descends the cross-entropy on D_P − λ_H times the harmful loss that inner steps of a head reach.",
			Uses:     netSteps("train.label_smoothing", "train.lambda_harmful", "train.balance_norm", "train.inner_steps", "train.inner_rate"),
			Defaults: defaults(nil),
		}, deep.IMMA},
		{experiments.Entry{
			Name: "opt-kappa", Doc: "Descends the cross-entropy on D_P + λ_P log κ(H̃_P) + λ_H/log κ(H̃_H): the condition numbers themselves.",
			Uses:     netSteps("train.label_smoothing", "train.lambda_primary", "train.lambda_harmful", "train.balance_norm"),
			Defaults: defaults(nil),
		}, deep.OptKappa},
	}
	for i := range methods {
		methods[i].Entry = always(methods[i].Entry, "train.balance_norm")
		methods[i].Random = true
	}
	return methods
}

// netAttackers is the one table of attackers on nets. All draw, by train.seed.
func netAttackers() []netAttacker {
	keys := []string{
		"attack.method", "attack.n", "attack.test_n", "attack.epochs", "attack.batch", "attack.learning_rate", "attack.momentum",
		"attack.weight_decay",
	}
	attackers := []netAttacker{
		{always(experiments.Entry{
			Name: "linear-probe", Doc: "Fits a new head on the features, which are computed once; recorded as linear-probe-sgd, -adam or -lbfgs.",
			Uses:     append(slices.Clone(keys), "attack.optimizer"),
			Defaults: experiments.Settings{"attack.learning_rate": 1e-2},
		}, "attack.batch", "attack.learning_rate", "attack.momentum", "attack.weight_decay"), deep.LinearProbe},
		{always(experiments.Entry{
			Name: "lora", Doc: "Fits a new head and updates of low rank to the weights of the blocks that were immunized.",
			Uses:     append(slices.Clone(keys), "attack.rank"),
			Defaults: experiments.Settings{"attack.learning_rate": 1e-2},
		}), deep.LoRA},
		{always(experiments.Entry{
			Name: "full-finetune", Doc: "Fits a new head and all parameters.", Uses: keys,
			Defaults: experiments.Settings{"attack.learning_rate": 1e-2},
		}), deep.FullFinetune},
	}
	for i := range attackers {
		attackers[i].Random = true
	}
	return attackers
}

// pretrainKeys are what a net reads of [pretrain].
var pretrainKeys = []string{
	"pretrain.epochs", "pretrain.batch", "pretrain.optimizer", "pretrain.learning_rate", "pretrain.momentum", "pretrain.weight_decay",
	"pretrain.warmup", "pretrain.label_smoothing", "pretrain.clip_norm", "pretrain.seed", "pretrain.n",
}

// netModels are the nets.
func netModels() []experiments.Entry {
	convolutional := experiments.Settings{
		"model.init": "pretrain", "pretrain.optimizer": "sgd", "pretrain.learning_rate": 0.05, "pretrain.weight_decay": 5e-4,
	}
	attentive := experiments.Settings{
		"model.init": "pretrain", "pretrain.optimizer": "adamw", "pretrain.learning_rate": 1e-3, "pretrain.weight_decay": 0.05,
	}
	list := []experiments.Entry{
		{Name: "mlp", Doc: "Three linear layers with ReLU between them, on pixels.", Defaults: convolutional},
		{Name: "resnet18", Doc: "ResNet-18 with the names of torchvision.", Defaults: convolutional},
		{Name: "resnet-small", Doc: "A residual net for small images.", Defaults: convolutional},
		{Name: "vit-b16", Doc: "ViT-B/16 with the names of timm's vit_base_patch16_224.", Defaults: attentive},
		{Name: "vit-small", Doc: "A vision transformer for small images.", Defaults: attentive},
	}
	for i := range list {
		list[i].Family = netFamily
		list[i].Uses = append([]string{"model.kind", "model.init", "model.unfrozen"}, pretrainKeys...)
	}
	return list
}

// netDatasets are the data sets that nets can be trained on: all classes, with a part to test on.
func netDatasets() []experiments.DatasetEntry {
	list := []experiments.DatasetEntry{
		{Entry: experiments.Entry{
			Name: "digits", Doc: "Handwritten digits, 8×8 pixels, ten classes: the first 1437 images to train on, the last 360 to test.",
		}},
		inFolder("mnist", "Handwritten digits, 28×28 pixels, ten classes: 60,000 images to train on and 10,000 to test.", nil),
		inFolder("fashion-mnist", "Pieces of clothing, 28×28 pixels, ten classes: 60,000 images to train on and 10,000 to test.", nil),
		inFolder("cifar-10", "Photographs, 32×32 pixels in three colours, ten classes: 50,000 images to train on and 10,000 to test.", nil),
	}
	list = append(list, photoDataset())
	for i := range list {
		list[i].Family, list[i].Classes = netFamily, nil
	}
	return list
}

// netKind says whether a model of that name is a net.
func netKind(name string) bool {
	return slices.ContainsFunc(netModels(), func(e experiments.Entry) bool { return e.Name == name })
}

// net says whether the settings are of a run on a net.
func (r reader) net() bool {
	kind := r.str("model.kind")
	return kind != "linear" && netKind(kind)
}

func netMethodNamed(name string) (netMethod, bool) {
	list := netMethods()
	i := slices.IndexFunc(list, func(m netMethod) bool { return m.Name == name })
	if i < 0 {
		return netMethod{}, false
	}
	return list[i], true
}
