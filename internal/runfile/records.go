package runfile

import (
	"fmt"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

// The values of the key "record".
const (
	recordRun        = "run"
	recordFeature    = "feature"
	recordScenario   = "scenario"
	recordComparison = "comparison"
	recordEnd        = "end"
)

// Header is the first record: what is known of a run before its first scenario. Create
// fills in Format, FormatVersion and an empty RunID.
type Header struct {
	Format        string    `json:"format"`
	FormatVersion int       `json:"format_version"`
	RunID         string    `json:"run_id"`            // random, of this file
	Version       string    `json:"version,omitempty"` // of omniloader
	Started       time.Time `json:"started,omitzero"`
	Host          Host      `json:"host"`
	Commit        string    `json:"commit,omitempty"`  // that is tested
	Workers       int       `json:"workers,omitempty"` // functional scenarios that ran in parallel, at most
	Order         string    `json:"order,omitempty"`   // "defined" or "random"
	Seed          string    `json:"seed,omitempty"`    // of a random order
	Loaders       []Loader  `json:"loaders,omitempty"`
	Selection     Selection `json:"selection"`
	Planned       int       `json:"planned"`                 // scenarios to run, once for each loader and model
	PlanIDs       []string  `json:"plan_ids,omitempty"`      // of the scenarios to run, in the order of reports
	PlanHash      string    `json:"plan_hash,omitempty"`     // see PlanHash: of all shards together
	FeaturesHash  string    `json:"features_hash,omitempty"` // see FeaturesHash: of all shards together
	LeftOut       []LeftOut `json:"left_out,omitempty"`      // by the selection
	// Shards are the runs that a merged file was made of, by their index. A merged file has
	// in Host what all their hosts have in common.
	Shards []ShardRun `json:"shards,omitempty"`
}

// Host is the machine and the program, as a results file has them.
type Host struct {
	Time        time.Time      `json:"time,omitzero"`
	GoVersion   string         `json:"go_version,omitempty"`
	Platform    string         `json:"platform,omitempty"` // "linux/amd64"
	Environment map[string]any `json:"environment,omitempty"`
}

// Loader is a loader under test.
type Loader struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Selection says which scenarios were asked for.
type Selection struct {
	Paths      []Text   `json:"paths,omitempty"` // as on the command line; none for the built-in scenarios
	Tags       string   `json:"tags,omitempty"`  // a tag expression
	Categories []string `json:"categories,omitempty"`
	Name       string   `json:"name,omitempty"`   // a regular expression
	Models     []Text   `json:"models,omitempty"` // directories of real checkpoints
	Shard      *Shard   `json:"shard,omitempty"`
	RerunOf    string   `json:"rerun_of,omitempty"` // run_id of the run whose failures were asked for
}

// Shard is one part of a run that several processes share.
type Shard struct {
	Index int `json:"index"` // from 1
	Total int `json:"total"`
	// DurationsHash is that of the file by whose durations the run was divided, "" where
	// there was none. See ReadDurations.
	DurationsHash string `json:"durations_hash,omitempty"`
}

// String is how the flag --shard has it: "3/8".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Total) }

// ShardRun is one of the runs that a merged file was made of.
type ShardRun struct {
	Index    int           `json:"index"`  // from 1
	RunID    string        `json:"run_id"` // of its run file
	Started  time.Time     `json:"started,omitzero"`
	Duration time.Duration `json:"duration_ns"`
	Workers  int           `json:"workers,omitempty"`
	Planned  int           `json:"planned"`
	Host     Host          `json:"host"`
}

// LeftOut counts scenarios, or files, that were not run.
type LeftOut = outcome.LeftOut

// Problem is a reason why something could not be judged.
type Problem struct {
	URI     Text   `json:"uri,omitempty"`    // the feature file; "" if the problem is not in a file
	Line    int    `json:"line,omitempty"`   // in that file, from 1
	Column  int    `json:"column,omitempty"` // in that line, in characters from 1
	Code    string `json:"code,omitempty"`   // the rule that it breaks
	Message Text   `json:"message"`
	Hint    Text   `json:"hint,omitempty"` // the way out
}

// Feature is a feature file. Its record stands before those of its scenarios.
type Feature struct {
	URI         Text   `json:"uri"` // as reports show it
	Keyword     string `json:"keyword,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Line        int    `json:"line,omitempty"`
	Tags        []Tag  `json:"tags,omitempty"`
	Source      Text   `json:"source,omitempty"` // the file, without a byte order mark
	// Position is its place among all features of the plan, from 1: the order of reports. A
	// shard has only some of them.
	Position int `json:"position,omitempty"`
	// Problems are those of the file, and of parts of it that are no scenario.
	Problems []Problem `json:"problems,omitempty"`
}

// Tag is a tag with its line.
type Tag struct {
	Name string `json:"name"` // with the @
	Line int    `json:"line,omitempty"`
}

// Scenario is what became of one scenario, or of one row of an outline's Examples, with one
// loader and one model. A later record with the same ID, Loader and Model replaces an
// earlier one: the scenario was measured again, or the benchmark was sampled later.
type Scenario struct {
	ID string `json:"id"` // see Identity
	// The identity.
	File   Text   `json:"file"` // cleaned, with slashes
	Rule   string `json:"rule,omitempty"`
	Name   string `json:"name"`
	Row    []Cell `json:"row,omitempty"`
	Number int    `json:"number,omitempty"`

	Loader      string `json:"loader,omitempty"` // "" for the built-in one
	Model       Text   `json:"model,omitempty"`  // the real checkpoint's directory, "" where there is none
	URI         Text   `json:"uri"`              // of its feature record
	Position    int    `json:"position"`         // among all scenarios of the plan, from 1; the order of reports
	Keyword     string `json:"keyword,omitempty"`
	Description string `json:"description,omitempty"`
	Line        int    `json:"line,omitempty"`    // of the row where it is one, else of the scenario
	Outline     int    `json:"outline,omitempty"` // line of the Scenario Outline, 0 for a plain scenario
	Tags        []Tag  `json:"tags,omitempty"`    // its own and inherited

	Status     outcome.Status `json:"status"`
	SkipReason Text           `json:"skip_reason,omitempty"`
	Problems   []Problem      `json:"problems,omitempty"` // why it could not be judged, if that was known before it ran
	Failure    *Failure       `json:"failure,omitempty"`  // of the last attempt, if no step failed
	Started    time.Time      `json:"started,omitzero"`   // of the first attempt
	Duration   time.Duration  `json:"duration_ns"`        // of all attempts
	Steps      []Step         `json:"steps,omitempty"`    // as in the last attempt
	Attempts   []Attempt      `json:"attempts,omitempty"`

	Benchmark *bench.Result     `json:"benchmark,omitempty"`  // as in a results file
	Warnings  []Text            `json:"warnings,omitempty"`   // notes on the measurement
	NotJudged []bench.NotJudged `json:"not_judged,omitempty"` // bounds
	Evidence  *Evidence         `json:"evidence,omitempty"`   // of a failure
	Cut       []string          `json:"cut,omitempty"`        // what is missing here because it was too large, for people
}

// Cell is one value of an Examples row.
type Cell struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// Attempt is one time that a scenario was carried out.
type Attempt struct {
	Start    time.Duration  `json:"start_ns"` // after the scenario's start
	Duration time.Duration  `json:"duration_ns"`
	Worker   int            `json:"worker"` // which of the parallel ones, from 1; 0 if not known
	Status   outcome.Status `json:"status"`
	// Steps are those of an attempt before the last: one for each of the scenario's steps.
	Steps []StepResult `json:"steps,omitempty"`
	// Failure is that of an attempt before the last, if no step failed in it.
	Failure *Failure `json:"failure,omitempty"`
}

// StepResult is what became of a step in one attempt.
type StepResult struct {
	Status   outcome.Status `json:"status"`
	Start    *time.Duration `json:"start_ns,omitempty"` // after the scenario's start; nil where it was not carried out
	Duration time.Duration  `json:"duration_ns,omitempty"`
	Failure  *Failure       `json:"failure,omitempty"`
}

// The kinds of step. And, But and * have the kind of the definition that matches.
const (
	Given = "given"
	When  = "when"
	Then  = "then"
)

// Step is one step of a scenario with what became of it.
type Step struct {
	Kind       string     `json:"kind,omitempty"`
	Keyword    string     `json:"keyword"` // as written, with the space behind it: "And "
	Text       string     `json:"text"`    // with the outline's values filled in
	Line       int        `json:"line,omitempty"`
	Background bool       `json:"background,omitempty"`
	DocString  *DocString `json:"doc_string,omitempty"`
	Table      [][]string `json:"table,omitempty"`
	Definition string     `json:"definition,omitempty"` // where the step is defined: "steps/then.go:31"
	Pattern    string     `json:"pattern,omitempty"`    // the regular expression that matched
	StepResult
}

// DocString is the text block below a step.
type DocString struct {
	MediaType string `json:"media_type,omitempty"`
	Content   string `json:"content"`
	Line      int    `json:"line,omitempty"`
}

// Failure says why a step, or a scenario of which no step failed, did not pass.
type Failure struct {
	Message   Text `json:"message"`
	Hint      Text `json:"hint,omitempty"` // the way out
	Expected  Text `json:"expected,omitempty"`
	Got       Text `json:"got,omitempty"`
	DecidedBy Text `json:"decided_by,omitempty"` // the rule and the file that the value comes from
	Stack     Text `json:"stack,omitempty"`      // of a panic
}

// Evidence is what a failed scenario was judged on.
type Evidence struct {
	Tree      *Tree    `json:"tree,omitempty"`       // files of the checkpoint
	Operation string   `json:"operation,omitempty"`  // the operation that was called
	Answer    *Excerpt `json:"answer,omitempty"`     // its answer, as JSON text
	DecidedBy Text     `json:"decided_by,omitempty"` // the rule and the file that detection used, where the answer says it
}

// Tree is a directory with the files below it.
type Tree struct {
	Root  Text       `json:"root"`
	Files []TreeFile `json:"files,omitempty"` // sorted by path, at most MaxTreeFiles
	More  int        `json:"more,omitempty"`  // files that are not listed; at least so many where Open
	Open  bool       `json:"open,omitempty"`  // there are more than were counted
}

// TreeFile is a file, or what else is no directory.
type TreeFile struct {
	Path    Text   `json:"path"` // below the root
	Size    int64  `json:"size"` // in bytes
	Problem string `json:"problem,omitempty"`
}

// End is the last record. A file without one is of a run that was killed.
type End struct {
	Ended       time.Time              `json:"ended,omitzero"`
	Duration    time.Duration          `json:"duration_ns"`
	Interrupted bool                   `json:"interrupted,omitempty"` // by the user
	Error       Text                   `json:"error,omitempty"`       // that ended the run early
	Problems    []Problem              `json:"problems,omitempty"`    // of the run, that belong to no feature
	Scenarios   int                    `json:"scenarios"`             // that ended
	Statuses    map[outcome.Status]int `json:"statuses,omitempty"`    // how many of them ended how
	LeftOut     []LeftOut              `json:"left_out,omitempty"`    // selected and not run
	NotRun      []Text                 `json:"not_run,omitempty"`     // the places of those scenarios, "FILE:LINE"
	Lost        int                    `json:"lost,omitempty"`        // records that could not be written
}

// key tells the results in a file from each other.
type key struct {
	id, loader string
	model      Text
}

func (s *Scenario) key() key { return key{s.ID, s.Loader, s.Model} }
