package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kappa/experiments"
	"kappa/store"
)

// TestResultColumns holds the list that the loader keeps swept keys from hiding to the columns that the view has.
func TestResultColumns(t *testing.T) {
	db, err := store.Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(t.Context(), "SELECT * FROM results LIMIT 0", store.QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows.Columns, experiments.ResultColumns()); d != "" {
		t.Errorf("columns of results (-database +experiments):\n%s", d)
	}
}
