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
	// Uses lists the keys of its own table that the entry reads, as full paths ("train.steps", for a data set
	// "primary.class" and "harmful.class"). A key that some entry of the table lists is dropped from the settings of the runs
	// of an entry that does not, so that it changes neither key nor result. Always kept: a key that no entry lists, the
	// entry's name itself, and train.seed (attackers and models may draw too).
	Uses []string
	// Defaults holds this entry's own defaults, as full paths; they win over Key.Default.
	Defaults Settings
	// Always lists those of Uses that the entry reads whatever [Key.When] says.
	Always []string
	// Random says whether the entry draws random numbers; if not, its runs do not depend on the seed.
	Random bool
	// Family is what messages call the models of one kind, such as "deep nets". A method, an attacker or a data set goes with the
	// models of its family, with all if it has none. Entries of different families may share a name; each then has keys and
	// defaults of its own.
	Family string
}

// DatasetEntry is one data set known by name; or, if Keys has "primary.dataset.NAME", one form of an inline table,
// dataset = { NAME = …, … }, whose name alone is no data set. Keys of a table of the same name ([synthetic]) belong to the
// data set alone.
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
	Path    string   // "train.learning_rate"; for attacks "attack.steps" (the index left out)
	Types   []Type   // accepted types; an integer is accepted where Float is
	Elem    Type     // element type of a List
	Enum    []string // the strings accepted; empty: any
	Min     *float64 // inclusive bounds of a number, unless Open
	Max     *float64
	Open    bool // Min itself is excluded; the bounds of a List hold for its elements
	Default any  // nil: none
	// When lists conditions of which one must hold for a run to read the key, each a setting of that run such as
	// {"train.optimizer": "sgd"}; empty: always read. A key that is not read is dropped. Keys are decided in the order of
	// [Catalog.Keys].
	When []Settings
	Unit string
	Doc  string // one sentence
}
