package mathml

// letters are the commands that stand for a letter; capitals of Greek are upright, as in TeX.
var letters = map[string]string{
	"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
	"vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "omicron": "ο", "pi": "π",
	"varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ",
	"chi": "χ", "psi": "ψ", "omega": "ω", "ell": "ℓ", "imath": "ı", "jmath": "ȷ", "hbar": "ℏ",
}

var uprightLetters = map[string]string{
	"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
	"Omega": "Ω", "infty": "∞", "partial": "∂", "nabla": "∇", "emptyset": "∅", "varnothing": "∅", "aleph": "ℵ", "Re": "ℜ", "Im": "ℑ",
	"top": "⊤", "bot": "⊥", "prime": "′", "degree": "°", "angle": "∠", "forall": "∀", "exists": "∃", "nexists": "∄", "square": "□",
	"%": "%", "#": "#", "$": "$", "_": "_", "&": "&", "S": "§",
}

// operators are binary operators, relations, arrows and punctuation.
var operators = map[string]string{
	"pm": "±", "mp": "∓", "times": "×", "div": "÷", "cdot": "⋅", "ast": "∗", "star": "⋆", "circ": "∘", "bullet": "∙", "oplus": "⊕",
	"ominus": "⊖", "otimes": "⊗", "odot": "⊙", "cap": "∩", "cup": "∪", "setminus": "∖", "wedge": "∧", "land": "∧", "vee": "∨",
	"lor": "∨", "dagger": "†", "neg": "¬", "lnot": "¬",
	"le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "lt": "<", "gt": ">", "ll": "≪", "gg": "≫", "equiv": "≡",
	"sim": "∼", "simeq": "≃", "approx": "≈", "cong": "≅", "propto": "∝", "in": "∈", "ni": "∋", "notin": "∉", "subset": "⊂",
	"supset": "⊃", "subseteq": "⊆", "supseteq": "⊇", "prec": "≺", "preceq": "⪯", "succ": "≻", "succeq": "⪰", "perp": "⟂",
	"parallel": "∥", "mid": "∣", "nmid": "∤", "lesssim": "≲", "gtrsim": "≳", "leqslant": "⩽", "geqslant": "⩾", "coloneqq": "≔",
	"to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "leftrightarrow": "↔", "Rightarrow": "⇒", "Leftarrow": "⇐",
	"Leftrightarrow": "⇔", "implies": "⟹", "iff": "⟺", "mapsto": "↦", "uparrow": "↑", "downarrow": "↓", "longrightarrow": "⟶",
	"dots": "…", "ldots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "colon": ":", "therefore": "∴", "because": "∵",
}

// signs are the characters that are operators as they stand. Text that holds Unicode's own is fine too: see [parser.char].
var signs = map[string]string{
	"+": "+", "-": "−", "*": "∗", "=": "=", "<": "<", ">": ">", ",": ",", ";": ";", ":": ":", ".": ".", "!": "!", "?": "?", "/": "/",
	"@": "@",
}

// largeOperators take their limits under and over them in displays; integrals beside them.
var largeOperators = map[string]string{
	"sum": "∑", "prod": "∏", "coprod": "∐", "bigcup": "⋃", "bigcap": "⋂", "bigoplus": "⨁", "bigotimes": "⨂", "bigvee": "⋁",
	"bigwedge": "⋀",
}

var integrals = map[string]string{"int": "∫", "iint": "∬", "oint": "∮"}

// functions are named functions; those of the second table take limits.
var functions = names("arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "dim", "exp", "hom", "ker", "lg",
	"ln", "log", "sec", "sin", "sinh", "tan", "tanh")

var limitFunctions = names("det", "gcd", "inf", "lim", "liminf", "limsup", "max", "min", "Pr", "sup")

func names(list ...string) map[string]string {
	m := make(map[string]string, len(list))
	for _, n := range list {
		m[n] = n
	}
	m["limsup"], m["liminf"] = "lim sup", "lim inf"
	return m
}

// delimiters are what \left, \right and \big take besides the signs themselves.
var delimiters = map[string]string{
	"(": "(", ")": ")", "[": "[", "]": "]", "|": "|", "/": "/", ".": "", "<": "⟨", ">": "⟩",
	`\{`: "{", `\}`: "}", `\lbrace`: "{", `\rbrace`: "}", `\|`: "‖", `\Vert`: "‖", `\lVert`: "‖", `\rVert`: "‖", `\vert`: "|",
	`\lvert`: "|", `\rvert`: "|", `\langle`: "⟨", `\rangle`: "⟩", `\lfloor`: "⌊", `\rfloor`: "⌋", `\lceil`: "⌈", `\rceil`: "⌉",
	`\lbrack`: "[", `\rbrack`: "]", `\backslash`: `\`, `\uparrow`: "↑", `\downarrow`: "↓", "⟨": "⟨", "⟩": "⟩", "‖": "‖",
}

// openers and closers are the delimiters that open or close wherever they stand.
var (
	openers = delimitersOf("(", "[", `\{`, `\lbrace`, `\lVert`, `\lvert`, `\langle`, `\lfloor`, `\lceil`, `\lbrack`, "⟨")
	closers = delimitersOf(")", "]", `\}`, `\rbrace`, `\rVert`, `\rvert`, `\rangle`, `\rfloor`, `\rceil`, `\rbrack`, "⟩")
)

func delimitersOf(list ...string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, n := range list {
		m[n] = true
	}
	return m
}

// sizes are the heights of \big and its like, in lines of text.
var sizes = map[string]string{"big": "1.2em", "Big": "1.623em", "bigg": "2.047em", "Bigg": "2.470em"}

// A bar is no accent to MathML, which would set it down on the letter.
var bars = delimitersOf("bar", "overline", "underline")

// accents stand over what they are given; those of the second table stretch.
var accents = map[string]string{
	"hat": "^", "check": "ˇ", "tilde": "~", "acute": "´", "grave": "`", "dot": "˙", "ddot": "¨", "breve": "˘", "bar": "‾", "vec": "→",
	"mathring": "˚",
}

var wideAccents = map[string]string{
	"widehat": "^", "widetilde": "~", "overline": "‾", "overrightarrow": "→", "overleftarrow": "←", "overbrace": "⏞",
}

var underAccents = map[string]string{"underline": "_", "underbrace": "⏟"}

// spaces are widths.
var spaces = map[string]string{
	",": thinSpace, "thinspace": thinSpace, ":": "0.2222em", ">": "0.2222em", "medspace": "0.2222em", ";": "0.2778em",
	"thickspace": "0.2778em", "!": "-0.1667em", "negthinspace": "-0.1667em", " ": "0.3333em", "nobreakspace": "0.3333em", "enspace": "0.5em",
	"quad": "1em", "qquad": "2em",
}

// ignored change nothing that MathML would need to be told.
var ignored = delimitersOf("displaystyle", "textstyle", "scriptstyle", "nonumber", "notag")

// environments of \begin, with the delimiters around them.
var environments = map[string][2]string{
	"matrix": {"", ""}, "pmatrix": {"(", ")"}, "bmatrix": {"[", "]"}, "Bmatrix": {"{", "}"}, "vmatrix": {"|", "|"},
	"Vmatrix": {"‖", "‖"}, "smallmatrix": {"", ""}, "cases": {"{", ""}, "aligned": {"", ""}, "align*": {"", ""}, "gathered": {"", ""},
}
