// Package summary condenses a handful of repeated measurements, such as one figure over several seeds, into a centre, an
// interval and the doubts that belong to them.
//
// Doubts travel as data: a [Summary] carries sentences ("n = 2: …") beside its numbers, so that whoever prints the numbers has
// them at hand. Every function leaves out non-finite values (NaN, ±Inf), because one of them would swallow the rest;
// [Summarize] says how many it left out. No function changes its argument.
//
// The package computes with numbers alone: it runs no hypothesis tests, knows nothing of units and formats nothing but its
// warnings.
package summary
