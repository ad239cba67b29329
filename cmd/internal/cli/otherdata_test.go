package cli

import "testing"

func TestOutdatedInWords(t *testing.T) {
	for _, tt := range []struct {
		o    outdated
		want string
	}{
		{outdated{}, ""},
		{outdated{data: 1}, "1 recorded run stands on other data"},
		{outdated{data: 2, changed: []string{"a.csv"}}, "2 recorded runs stand on other data: a.csv has changed"},
		{
			outdated{data: 2, engine: 1, changed: []string{"a.csv", "b.npy"}},
			"2 recorded runs stand on other data: a.csv, b.npy have changed; 1 recorded run stands on another version of the engine",
		},
	} {
		if got := tt.o.String(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.o, got, tt.want)
		}
	}
}

func TestDataName(t *testing.T) {
	for ref, want := range map[string]string{
		`csv="a b.csv" target="y"`: "a b.csv", `name="digits"`: "digits", `npy="x\".npy"`: `x".npy`, "odd": "odd", "odd=1": "odd=1",
	} {
		if got := dataName(ref); got != want {
			t.Errorf("dataName(%s) = %s, want %s", ref, got, want)
		}
	}
}
