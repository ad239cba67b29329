package archtest

import (
	"strings"
	"testing"
)

// TestCheckerCatches feeds the checker files that break each rule: a checker that finds nothing proves nothing.
func TestCheckerCatches(t *testing.T) {
	long := "package store\n" + strings.Repeat("// a line\n", maxLines)
	tests := []struct {
		name   string
		folder string
		file   string // default: file.go
		text   string
		want   string // part of the complaint; "" = none
	}{
		{name: "clean", folder: "engine/spectrum", text: `package spectrum; import _ "gonum.org/v1/gonum/mat"`},
		{name: "engine imports store", folder: "engine/audit", text: `package audit; import _ "kappa/store"`, want: "may import of ours"},
		{name: "against the arrow", folder: "engine/spectrum", text: `package spectrum; import _ "kappa/engine/immunize"`, want: "may import of ours"},
		{name: "store imports an engine room", folder: "store", text: `package store; import _ "kappa/engine/spectrum"`, want: "may import of ours"},
		{name: "store imports summary", folder: "store", text: `package store; import _ "kappa/engine/summary"`},
		{name: "reports imports runner", folder: "reports", text: `package reports; import _ "kappa/runner"`, want: "may import of ours"},
		{name: "experiments imports ours", folder: "experiments", text: `package experiments; import _ "kappa/engine"`, want: "may import of ours: nothing"},
		{name: "a test of experiments asks the catalog", folder: "experiments", file: "x_test.go", text: `package experiments_test; import _ "kappa/runner"`},
		{name: "anything imports cmd", folder: "runner", text: `package runner; import _ "kappa/cmd/internal/cli"`, want: "nothing imports cmd"},
		{name: "SQL outside store", folder: "runner", text: `package runner; import _ "database/sql"`, want: "SQL is spoken in store"},
		{name: "SQL in a test outside store", folder: "cmd/internal/cli", file: "x_test.go", text: `package cli; import _ "database/sql"`, want: "SQL is spoken in store"},
		{name: "SQL in store", folder: "store", text: `package store; import _ "database/sql"`},
		{name: "unknown module", folder: "runner", text: `package runner; import _ "github.com/x/y"`, want: "may import of others"},
		{name: "another room's module", folder: "experiments", text: `package experiments; import _ "modernc.org/sqlite"`, want: "may import of others"},
		{name: "gonum beyond mat", folder: "runner", text: `package runner; import _ "gonum.org/v1/gonum/stat"`, want: "may import of others"},
		{name: "prefix is no folder", folder: "runner", text: `package runner; import _ "gonum.org/v1/gonum/matters"`, want: "may import of others"},
		{name: "go-cmp outside tests", folder: "store", text: `package store; import _ "github.com/google/go-cmp/cmp"`, want: "may import of others"},
		{name: "go-cmp in tests", folder: "store", file: "x_test.go", text: `package store; import _ "github.com/google/go-cmp/cmp"`},
		{name: "files in engine", folder: "engine/spectrum", text: `package spectrum; import _ "os"`, want: "is pure"},
		{name: "files in a test of engine", folder: "engine/spectrum", file: "x_test.go", text: `package spectrum; import _ "os"`},
		{name: "exec in engine", folder: "engine/spectrum", text: `package spectrum; import _ "os/exec"`, want: "is pure"},
		{name: "clock in engine", folder: "engine/probe", text: "package probe\nimport \"time\"\nvar t = time.Now()", want: "line 3 uses time.Now"},
		{name: "clock under another name", folder: "engine/probe", text: "package probe\nimport clock \"time\"\nvar t = clock.Now()", want: "clock.Now"},
		{name: "durations are no clock", folder: "engine/probe", text: "package probe\nimport \"time\"\nconst t = time.Second"},
		{name: "clock elsewhere", folder: "runner", text: "package runner\nimport \"time\"\nvar t = time.Now()"},
		{name: "global random numbers", folder: "engine/probe", text: "package probe\nimport \"math/rand/v2\"\nvar x = rand.Float64()", want: "rand.Float64"},
		{name: "a source of its own", folder: "engine/probe", text: "package probe\nimport \"math/rand/v2\"\nvar x = rand.New(rand.NewPCG(1, 2))"},
		{name: "test matrices outside tests", folder: "engine/probe", text: `package probe; import _ "kappa/engine/internal/numtest"`, want: "only tests may"},
		{name: "test matrices in tests", folder: "engine/probe", file: "x_test.go", text: `package probe; import _ "kappa/engine/internal/numtest"`},
		{name: "init", folder: "store", text: "package store\nfunc init() {}", want: "func init"},
		{name: "a method called init", folder: "store", text: "package store\ntype T int\nfunc (T) init() {}"},
		{name: "cgo", folder: "store", text: `package store; import "C"`, want: "pure Go"},
		{name: "dot import", folder: "store", text: `package store; import . "strings"`, want: "dot import"},
		{name: "unknown room", folder: "engine/magic", text: `package magic`, want: "no room"},
		{name: "no noun", folder: "store", text: `package util`, want: "says nothing"},
		{name: "too long", folder: "store", text: long, want: "split it"},
		{name: "long but generated", folder: "store", text: "// Code generated by x. DO NOT EDIT.\n\n" + long},
		{name: "no Go", folder: "store", text: `package`, want: "expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := tt.file
			if file == "" {
				file = "file.go"
			}
			got := strings.Join(check(table, source{Folder: tt.folder, Name: file, Text: tt.text}), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("check(%s: %.60q) = %q, want a complaint with %q", tt.folder, tt.text, got, tt.want)
			}
		})
	}
}
