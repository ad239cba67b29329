package runner

import "kappa/experiments"

// netKeys are the keys that only nets read; keys has the others, which they share with linear extractors.
func netKeys() []experiments.Key {
	str, integer, float := []experiments.Type{experiments.String}, []experiments.Type{experiments.Int}, []experiments.Type{experiments.Float}
	zero, one := new(0.0), new(1.0)
	const most = 1e6
	trained := []experiments.Settings{{"model.init": "pretrain"}}
	sgd := []experiments.Settings{{"attack.optimizer": "sgd"}}
	steps := append([]experiments.Settings{{"attack.optimizer": "adam"}}, sgd...)
	return []experiments.Key{
		{Path: "model.unfrozen", Types: []experiments.Type{experiments.List}, Elem: experiments.String, Doc: "Parameters that immunization trains: names, beginnings of names up to a dot, or patterns such as blocks.*.norm1. Default: those that the paper leaves unfrozen."},

		{Path: "pretrain.epochs", Types: integer, Min: one, Max: new(most), Default: int64(5), When: trained, Doc: "Passes over the primary task's training images."},
		{Path: "pretrain.batch", Types: integer, Min: new(2.0), Default: int64(64), When: trained, Unit: "images", Doc: "Images of a step."},
		{Path: "pretrain.optimizer", Types: str, Enum: []string{"sgd", "adamw"}, Default: "sgd", When: trained, Doc: "SGD with Nesterov's momentum, or AdamW."},
		{Path: "pretrain.learning_rate", Types: float, Min: zero, Open: true, Default: 0.05, When: trained, Doc: "The highest learning rate, at the end of the warm-up; from there it falls with a cosine to 0."},
		{Path: "pretrain.momentum", Types: float, Min: zero, Max: one, Default: 0.9, When: []experiments.Settings{{"model.init": "pretrain", "pretrain.optimizer": "sgd"}}, Doc: "Nesterov's momentum of sgd."},
		{Path: "pretrain.weight_decay", Types: float, Min: zero, Default: 0.0, When: trained, Doc: "Weight decay, of weights alone."},
		{Path: "pretrain.warmup", Types: float, Min: zero, Default: 0.0, When: trained, Unit: "epochs", Doc: "Epochs of linear warm-up; a fraction counts."},
		{Path: "pretrain.label_smoothing", Types: float, Min: zero, Max: one, Default: 0.1, When: trained, Doc: "Label smoothing of the cross-entropy."},
		{Path: "pretrain.clip_norm", Types: float, Min: zero, Default: 0.0, When: trained, Doc: "Longest gradient, over all parameters; 0 = any."},
		{Path: "pretrain.seed", Types: integer, Min: zero, Default: int64(1), When: trained, Doc: "Seed of the initial parameters and of the batches."},
		{Path: "pretrain.n", Types: integer, Min: one, When: trained, Unit: "images", Doc: "Images trained on, drawn by seed. Default: all."},

		{Path: "train.weight_decay", Types: float, Min: zero, Default: 0.0, Doc: "Weight decay, of weights alone."},
		{Path: "train.warmup", Types: integer, Min: zero, Default: int64(0), Unit: "steps", Doc: "Steps of linear warm-up before the cosine schedule."},
		{Path: "train.label_smoothing", Types: float, Min: zero, Max: one, Default: 0.1, Doc: "Label smoothing of the cross-entropy."},
		{Path: "train.clip_norm", Types: float, Min: zero, Default: 0.0, Doc: "Longest gradient, over all unfrozen parameters; 0 = any."},
		{Path: "train.inner_rate", Types: float, Min: zero, Open: true, Default: 1e-2, Doc: "Learning rate of IMMA's inner player on a net."},
		{Path: "train.groups", Types: integer, Min: one, Max: new(1e4), Default: int64(20), Doc: "Random groups of training images that the condition numbers of features are measured on."},
		{Path: "train.group_size", Types: integer, Min: new(2.0), Max: new(1e4), Default: int64(100), Unit: "images", Doc: "Images of a group."},

		{Path: "attack.optimizer", Types: str, Enum: []string{"sgd", "adam", "lbfgs"}, Default: "sgd", Doc: "How linear-probe fits its head: SGD with momentum, Adam, or L-BFGS on all images, which finds the convex optimum."},
		{Path: "attack.epochs", Types: integer, Min: one, Max: new(most), Default: int64(10), Doc: "Passes over the images. Lbfgs has none: its optimum is recorded as the last of so many."},
		{Path: "attack.batch", Types: integer, Min: new(2.0), Default: int64(64), When: steps, Unit: "images", Doc: "Images of a step."},
		{Path: "attack.momentum", Types: float, Min: zero, Max: one, Default: 0.9, When: sgd, Doc: "Nesterov's momentum of the attacker's SGD."},
		{Path: "attack.weight_decay", Types: float, Min: zero, Default: 0.0, When: steps, Doc: "Weight decay of the attacker."},
		{Path: "attack.rank", Types: integer, Min: one, Max: new(4096.0), Default: int64(4), Doc: "Rank of lora's updates."},
		{Path: "attack.n", Types: integer, Min: one, Default: int64(5000), Unit: "images", Doc: "Harmful images that the attacker trains on, drawn by seed; at most all."},
		{Path: "attack.test_n", Types: integer, Min: one, Default: int64(2000), Unit: "images", Doc: "Harmful test images that its accuracy is measured on, drawn by seed; at most all."},
	}
}
