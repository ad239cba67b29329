package runner

import (
	"fmt"
	"strings"

	"kappa/experiments"
)

// check returns what is wrong with a run's resolved settings that no single key shows: combinations that the engine would
// refuse when the run begins.
func check(spec *experiments.Spec, r reader) experiments.Problems {
	var out experiments.Problems
	problem := func(path, message, hint string) {
		out = append(out, experiments.Problem{File: spec.Path, Line: spec.Line(path), Key: path, Message: message, Hint: hint})
	}
	if r.net() {
		checkNet(r, problem)
		return out
	}
	checkLinearInit(r, problem)
	method := r.str("train.method")
	if method == "released" {
		for _, path := range []string{"train.lambda_primary", "train.lambda_harmful"} {
			if r.str(path) == "balance" {
				problem(path, `"balance" is not for the method released, which weighs its terms by numbers`,
					fmt.Sprintf(`give a number, if need be in an [[override]] for train.method = "released" (its own code has %s)`, releasedWeights[path]))
			}
		}
	}
	if r.str("train.step") == "normalized" && r.str("train.optimizer") == "adam" {
		problem("train.optimizer", "adam sets the length of its steps itself and does not go with normalized steps", `want step = "fixed", or "gd" or "sgd"`)
	}
	if r.str("train.step") == "certified" {
		checkCertified(r, problem)
	}
	if r.has("train.epochs") && r.integer("train.batch") == 0 {
		problem("train.epochs", "epochs without a batch size", "give train.batch, or train.steps instead of epochs")
	}
	if r.str("train.loss") == "logistic" && r.str("primary.task") == "regression" {
		problem("train.loss", "the logistic loss needs classes, and the primary task is a regression", `want loss = "squared"`)
	}
	checkLogistic(r, problem)
	seen := make(map[string]bool)
	for i, name := range r.attacks() {
		label := attackLabel(r, i, name)
		if seen[label] {
			problem(attackKey(i, "method"), fmt.Sprintf("a second attack is recorded as %q, and nothing would tell the two apart", label),
				"one attack for each method and start; swept settings make a run each")
		}
		seen[label] = true
	}
	return out
}

// checkLogistic refuses attacks on the logistic loss by attackers that have no form for it, and on tasks that are no two classes.
func checkLogistic(r reader, problem func(path, message, hint string)) {
	for i, name := range r.attacks() {
		a, ok := attackerNamed(name)
		if !ok || r.str(attackKey(i, "loss")) != "logistic" {
			continue
		}
		path := attackKey(i, "loss")
		if a.logistic == nil {
			problem(path, fmt.Sprintf("%s is a method for the squared loss: it rests on the loss being a quadratic", name),
				"with the logistic loss want "+strings.Join(logisticAttackers(), ", "))
		}
		for _, side := range []string{"primary", "harmful"} {
			if task := r.str(side + ".task"); task != "one-vs-rest" {
				problem(path, fmt.Sprintf("the logistic loss needs two classes, and the %s task is %s", side, task),
					fmt.Sprintf(`want %s.task = "one-vs-rest", or loss = "squared"`, side))
			}
		}
	}
}

// logisticAttackers lists the attackers that can minimise the logistic loss.
func logisticAttackers() (out []string) {
	for _, a := range attackers() {
		if a.logistic != nil {
			out = append(out, a.Name)
		}
	}
	return out
}

// releasedWeights are the released code's weights on House Prices and on MNIST.
var releasedWeights = map[string]string{
	"train.lambda_primary": "100 for House Prices and 1 for MNIST",
	"train.lambda_harmful": "1e7 for House Prices and 5e7 for MNIST",
}
