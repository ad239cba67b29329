// Package blas is the matrix product of kappa behind gonum's interfaces: gonum's mat and lapack call it once Install has been
// called. It replaces the routines that the engine and gonum's factorisations lean on, and leaves the others to gonum's own
// implementation; on a processor that it has no kernels for, that is all of them. It knows nothing of spectra or tasks.
package blas
