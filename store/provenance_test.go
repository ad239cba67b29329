package store

import "testing"

// TestProvenanceKeepsItsHash: rows of the time before uncommitted changes were recorded are found again.
func TestProvenanceKeepsItsHash(t *testing.T) {
	p := Provenance{GoVersion: "go1.26", Kernel: "avx2", CPU: "c", OS: "linux", Host: "h", GitCommit: "abc", GitDirty: true, Argv: []string{"kappa", "run"}}
	const before = "4e71f3a112373f9486d29b1ca972373a4709f337c09b055b0f2edbb1f65ed218"
	if got := hash(p); got != before {
		t.Errorf("hash %s, want %s", got, before)
	}
	p.DiffHash, p.DiffBytes = "d", 7
	if hash(p) == before {
		t.Error("uncommitted changes do not tell rows apart")
	}
}
