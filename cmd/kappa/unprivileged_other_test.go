//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

func unprivileged(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("unprivileged: there are no such users here; begin the script with [!unix] skip")
}
