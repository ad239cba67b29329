package vector

// The transforms of the minimal filtering algorithm F(2×2, 3×3): A. Lavin and S. Gray, Fast algorithms for convolutional neural
// networks, CVPR 2016, section 4.1. 2×2 pixels of a 3×3 convolution come from 4×4 of the input with 16 products instead of 36. A
// pixel is a vector of n numbers, and each of them is transformed by itself.

// TileIn stores Bᵀ·d·B for the 4×4 pixels d that begin pixel numbers apart, in lines that begin line numbers apart. The result for row
// i and column j begins at u[(4i+j)·step].
func TileIn(u []float32, step int, d []float32, pixel, line, n int) {
	if min(step, pixel, line, n) < 0 {
		panic(negative)
	}
	need(3*(line+pixel)+n, d)
	need(15*step+n, u)
	if lanes := best.lanes(); n > 0 && n%lanes == 0 && best.tileIn(n/lanes, 4*pixel, 4*line, 4*step, &d[0], &u[0]) {
		return
	}
	for k := range n {
		at := func(i, j int) float32 { return d[i*line+j*pixel+k] }
		for i := range 4 {
			var r [4]float32
			for j := range r {
				switch i {
				case 0:
					r[j] = at(0, j) - at(2, j)
				case 1:
					r[j] = at(1, j) + at(2, j)
				case 2:
					r[j] = at(2, j) - at(1, j)
				case 3:
					r[j] = at(1, j) - at(3, j)
				}
			}
			u[4*i*step+k] = r[0] - r[2]
			u[(4*i+1)*step+k] = r[1] + r[2]
			u[(4*i+2)*step+k] = r[2] - r[1]
			u[(4*i+3)*step+k] = r[1] - r[3]
		}
	}
}

// TileOut stores Aᵀ·m·A, 2×2 pixels, in y, or adds it if add: the sixteen m lie as TileIn's results, pixels begin pixel numbers apart,
// lines line numbers. Only the first rows and cols, 1 or 2 each, of the pixels are touched.
func TileOut(y []float32, pixel, line int, m []float32, step, n, rows, cols int, add bool) {
	if min(step, pixel, line, n) < 0 {
		panic(negative)
	}
	if min(rows, cols) < 1 || max(rows, cols) > 2 {
		panic(badTile)
	}
	need((rows-1)*line+(cols-1)*pixel+n, y)
	need(15*step+n, m)
	more := 0
	if add {
		more = 1
	}
	if lanes := best.lanes(); n > 0 && n%lanes == 0 && best.tileOut(n/lanes, 4*step, 4*pixel, 4*line, rows, cols, more, &m[0], &y[0]) {
		return
	}
	for k := range n {
		at := func(i, j int) float32 { return m[(4*i+j)*step+k] }
		for p := range rows {
			var s [4]float32
			for j := range s {
				if p == 0 {
					s[j] = at(0, j) + at(1, j) + at(2, j)
				} else {
					s[j] = at(1, j) - at(2, j) - at(3, j)
				}
			}
			out := [2]float32{s[0] + s[1] + s[2], s[1] - s[2] - s[3]}
			for q := range cols {
				if add {
					y[p*line+q*pixel+k] += out[q]
				} else {
					y[p*line+q*pixel+k] = out[q]
				}
			}
		}
	}
}

// TileSpread stores A·y·Aᵀ for the 2×2 pixels y, in the order of TileIn's results: with TileIn of the input it makes the gradient in the
// transformed weights from that in the output.
func TileSpread(v []float32, step int, y []float32, pixel, line, n int) {
	if min(step, pixel, line, n) < 0 {
		panic(negative)
	}
	need(line+pixel+n, y)
	need(15*step+n, v)
	if lanes := best.lanes(); n > 0 && n%lanes == 0 && best.tileSpread(n/lanes, 4*pixel, 4*line, 4*step, &y[0], &v[0]) {
		return
	}
	spread := func(a, b float32) [4]float32 { return [4]float32{a, a + b, a - b, 0 - b} }
	for k := range n {
		left, right := spread(y[k], y[line+k]), spread(y[pixel+k], y[line+pixel+k])
		for i := range 4 {
			for j, x := range spread(left[i], right[i]) {
				v[(4*i+j)*step+k] = x
			}
		}
	}
}

// TileWeights stores G·g·Gᵀ for n weights of nine taps, which begin taps numbers apart; the sixteen results begin step numbers apart.
func TileWeights(w []float32, step int, g []float32, taps, n int) {
	if min(step, taps, n) < 0 {
		panic(negative)
	}
	need(8*taps+n, g)
	need(15*step+n, w)
	if lanes := best.lanes(); n > 0 && n%lanes == 0 && best.tileWeights(n/lanes, 4*taps, 4*step, &g[0], &w[0], 0.5) {
		return
	}
	for k := range n {
		var r [4][3]float32 // G·g
		for b := range 3 {
			first, mid, last := g[b*taps+k], g[(3+b)*taps+k], g[(6+b)*taps+k]
			even := first + last
			r[0][b], r[1][b], r[2][b], r[3][b] = first, (even+mid)/2, (even-mid)/2, last
		}
		for i := range 4 {
			even := r[i][0] + r[i][2]
			w[4*i*step+k], w[(4*i+1)*step+k] = r[i][0], (even+r[i][1])/2
			w[(4*i+2)*step+k], w[(4*i+3)*step+k] = (even-r[i][1])/2, r[i][2]
		}
	}
}

// TileGradient adds to the nine taps of n weights Gᵀ·w·G: from the gradient in TileWeights' results that in the weights.
func TileGradient(g []float32, taps int, w []float32, step, n int) {
	if min(step, taps, n) < 0 {
		panic(negative)
	}
	need(8*taps+n, g)
	need(15*step+n, w)
	if lanes := best.lanes(); n > 0 && n%lanes == 0 && best.tileGradient(n/lanes, 4*taps, 4*step, &w[0], &g[0], 0.5) {
		return
	}
	for k := range n {
		var r [3][4]float32 // Gᵀ·w
		for j := range 4 {
			plus, minus := w[(4+j)*step+k], w[(8+j)*step+k]
			even := (plus + minus) / 2
			r[0][j], r[1][j], r[2][j] = even+w[j*step+k], (plus-minus)/2, even+w[(12+j)*step+k]
		}
		for a := range 3 {
			even := (r[a][1] + r[a][2]) / 2
			g[3*a*taps+k] += r[a][0] + even
			g[(3*a+1)*taps+k] += (r[a][1] - r[a][2]) / 2
			g[(3*a+2)*taps+k] += r[a][3] + even
		}
	}
}

const badTile = "vector: a tile has one or two rows and columns"
