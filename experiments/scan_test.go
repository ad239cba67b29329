package experiments

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

func TestScan(t *testing.T) {
	const src = "\ufeff" + `# title = "not here"
title = "a # b" # comment
"quoted \"key\".x" . 'it''s' = 1 # invalid, but ends
[ a . "b.c" ] # header
text = """
[a.no]
no = 1 \"""
""""
raw = '''
[[no]]''''
inline = { x = 1, "y.z" = [ { p = 1 }, { p = 2,
  q = 3 } ] }
list = [ "]",
  2, # ]
  [3]
]
date = 1979-05-27 07:32:00
[[c]]
k = 1
[[c]]
k = 2
[c.sub]
k = 3
[[c.d]]
[[c.d]]
"\u00e9\x41\t" = 1
a.b = 1
`
	want := map[string]int{
		"title": 2, "a/b.c": 4, "a/b.c/text": 5, "a/b.c/raw": 9, "a/b.c/inline": 11, "a/b.c/inline/x": 11,
		"a/b.c/inline/y.z/0": 11, "a/b.c/inline/y.z/0/p": 11, "a/b.c/inline/y.z/1/p": 11, "a/b.c/inline/y.z/1/q": 12,
		"a/b.c/list": 13, "a/b.c/list/0": 13, "a/b.c/list/1": 14, "a/b.c/list/2": 15, "a/b.c/date": 17,
		"c/0": 18, "c/0/k": 19, "c/1": 20, "c/1/k": 21, "c/1/sub": 22, "c/1/sub/k": 23, "c/1/d/0": 24, "c/1/d/1": 25,
		"c/1/d/1/éA\t": 26, "c/1/d/1/a/b": 27,
	}
	valid := strings.Replace(src, `"quoted \"key\".x" . 'it''s' = 1 # invalid, but ends`, "", 1)
	got := scan(valid)
	for path, line := range want {
		if l, ok := got.line[strings.ReplaceAll(path, "/", "\x00")]; !ok || l != line {
			t.Errorf("%s: line %d (found: %t), want %d", path, l, ok, line)
		}
	}
	checkScan(t, valid)
	scan(src)
}

// checkScan compares the scanner with the decoder: as many keys, in the same order, each at its place in the decoded tree.
func checkScan(t *testing.T, src string) {
	t.Helper()
	var root map[string]any
	meta, err := toml.Decode(src, &root)
	if err != nil {
		t.Fatal(err)
	}
	p := scan(src)
	var want, got []string
	for _, k := range meta.Keys() {
		want = append(want, join(k))
	}
	for _, path := range p.keys {
		var key []string
		var at any = root
		for _, part := range path {
			if _, ok := at.(map[string]any); ok {
				key = append(key, part)
			}
			at = child(at, part)
		}
		if at == nil {
			t.Errorf("%q leads nowhere in\n%s", path, src)
		}
		got = append(got, join(key))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys of the decoder (-) and of the scanner (+):\n%s\nin\n%s", diff, src)
	}
	lines := strings.Count(src, "\n") + 1
	for key, line := range p.line {
		if line < 1 || line > lines {
			t.Errorf("%q on line %d of %d", key, line, lines)
		}
	}
}

func TestScanEnds(t *testing.T) {
	for _, src := range []string{
		"", "[", "[[", "[[a", "=", "a=", "a=[", "a=[}", "a={", "a={]", "a={b", "a='", "a=\"", "a=\"\\", "a='''", `"\u`, "a.", ".", "\"", "'",
		"a=[[[,{,", "]", "}", ",", "a=[,]", "a={,}", "\\", "\r", "a = 1 b = 2",
	} {
		scan(src)
		tooDeep(src, 10)
	}
}
