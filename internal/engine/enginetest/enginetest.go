// Package enginetest runs the text of a feature with an engine, for tests of steps.
package enginetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// Feature is the text of a feature file, with the URI that its scenarios have. The URI is
// "a.feature" if it is "".
type Feature struct {
	URI, Text string
}

// Run runs every scenario of the features in up to jobs goroutines. attach registers the
// steps and hooks of one scenario. status is 0 if all scenarios passed or were skipped,
// else 1; output has a line for each step, with its status and error.
func Run(t *testing.T, e *engine.Engine, features []Feature, jobs int, attach func(*engine.Scope, *engine.Scenario)) (status int, output string) {
	t.Helper()
	var scenarios []*engine.Scenario
	for _, f := range features {
		uri := f.URI
		if uri == "" {
			uri = "a.feature"
		}
		parsed, err := engine.Parse(t.Context(), uri, []byte(f.Text))
		require.NoError(t, err)
		for s := range parsed.Scenarios() {
			scenarios = append(scenarios, s)
		}
	}
	lines := make([]string, len(scenarios))
	failed := make([]bool, len(scenarios))
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, jobs) {
		workers.Go(func() {
			for i := range next {
				lines[i], failed[i] = one(t.Context(), e, scenarios[i], attach)
			}
		})
	}
	for i := range scenarios {
		next <- i
	}
	close(next)
	workers.Wait()
	for _, f := range failed {
		if f {
			status = 1
		}
	}
	return status, strings.Join(lines, "")
}

// one runs one scenario.
func one(ctx context.Context, e *engine.Engine, s *engine.Scenario, attach func(*engine.Scope, *engine.Scenario)) (output string, failed bool) {
	result := e.Run(ctx, s.Pickle, func(scope *engine.Scope) { attach(scope, s) }, engine.Options{})
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.Pickle.Name, result.Status)
	attempt := result.Attempts[len(result.Attempts)-1]
	if attempt.Err != nil {
		fmt.Fprintf(&b, "  %v\n", attempt.Err)
	}
	for i, step := range attempt.Steps {
		fmt.Fprintf(&b, "  %s: %s", s.Pickle.Steps[i].Text, step.Status)
		if step.Err != nil {
			fmt.Fprintf(&b, ": %v", step.Err)
		}
		b.WriteByte('\n')
	}
	return b.String(), result.Status != engine.Passed && result.Status != engine.Skipped
}
