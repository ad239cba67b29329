// Package experiments says what an experiment is: one TOML file with prose, settings, a sweep, tables, figures and claims.
//
//	bytes ─ Parse (strict) ─▶ Spec ─ Combinations (grid, overrides, defaults) ─▶ settings of each run
//
// [Parse] reports every problem of a file at once, each with its line and, where one is near, the name that was meant. What
// names exist is told to it in a [Catalog]; the same table yields the reference of README.md ([Reference]) and the JSON
// Schema ([Schema]), so that the three cannot disagree.
//
// The package runs nothing, opens no data set and no database, and does not parse templates or SQL: it hands their text on
// with the line it stands on ([Spec.Line]). The shipped experiments are embedded in [Shipped].
package experiments
