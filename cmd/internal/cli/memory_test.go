package cli

import (
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMemoryLimit(t *testing.T) {
	const total = 1000 << 20
	for _, tt := range []struct {
		text  string
		total int64
		want  int64
		bad   string // part of the message
	}{
		{text: "80%", total: total, want: 800 << 20},
		{text: " 12.5 % ", total: total, want: 125 << 20},
		{text: "100%", total: total, want: total},
		{text: "80%", total: 0, want: 0}, // the default, on a machine that does not say what it has
		{text: "50%", total: 0, bad: "does not say how much"},
		{text: "0%", total: total, bad: "more than 0 %"},
		{text: "101%", total: total, bad: "at most 100 %"},
		{text: "-5%", total: total, bad: "more than 0 %"},
		{text: "NaN%", total: total, bad: "more than 0 %"},
		{text: "0", total: total, want: 0},
		{text: "2GiB", total: total, want: 2 << 30},
		{text: "2gib", want: 2 << 30},
		{text: "1.5 GiB", want: 3 << 29},
		{text: "500MB", want: 500e6},
		{text: "4G", want: 4 << 30},
		{text: "64k", want: 64 << 10},
		{text: "1048576", want: 1 << 20},
		{text: "1048576B", want: 1 << 20},
		{text: "1e30TiB", want: 0}, // more than there can be
		{text: "", bad: "it is no size"},
		{text: "lots", bad: "it is no size"},
		{text: "0.8", total: total, bad: "it is less than a byte"},
		{text: "1e-12%", total: total, want: 1},
		{text: "-1GiB", bad: "it is no size"},
		{text: "InfGiB", bad: "it is no size"},
		{text: "GiB", bad: "it is no size"},
	} {
		got, err := memoryLimit(tt.text, tt.total)
		switch {
		case tt.bad != "":
			if err == nil || !strings.Contains(err.Error(), tt.bad) || exitCode(err, exitOK) != exitUsage {
				t.Errorf("%q: %v, want an error with %q", tt.text, err, tt.bad)
			}
		case err != nil || got != tt.want:
			t.Errorf("%q of %d: %d, %v; want %d", tt.text, tt.total, got, err, tt.want)
		}
	}
}

func TestSystemMemory(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	const info = "MemFree:  1 kB\nMemTotal:       2000 kB\n"
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  int64
	}{
		{"nothing", fstest.MapFS{}, 0},
		{"the machine", fstest.MapFS{"proc/meminfo": file(info)}, 2000 << 10},
		{"a group without a limit", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("max\n"),
		}, 2000 << 10},
		{"a group", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("500000\n"),
		}, 500000},
		{"a group above", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("500000\n"), "sys/fs/cgroup/a/memory.max": file("400000\n"),
		}, 400000},
		{"inside a container", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("300000\n"),
		}, 300000},
		{"version 1", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("3:cpu,cpuacct:/x\n2:hugetlb,memory:/docker/y\n"),
			"sys/fs/cgroup/memory/docker/y/memory.limit_in_bytes": file("200000\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("1\n"),
		}, 200000},
		{"version 1 without a limit", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("2:memory:/\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 2000 << 10},
		{"nonsense", fstest.MapFS{"proc/meminfo": file("MemTotal: many"), "proc/self/cgroup": file("x\n::\n"), "sys/fs/cgroup/memory.max": file("-7")}, 0},
	} {
		if got := systemMemory(tt.files); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestOwnMemory: what this process takes is found, and less than what it may have, where the system says both.
func TestOwnMemory(t *testing.T) {
	resident, total := residentMemory(), machineMemory()
	if resident <= 1<<20 || total > 0 && resident > total {
		t.Errorf("takes %d of %d", resident, total)
	}
}

// TestBoundedMemory: the collector has less than the limit, not more than before, and what it had afterwards.
func TestBoundedMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	restore := boundedMemory(1 << 40)
	if got := debug.SetMemoryLimit(-1); got >= 1<<40 || got < 1<<39 {
		t.Errorf("%d of %d", got, int64(1)<<40)
	}
	boundedMemory(1 << 50)()
	restore()
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("afterwards %d", got)
	}
	boundedMemory(0)()
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("without a limit %d", got)
	}
}
