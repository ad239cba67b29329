// Package numtest is the test kit of the engine: matrices with prescribed spectra, a central-difference gradient checker,
// buffers whose unused memory is NaN, relative errors, and small problems whose answers were computed with fifty digits.
//
// It is imported by tests alone. Random matrices come from the generator that the caller passes, so every test says its seed.
package numtest
