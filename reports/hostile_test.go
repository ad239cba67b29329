package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// FuzzManifest: whatever lies where a manifest should, and whatever text beside it, looking, judging, comparing and tracing end without a
// panic, and a report that is not what would be written has a reason.
func FuzzManifest(f *testing.F) {
	s, source, o := small()
	s.Hash = digestOf("", s.Bytes).SHA256
	d, err := Build(f.Context(), s, source, o)
	if err != nil {
		f.Fatal(err)
	}
	text := d.Markdown(true)
	f.Add(d.manifest.with(text, "").encode(), text)
	f.Add([]byte(`{"made_by":"kappa","format":3,"report":{"bytes":-7},"items":[{"kind":"table","id":"limited","runs":"0-9999999999999/1,5-3","at":-4,"to":99999999999}],"runs":["x"],"missing":"0-7/0","written":{"lines":"00","figures":"123"}}`), []byte("| `limited` |\n"))
	f.Add([]byte(`{"made_by":"kappa","files":[{"name":"../../x"},{"name":"tab-limited.csv","sha256":""}],"items":null}`), []byte{})
	f.Add([]byte(`{"made_by":"kappa","format":9,"runs":["","",""],"items":[{"kind":"claim","id":"matches"},{"kind":"number"},{"kind":"number"}]}`), []byte("\n\n\n"))
	f.Add([]byte("{"), []byte("# A\n"))
	var keys []string
	for _, r := range o.Plan {
		keys = append(keys, r.Key)
	}
	figures, _ := source.Figures(f.Context())
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, manifest, text []byte) {
		folder := filepath.Join(dir, "small_files")
		must(t, os.MkdirAll(folder, 0o755))
		must(t, os.WriteFile(filepath.Join(folder, manifestName), manifest, 0o644))
		must(t, os.WriteFile(filepath.Join(dir, "small.md"), text, 0o644))
		p, err := Look(dir, "small")
		must(t, err)
		for _, facts := range []Facts{
			{Spec: s, Plan: keys, Figures: figures, Document: d},
			{Spec: s, Plan: keys, Figures: figures},
			{Spec: s, Plan: keys, Lacking: []Lack{{keys[0], "failed"}}, Document: d},
			{Spec: s, Unplanned: os.ErrNotExist, Unbuilt: os.ErrNotExist},
		} {
			standing := p.Judge(facts)
			if facts.Document != nil && facts.Lacking == nil && len(standing.Reasons) == 0 && len(p.changes(d)) > 0 {
				t.Errorf("no reason, and writing changes %v", p.changes(d))
			}
		}
		TellChanges(p.Changes(d), 3)
		p.Verdicts()
		for _, place := range []string{"limited", "1", "small.md:8", "small.toml:10", "99999999999", ""} {
			_, _ = p.Trace(place)
		}
	})
}

// TestManifestNamesNoFile: files that a manifest names, and that cannot be those of a report, are said to be missing; what they lead to is
// neither read nor removed.
func TestManifestNamesNoFile(t *testing.T) {
	for _, name := range []string{".", "..", "../small.md", "/", "manifest.json", "a/b", ""} {
		b := newBench(t)
		b.edit("small_files/manifest.json", `"name":"tab-limited.csv"`, fmt.Sprintf(`"name":%q`, name))
		if s := b.judge(nil); s.State != Altered || len(s.Reasons) == 0 || s.Reasons[0].Kind != BecauseFiles {
			t.Errorf("%q: %s, %v", name, s.State, s.Reasons)
		}
		if _, err := Write(b.dir, b.build(), WriteOptions{Force: true}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
