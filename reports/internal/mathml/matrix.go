package mathml

import "strings"

// matrix reads \begin{name} … \end{name}.
func (p *parser) matrix(t token, depth int) (node, *Error) {
	name, err := p.name(t)
	if err != nil {
		return node{}, err
	}
	around, ok := environments[name]
	columns := ""
	switch {
	case name == "array":
		if columns, err = p.name(t); err != nil {
			return node{}, err
		}
		if strings.Trim(columns, "lcr") != "" {
			return node{}, errorf(t.at, "the columns %s of an array are not known: want l, c and r", columns)
		}
	case !ok:
		return node{}, errorf(t.at, `\begin{%s} is not known`, name)
	}
	table := node{tag: "mtable"}
	row := node{tag: "mtr"}
	for {
		cell, err := p.row(depth+1, func(t token) bool {
			return t.kind == tokenCell || t.kind == tokenLine || t.kind == tokenCommand && t.text == "end"
		})
		if err != nil {
			return node{}, err
		}
		row.kids = append(row.kids, node{
			tag: "mtd", attributes: cellStyle(name, columns, len(row.kids)), kids: []node{{tag: "mrow", kids: spaced(cell)}},
		})
		end := p.next()
		if end.kind == tokenCell {
			continue
		}
		// A line break at the end begins no row.
		if last := end.kind == tokenCommand; !last || len(row.kids) > 1 || len(cell) > 0 || len(table.kids) == 0 {
			table.kids = append(table.kids, row)
		}
		row = node{tag: "mtr"}
		switch end.kind {
		case tokenLine:
			if p.is(tokenChar, "[") {
				return node{}, errorf(p.peek().at, `a distance after \\ is not known`)
			}
			continue
		case tokenCommand:
			closed, err := p.name(end)
			if err != nil {
				return node{}, err
			}
			if closed != name {
				return node{}, errorf(end.at, `\end{%s} closes \begin{%s}`, closed, name)
			}
			return surrounded(table, around), nil
		}
		return node{}, errorf(t.at, `\begin{%s} without \end{%s}`, name, name)
	}
}

// surrounded puts delimiters around a table.
func surrounded(table node, around [2]string) node {
	n := node{tag: "mrow"}
	if around[0] != "" {
		n.kids = append(n.kids, stretched(around[0], "prefix", opening))
	}
	n.kids = append(n.kids, table)
	if around[1] != "" {
		n.kids = append(n.kids, stretched(around[1], "postfix", closing))
	}
	return grouped(n.kids)
}

// cellStyle aligns a cell where its environment does not centre it.
func cellStyle(name, columns string, j int) string {
	side := byte('c')
	switch {
	case j < len(columns):
		side = columns[j]
	case name == "cases":
		side = 'l'
	case name == "aligned" || name == "align*":
		side = "rl"[j%2]
	}
	return map[byte]string{'l': ` style="text-align:left"`, 'r': ` style="text-align:right"`}[side]
}

// name reads {letters}.
func (p *parser) name(of token) (string, *Error) {
	open := p.next()
	if open.kind != tokenOpen {
		return "", errorf(of.at, "a { is missing after %s", of.shown())
	}
	var b strings.Builder
	for {
		switch t := p.next(); t.kind {
		case tokenChar:
			b.WriteString(t.text)
		case tokenClose:
			return b.String(), nil
		default:
			return "", errorf(of.at, "a name in braces is missing after %s", of.shown())
		}
	}
}
