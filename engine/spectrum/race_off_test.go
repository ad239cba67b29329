//go:build !race

package spectrum

const raceDetector = false
