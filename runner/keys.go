package runner

import (
	"slices"

	"kappa/experiments"
)

// keys is the table of every key of the tables that a run reads.
func keys() []experiments.Key {
	str, integer, float, boolean, list := []experiments.Type{experiments.String}, []experiments.Type{experiments.Int},
		[]experiments.Type{experiments.Float}, []experiments.Type{experiments.Bool}, []experiments.Type{experiments.List}
	numberOrName := []experiments.Type{experiments.Float, experiments.String}
	zero, one := new(0.0), new(1.0)
	when := func(path, value string) []experiments.Settings { return []experiments.Settings{{path: value}} }
	// Only fixed steps weigh the terms; released has no step rule and always does.
	netless := []experiments.Settings{{"attack.method": "adam"}, {"attack.optimizer": "sgd"}, {"attack.optimizer": "adam"}}
	fixed := []experiments.Settings{{"train.step": "fixed"}, {"train.method": "released"}}

	var out []experiments.Key
	for _, side := range []struct{ name, doc string }{
		{"primary", "the task the model is made for"}, {"harmful", "the task it is immunized against"},
	} {
		p := side.name + "."
		out = append(
			out,
			experiments.Key{Path: p + "dataset", Types: str, Doc: "Data set of " + side.doc + ": a name, or a table for data of your own."},
			experiments.Key{Path: p + "dataset.csv", Types: str, Doc: "A CSV file with a header line, relative to the spec's folder."},
			experiments.Key{Path: p + "dataset.npy", Types: str, Doc: "A .npy file with an N×D array, relative to the spec's folder."},
			experiments.Key{Path: p + "dataset.labels", Types: str, Doc: "A .npy file with N targets or class values, beside dataset.npy."},
			experiments.Key{Path: p + "dataset.target", Types: str, Doc: "CSV column with the targets or class values."},
			experiments.Key{Path: p + "dataset.header", Types: boolean, Default: true, Doc: "Whether the CSV's first line names its columns; without it columns are called 1, 2, …."},
			experiments.Key{Path: p + "dataset.drop", Types: list, Elem: experiments.String, Doc: "CSV columns to leave out."},
			experiments.Key{Path: p + "dataset.missing", Types: float, Doc: "Value put in place of a missing cell (empty or NA); without it a missing cell is an error."},
			experiments.Key{Path: p + "dataset.categorical", Types: str, Enum: []string{"error", "sorted-index"}, Default: "error", Doc: "Text columns: refused, or replaced by the index among the column's sorted unique strings."},
			experiments.Key{Path: p + "dataset.standardize", Types: boolean, Default: false, Doc: "Subtract each column's mean and divide by its standard deviation (n−1; 0 counts as 1), targets of a regression likewise."},
			experiments.Key{Path: p + "dataset.float32", Types: boolean, Default: false, Doc: "Round every value to float32 after preprocessing, as a float32 pipeline would."},
			experiments.Key{Path: p + "dataset.scale", Types: float, Min: zero, Open: true, Default: 1.0, Doc: "Divide every feature by this number, after shift."},
			experiments.Key{Path: p + "dataset.shift", Types: float, Default: 0.0, Doc: "Subtract this number from every feature, before scale."},
			experiments.Key{Path: p + "class", Types: integer, Doc: "The class the task is about; without it the task is a regression on the targets."},
			experiments.Key{Path: p + "task", Types: str, Enum: []string{"one-class", "one-vs-rest", "regression"}, Doc: "The rows: those of the class alone, the class against as many others, or all (regression). Default: one-class where class is set, else regression."},
			experiments.Key{Path: p + "n", Types: integer, Min: one, Unit: "rows", Doc: "Rows used, in file order. Default: the size of the smaller task of the pair, for both."},
		)
		out = append(out, photoKeys(p)...)
	}
	out = append(
		out,
		experiments.Key{Path: "synthetic.dimension", Types: integer, Min: one, Max: new(4096.0), Default: int64(16), Doc: "D, the number of features."},
		experiments.Key{Path: "synthetic.rows", Types: integer, Min: one, Max: new(1e6), Unit: "rows", Doc: "N, rows of each task; at least D. Default: 2 D."},
		experiments.Key{Path: "synthetic.spectrum_primary", Types: list, Elem: experiments.Float, Doc: "Eigenvalues of K_P, D of them, each ≥ 0. Default: geometric from 1 down to 1/condition_primary."},
		experiments.Key{Path: "synthetic.spectrum_harmful", Types: list, Elem: experiments.Float, Doc: "Eigenvalues of K_H, D of them, each ≥ 0. Default: geometric from 1 down to 1/condition_harmful."},
		experiments.Key{Path: "synthetic.condition_primary", Types: float, Min: one, Default: 100.0, Doc: "κ(K_P) of the geometric spectrum."},
		experiments.Key{Path: "synthetic.condition_harmful", Types: float, Min: one, Default: 100.0, Doc: "κ(K_H) of the geometric spectrum."},
		experiments.Key{Path: "synthetic.angle", Types: float, Min: zero, Max: new(90.0), Default: 0.0, Unit: "degrees", Doc: "Angle between the singular vectors of K_P and K_H, in the planes (1, D), (2, D−1), …; 90 exchanges the ends."},
		experiments.Key{Path: "synthetic.noise", Types: float, Min: zero, Default: 0.1, Doc: "Standard deviation of the noise on the targets Xw + noise, as a multiple of the root mean square of Xw."},
		experiments.Key{Path: "synthetic.seed", Types: integer, Min: zero, Default: int64(1), Doc: "Seed of the problem (not of the method)."},

		experiments.Key{Path: "model.kind", Types: str, Default: "linear", Doc: "The feature extractor."},
		experiments.Key{Path: "model.init", Types: str, Default: "identity", Doc: "θ₀: identity, torch-linear (uniform in ±1/√D, by seed), or a .npy file with a D×D array; of a net pretrain (see [pretrain]) or a .safetensors file."},

		experiments.Key{Path: "train.method", Types: str, Doc: "How the extractor is immunized."},
		experiments.Key{Path: "train.loss", Types: str, Enum: []string{"squared", "logistic"}, Doc: "Supervised loss L on D_P: mean squared error, or mean binary cross-entropy of the logits. Default: squared for a regression, logistic for classes."},
		experiments.Key{Path: "train.optimizer", Types: str, Enum: []string{"gd", "sgd", "adam"}, Default: "gd", Doc: "What is done with the direction: plain steps, steps with momentum, or Adam."},
		experiments.Key{Path: "train.step", Types: str, Enum: []string{"fixed", "normalized", "certified"}, Default: "fixed", Doc: "Step rule: learning_rate times the gradient; each regularizer's gradient scaled to step_fraction·‖θ‖_F/√D; or (immunize, rill-only) a half step for either regularizer inside the interval in which κ is proven to move the right way."},
		experiments.Key{Path: "train.step_fraction", Types: float, Min: zero, Open: true, Max: one, When: append(when("train.step", "normalized"), when("train.step", "certified")...), Doc: "Length of a normalized step as a fraction of ‖θ‖_F/√D (default 0.02); of a certified half step, as a fraction of its interval, below 1 (default 0.5)."},
		experiments.Key{Path: "train.step_length", Types: float, Min: zero, Default: 0.02, When: when("train.step", "certified"), Doc: "Longest certified half step as a fraction of ‖θ‖_F/√D, wherever the interval allows more; 0 = no bound, with which κ leaves double precision within a few steps."},
		experiments.Key{Path: "train.steps", Types: integer, Min: zero, Max: new(1e7), Doc: "Steps; or state epochs with batch."},
		experiments.Key{Path: "train.epochs", Types: integer, Min: one, Max: new(1e6), Doc: "Passes over the data, instead of steps, where batch is set."},
		experiments.Key{Path: "train.batch", Types: integer, Min: zero, Default: int64(0), Unit: "rows", Doc: "Rows of a mini-batch; 0 = all rows. Of nets: images of each task a step, at least 2."},
		experiments.Key{Path: "train.supervised", Types: boolean, Doc: "Include the supervised loss L. Default: yes for fixed steps, no for normalized ones; certified ones have none."},
		experiments.Key{Path: "train.learning_rate", Types: float, Min: zero, Open: true, Default: 5e-3, When: append(slices.Clone(fixed), experiments.Settings{"train.supervised": true}), Doc: "η of a fixed step; of nets the highest one, from which a cosine falls to 0."},
		experiments.Key{Path: "train.momentum", Types: float, Min: zero, Max: one, Default: 0.9, When: when("train.optimizer", "sgd"), Doc: "Momentum of sgd; of nets Nesterov's."},
		experiments.Key{Path: "train.lambda_primary", Types: numberOrName, Enum: []string{"balance"}, Min: zero, Default: "balance", When: fixed, Doc: "λ_P, the weight of R_well; balance: balance_norm over the norm of its gradient at θ₀."},
		experiments.Key{Path: "train.lambda_harmful", Types: numberOrName, Enum: []string{"balance"}, Min: zero, Default: "balance", When: fixed, Doc: "λ_H, the weight of R_ill; balance: balance_norm over the norm of its gradient at θ₀."},
		experiments.Key{Path: "train.balance_norm", Types: float, Min: zero, Open: true, Default: 10.0, When: []experiments.Settings{{"train.lambda_primary": "balance"}, {"train.lambda_harmful": "balance"}}, Doc: "Norm that balance scales each regularizer's gradient at θ₀ to."},
		experiments.Key{Path: "train.lambda_reg", Types: float, Min: zero, Open: true, Default: 1e-7, Doc: "Ridge of released's preconditioner on D_H."},
		experiments.Key{Path: "train.side", Types: str, Enum: []string{"released", "mended"}, Default: "released", Doc: "Side on which released preconditions: as its code does, or as Algorithm 1 needs."},
		experiments.Key{Path: "train.form", Types: str, Enum: []string{"cancelled", "pseudo-inverse", "plain"}, Default: "cancelled", Doc: "K⁻¹∇R as 2θ(…), as K⁺∇R, or ∇R without a preconditioner."},
		experiments.Key{Path: "train.inner_steps", Types: integer, Min: one, Max: new(1000.0), Default: int64(5), Doc: "Steps of IMMA's inner player."},
		experiments.Key{Path: "train.kappa_theta_max", Types: float, Min: one, Doc: "Largest κ(θ) that optimum may use: it then clips a spectrum instead of attaining the ceiling. Default: no bound."},
		experiments.Key{Path: "train.rotate", Types: boolean, Doc: "Replace θ at the end by θQ, Q a random orthogonal matrix by seed: it changes no κ and no loss, only what an attacker gains by scaling single features. Default: no."},
		experiments.Key{Path: "train.seed", Types: integer, Min: zero, Default: int64(1), Doc: "Seed of everything a run draws; ignored where nothing is drawn."},
		experiments.Key{Path: "train.trace", Types: []experiments.Type{experiments.String, experiments.Int}, Enum: []string{"log", "all", "none"}, Min: one, Default: "log", Doc: "Steps that are recorded: log = 0, 1, 2, 5, 10, 20, 50, … and the last; a number N = every N-th."},
		experiments.Key{Path: "train.keep", Types: str, Enum: []string{"final", "none"}, Default: "final", Doc: "Whether θ is kept as a file (only where it is at most 1 MiB, of nets 64 MiB)."},

		experiments.Key{Path: "attack.method", Types: str, Doc: "The attacker."},
		experiments.Key{Path: "attack.steps", Types: integer, Min: one, Max: new(1e6), Default: int64(100), Doc: "Steps of the attacker."},
		experiments.Key{Path: "attack.loss", Types: str, Enum: []string{"squared", "logistic"}, Default: "squared", Doc: "What the attacker minimises: ‖Xθw − y‖², or the mean logistic loss of Xθw, for tasks one-vs-rest; the attacker is then recorded as NAME-logistic."},
		experiments.Key{Path: "attack.learning_rate", Types: float, Min: zero, Open: true, Default: 1e-2, When: netless, Doc: "Step size of adam; of attackers on nets their highest learning rate."},
		experiments.Key{Path: "attack.start", Types: str, Enum: []string{"zero", "random"}, Default: "zero", Doc: "w₀: zero, or standard normal; the attacker is then recorded as NAME-random."},
		experiments.Key{Path: "attack.seeds", Types: integer, Min: one, Max: new(1000.0), Default: int64(1), When: when("attack.start", "random"), Doc: "Random starts that are averaged over."},
		experiments.Key{Path: "attack.seed", Types: integer, Min: zero, Default: int64(1), When: when("attack.start", "random"), Doc: "Seed of the random starts: the same for every method, so that all are attacked from the same w₀."},
	)
	return append(out, netKeys()...)
}
