package steps

import (
	"context"
	"testing"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
)

// runScenario runs a feature with one scenario. It returns 0 if the scenario passed or was
// skipped, else 1; a line for each step; and the record.
func runScenario(t *testing.T, setup *Setup, feature string) (status int, output string, record *Record) {
	t.Helper()
	status, output = enginetest.Run(t, Engine(), []enginetest.Feature{{Text: feature}}, 1, func(scope *engine.Scope, _ *engine.Scenario) {
		scenario := setup.Register(scope)
		scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			return ctx, scenario.Begin(p, Source{})
		})
		scope.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
			return ctx, scenario.End()
		})
		record = scenario.Record()
	})
	return status, output, record
}
