package reports

import (
	"strings"

	"kappa/experiments"
)

// part is a piece of a report's body: what one cell of the spec became, or what stands before and behind the cells. Other formats than
// Markdown are made of these.
type part struct {
	kind string // prose | figure | table | claim, or one of those below
	cell experiments.Cell
	text string // Markdown, as it stands in the body
}

// The parts that come from no cell.
const (
	headPart     = "head"
	claimsPart   = "claims"
	warningsPart = "warnings"
)

func joined(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return b.String()
}
