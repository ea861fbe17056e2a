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

// Listener takes the events of a run, in their order. It is called from one goroutine at a
// time, beside the scenarios that run; before one is measured, it is waited for a moment.
type Listener func(Event)
