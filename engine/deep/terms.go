package deep

import (
	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
)

// term is a function of a batch's features, part of what a method minimises.
type term interface {
	// set takes the features, B×D, whose spectrum s holds, and the labels of a batch. Play is false where nothing but a look at the
	// present state is wanted.
	set(f *mat.Dense, s *regularizer.Features, labels []int, play bool)
	// add adds c times the gradient in the features to dst. Where there is none it leaves dst alone and returns false.
	add(dst *mat.Dense, c float64) (ok bool)
}

// spectral is a term that is a regularizer.
type spectral struct {
	gradient func(s *regularizer.Features, dst *mat.Dense, c float64) (ok bool)
	s        *regularizer.Features
}

func (t *spectral) set(_ *mat.Dense, s *regularizer.Features, _ []int, _ bool) { t.s = s }

func (t *spectral) add(dst *mat.Dense, c float64) bool { return t.gradient(t.s, dst, c) }

// rWell is R_well(H̃).
func rWell() term {
	return &spectral{gradient: func(s *regularizer.Features, dst *mat.Dense, c float64) bool {
		s.AddWell(dst, c)
		return true
	}}
}

// rIll is R_ill(H̃).
func rIll() term { return &spectral{gradient: (*regularizer.Features).AddIll} }

// logKappa is log κ(H̃).
func logKappa() term { return &spectral{gradient: (*regularizer.Features).AddLogKappa} }

// inverseLogKappa is 1/log κ(H̃).
func inverseLogKappa() term {
	return &spectral{gradient: (*regularizer.Features).AddInverseLogKappa}
}
