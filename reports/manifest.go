package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// manifestName is the file beside a report's figures that says kappa made it, and from what.
const manifestName = "manifest.json"

// manifestFormat is raised when the manifest's shape changes. Format 1 knew the text up to Provenance only; formats 1 and 2 knew the
// runs behind each item, but not what it said; formats up to 3 had no sum over themselves.
const manifestFormat = 4

// firstWithSum is the first format whose last field is a sum over the rest.
const firstWithSum = 4

// manifest says what a report is made of: which spec, which runs, and for each table, figure, claim and number in the text what it
// said and which runs it stands on. It holds nothing that differs between two computations of the same plan, but for what is in
// Written.
type manifest struct {
	MadeBy   string         `json:"made_by"` // "kappa"
	Format   int            `json:"format"`
	Renderer int            `json:"renderer"` // Version
	Spec     fileDigest     `json:"spec"`
	Report   fileDigest     `json:"report"`            // the text up to Provenance
	Engine   []string       `json:"engine"`            // versions behind the runs
	Missing  string         `json:"missing,omitempty"` // places in Runs of those without a result
	Files    []fileDigest   `json:"files"`
	Items    []manifestItem `json:"items"`
	Runs     []string       `json:"runs"` // keys in plan order

	Written  *written `json:"written,omitempty"`  // the text that lies there, to its end
	Replaces string   `json:"replaces,omitempty"` // SHA-256 of the text that was there, while Written is not yet

	figures string // of Written, once there is one
	altered bool   // it was read, and is not as kappa wrote it
}

// written is what may differ between two computations of the same plan.
type written struct {
	fileDigest
	Lines   string `json:"lines,omitempty"`   // four hexadecimal digits a line, by which an edited one is found
	Figures string `json:"figures,omitempty"` // eight a run of the plan, by which one that was computed to other figures is found
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
	m.Written, m.Replaces = &written{digestOf(m.Report.Name, text), lineSums(text), m.figures}, replaces
	return m
}

// fileDigest is a file by content.
type fileDigest struct {
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func digestOf(name string, data []byte) fileDigest {
	sum := sha256.Sum256(data)
	return fileDigest{name, len(data), hex.EncodeToString(sum[:])}
}

// file is the digest of a file beside the report.
func (m manifest) file(name string) (fileDigest, bool) {
	i := slices.IndexFunc(m.Files, func(f fileDigest) bool { return f.Name == name })
	if i < 0 {
		return fileDigest{}, false
	}
	return m.Files[i], true
}

// lineDigits are the digits of a line's sum, mostLines the lines up to which a text has them.
const (
	lineDigits = 4
	mostLines  = 10_000
)

// lineSums has a sum for each line of a text.
func lineSums(text []byte) string {
	lines := strings.Split(string(text), "\n")
	if len(lines) > mostLines {
		return ""
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(lineSum(line))
	}
	return b.String()
}

func lineSum(line string) string {
	h := fnv.New32a()
	h.Write([]byte(line))
	s := h.Sum32()
	return fmt.Sprintf("%0*x", lineDigits, uint16(s>>16)^uint16(s))
}

// firstEdited is the first line of a text, from 1, that is not the one which was written; 0 where that cannot be told.
func (m manifest) firstEdited(text []byte) int {
	if m.Written == nil || m.Written.Lines == "" {
		return 0
	}
	lines, sums := strings.Split(string(text), "\n"), m.Written.Lines
	for i, line := range lines {
		at := i * lineDigits
		if at+lineDigits > len(sums) || sums[at:at+lineDigits] != lineSum(strings.TrimSuffix(line, "\r")) {
			return i + 1
		}
	}
	if len(lines)*lineDigits < len(sums) {
		return len(lines) + 1 // its end is missing
	}
	return 0
}

func (b *builder) finishManifest(figures []string) {
	d := b.doc
	m := &d.manifest
	m.MadeBy, m.Format, m.Renderer = "kappa", manifestFormat, Version
	m.Spec = digestOf(b.spec.Name+".toml", b.spec.Bytes)
	m.Report = digestOf(d.Name+".md", []byte(d.Body))
	m.Engine, _ = b.counted(func(r runState) string { return text(r.row["engine_version"]) })
	slices.Sort(m.Engine)
	for _, f := range d.Files {
		m.Files = append(m.Files, digestOf(f.Name, f.Data))
	}
	m.Runs = b.plan.keys
	var missing []int
	for _, key := range d.Missing {
		missing = append(missing, b.plan.ordinal[key])
	}
	m.Missing = ranges(missing)
	m.figures = joinFigures(figures)
}

// figureDigits are the digits of a run's figures in a manifest.
const figureDigits = 8

// joinFigures writes the digests of the figures of a plan's runs in one text; a run without any has dashes.
func joinFigures(figures []string) string {
	var b strings.Builder
	for _, f := range figures {
		if len(f) < figureDigits {
			f = strings.Repeat("-", figureDigits)
		}
		b.WriteString(f[:figureDigits])
	}
	return b.String()
}

// encode writes the manifest, with a line for each file, item and run for the sake of diffs.
func (m manifest) encode() []byte {
	var b bytes.Buffer
	field := func(name string, v any) { fmt.Fprintf(&b, ",\n  %q: %s", name, compact(v)) }
	fmt.Fprintf(&b, "{\n  \"made_by\": %s", compact(m.MadeBy))
	field("format", m.Format)
	field("renderer", m.Renderer)
	field("spec", m.Spec)
	field("report", m.Report)
	field("engine", m.Engine)
	if m.Missing != "" {
		field("missing", m.Missing)
	}
	encodeList(&b, "files", m.Files)
	encodeList(&b, "items", m.Items)
	encodeList(&b, "runs", m.Runs)
	if m.Written != nil {
		field("written", m.Written)
	}
	if m.Replaces != "" {
		field("replaces", m.Replaces)
	}
	if m.Format >= firstWithSum {
		field("sum", digestOf("", b.Bytes()).SHA256)
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

// sumField begins the last line but one of a manifest.
const sumField = ",\n  \"sum\": "

// unaltered says whether a manifest of a format with a sum, as it was read, is as kappa wrote it.
func unaltered(data []byte) bool {
	at := bytes.LastIndex(data, []byte(sumField))
	return at >= 0 && string(data[at:]) == fmt.Sprintf("%s%q\n}\n", sumField, digestOf("", data[:at]).SHA256)
}

func encodeList[T any](b *bytes.Buffer, name string, list []T) {
	fmt.Fprintf(b, ",\n  %q: [", name)
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n    ")
		b.Write(compact(v))
	}
	if len(list) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteByte(']')
}

// compact is v as JSON on one line.
func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // strings and whole numbers always can be encoded
		panic("reports: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// errNotKappas says that a manifest is somebody else's.
var errNotKappas = errors.New("it is not kappa's")

// decodeManifest reads a manifest of kappa's, with the ends of lines that kappa writes.
func decodeManifest(data []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	if m.MadeBy != "kappa" {
		return m, fmt.Errorf("%w: made by %q", errNotKappas, m.MadeBy)
	}
	m.altered = (m.Format >= firstWithSum || bytes.Contains(data, []byte(sumField))) && !unaltered(data)
	return m, nil
}
