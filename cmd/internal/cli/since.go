package cli

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"kappa/reports"
)

// reportSince is the report that a new one is compared with: the one that lies there, or the one of a commit.
func (t *target) reportSince(ctx context.Context, commit string) (*reports.Present, error) {
	if commit == "" {
		p, err := reports.Look(t.file.Dir, t.spec.Name)
		if err != nil {
			return nil, failf("", "%v", err)
		}
		return p, nil
	}
	out, err := git(ctx, t.file.Dir, "rev-parse", "--verify", "--quiet", "--end-of-options", commit+"^{commit}").Output()
	hash := strings.TrimSpace(string(out))
	if err != nil || hash == "" {
		return nil, usagef("a commit, a branch or a tag is accepted", "--since %s: git knows no such commit here", commit)
	}
	p, err := reports.LookWith(t.spec.Name, func(name string) ([]byte, error) {
		if path.Ext(name) == ".svg" {
			return nil, fs.ErrNotExist // the data tell
		}
		data, err := git(ctx, t.file.Dir, "show", hash+":./"+name).Output()
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return data, nil
	})
	if err != nil {
		return nil, err
	}
	if !p.Told() {
		return nil, usagef("", "--since %s: that commit has no report %s.md of kappa's with its manifest", commit, t.spec.Name)
	}
	return p, nil
}
