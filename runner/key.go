package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"kappa/experiments"
)

// keyFormat is the first field of every key: it changes when the way keys are written does.
const keyFormat = "kappa key 1"

// makeKeys returns the two keys of a run: train covers what decides θ and its trace, run also the attacks.
//
// Fields, in order: the key format, the engine's version, the digests of what is read (both sides' data, θ₀ where it is a file, the
// key of the run that trains it where it is one), then every resolved setting by sorted path, train.trace and train.keep among them: the trace and the kept θ are part of what a
// run leaves. Left out on purpose:
//   - paths of data files: the digest stands for what was read, wherever it lies;
//   - train.seed where nothing is drawn on the way to θ, and train.loss where no term reads it (see resolve);
//   - prose, cells, claims, workers, timeouts, retries and tags, which change no figure (they are not settings);
//   - the kernel of the matrix product: two kernels agree to rounding.
func makeKeys(s experiments.Settings, data []string, engineVersion int) (train, run string) {
	r := reader{s}
	h := sha256.New()
	field(h, keyFormat)
	field(h, strconv.Itoa(engineVersion))
	for _, digest := range data {
		field(h, digest)
	}
	for _, path := range slices.Sorted(maps.Keys(s)) {
		switch {
		case strings.HasPrefix(path, "attack."),
			path == "model.init" && initFile(r) != "",
			isDataPath(path):
			continue
		}
		field(h, path)
		field(h, canonicalValue(s[path]))
	}
	train = hex.EncodeToString(h.Sum(nil))

	h = sha256.New()
	field(h, keyFormat)
	field(h, train)
	for _, path := range slices.Sorted(maps.Keys(s)) {
		if !strings.HasPrefix(path, "attack.") {
			continue
		}
		field(h, path)
		field(h, canonicalValue(s[path]))
	}
	return train, hex.EncodeToString(h.Sum(nil))
}

func isDataPath(path string) bool {
	for _, end := range []string{".dataset.csv", ".dataset.npy", ".dataset.labels", ".dataset.images"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// field writes a length and a value, so that no two sequences of fields have the same bytes.
func field(h hash.Hash, value string) {
	fmt.Fprintf(h, "%d:%s,", len(value), value)
}

// canonicalValue writes a value with its type. A whole number reads the same as integer and as float.
func canonicalValue(v any) string {
	switch v := v.(type) {
	case string:
		return "s" + v
	case bool:
		return "b" + strconv.FormatBool(v)
	case int64:
		return "n" + strconv.FormatInt(v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return "n" + strconv.FormatInt(int64(v), 10)
		}
		return "n" + strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		var b strings.Builder
		fmt.Fprintf(&b, "l%d", len(v))
		for _, e := range v {
			c := canonicalValue(e)
			fmt.Fprintf(&b, ":%d:%s", len(c), c)
		}
		return b.String()
	default:
		panic(fmt.Sprintf("runner: a setting of type %T has no canonical form", v))
	}
}
