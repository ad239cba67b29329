package store

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// ack is one line of the file of acknowledged ends: an attempt that was told to be recorded.
type ack struct {
	Seq        int64 // the order in which ends were recorded
	Key        string
	Attempt    int // of its run
	Status     Status
	Experiment string // a spec that the run belongs to; "": none, or not known
}

// acksHeader is the first line of the file.
const acksHeader = "kappa: the ends of runs that were recorded in the database beside this file, version 1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// line writes a as a line: fields between spaces, the last of them a check sum of those before.
func (a ack) line() string {
	s := fmt.Sprintf("%d %s %d %s %s ", a.Seq, a.Key, a.Attempt, a.Status, strconv.QuoteToASCII(a.Experiment))
	return s + fmt.Sprintf("%08x\n", crc32.Checksum([]byte(s), castagnoli))
}

// parseAck reads a line without its line feed. ok is false for anything that line has not written, as for a line that a power cut
// has torn.
func parseAck(line string) (a ack, ok bool) {
	at := strings.LastIndexByte(line, ' ') + 1
	if sum, err := strconv.ParseUint(line[at:], 16, 32); err != nil || len(line)-at != 8 ||
		uint32(sum) != crc32.Checksum([]byte(line[:at]), castagnoli) {
		return ack{}, false
	}
	f := strings.SplitN(line[:at-1], " ", 5)
	if len(f) != 5 {
		return ack{}, false
	}
	var err [3]error
	a.Seq, err[0] = strconv.ParseInt(f[0], 10, 64)
	a.Attempt, err[1] = strconv.Atoi(f[2])
	a.Experiment, err[2] = strconv.Unquote(f[4])
	a.Key, a.Status = f[1], Status(f[3])
	return a, err == [3]error{} && a.Seq > 0 && a.Seq < 1<<53 && checkKey(a.Key) == nil
}

// acks are lines of the file, or of its end.
type acks struct {
	lines []ack // in the order of seq, each once
	bad   int   // lines that cannot be read; a torn one among them, an unfinished last one not
	torn  bool  // the text does not end with a line feed
}

// parseAcks reads the lines of text; with part, the text begins somewhere within the file, and its first line counts for nothing.
func parseAcks(text []byte, part bool) (r acks) {
	r.torn = len(text) > 0 && text[len(text)-1] != '\n'
	for i, raw := range bytes.SplitAfter(text, []byte("\n")) {
		line, whole := strings.CutSuffix(string(raw), "\n")
		switch a, ok := parseAck(line); {
		case ok && whole:
			r.lines = append(r.lines, a)
		case i == 0 && (part || string(raw) == acksHeader), line == "", !whole:
		default:
			r.bad++
		}
	}
	slices.SortStableFunc(r.lines, func(a, b ack) int { return int(a.Seq - b.Seq) })
	r.lines = slices.CompactFunc(r.lines, func(a, b ack) bool { return a.Seq == b.Seq && a.Key == b.Key })
	return r
}

// last is the greatest seq, 0 for none.
func (r acks) last() int64 {
	if n := len(r.lines); n > 0 {
		return r.lines[n-1].Seq
	}
	return 0
}
