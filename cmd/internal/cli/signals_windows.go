package cli

func heedSizeLimit() {} // there is no such limit
