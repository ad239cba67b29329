//go:build race

package experiments_test

// raceDetector says that the tests run under the race detector, where starting a process takes a second.
const raceDetector = true
