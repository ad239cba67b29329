package blas

func lines512() *lineKernels {
	k := &lineKernels{lanes: 16, rows: 8, vectors: 3}
	k.tile[0][0], k.tile[0][1], k.tile[0][2] = slines512x1x1, slines512x1x2, slines512x1x3
	k.blocks[0][1], k.blocks[0][2] = sblocks512x1x2, sblocks512x1x3
	k.tile[1][0], k.tile[1][1], k.tile[1][2] = slines512x2x1, slines512x2x2, slines512x2x3
	k.blocks[1][1], k.blocks[1][2] = sblocks512x2x2, sblocks512x2x3
	k.tile[2][0], k.tile[2][1], k.tile[2][2] = slines512x3x1, slines512x3x2, slines512x3x3
	k.blocks[2][1], k.blocks[2][2] = sblocks512x3x2, sblocks512x3x3
	k.tile[3][0], k.tile[3][1], k.tile[3][2] = slines512x4x1, slines512x4x2, slines512x4x3
	k.blocks[3][1], k.blocks[3][2] = sblocks512x4x2, sblocks512x4x3
	k.tile[4][0], k.tile[4][1], k.tile[4][2] = slines512x5x1, slines512x5x2, slines512x5x3
	k.blocks[4][1], k.blocks[4][2] = sblocks512x5x2, sblocks512x5x3
	k.tile[5][0], k.tile[5][1], k.tile[5][2] = slines512x6x1, slines512x6x2, slines512x6x3
	k.blocks[5][1], k.blocks[5][2] = sblocks512x6x2, sblocks512x6x3
	k.tile[6][0], k.tile[6][1], k.tile[6][2] = slines512x7x1, slines512x7x2, slines512x7x3
	k.blocks[6][1], k.blocks[6][2] = sblocks512x7x2, sblocks512x7x3
	k.tile[7][0], k.tile[7][1], k.tile[7][2] = slines512x8x1, slines512x8x2, slines512x8x3
	k.blocks[7][1], k.blocks[7][2] = sblocks512x8x2, sblocks512x8x3
	return k
}

func lines256() *lineKernels {
	k := &lineKernels{lanes: 8, rows: 6, vectors: 2}
	k.tile[0][0], k.tile[0][1] = slines256x1x1, slines256x1x2
	k.tile[1][0], k.tile[1][1] = slines256x2x1, slines256x2x2
	k.tile[2][0], k.tile[2][1] = slines256x3x1, slines256x3x2
	k.tile[3][0], k.tile[3][1] = slines256x4x1, slines256x4x2
	k.tile[4][0], k.tile[4][1] = slines256x5x1, slines256x5x2
	k.tile[5][0], k.tile[5][1] = slines256x6x1, slines256x6x2
	return k
}
