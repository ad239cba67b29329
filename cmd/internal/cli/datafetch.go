package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"kappa/runner/dataset"
	"kappa/runner/dataset/fetch"
)

// fetchFlags are the flags of data fetch.
type fetchFlags struct {
	from          string
	timeout, idle time.Duration
	quiet, asJSON bool
}

func (a *app) dataFetchCommand() *cobra.Command {
	var o fetchFlags
	c := &cobra.Command{
		Use: "fetch NAME…", Short: "Download data sets into the data folder",
		Long: `Downloads data sets from public mirrors into the data folder ("kappa data path"). What counts is
the SHA-256 of the uncompressed content, which is known: nothing else gets a file's name. Files
that are there and right are left alone. What was cut off is kept, and the same command goes on
from there. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.`,
		Example: `  kappa data fetch mnist
  kappa data fetch house-prices --from https://mirror.example.org/house_price/`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("at least one NAME is needed: `kappa data list` lists the data sets")
			}
			return nil
		},
		ValidArgsFunction: completeData,
		RunE:              run(func(ctx context.Context, args []string) error { return a.fetchData(ctx, args, o) }),
	}
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "take the files from the folder at `URL` instead of the known mirrors")
	f.DurationVar(&o.timeout, "timeout", 2*time.Hour, "give up a data set after `DURATION`")
	f.DurationVar(&o.idle, "idle", 30*time.Second, "give up a connection on which nothing came for `DURATION`")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	f.BoolVar(&o.asJSON, "json", false, "write JSON: a line of the list for each file")
	return c
}

func (a *app) fetchData(ctx context.Context, names []string, o fetchFlags) error {
	sets, err := publications(names)
	if err != nil {
		return err
	}
	switch {
	case o.from != "" && len(sets) > 1:
		return usagef("", "--from names one folder, and %d data sets are asked for: one is accepted", len(sets))
	case o.timeout <= 0 || o.idle <= 0:
		return usagef("", "--timeout and --idle: a duration above 0, such as 90s or 10m, is accepted")
	}
	if o.from != "" {
		if err := fetch.CheckAddress(o.from); err != nil {
			return usagef("", "--from: %w", err)
		}
	}
	folder, err := a.writeDataFolder()
	if err != nil {
		return err
	}
	defer folder.Close()
	var all []fetch.Finding
	var errs error
	for _, set := range sets {
		show := a.newDownload(o.quiet || o.asJSON)
		findings, err := folder.Fetch(ctx, set, fetch.Options{
			Client: downloadClient(), From: o.from, Idle: o.idle, Overall: o.timeout, Notify: show.event,
		})
		show.close()
		all = append(all, findings...)
		if errors.Is(err, context.Canceled) {
			a.said = true
			a.talk("kappa: interrupted%s; the same command goes on from here", show.kept())
			return context.Canceled
		}
		if err != nil {
			errs = joined(errs, dataFailure(err))
			if _, full := errors.AsType[*fetch.DiskFullError](err); full {
				break
			}
			continue
		}
		if !o.asJSON {
			fmt.Fprintln(a.env.Stdout, fetched(set, findings, folder.Dir()))
		}
	}
	if o.asJSON {
		if err := a.list(findingGrid(all), true); err != nil {
			return err
		}
	}
	return errs
}

// downloadClient asks servers for the bytes of a file as they lie there.
func downloadClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	return &http.Client{Transport: transport}
}

// fetched says what became of a data set.
func fetched(p dataset.Publication, findings []fetch.Finding, dir string) string {
	n, bytes := 0, int64(0)
	for _, f := range findings {
		if f.State == fetch.Fetched {
			n++
			bytes += f.Bytes
		}
	}
	there := len(findings) - n
	switch {
	case n == 0:
		return fmt.Sprintf("%s: %s, here already, in %s", p.Name, counted(there, "file"), dir)
	case there > 0:
		return fmt.Sprintf("%s: %s fetched (%s), %d here already, in %s", p.Name, counted(n, "file"), fetch.Size(bytes), there, dir)
	}
	return fmt.Sprintf("%s: %s fetched (%s), in %s", p.Name, counted(n, "file"), fetch.Size(bytes), dir)
}

// findingGrid lists what was found out about files.
func findingGrid(findings []fetch.Finding) *grid {
	g := &grid{columns: []string{"name", "file", "state", "bytes", "from", "why"}}
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	for _, f := range findings {
		var why any
		if f.Err != nil {
			why = f.Err.Error()
		}
		var bytes any
		if f.Bytes > 0 {
			bytes = f.Bytes
		}
		g.add(text(f.Set), text(f.File), string(f.State), bytes, text(f.From), why)
	}
	return g
}
