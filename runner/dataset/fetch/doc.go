// Package fetch keeps the data folder: it fetches the files of published data sets, imports copies that somebody has already,
// and verifies what is there.
//
// A [dataset.Publication] says which files a data set consists of, by the digest of their uncompressed content, and where they
// are published. The road of one file is
//
//	mirror --Range, If-Range--> NAME.part --digest, fsync--> NAME or NAME.gz
//
// and a copy of one's own walks it from the second stage on. Nothing but a file whose content is the pinned one gets a name
// that a reader looks for. What was cut off stays as NAME.part, with NAME.part.from beside it, which says of which address and
// which version it is a part; the next fetch goes on from there. The files of a data set are written under a lock on NAME/.lock,
// so that two processes that fetch the same do it one after the other.
//
// # What is believed
//
// Nothing that a server says. Its lengths are upper bounds and reasons to refuse early, its validators (ETag, Last-Modified)
// reasons to start anew; the number of bytes that are read is bounded by what the pinned content can need, compressed and
// uncompressed; and what counts is the digest of the uncompressed content, read back from the disk. A compressed copy may
// therefore differ from the published one, and a server may have decompressed it.
//
// # What this package does not do
//
// It reads no environment and no clock but for its time limits, chooses no folder and no proxy, and prints nothing: the caller
// gives the folder, the HTTP client and a function that is told how it goes.
package fetch
