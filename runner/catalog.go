package runner

import (
	"slices"

	"kappa/engine/immunize"
	"kappa/engine/probe"
	"kappa/experiments"
	"kappa/runner/dataset"
)

// method joins a name in a spec to the function that computes it.
type method struct {
	experiments.Entry
	run  immunize.Func
	cost func(shape) cost // of θ; nil: not known
}

// readsInit says whether the method starts from model.init; the closed forms start from nothing, and released draws its own.
func (m method) readsInit() bool { return slices.Contains(m.Uses, "train.steps") }

// attacker joins a name in a spec to the function that attacks.
type attacker struct {
	experiments.Entry
	run      probe.Func
	logistic probe.Func                  // on the logistic loss; nil: it has no such form
	cost     func(steps, d float64) cost // of an attack on the squared loss
}

// stepKeys are read by every method that takes steps.
var stepKeys = []string{
	"train.steps", "train.seed", "train.trace", "train.keep", "train.rotate",
}

func uses(keys ...string) []string { return append(append([]string{}, stepKeys...), keys...) }

// methods is the one table of methods.
func methods() []method {
	closed := []string{"train.keep", "train.seed", "train.rotate"}
	return []method{
		{experiments.Entry{
			Name: "identity", Doc: "θ = I: the model as it is, the base line of every ratio.", Uses: closed,
		}, immunize.Identity, identityCost},
		{experiments.Entry{
			Name: "immunize", Doc: "Algorithm 1 of the paper: descends R_ill(H_H) + R_well(H_P) + L(D_P) with K cancelled.",
			Uses: uses("train.optimizer", "train.step", "train.step_fraction", "train.step_length", "train.learning_rate", "train.momentum",
				"train.batch", "train.epochs", "train.lambda_primary", "train.lambda_harmful", "train.balance_norm",
				"train.supervised", "train.loss", "train.form"),
			Defaults: experiments.Settings{"train.steps": int64(100)},
		}, immunize.Algorithm1, algorithm1Cost},
		{experiments.Entry{
			Name: "released", Doc: "What the paper's released code does: bias, random θ₀, Adam, batches of 64, ridge preconditioner on the other side.",
			Uses: []string{
				"train.seed", "train.trace", "train.keep", "train.loss", "train.batch", "train.epochs", "train.learning_rate",
				"train.lambda_primary", "train.lambda_harmful", "train.lambda_reg", "train.side", "train.rotate",
			},
			Defaults: experiments.Settings{
				"train.batch": int64(64), "train.epochs": int64(30), "train.learning_rate": 1e-3,
				"train.lambda_primary": 1.0, "train.lambda_harmful": 5e7,
			},
			Random: true,
		}, immunize.Released, releasedCost},
		{experiments.Entry{
			Name: "rill-only", Doc: "Minimises R_ill(H_H) alone by gradient descent.",
			Uses:     uses("train.step", "train.step_fraction", "train.step_length", "train.learning_rate", "train.lambda_harmful", "train.balance_norm", "train.form"),
			Defaults: experiments.Settings{"train.step": "normalized", "train.steps": int64(100)},
		}, immunize.RillOnly, rillOnlyCost},
		{experiments.Entry{
			Name: "imma", Doc: "Bi-level immunization (Zheng and Yeh 2024): the outer step raises the harmful loss that truncated inner steps reach.",
			Uses:     uses("train.step", "train.step_fraction", "train.learning_rate", "train.inner_steps", "train.loss"),
			Defaults: experiments.Settings{"train.step": "normalized", "train.steps": int64(100)},
		}, immunize.IMMA, immaCost},
		{experiments.Entry{
			Name: "opt-kappa", Doc: "Gradient descent on log κ(H_P) + 1/log κ(H_H) itself.",
			Uses:     uses("train.step", "train.step_fraction", "train.learning_rate"),
			Defaults: experiments.Settings{"train.step": "normalized", "train.steps": int64(100)},
		}, immunize.OptKappa, optKappaCost},
		{experiments.Entry{
			Name: "optimum", Doc: "The closed form that attains the ceiling, or, where there is none, a scale-free choice at κ(θ) = √κ(K_P); with kappa_theta_max the best clipped spike.", Uses: append([]string{"train.kappa_theta_max"}, closed...),
		}, immunize.Optimum, optimumCost},
	}
}

// attackers is the one table of attackers.
func attackers() []attacker {
	keys := []string{"attack.method", "attack.steps", "attack.start", "attack.seeds", "attack.seed", "attack.loss"}
	return []attacker{
		{experiments.Entry{Name: "gd-exact", Doc: "The paper's attacker: gradient descent with exact line search on ‖Xθw − y‖².", Uses: keys}, probe.GDExact, nil, coordinateSteps},
		{experiments.Entry{Name: "gd-fixed", Doc: "Gradient descent with the constant step 1/L, L the Lipschitz constant of the gradient.", Uses: keys}, probe.GDFixed, probe.LogisticGDFixed, coordinateSteps},
		{experiments.Entry{Name: "gd-standardized", Doc: "gd-exact after scaling the columns of Xθ, as they are, to unit norm.", Uses: keys}, probe.GDStandardized, nil, standardizedSteps},
		{experiments.Entry{Name: "nesterov", Doc: "Accelerated gradient descent with the step 1/L and the momentum of FISTA, (s−1)/s₊ with s₊ = (1 + √(1 + 4s²))/2.", Uses: keys}, probe.Nesterov, probe.LogisticNesterov, coordinateSteps},
		{experiments.Entry{Name: "adam", Doc: "Adam on the mean loss, β = (0.9, 0.999); the only attacker that feels a rotation of θ besides gd-standardized.", Uses: append(slices.Clone(keys), "attack.learning_rate")}, probe.Adam, probe.LogisticAdam, weightSteps},
		{experiments.Entry{Name: "cg", Doc: "Conjugate gradients on the normal equations (CGLS).", Uses: keys}, probe.CG, nil, coordinateSteps},
		{experiments.Entry{Name: "lbfgs", Doc: "L-BFGS with a memory of 10 pairs; exact line search on the squared loss.", Uses: keys}, probe.LBFGS, probe.LogisticLBFGS, memorySteps},
		{experiments.Entry{Name: "least-squares", Doc: "The minimum-norm least-squares solution in one solve.", Uses: []string{"attack.method", "attack.start", "attack.seeds", "attack.seed", "attack.loss"}}, probe.LeastSquares, nil, solution},
	}
}

// Catalog returns every name that a spec may use and every key of its tables, for the loader to check against.
func Catalog() experiments.Catalog {
	var c experiments.Catalog
	linear := func(e experiments.Entry) experiments.Entry {
		e.Family = linearFamily
		return e
	}
	for _, m := range methods() {
		c.Methods = append(c.Methods, linear(m.Entry))
	}
	for _, m := range netMethods() {
		c.Methods = append(c.Methods, m.Entry)
	}
	for _, a := range attackers() {
		c.Attackers = append(c.Attackers, linear(a.Entry))
	}
	for _, a := range netAttackers() {
		c.Attackers = append(c.Attackers, a.Entry)
	}
	task := []string{"class", "task", "n"}
	own := append([]string{
		"dataset.target", "dataset.drop", "dataset.missing", "dataset.standardize", "dataset.float32", "dataset.scale", "dataset.shift",
	}, task...)
	csv := append([]string{"dataset.csv", "dataset.header", "dataset.categorical"}, own...)
	npy := append([]string{"dataset.npy", "dataset.labels"}, own...)
	c.Datasets = []experiments.DatasetEntry{
		{
			Entry: experiments.Entry{
				Name: "digits", Doc: "Optical recognition of handwritten digits (UCI): 1797 images of 8×8 pixels, inside the binary.",
				Uses: sides(task),
			},
			Classes: []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		},
		inFolder("mnist", "Handwritten digits (LeCun, Cortes and Burges): 60,000 training images of 28×28 pixels.", task),
		inFolder("fashion-mnist", "Pieces of clothing (Zalando Research): 60,000 training images of 28×28 pixels.", task),
		inFolder("cifar-10", "Photographs (Krizhevsky): 50,000 training images of 32×32 pixels in three colours.", task),
		houses(),
		{Entry: experiments.Entry{
			Name: "synthetic", Doc: "Two tasks with prescribed spectra and a prescribed angle between their singular vectors; see [synthetic].",
			Uses: []string{
				"synthetic.dimension", "synthetic.rows", "synthetic.spectrum_primary", "synthetic.spectrum_harmful",
				"synthetic.condition_primary", "synthetic.condition_harmful", "synthetic.angle", "synthetic.noise", "synthetic.seed",
			},
		}},
		{Entry: experiments.Entry{Name: "csv", Doc: "Your own table: dataset = { csv = \"file.csv\", target = \"column\" }.", Uses: sides(csv)}},
		{Entry: experiments.Entry{Name: "npy", Doc: "Your own arrays: dataset = { npy = \"x.npy\", labels = \"y.npy\" }.", Uses: sides(npy)}},
	}
	for i := range c.Datasets {
		c.Datasets[i].Entry = linear(c.Datasets[i].Entry)
	}
	c.Datasets = append(c.Datasets, netDatasets()...)
	c.Models = []experiments.Entry{
		linear(experiments.Entry{Name: "linear", Doc: "A linear feature extractor θ (D×D): features Xθ.", Uses: []string{"model.kind", "model.init"}}),
	}
	c.Models = append(c.Models, netModels()...)
	c.Keys = keys()
	return c
}

// inFolder is a data set of classes that is kept in the data folder.
func inFolder(name, doc string, uses []string) experiments.DatasetEntry {
	e := experiments.DatasetEntry{Entry: experiments.Entry{Name: name, Doc: doc, Uses: sides(uses)}}
	for _, info := range dataset.Known() {
		if info.Name == name {
			e.Classes, e.Needs = info.Classes, info.Needs
		}
	}
	return e
}

// houses is the data set of the paper's regression: the first 200 rows of each side, as the paper takes them.
func houses() experiments.DatasetEntry {
	e := inFolder("house-prices", "House Prices as the paper splits them: lot areas outside of residential low-density zones are the primary task, prices within them the harmful one.", []string{"n"})
	e.Defaults = experiments.Settings{"primary.n": int64(200), "harmful.n": int64(200)}
	return e
}

func sides(names []string) []string {
	var out []string
	for _, side := range []string{"primary.", "harmful."} {
		for _, n := range names {
			out = append(out, side+n)
		}
	}
	return out
}
