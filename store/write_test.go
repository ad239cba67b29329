package store

import (
	"context"
	"database/sql"
	"math"
	"testing"
	"time"
)

// TestWritePanics: what panics inside a transaction leaves nothing behind, and the connection is free for the next.
func TestWritePanics(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller")
			}
		}()
		_ = db.write(t.Context(), false, func(tx *sql.Tx) error {
			if _, err := tx.Exec("INSERT INTO run (key) VALUES (?)", key(1)); err != nil {
				t.Error(err)
			}
			panic("trouble")
		})
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := db.write(ctx, false, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM run").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d runs, %v: what was not committed stayed", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClaimNonFiniteParameter: a parameter that is no finite number is recorded like any other.
func TestClaimNonFiniteParameter(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	for i, x := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		s := start(i + 1)
		s.Params = []Param{{Path: "train.learning_rate", Number: &x}}
		if _, ok, _, err := db.Claim(t.Context(), s, false); err != nil || !ok {
			t.Errorf("%v: claimed %v, %v", x, ok, err)
		}
		if _, err := db.Kin(t.Context(), []Start{s}); err != nil {
			t.Errorf("%v: %v", x, err)
		}
	}
	rows, err := db.Query(t.Context(), "SELECT count(*) FROM params WHERE number IN (9e999, -9e999)", QueryOptions{})
	if err != nil || rows.Values[0][0] != int64(2) {
		t.Errorf("infinite parameters: %v, %v, want 2", rows, err)
	}
}
