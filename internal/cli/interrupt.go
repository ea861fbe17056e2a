package cli

import "context"

// runInterruptible calls work, which reads from the disk or a pipe, and gives what it
// gives, or the error of an interrupt where ctx ends first. A file system whose
// network is down may never answer, and an interrupt must not wait for that; work
// then goes on in the background until the program ends.
func runInterruptible[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, errorWithHint("", "%s", whyEnded(ctx))
	}
}
