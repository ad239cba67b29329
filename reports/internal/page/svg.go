package page

import (
	"bytes"
	"strings"
)

// inlineSVG makes an SVG file fit to stand in a page with others: no declaration, and every id, and every reference to one, with a
// prefix. Text is left alone: only what stands inside of tags is looked at.
func inlineSVG(svg []byte, prefix string) []byte {
	var out bytes.Buffer
	for len(svg) > 0 {
		i := bytes.IndexByte(svg, '<')
		if i < 0 {
			break // only white space follows the last tag
		}
		out.Write(svg[:i])
		n := tagLength(svg[i:])
		if tag := svg[i : i+n]; bytes.HasPrefix(tag, []byte("<?")) || bytes.HasPrefix(tag, []byte("<!")) {
			out.Reset() // what precedes the root: declarations and white space
		} else {
			out.WriteString(prefixed(string(tag), prefix))
		}
		svg = svg[i+n:]
	}
	return bytes.TrimSpace(out.Bytes())
}

// tagLength is the length of a tag, whose quoted values may hold anything.
func tagLength(s []byte) int {
	var quote byte
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(s)
}

// prefixed rewrites the attributes of a tag that hold ids.
func prefixed(tag, prefix string) string {
	var out strings.Builder
	for {
		i := strings.IndexAny(tag, `"'`)
		if i < 0 {
			return out.String() + tag
		}
		j := strings.IndexByte(tag[i+1:], tag[i])
		if j < 0 {
			return out.String() + tag
		}
		name := strings.TrimSuffix(tag[:i], "=")
		name = name[strings.LastIndexAny(name, " \t\n")+1:]
		value := tag[i+1 : i+1+j]
		switch {
		case name == "id":
			value = prefix + value
		case strings.HasPrefix(name, "aria-"):
			ids := strings.Fields(value)
			for k := range ids {
				ids[k] = prefix + ids[k]
			}
			value = strings.Join(ids, " ")
		case name == "href" || name == "xlink:href":
			value = strings.Replace(value, "#", "#"+prefix, 1)
		default:
			value = strings.ReplaceAll(value, "url(#", "url(#"+prefix)
		}
		out.WriteString(tag[:i+1] + value + tag[i:i+1])
		tag = tag[i+j+2:]
	}
}
