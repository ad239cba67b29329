package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// item is one published file on its way: what is known of its bytes before they come.
type item struct {
	name   string // in the data folder, as published
	remote string // at a mirror
	// bytes is how many there are, −1 if a mirror may have compressed the file in its own way.
	bytes int64
	plain int64 // bytes of the uncompressed content
	limit int64 // no copy is longer
	room  int64 // bytes that are needed on the disk besides the file itself
	// finish takes a part that has come to its end to its place. A *contentError says that it is something else.
	finish func(context.Context, *part) error
}

// most is how many bytes a gzip file of n bytes can have: stored as they are in blocks, with the longest header.
func most(n int64) int64 { return n + n/1000 + 4096 }

// leastRatio is how much DEFLATE can shrink anything.
const leastRatio = 1032

// accept refuses an answer that cannot be the file, by its length (−1: not known) and its first bytes.
func (it item) accept(total int64, start []byte) error {
	if text := bytes.ToLower(bytes.TrimLeft(start, "\ufeff \t\r\n")); bytes.HasPrefix(text, []byte("<!doctype")) || bytes.HasPrefix(text, []byte("<html")) {
		return &answerError{"the server sends a page of HTML, not the file"}
	}
	if len(start) == 0 {
		return &answerError{"the server sends nothing"}
	}
	want, exact := it.plain, true
	if bytes.HasPrefix(start, gzipMagic) {
		want, exact = it.bytes, it.bytes >= 0
	}
	switch {
	case total < 0:
		return nil
	case exact && total != want:
		return &answerError{fmt.Sprintf("the server sends %d bytes, %d are expected", total, want)}
	case total > it.limit:
		return &answerError{fmt.Sprintf("the server sends %d bytes, at most %d can be right", total, it.limit)}
	case !exact && total < it.plain/leastRatio:
		return &answerError{fmt.Sprintf("the server sends %d bytes, too few for a file of %d", total, it.plain)}
	}
	return nil
}

// get asks one address once for what is missing of a part, and appends what comes. It returns nil when the answer came to its
// end; the part may be short of the file all the same.
func (g *getter) get(ctx context.Context, p *part, it item, url string) error {
	if p.from.URL != url || p.size > it.limit {
		if err := p.reset(); err != nil {
			return err
		}
	}
	if p.size > 0 && p.size == p.from.Total {
		return nil // all of it came before
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(g.Idle, func() { cancel(&idleError{g.Idle}) })
	defer silence.Stop()
	reason := func(err error) error {
		if ctx.Err() != nil {
			if idle, ok := errors.AsType[*idleError](context.Cause(ctx)); ok {
				return idle
			}
			return ended(ctx)
		}
		return requestError(err)
	}

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "kappa")
	req.Header.Set("Accept-Encoding", "identity") // so that positions in the file are positions in the answer
	if p.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
		if v := p.from.validator(); v != "" {
			req.Header.Set("If-Range", v)
		}
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return reason(err)
	}
	defer resp.Body.Close()
	total, err := g.answered(p, it, resp)
	if err != nil {
		return err
	}

	body := &watched{r: resp.Body, touch: func() { silence.Reset(g.Idle) }}
	if p.size == 0 {
		start := make([]byte, 512)
		n, err := io.ReadFull(body, start)
		start = start[:n]
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return reason(err)
		}
		if strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "text/html") {
			return &answerError{"the server sends a page of HTML, not the file"}
		}
		if err := it.accept(total, start); err != nil {
			return err
		}
		if err := p.begin(originOf(url, resp, total)); err != nil {
			return err
		}
		body.r = io.MultiReader(bytes.NewReader(start), resp.Body)
	}
	p.from.Total = max(p.from.Total, total)
	if err := g.room(p, it, total); err != nil {
		return err
	}
	return g.append(p, it, url, body, reason)
}

// append copies an answer to the end of a part.
func (g *getter) append(p *part, it item, url string, body io.Reader, reason func(error) error) error {
	buffer := make([]byte, bufferBytes)
	for {
		n, err := body.Read(buffer)
		if p.size+int64(n) > it.limit {
			return &answerError{fmt.Sprintf("the server sends more than %d bytes, which cannot be right", it.limit)}
		}
		if _, e := p.Write(buffer[:n]); e != nil {
			return e
		}
		if n > 0 {
			g.reached = max(g.reached, p.size)
			g.tell(Event{Kind: Progress, File: it.name, URL: url, Done: p.size, Total: p.from.Total})
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return reason(err)
		}
	}
}

// answered looks at the head of an answer: whether it goes on where the part ends or begins anew, for which it empties the
// part. It returns the length of the whole file, −1 if the server does not say.
func (g *getter) answered(p *part, it item, resp *http.Response) (total int64, err error) {
	anew := func(why string) error {
		if err := p.reset(); err != nil {
			return err
		}
		return &changedError{why}
	}
	switch resp.StatusCode {
	case http.StatusOK:
		if p.size > 0 {
			g.tell(Event{Kind: Restarted, File: it.name, URL: p.from.URL, Done: p.size})
			if err := p.reset(); err != nil {
				return 0, err
			}
		}
		return resp.ContentLength, nil
	case http.StatusPartialContent:
		first, total, ok := contentRange(resp.Header.Get("Content-Range"))
		etag := strongETag(resp)
		switch {
		case !ok || first != p.size:
			return 0, anew(fmt.Sprintf("the server sends the range %q, %d- is expected", resp.Header.Get("Content-Range"), p.size))
		case p.from.Total >= 0 && total >= 0 && total != p.from.Total, p.from.ETag != "" && etag != "" && etag != p.from.ETag:
			return 0, anew("the file at the server has changed")
		case total < 0 && resp.ContentLength >= 0:
			total = p.size + resp.ContentLength
		}
		return total, nil
	case http.StatusRequestedRangeNotSatisfiable:
		if p.size > 0 {
			return 0, anew("the file at the server is not longer than what is here")
		}
	}
	status := &statusError{code: resp.StatusCode}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		status.after = time.Duration(min(seconds, maxRetryAfter)) * time.Second
	}
	return 0, status
}

// maxRetryAfter is how many seconds a server may ask to wait.
const maxRetryAfter = 30

// originOf notes what a server says of the version that it sends.
func originOf(url string, resp *http.Response, total int64) origin {
	return origin{URL: url, ETag: strongETag(resp), LastModified: resp.Header.Get("Last-Modified"), Total: total}
}

// strongETag is the entity tag of an answer; "" if it is weak, and does not vouch for every byte.
func strongETag(resp *http.Response) string {
	if tag := resp.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return ""
}

// validator is what If-Range asks for; "" if the server gave nothing.
func (o origin) validator() string {
	if o.ETag != "" {
		return o.ETag
	}
	return o.LastModified
}

// contentRange reads "bytes FIRST-LAST/TOTAL", where TOTAL may be "*", which gives −1.
func contentRange(s string) (first, total int64, ok bool) {
	rest, found := strings.CutPrefix(s, "bytes ")
	span, whole, slash := strings.Cut(rest, "/")
	from, to, dash := strings.Cut(span, "-")
	if !found || !slash || !dash {
		return 0, 0, false
	}
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	total = -1
	var err3 error
	if whole != "*" {
		total, err3 = strconv.ParseInt(whole, 10, 64)
		ok = last < total
	} else {
		ok = true
	}
	return first, total, ok && err1 == nil && err2 == nil && err3 == nil && 0 <= first && first <= last
}

// room refuses a file that does not fit on the disk before it comes.
func (g *getter) room(p *part, it item, total int64) error {
	if total < 0 {
		total = it.bytes
	}
	need := max(total, p.size) - p.size + it.room
	if free, ok := g.free(); ok && free < need {
		return &DiskFullError{Path: g.folder.path(it.name), Need: need, Free: free}
	}
	return nil
}

// watched tells of every byte that comes.
type watched struct {
	r     io.Reader
	touch func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.touch()
	}
	return n, err
}
