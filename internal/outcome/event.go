package outcome

// Event is told while a run goes on, so that a person can follow it. Exactly one
// of its fields is set.
type Event struct {
	Selected *Selection // once, before the first scenario
	Started  *Scenario  // a scenario begins; only what is known beforehand is filled in
	Ended    *Scenario  // a scenario has ended
}

// Selection is how much there is to run.
type Selection struct {
	Scenarios int
}

// Listener takes the events of a run. It is called from one goroutine at a time,
// and must return quickly: between two scenarios, never while one is measured.
type Listener func(Event)
