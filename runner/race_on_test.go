//go:build race

package runner

// raceDetector says that the tests run under the race detector, where starting a process takes a second.
const raceDetector = true
