package experiments

import "slices"

// testCatalog is a catalog with one of everything: names that share keys and names that do not, forms of inline tables, a
// table of a data set's own, per-entry defaults, conditions, and every type of key.
func testCatalog() Catalog {
	steps := []string{"train.steps", "train.trace"}
	gradient := slices.Concat(steps, []string{
		"train.optimizer", "train.step", "train.step_fraction", "train.learning_rate", "train.momentum",
		"train.lambda_primary", "train.lambda_harmful", "train.balance_norm",
	})
	own := []string{"dataset.csv", "dataset.npy", "dataset.target", "dataset.drop", "dataset.standardize", "n"}
	cat := Catalog{
		Methods: []Entry{
			{Name: "identity", Doc: "θ = I."},
			{Name: "immunize", Doc: "Algorithm 1.", Uses: gradient},
			{Name: "released", Doc: "The released code.", Uses: slices.Concat(steps, []string{"train.learning_rate"}), Random: true},
			{Name: "rill-only", Doc: "R_ill alone.", Uses: gradient, Defaults: Settings{"train.step": "normalized"}},
			{Name: "imma", Doc: "Bi-level.", Uses: slices.Concat(steps, []string{"train.learning_rate", "train.inner_steps"})},
			{Name: "opt-kappa", Doc: "log κ itself.", Uses: slices.Concat(steps, []string{"train.learning_rate"})},
			{Name: "optimum", Doc: "The closed form."},
		},
		Attackers: []Entry{
			{Name: "gd-exact", Doc: "Exact line search.", Uses: []string{"attack.steps", "attack.start", "attack.seeds"}},
			{Name: "cg", Doc: "Conjugate gradients.", Uses: []string{"attack.steps", "attack.start", "attack.seeds"}, Defaults: Settings{"attack.steps": int64(20)}},
			{Name: "least-squares", Doc: "One solve."},
		},
		Datasets: []DatasetEntry{
			{Entry: Entry{Name: "digits", Doc: "Handwritten digits.", Uses: bothSides("class", "task", "n")}, Classes: []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{Entry: Entry{Name: "fashion", Doc: "Clothes.", Uses: bothSides("class", "task", "n")}, Classes: []int64{0, 1}, Needs: "kappa data fetch fashion"},
			{Entry: Entry{Name: "synthetic", Doc: "Prescribed spectra.", Uses: []string{"synthetic.angle", "synthetic.spectrum_primary"}}},
			{Entry: Entry{Name: "csv", Doc: "A table of your own.", Uses: bothSides(own...)}},
			{Entry: Entry{Name: "npy", Doc: "An array of your own.", Uses: bothSides(own...)}},
		},
		Models: []Entry{
			{Name: "linear", Doc: "θ, D×D.", Uses: []string{"model.init"}},
			{Name: "mlp", Doc: "Layers.", Uses: []string{"model.width"}, Defaults: Settings{"model.width": int64(64)}},
		},
	}
	for _, side := range sides {
		cat.Keys = append(
			cat.Keys,
			Key{Path: side + ".dataset.csv", Types: stringType, Doc: "A CSV file."},
			Key{Path: side + ".dataset.npy", Types: stringType, Doc: "An .npy file."},
			Key{Path: side + ".dataset.target", Types: stringType, Doc: "The target column."},
			Key{Path: side + ".dataset.drop", Types: []Type{List}, Elem: String, Doc: "Columns left out."},
			Key{Path: side + ".dataset.standardize", Types: []Type{Bool}, Default: false, Doc: "Standardise the columns."},
			Key{Path: side + ".class", Types: intType, Doc: "The class."},
			Key{Path: side + ".task", Types: stringType, Enum: []string{"one-class", "one-vs-rest"}, Default: "one-class", Doc: "The rows."},
			Key{Path: side + ".n", Types: intType, Min: new(1.0), Unit: "rows", Doc: "Rows used."},
		)
	}
	cat.Keys = append(
		cat.Keys,
		Key{Path: "synthetic.angle", Types: numberType, Min: new(0.0), Max: new(90.0), Default: 0.0, Unit: "degrees", Doc: "The angle."},
		Key{Path: "synthetic.spectrum_primary", Types: []Type{List}, Elem: Float, Min: new(0.0), Doc: "Eigenvalues."},
		Key{Path: modelKey, Types: stringType, Default: "linear", Doc: "The extractor."},
		Key{Path: "model.init", Types: stringType, Default: "identity", Doc: "θ₀."},
		Key{Path: "model.width", Types: intType, Min: new(1.0), Doc: "Units."},
		Key{Path: "train.optimizer", Types: stringType, Enum: []string{"gd", "sgd", "adam"}, Default: "gd", Doc: "The optimizer."},
		Key{Path: "train.step", Types: stringType, Enum: []string{"fixed", "normalized"}, Default: "fixed", Doc: "The step rule."},
		Key{
			Path: "train.step_fraction", Types: numberType, Min: new(0.0), Open: true, Max: new(1.0), Default: 0.02, Doc: "Length of a normalized step.",
			When: []Settings{{"train.step": "normalized"}},
		},
		Key{Path: "train.steps", Types: intType, Min: new(0.0), Max: new(1e7), Default: 100, Doc: "Steps."},
		Key{Path: "train.learning_rate", Types: numberType, Min: new(0.0), Open: true, Default: 5e-3, Doc: "η."},
		Key{Path: "train.momentum", Types: numberType, Min: new(0.0), Max: new(1.0), Default: 0.9, Doc: "Momentum.", When: []Settings{{"train.optimizer": "sgd"}}},
		Key{Path: "train.lambda_primary", Types: []Type{Float, String}, Enum: []string{"balance"}, Min: new(0.0), Default: "balance", Doc: "λ_P."},
		Key{Path: "train.lambda_harmful", Types: []Type{Float, String}, Enum: []string{"balance"}, Min: new(0.0), Default: "balance", Doc: "λ_H."},
		Key{
			Path: "train.balance_norm", Types: numberType, Min: new(0.0), Open: true, Default: 10.0, Doc: "The norm that balance scales to.",
			When: []Settings{{"train.lambda_primary": "balance"}, {"train.lambda_harmful": "balance"}},
		},
		Key{Path: "train.inner_steps", Types: intType, Min: new(1.0), Default: int64(5), Doc: "Inner steps."},
		Key{Path: seedKey, Types: intType, Min: new(0.0), Default: int64(1), Doc: "The seed."},
		Key{Path: "train.trace", Types: []Type{String, Int}, Enum: []string{"log", "all", "none"}, Min: new(1.0), Default: "log", Doc: "Recorded steps."},
		Key{Path: "train.keep", Types: stringType, Enum: []string{"final", "none"}, Default: "final", Doc: "Whether θ is kept."},
		Key{Path: "attack.steps", Types: intType, Min: new(1.0), Default: int64(100), Doc: "Steps."},
		Key{Path: "attack.start", Types: stringType, Enum: []string{"zero", "random"}, Default: "zero", Doc: "w₀."},
		Key{Path: "attack.seeds", Types: intType, Min: new(1.0), Default: int64(1), Doc: "Starts.", When: []Settings{{"attack.start": "random"}}},
	)
	return cat
}

func bothSides(names ...string) []string {
	var out []string
	for _, side := range sides {
		for _, n := range names {
			out = append(out, side+"."+n)
		}
	}
	return out
}
