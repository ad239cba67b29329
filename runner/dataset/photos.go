package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
)

// openPhoto opens a picture that is what it was when it was seen before. Its errors name the path.
func openPhoto(fsys fs.FS, name string, seen *Sightings) (fs.File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open picture %s: %w", name, cause(err))
	}
	switch info, err := f.Stat(); {
	case err != nil:
		err = cause(err)
		_ = f.Close()
		return nil, fmt.Errorf("open picture %s: %w", name, err)
	case !info.Mode().IsRegular():
		_ = f.Close()
		return nil, fmt.Errorf("open picture %s: it is not a regular file (%s)", name, info.Mode())
	case info.Size() > MaxPhotoBytes:
		_ = f.Close()
		return nil, fmt.Errorf("open picture %s: it has %d bytes; accepted: at most %d", name, info.Size(), int64(MaxPhotoBytes))
	default:
		if err := seen.check(name, info); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("open picture %s: %w", name, err)
		}
	}
	return f, nil
}

// digestFolder is the SHA-256 over a line for each picture that [LoadImages] would list, in its order: its path below the folder,
// quoted, and the SHA-256 of its bytes. Every picture's header is checked on the way; the error lists the first that are none. Cost:
// one pass over all their bytes; it ends with ctx between two pictures.
func digestFolder(ctx context.Context, fsys fs.FS, src Source) (string, error) {
	d, err := listFolder(ctx, fsys, src)
	if err != nil {
		return "", err
	}
	const listed = 10 // bad pictures named
	sum, bad, seen := sha256.New(), 0, sightingsOf(fsys)
	var errs []string
	for _, part := range []listing{d.train, d.test} {
		for _, p := range part.paths {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			digest, err := digestPhoto(fsys, path.Join(src.Images, p), seen)
			if err != nil {
				if bad++; bad <= listed {
					errs = append(errs, err.Error())
				}
				continue
			}
			fmt.Fprintf(sum, "%s %s\n", strconv.Quote(p), digest)
		}
		sum.Write([]byte("\n"))
	}
	if bad > listed {
		errs = append(errs, fmt.Sprintf("%d more of its pictures cannot be used", bad-listed))
	}
	if bad > 0 {
		return "", fmt.Errorf("folder of photographs %q: %s", src.Images, strings.Join(errs, "; "))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// digestPhoto is the SHA-256 of one picture, whose header must be fit.
func digestPhoto(fsys fs.FS, name string, seen *Sightings) (string, error) {
	f, err := openPhoto(fsys, name, seen)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	r := io.TeeReader(f, sum)
	if _, err := photoHeader(r); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return "", fmt.Errorf("%s: %w", name, cause(err))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// photos are the pictures of one part; they are decoded when they are read.
type photos struct {
	fsys  fs.FS
	dir   string
	paths []string
	seen  *Sightings
	large sync.Mutex // held while a large one is decoded
	preparation
}

// read implements pixels.
func (p *photos) read(dst []float32, i int) error {
	name := path.Join(p.dir, p.paths[i])
	f, err := openPhoto(p.fsys, name, p.seen)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxPhotoBytes))
	_ = f.Close()
	if err != nil {
		return fmt.Errorf("%s: %w", name, cause(err))
	}
	if err := p.preparation.read(dst, data, &p.large); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// loadFolder lists a folder of photographs. Its pictures are opened by Batch.
func loadFolder(fsys fs.FS, src Source) (*ImageTask, error) {
	d, err := listFolder(context.Background(), fsys, src) // names alone: soon done
	if err != nil {
		return nil, err
	}
	prepared, seen := src.preparation(), sightingsOf(fsys)
	part := func(l listing) *Images {
		return &Images{
			pixels: &photos{fsys: fsys, dir: src.Images, paths: l.paths, seen: seen, preparation: prepared}, labels: l.labels,
			classes: len(d.classes), channels: 3, height: prepared.crop, width: prepared.crop, slow: true,
		}
	}
	return &ImageTask{Train: part(d.train), Test: part(d.test), ClassNames: d.classes, Warnings: d.warnings}, nil
}
