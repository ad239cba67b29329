package experiments

// Catalog is the table of names that a spec may use. The package that can run them fills it in (runner/catalog.go);
// this one only checks against it, so that it need not know how anything is computed.
type Catalog struct {
	Methods   []Entry // train.method
	Attackers []Entry // attack.method
	Datasets  []DatasetEntry
	Models    []Entry // model.kind
	Keys      []Key   // every other key of [primary], [harmful], [synthetic], [model], [train] and [[attack]]
}

// Entry is one name with the keys it reads.
type Entry struct {
	Name string
	Doc  string // one sentence
	// Uses lists the keys of its own table that the entry reads, as full paths ("train.steps"); others are dropped from the
	// settings of its runs, so that they change neither key nor result.
	Uses []string
	// Defaults holds this entry's own defaults, as full paths; they win over Key.Default.
	Defaults Settings
	// Random says whether the entry draws random numbers; if not, its runs do not depend on the seed.
	Random bool
}

// DatasetEntry is one data set known by name.
type DatasetEntry struct {
	Entry
	Classes []int64 // class values it has; empty if it has none or they are not known before reading
	Needs   string  // a sentence saying how to get the data, if they are not in the binary; else empty
}

// Type is the type of a key's value.
type Type string

// The types of values.
const (
	String Type = "string"
	Bool   Type = "boolean"
	Int    Type = "integer"
	Float  Type = "number"
	List   Type = "list" // of Elem
	Any    Type = "any"  // any scalar
)

// Key describes one key of a spec: what the loader checks, README.md documents and the JSON Schema states.
type Key struct {
	Path    string // "train.learning_rate"; for attacks "attack.steps" (the index left out)
	Types   []Type // accepted types; an integer is accepted where Float is
	Elem    Type   // element type of a List
	Enum    []string
	Min     *float64 // inclusive bounds of a number, unless Open
	Max     *float64
	Open    bool // Min itself is excluded
	Default any  // nil: none
	Unit    string
	Doc     string // one sentence
}
