package outcome

// Event is something that happened in a run, for showing its progress. Exactly one
// of its fields is set.
type Event struct {
	Selected *Selection // once, before the first scenario
	Started  *Scenario  // a scenario starts; only what is known before is filled in
	Ended    *Scenario  // a scenario has ended
}

// Selection says how much was selected to run.
type Selection struct {
	Scenarios int
}

// Listener takes the events of a run. It is called from one goroutine at a time, between
// scenarios and never while one is measured, and must return quickly.
type Listener func(Event)
