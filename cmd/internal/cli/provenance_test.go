package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReadDiff(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", maxDiff/16+3)
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	for _, tt := range []struct {
		name, in string
		keep     bool
		want     uncommitted
	}{
		{"nothing", "", true, uncommitted{}},
		{"changes", "-a\n+b\n", false, uncommitted{hash: sum("-a\n+b\n"), bytes: 6}},
		{"changes and their text", "-a\n+b\n", true, uncommitted{hash: sum("-a\n+b\n"), bytes: 6, text: "-a\n+b\n"}},
		{"what is no text", "a\xff\x00b", true, uncommitted{hash: sum("a\xff\x00b"), bytes: 4, text: "a\uFFFD\uFFFDb"}},
		{"as much as is kept", long[:maxDiff], true, uncommitted{hash: sum(long[:maxDiff]), bytes: maxDiff, text: long[:maxDiff]}},
		{"more than is kept", long, true, uncommitted{hash: sum(long), bytes: int64(len(long)), text: long[:maxDiff] + "\n[cut: 1048576 of 1048624 bytes are recorded]\n"}},
	} {
		got, err := readDiff(iotest.HalfReader(strings.NewReader(tt.in)), tt.keep)
		if err != nil || got != tt.want {
			t.Errorf("%s: %.60q of %d bytes, %v", tt.name, got.text, got.bytes, err)
		}
	}
	if got, err := readDiff(iotest.ErrReader(errors.New("gone")), true); err == nil || got != (uncommitted{}) {
		t.Errorf("of what cannot be read to its end nothing is known: %+v, %v", got, err)
	}
}

func TestWithoutSecrets(t *testing.T) {
	got := withoutSecrets([]string{
		"kappa", "run", "digits", "-m", "from https://me:hunter2@example.org/x", "--note=see http://h/p?a=1&access_token=abc&b=2", "-S", "train.steps=3",
		"mail me@example.org", "https://example.org/?API_KEY=zzz",
	})
	want := []string{
		"kappa", "run", "digits", "-m", "from https://…@example.org/x", "--note=see http://h/p?a=1&access_token=…&b=2", "-S", "train.steps=3",
		"mail me@example.org", "https://example.org/?API_KEY=…",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
