//go:build !linux && !darwin

package store

// Without an identity of the boot nobody is looked for: an abandoned claim ends when its signs of life do.

func bootID() string { return "" }

func processNamespace() string { return "" }

func lookUp(int) (lives bool, start string) { return true, "" }
