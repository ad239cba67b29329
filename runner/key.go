package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	return new(keyWriter).make(s, data, engineVersion)
}

// keyWriter writes the keys of many runs. Neighbours in a sweep mostly have the same paths, which it sorts once.
type keyWriter struct {
	paths     []string // of the settings seen last, sorted
	describes bool     // one of them describes data of one's own
	fields    []byte
	value     []byte
}

// sort makes paths those of s.
func (w *keyWriter) sort(s experiments.Settings) {
	if len(w.paths) == len(s) && len(s) > 0 && !slices.ContainsFunc(w.paths, func(path string) bool { _, ok := s[path]; return !ok }) {
		return
	}
	w.paths = slices.AppendSeq(w.paths[:0], maps.Keys(s))
	slices.Sort(w.paths)
	w.describes = slices.ContainsFunc(w.paths, describesData)
}

// make is makeKeys.
func (w *keyWriter) make(s experiments.Settings, data []string, engineVersion int) (train, run string) {
	w.sort(s)
	w.fields = field(w.fields[:0], keyFormat)
	w.fields = field(w.fields, strconv.Itoa(engineVersion))
	for _, digest := range data {
		w.fields = field(w.fields, digest)
	}
	file := initFile(reader{s}) != ""
	for _, path := range w.paths {
		if !strings.HasPrefix(path, "attack.") && !(path == "model.init" && file) && !isDataPath(path) {
			w.setting(path, s[path])
		}
	}
	train = hexSum(w.fields)
	w.fields = field(w.fields[:0], keyFormat)
	w.fields = field(w.fields, train)
	for _, path := range w.paths {
		if strings.HasPrefix(path, "attack.") {
			w.setting(path, s[path])
		}
	}
	return train, hexSum(w.fields)
}

// setting writes a path and its value.
func (w *keyWriter) setting(path string, v any) {
	w.fields = field(w.fields, path)
	w.value = appendCanonical(w.value[:0], v)
	w.fields = field(w.fields, w.value)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
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
func field[T string | []byte](to []byte, value T) []byte {
	to = strconv.AppendInt(to, int64(len(value)), 10)
	to = append(to, ':')
	to = append(to, value...)
	return append(to, ',')
}

// canonicalValue writes a value with its type. A whole number reads the same as integer and as float.
func canonicalValue(v any) string { return string(appendCanonical(nil, v)) }

func appendCanonical(to []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(append(to, 's'), v...)
	case bool:
		return strconv.AppendBool(append(to, 'b'), v)
	case int64:
		return strconv.AppendInt(append(to, 'n'), v, 10)
	case float64:
		to = append(to, 'n')
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.AppendInt(to, int64(v), 10)
		}
		return strconv.AppendFloat(to, v, 'g', -1, 64)
	case []any:
		to = strconv.AppendInt(append(to, 'l'), int64(len(v)), 10)
		for _, e := range v {
			c := appendCanonical(nil, e)
			to = strconv.AppendInt(append(to, ':'), int64(len(c)), 10)
			to = append(append(to, ':'), c...)
		}
		return to
	default:
		panic(fmt.Sprintf("runner: a setting of type %T has no canonical form", v))
	}
}
