package cli

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// dataDigests remember the digests of data files between commands, in a file beside the project's database, so that `status` need not read
// gigabytes to say that nothing has changed. A digest counts as long as the file has the same size, time of modification and, where the
// system tells them, inode and time of change. As in git's index, a file that was modified shortly before it was read is not remembered:
// it might be modified once more without its times telling. Nothing depends on the file: one that is not there, cannot be read or cannot be
// written means that data are read. Several goroutines may use it; of two processes that write, the last one counts.
type dataDigests struct {
	path string
	now  func() time.Time

	mu    sync.Mutex
	known map[string]fileDigest // by absolute path; nil: not read yet
	fresh map[string]fileDigest // since it was written last
}

// fileDigest is what was read of a file. Times are nanoseconds since 1970.
type fileDigest struct {
	fileIdentity
	SHA256 string `json:"sha256"` // of its uncompressed bytes
}

// fileIdentity is what says that a file is what it was. What the system does not tell is 0.
type fileIdentity struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
	Changed  int64  `json:"changed,omitempty"`
	Inode    uint64 `json:"inode,omitempty"`
}

// settled is how long before it is read a file must have been modified for its digest to be remembered: more than the resolution of the
// times of any file system in use (2 s of FAT).
const settled = 2500 * time.Millisecond

// mostDigests bounds the file; beyond it, it is begun anew.
const mostDigests = 1000

// digestFile is its name, in the folder of the database.
const digestFile = "digests.json"

// digestsOf are those of a project; nil where there is none.
func (a *app) digestsOf(root string) *dataDigests {
	if root == "" {
		return nil
	}
	if a.digests == nil {
		a.digests = make(map[string]*dataDigests)
	}
	if a.digests[root] == nil {
		a.digests[root] = &dataDigests{path: filepath.Join(root, ".kappa", digestFile), now: a.env.Now}
	}
	return a.digests[root]
}

// recall is [dataset.Memory.Recall] for an absolute path.
func (d *dataDigests) recall(path string, info fs.FileInfo) (digest string, keep func(after fs.FileInfo, digest string)) {
	if d == nil {
		return "", nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = readDigests(d.path)
	}
	is := identify(info)
	if was, ok := d.known[path]; ok && was.fileIdentity == is {
		return was.SHA256, nil
	}
	latest := time.Unix(0, max(is.Modified, is.Changed))
	if d.now().Sub(latest) < settled {
		return "", nil
	}
	return "", func(after fs.FileInfo, digest string) {
		if identify(after) != is {
			return // it has changed while it was read
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.fresh == nil {
			d.fresh = make(map[string]fileDigest)
		}
		d.fresh[path] = fileDigest{is, digest}
		d.known[path] = d.fresh[path]
	}
}

// save writes what is new, where the folder of the database is there.
func (d *dataDigests) save() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.fresh) == 0 {
		return
	}
	all := readDigests(d.path) // another process may have added to it
	if len(all)+len(d.fresh) > mostDigests {
		clear(all)
	}
	maps.Copy(all, d.fresh)
	d.fresh = nil
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return
	}
	part, err := os.CreateTemp(filepath.Dir(d.path), digestFile+".*")
	if err != nil {
		return
	}
	_, err = part.Write(append(text, '\n'))
	if closeErr := part.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(part.Name(), d.path)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
}

// readDigests reads the file; one that cannot be read knows nothing.
func readDigests(path string) map[string]fileDigest {
	out := make(map[string]fileDigest)
	text, err := readBounded(path)
	if err != nil {
		return out
	}
	if json.Unmarshal(text, &out) != nil || out == nil {
		return make(map[string]fileDigest)
	}
	return out
}

// Recall implements [dataset.Memory].
func (d dataFS) Recall(name string, info fs.FileInfo) (digest string, keep func(after fs.FileInfo, digest string)) {
	path := filepath.FromSlash(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, path)
	}
	return d.digests.recall(filepath.Clean(path), info)
}
