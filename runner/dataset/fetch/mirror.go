package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// mirrors asks one mirror after the other for an item until one gives it, and returns its address. A mirror that has sent a part
// of it already is asked first.
func (g *getter) mirrors(ctx context.Context, it item) (string, error) {
	p, err := g.folder.openPart(it.name + partial)
	if err != nil {
		return "", err
	}
	var addresses []string
	for _, m := range g.set.Mirrors {
		address := m + url.PathEscape(it.remote)
		if address == p.from.URL {
			addresses = slices.Insert(addresses, 0, address)
		} else {
			addresses = append(addresses, address)
		}
	}
	all := &MirrorsError{File: it.name}
	for i, address := range addresses {
		err := g.mirror(ctx, p, it, address)
		if err == nil {
			return address, nil
		}
		if e := ended(ctx); e != nil {
			return "", errors.Join(fmt.Errorf("fetch %s: %w", it.name, e), p.keep())
		}
		if _, ok := errors.AsType[*writeError](err); ok && diskFull(err) {
			full := &DiskFullError{Path: g.folder.path(it.name), Need: max(p.from.Total, it.bytes, 0) - p.size + it.room, Free: -1}
			if p.from.Total <= 0 && it.bytes < 0 {
				full.Need = max(it.plain-p.size, 1)
			}
			if free, ok := g.free(); ok {
				full.Free = free
			}
			_ = p.keep()
			return "", full
		}
		_, wrote := errors.AsType[*writeError](err)
		_, full := errors.AsType[*DiskFullError](err)
		if wrote || full {
			_ = p.keep()
			return "", err
		}
		all.Attempts = append(all.Attempts, Attempt{URL: address, Err: err})
		if i < len(addresses)-1 {
			g.tell(Event{Kind: Failed, File: it.name, URL: address, Err: err})
		}
	}
	all.Kept = p.size
	if err := p.keep(); err != nil {
		return "", err
	}
	return "", all
}

// mirror asks one address until it has given the whole item, or failed for good. What cannot be the beginning of the item is
// thrown away.
func (g *getter) mirror(ctx context.Context, p *part, it item, address string) error {
	g.tell(Event{Kind: Started, File: it.name, URL: address, Done: heldFrom(p, address), Total: p.from.Total})
	best := heldFrom(p, address)
	for failures, tries := 0, 0; ; {
		before := heldFrom(p, address)
		g.reached = before
		err := g.get(ctx, p, it, address)
		if err == nil {
			err = it.finish(ctx, p)
			wrong, ok := errors.AsType[*contentError](err)
			switch {
			case !ok:
				return err
			case wrong.short && p.from.Total < 0 && p.size > before:
				err = &cutError{} // nobody said where it ends
			case before > 0:
				// It was pieced together from several answers: perhaps of different versions.
				err = &changedError{"the pieces do not make the file: " + wrong.text}
				fallthrough
			default:
				if e := p.reset(); e != nil {
					return e
				}
			}
		} else if _, bad := errors.AsType[*answerError](err); bad {
			if e := p.reset(); e != nil {
				return e
			}
		}
		tries++
		if g.reached-best >= worthWhile {
			failures = 0
		}
		best = max(best, g.reached)
		failures++
		if e := ended(ctx); e != nil {
			return e
		}
		if !again(err) || failures >= g.Tries || tries >= triesPerMirror {
			return err
		}
		wait := g.Backoff << min(failures-1, 4)
		if status, ok := errors.AsType[*statusError](err); ok && status.after > 0 {
			wait = status.after
		}
		g.tell(Event{Kind: Retried, File: it.name, URL: address, Err: err, Done: p.size, Total: p.from.Total, Pause: wait})
		if e := g.wait(ctx, min(wait, max(backoffLimit*g.Backoff, maxRetryAfter*time.Second))); e != nil {
			return e
		}
	}
}

// heldFrom is how much of a part is from an address.
func heldFrom(p *part, address string) int64 {
	if p.from.URL == address {
		return p.size
	}
	return 0
}
