package store

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestTrained: of many training keys, and of few, those are told that the database holds.
func TestTrained(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "runs.db"), Options{})
	for i := range 5 {
		s := Start{Key: fmt.Sprintf("%064x", i), TrainKey: fmt.Sprintf("%064x", 100+i%3), Method: "m"}
		if _, ok, _, err := db.Claim(t.Context(), s, false); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	for _, asked := range [][]string{
		{fmt.Sprintf("%064x", 100), fmt.Sprintf("%064x", 200)},
		{fmt.Sprintf("%064x", 100)},
		{"a", "b", "c", "d", "e", "f", fmt.Sprintf("%064x", 100)},
		nil,
	} {
		got, err := db.Trained(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range asked {
			if want := key == fmt.Sprintf("%064x", 100); got[key] != want {
				t.Errorf("%q among %d: %t, want %t", key, len(asked), got[key], want)
			}
		}
		if len(got) > 1 {
			t.Errorf("told of keys that were not asked for: %v", got)
		}
	}
}
