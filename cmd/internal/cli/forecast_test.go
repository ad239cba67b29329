package cli

import (
	"testing"
	"time"

	"kappa/experiments"
	"kappa/runner"
)

func TestDurationsAreEstimates(t *testing.T) {
	for _, tt := range []struct {
		d           time.Duration
		short, said string
	}{
		{0, "0 s", "less than a second"},
		{2345 * time.Microsecond, "0.0023 s", "less than a second"},
		{999 * time.Millisecond, "1 s", "less than a second"},
		{1249 * time.Millisecond, "1.2 s", "about 1.2 s"},
		{9960 * time.Millisecond, "10 s", "about 10 s"},
		{94 * time.Second, "94 s", "about 94 s"},
		{95 * time.Second, "1.6 min", "about 1.6 min"},
		{48*time.Minute + 20*time.Second, "48 min", "about 48 min"},
		{94*time.Minute + 59*time.Second, "95 min", "about 95 min"},
		{110 * time.Minute, "1.8 h", "about 1.8 h"},
		{123 * time.Hour, "120 h", "about 120 h"},
		{9876 * time.Hour, "9900 h", "about 9900 h"},
	} {
		if got := shortly(tt.d); got != tt.short {
			t.Errorf("shortly(%v) = %q, want %q", tt.d, got, tt.short)
		}
		if got := about(tt.d); got != tt.said {
			t.Errorf("about(%v) = %q, want %q", tt.d, got, tt.said)
		}
	}
}

func TestForecastInWords(t *testing.T) {
	base := runner.Forecast{Jobs: 2, Cores: 2, CPU: 92 * time.Minute, Wall: 48 * time.Minute, Count: 990, Recorded: 120, Share: 1}
	with := func(change func(f *runner.Forecast)) runner.Forecast {
		f := base
		change(&f)
		return f
	}
	for _, tt := range []struct {
		f    runner.Forecast
		want string
	}{
		{base, "about 48 min on 2 cores (92 min of processor time), from 120 recorded runs"},
		{
			with(func(f *runner.Forecast) { f.Jobs, f.Recorded = 1, 0 }),
			"about 48 min on 2 cores, 1 at once (92 min of processor time), by the cost of their computations: no such run is recorded here yet",
		},
		{
			with(func(f *runner.Forecast) { f.Share, f.Recorded = 0.456, 1 }),
			"about 48 min on 2 cores (92 min of processor time), from 1 recorded run; other programs are expected to leave 46 % of the cores, as in the last hour",
		},
		{
			with(func(f *runner.Forecast) { f.Jobs, f.Cores, f.Unknown = 1, 1, 3 }),
			"about 48 min on 1 core (92 min of processor time), from 120 recorded runs; 3 runs not counted, whose data are not there or do not make the tasks",
		},
		{with(func(f *runner.Forecast) { f.Unknown = 990 }), "how long they will take cannot be told: their data are not there, or do not make the tasks"},
	} {
		if got := forecastText(tt.f); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestForecastsTogether(t *testing.T) {
	one := planned{forecast: runner.Forecast{Jobs: 2, Cores: 4, CPU: time.Minute, Wall: time.Second, Count: 3, Unknown: 1, Recorded: 9, Share: 0.5}}
	nothing := planned{}
	got := together([]planned{one, nothing, one})
	if got.Jobs != 2 || got.Cores != 4 || got.CPU != 2*time.Minute || got.Wall != 2*time.Second || got.Count != 6 || got.Unknown != 2 || got.Recorded != 9 || got.Share != 0.5 {
		t.Errorf("%+v", got)
	}
}

func TestForetoldIsWorthAWord(t *testing.T) {
	for _, tt := range []struct {
		f    runner.Forecast
		want string
	}{
		{runner.Forecast{Count: 9, Wall: 3 * time.Minute}, ", foretold 3 min"},
		{runner.Forecast{Count: 9, Wall: 3 * time.Second}, ""},
		{runner.Forecast{Count: 9, Wall: 3 * time.Minute, Unknown: 1}, ""},
	} {
		if got := (planned{target: &target{spec: &experiments.Spec{}}, forecast: tt.f}).foretold(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.f, got, tt.want)
		}
	}
}

// TestSpeedByAClock: with a clock that advances 10 ms a look, a product of order 384 takes 10 ms; it is measured once.
func TestSpeedByAClock(t *testing.T) {
	looks := 0
	a := &app{env: Env{Now: func() time.Time {
		looks++
		return time.Unix(0, int64(looks)*int64(10*time.Millisecond))
	}}}
	got := a.coreSpeed()
	before := looks
	if want := 2 * 384 * 384 * 384 / 0.01 / 1e9; got > want*1.0001 || got < want/64 { // where gonum multiplies, on all cores
		t.Errorf("%v GFLOP/s, want %v", got, want)
	}
	if again := a.coreSpeed(); again != got || looks != before {
		t.Errorf("measured again: %v, then %v", got, again)
	}
}
