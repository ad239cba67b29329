// Package archtest holds the project's import table, and a test that fails where a file does not keep to it.
//
// The table (table_test.go) says for every room what it may import of ours and of others. The checker (check_test.go) reads
// the source of every file, whatever system it is built for, and besides imports looks for what a room must not touch: the
// clock and the global random numbers inside engine, SQL outside store. The package checks what is written, not what runs.
package archtest
