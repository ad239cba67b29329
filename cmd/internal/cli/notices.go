package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"kappa/store"
)

// noticed tells people what a database has to say for itself once it is open, each sentence once a command.
func (a *app) noticed(db *store.DB, err error) (*store.DB, error) {
	if err == nil {
		a.tellNotices(db)
	}
	return db, err
}

func (a *app) tellNotices(db *store.DB) {
	for _, text := range db.Notices() {
		if slices.Contains(a.told, text) {
			continue
		}
		a.told = append(a.told, text)
		a.talk("kappa: %s", strings.ReplaceAll(text, db.Path(), shown(a.cwd, db.Path())))
	}
}

// openOrEmpty opens the database at path for reading, or an empty one in its place if there is none.
func (a *app) openOrEmpty(ctx context.Context, path string) (*store.DB, error) {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return a.noticed(store.OpenAbsent(ctx, path))
	}
	return a.noticed(store.OpenReadOnly(ctx, path))
}
