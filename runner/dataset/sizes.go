package dataset

// Sizes returns the numbers of rows of both tasks that [Form] would make and of their columns, or the error that it would return
// for the rows asked for. Cost: a look at every label.
func Sizes(ps *Set, primary Ref, hs *Set, harmful Ref) (rows [2]int, cols int, err error) {
	pr, hr, n, err := choose(ps, primary, hs, harmful)
	if err != nil {
		return rows, 0, err
	}
	rows = [2]int{min(n, len(pr)), min(n, len(hr))}
	for i, r := range []Ref{primary, harmful} {
		if r.N > 0 {
			rows[i] = r.N
		}
	}
	_, cols = ps.Dims()
	return rows, cols, nil
}
