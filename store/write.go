package store

import (
	"context"
	"database/sql"
	"os"
	"time"
)

// write runs f in one BEGIN IMMEDIATE transaction. With durable the transaction is on the disk when write returns;
// without, a power cut may lose the last ones, in order.
func (db *DB) write(ctx context.Context, durable bool, f func(tx *sql.Tx) error) error {
	if db.w == nil {
		return ErrReadOnly
	}
	if how, gone := db.moved(); gone {
		if !durable {
			f = nil
		}
		return db.rescue(ctx, how, f)
	}
	return db.transact(ctx, durable, f)
}

func (db *DB) transact(ctx context.Context, durable bool, f func(tx *sql.Tx) error) error {
	c, err := db.w.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	level := "normal"
	if durable {
		level = "full"
	}
	if db.fleeting {
		level = "off"
	}
	if _, err := c.ExecContext(ctx, "PRAGMA synchronous = "+level); err != nil {
		return err
	}
	tx, err := db.begin(ctx, c, durable)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of what was not committed, also where f panics: else the connection never closes
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if fi, err := os.Stat(db.path + "-wal"); err == nil && fi.Size() >= db.logLimit && db.rescued == "" {
		db.foldLog(ctx, c)
	}
	return nil
}

// begin begins a transaction that writes. Whoever waits for the lock is not served in order of arrival: where many processes want it, one
// may come away empty-handed, and tries again, more often where what was computed would be lost.
func (db *DB) begin(ctx context.Context, c *sql.Conn, durable bool) (tx *sql.Tx, err error) {
	tries := 2
	if durable {
		tries = 6
	}
	for range tries {
		if tx, err = c.BeginTx(ctx, nil); err == nil || !isBusy(err) || ctx.Err() != nil {
			return tx, err
		}
		time.Sleep(time.Duration(1+db.self.pid%17) * time.Millisecond) // not two who wait as long, again and again
	}
	return nil, err
}
