// Package cli is the command line: flags, look-up of specs and databases, exit codes, and the wiring of the other rooms.
//
// # Rules of the surface
//
// Results go to stdout, talk goes to stderr. An error is one line, "kappa: what: where: value: what is accepted", in lower
// case and without a full stop; what to do next stands on a line of its own that begins "kappa: hint:". Everything a command
// was given is checked before it does anything. Every listing takes --json.
//
// The package computes nothing, writes no SQL but queries of the documented views, and holds no state between calls: [Run]
// takes the process's surroundings as an [Env], so that tests run it like a function.
package cli
