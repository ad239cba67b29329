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

func (a *app) tellNotices(db *store.DB) { a.tellAbout(db, db.Path()) }

// tellAbout tells what a database says that stands for the file at path.
func (a *app) tellAbout(db *store.DB, path string) {
	for _, text := range db.Notices() {
		if slices.Contains(a.told, text) {
			continue
		}
		a.told = append(a.told, text)
		a.talk("kappa: %s", strings.ReplaceAll(text, path, shown(a.cwd, path)))
	}
}

// openOrEmpty opens the database at path for reading, or an empty one in its place if there is none.
func (a *app) openOrEmpty(ctx context.Context, path string) (*store.DB, error) {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		db, err := store.OpenAbsent(ctx, path)
		if err == nil {
			a.tellAbout(db, path)
		}
		return db, err
	}
	return a.noticed(store.OpenReadOnly(ctx, path))
}
