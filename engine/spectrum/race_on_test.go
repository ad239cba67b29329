//go:build race

package spectrum

// raceDetector says that the tests run under the race detector, where a product takes ten times as long: a part of the cases does
// what all of them do to memory.
const raceDetector = true
