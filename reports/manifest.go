package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// manifestName is the file beside a report's figures that says kappa made it, and from what.
const manifestName = "manifest.json"

// manifestFormat is raised when the manifest's shape changes.
const manifestFormat = 2

// manifest says what a report is made of. It holds nothing that differs between two computations of the same plan, but for the digest
// of the text as it was written where that has a Provenance.
type manifest struct {
	MadeBy string         `json:"made_by"` // "kappa"
	Format int            `json:"format"`
	Spec   fileDigest     `json:"spec"`
	Report fileDigest     `json:"report"` // the text up to Provenance
	Engine []string       `json:"engine"` // versions behind the runs
	Files  []fileDigest   `json:"files"`
	Items  []manifestItem `json:"items"`
	Runs   []string       `json:"runs"` // keys in plan order

	Written  *fileDigest `json:"written,omitempty"`  // the text that lies there, to its end
	Replaces string      `json:"replaces,omitempty"` // SHA-256 of the text that was there, while Written is not yet
}

// tells says whether a text is the one that kappa wrote with this manifest.
func (m manifest) tells(text []byte) bool {
	if m.Written != nil {
		sum := digestOf("", text).SHA256
		return sum == m.Written.SHA256 || sum == m.Replaces
	}
	// Format 1 knew the text up to Provenance only.
	n := m.Report.Bytes
	if n < 0 || n > len(text) || digestOf("", text[:n]).SHA256 != m.Report.SHA256 {
		return false
	}
	return n == len(text) || bytes.HasPrefix(text[n:], []byte(provenanceHeading))
}

// with is the manifest of a text as it is written.
func (m manifest) with(text []byte, replaces string) manifest {
	w := digestOf(m.Report.Name, text)
	m.Written, m.Replaces = &w, replaces
	return m
}

// fileDigest is a file by content.
type fileDigest struct {
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// item is one table, figure, claim or number in the text.
type item struct {
	Kind string `json:"kind"` // table | figure | claim | number
	ID   string `json:"id,omitempty"`
	Line int    `json:"line"`          // of the spec
	SQL  string `json:"sql,omitempty"` // of a number
}

// manifestItem is an item with the runs it stands on.
type manifestItem struct {
	item
	Count int    `json:"count"`           // number of runs
	Runs  string `json:"runs"`            // their places in runs, from 0: "0-89,180"
	Other string `json:"other,omitempty"` // keys of runs outside the plan, with commas
}

func (b *builder) item(i item, runs []string) {
	m := manifestItem{item: i, Count: len(runs)}
	var places []int
	var other []string
	for _, k := range runs {
		if n, ok := b.plan.ordinal[k]; ok {
			places = append(places, n)
		} else {
			other = append(other, k)
		}
	}
	slices.Sort(places)
	slices.Sort(other)
	m.Runs, m.Other = ranges(places), strings.Join(other, ",")
	b.doc.manifest.Items = append(b.doc.manifest.Items, m)
}

// ranges writes ascending numbers as ranges.
func ranges(n []int) string {
	var parts []string
	for i := 0; i < len(n); {
		j := i
		for j+1 < len(n) && n[j+1] <= n[j]+1 {
			j++
		}
		if n[i] == n[j] {
			parts = append(parts, fmt.Sprint(n[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", n[i], n[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

func (b *builder) finishManifest() {
	d := b.doc
	m := &d.manifest
	m.MadeBy, m.Format = "kappa", manifestFormat
	m.Spec = digestOf(b.spec.Name+".toml", b.spec.Bytes)
	m.Report = digestOf(d.Name+".md", []byte(d.Body))
	m.Engine, _ = b.counted(func(r runState) string { return text(r.row["engine_version"]) })
	slices.Sort(m.Engine)
	for _, f := range d.Files {
		m.Files = append(m.Files, digestOf(f.Name, f.Data))
	}
	m.Runs = b.plan.keys
}

func digestOf(name string, data []byte) fileDigest {
	sum := sha256.Sum256(data)
	return fileDigest{name, len(data), hex.EncodeToString(sum[:])}
}

// encode writes the manifest, indented for diffs.
func (m manifest) encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil { // strings and numbers always can be encoded
		panic("reports: " + err.Error())
	}
	return b.Bytes()
}

// decodeManifest reads a manifest of kappa's.
func decodeManifest(data []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	if m.MadeBy != "kappa" {
		return m, fmt.Errorf("made by %q", m.MadeBy)
	}
	return m, nil
}
