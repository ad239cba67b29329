// Package budget holds benchmarks of what a large history costs, at the level of commands: 10,000 runs of 200 metric points, and a
// sweep of 100,000 runs. Each has a budget, and
//
//	go test ./cmd/internal/budget -run '^$' -bench .
//
// ends with a table of budget, measurement and factor. A budget is measured, and never asserted: a test that fails because the
// machine is busy is worth nothing.
package budget
