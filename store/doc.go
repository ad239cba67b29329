// Package store remembers: one SQLite file with every experiment, run, attempt, figure and verdict, and a folder of
// artifacts beside it.
//
// A run is what a key stands for; an attempt is one try at it. Attempts are never overwritten: a retry adds one, and the
// views show the latest finished attempt of each run, else its latest. The public interface of the file is its
// documented views (README.md), which plain sqlite3 reads; the tables behind them may change with a migration.
//
// Every write is one BEGIN IMMEDIATE transaction on the one writing connection of the process; the end of a run is one
// transaction that is on the disk when Finish returns. Several processes may share a file: a claim is a lease that its
// holder renews.
//
// The package does not decide what to run, computes nothing but SQL's statistics (engine/summary does), and renders
// nothing. A DB and a Report are safe for concurrent use.
package store
