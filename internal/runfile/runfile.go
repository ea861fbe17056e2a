// Package runfile reads and writes run files: what became of each scenario of one run,
// written while the run goes on, so that reports, reruns and comparisons can be made from
// it later.
//
// A run file is a sequence of JSON objects, one a line. The key "record" of each says what
// it holds: "run" (the first line), "feature", "scenario", "comparison" or "end" (the last
// line). docs/runfile.md lists the keys. A [Writer] appends each record with one write
// call when it is known, so that a program that is killed leaves every scenario that had
// ended; a [Reader] takes such a file. The package runs nothing and renders nothing.
package runfile

// FormatName and Version stand in the first record of a run file. The version changes
// where a reader of the version before would misunderstand a file; a new key is no reason.
const (
	FormatName = "omniloader run"
	Version    = 1
)

// DefaultPath is where a run file is written unless another place is named.
const DefaultPath = ".omniloader/last-run.json"

// What a reader takes at most. The longest line that is expected is that of a feature of
// 8 MiB whose characters all have to be escaped.
const (
	MaxLine    = 64 << 20  // bytes of one record
	MaxRecords = 1_000_000 // of one file
	MaxFile    = 1 << 30   // bytes of a file that is read as a whole
	MaxShards  = 10_000    // of one run
)

// maxLine is MaxLine, and less in tests.
var maxLine = MaxLine

// What a scenario's record holds at most. Scenario.Cut says what was left out of it.
const (
	MaxMessage   = 1 << 20 // bytes of a failure's message, and of each other text about it
	MaxStack     = 64 << 10
	MaxAnswer    = 64 << 10
	MaxTreeFiles = 200
)
