package suite

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

var (
	mutationSeed  = flag.Uint64("mutation-seed", 1, "the seed of the mutations of a feature file")
	mutationCount = flag.Int("mutations", 100, "how many mutations are tried")
)

// mutated is a feature that passes, with something of every kind that a feature can have.
const mutated = `@detection
Feature: What a chat service relies on
  Text that describes the feature, given that there is one,
  and that is read by people.

  Background:
    Given the checkpoint "llama-2-7b"

  @iterations:3
  Scenario: The model is known
    It is the one of the first service.

    When the model info is read
    Then the architecture is "LlamaForCausalLM"
    And the model type is "llama"
    And the category is "transformers"
    And the model is supported
    And the p95 latency is below 10 s

  Scenario: A config of one's own
    Given the file "config.json" holds:
      """json
      {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"}
      """
    And without "generation_config.json"
    And the file "notes.md" holds:
      """markdown
      # Notes
      Some words on the model.
      """
    When the model info is read
    Then the architecture is "Qwen3ForCausalLM"
    But the model is supported

  # A comment.
  Scenario: A class of one's own
    Given these classes are registered:
      | class           | category     |
      | OursForCausalLM | transformers |
      | OursForMaskedLM | transformers |
    And the config has "architectures" set to ["OursForCausalLM"]
    When the model info is read
    Then the architecture is "OursForCausalLM"
    And the model is supported

  Rule: Damage is reported

    Background:
      Given without "generation_config.json"

    @slow
    Scenario Outline: A cut <what>
      Given "<file>" is cut to <bytes> bytes
      When the checkpoint is inspected
      Then an error "<code>" is reported

      @shards
      Examples: weights
        | what  | file                             | bytes | code              |
        | shard | model-00001-of-00002.safetensors | 100   | weights-truncated |
        | other | model-00002-of-00002.safetensors | 200   | weights-truncated |

      Examples: others
        | what  | file                         | bytes | code             |
        | index | model.safetensors.index.json | 100   | index-unreadable |

    Scenario: Nothing else
      When the checkpoint is inspected
      Then no error is reported
      And the weights are complete
`

// mutationRun is what became of a feature.
type mutationRun struct {
	thens  int   // Then steps that were judged
	steps  int   // that were carried out
	failed int   // scenarios
	err    error // what could not be judged, and why
	left   []outcome.LeftOut
}

// judgeText runs the text of a feature with the built-in loader.
func judgeText(t *testing.T, name, text string) mutationRun {
	t.Helper()
	loaded, err := LoadFS(t.Context(), fstest.MapFS{name: {Data: []byte(text)}}, "")
	if err != nil {
		require.True(t, IsProblem(err), "%v", err)
		return mutationRun{err: err}
	}
	plan, err := Select(loaded, Selection{})
	if err != nil {
		require.True(t, IsProblem(err), "%v", err)
		return mutationRun{err: err}
	}
	run, err := plan.Run(t.Context(), Options{Setup: &steps.Setup{
		Loader: builtin.New("test"), Plan: bench.Plan{Iterations: 1}, TimeNotJudged: "this is a test", MemoryNotJudged: "this is a test",
	}})
	if err != nil {
		require.True(t, IsProblem(err), "%v", err)
		return mutationRun{err: err}
	}
	result := mutationRun{failed: run.Totals().Failed, err: Unjudged(run), left: run.LeftOut}
	for _, s := range plan.Scenarios() {
		kinds := plan.kinds(s)
		for _, f := range run.Features {
			for _, o := range f.Scenarios {
				if o.Line != s.Line {
					continue
				}
				for i, step := range o.Steps {
					if step.Status != outcome.Skipped {
						result.steps++
					}
					if kinds[i] == messages.PickleStepType_OUTCOME && (step.Status == outcome.Passed || step.Status == outcome.Failed) {
						result.thens++
					}
				}
			}
		}
	}
	return result
}

var (
	mutationKeyword  = regexp.MustCompile(`^(\s*(?:\* |#+ )?)(Feature:|Rule:|Background:|Scenario Outline:|Scenario:|Examples:|Given|When|Then|And|But)`)
	mutationKeywords = strings.Split("Feature:|Rule:|Background:|Scenario Outline:|Scenario:|Examples:|Given|When|Then|And|But|*|Test:|given|then|scenario:|examples:|", "|")
)

// mutationDecorations are what people write around a line.
var mutationDecorations = []string{"1. %s", `"%s"`, "// %s", "(%s)", "> %s", "- [ ] %s", "_%s_", "`%s`", "<li>%s</li>", "[%s](x)", "Also %s", "TODO: %s", "%s "}

const mutationLetters = `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 :"|@<>*\_-.` + "`\t\u00a0\u200b"

// mutate changes one thing in a text, and says what. Lines that begin with the sign of a
// comment stay.
func mutate(r *rand.Rand, text, comment string) (changed, what string) {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n")+"\n", "\n")
	lines = lines[:len(lines)-1]
	at := r.IntN(len(lines))
	for trimmed := strings.TrimSpace(lines[at]); trimmed == "" || strings.HasPrefix(trimmed, comment); trimmed = strings.TrimSpace(lines[at]) {
		at = r.IntN(len(lines))
	}
	letters := []rune(mutationLetters)
	line := []rune(strings.TrimSuffix(lines[at], "\n"))
	switch r.IntN(8) {
	case 0:
		i := r.IntN(len(line))
		line[i] = letters[r.IntN(len(letters))]
		what = "letter replaced"
	case 1:
		i := r.IntN(len(line))
		line = slices.Delete(line, i, i+1)
		what = "letter removed"
	case 2:
		line = slices.Insert(line, r.IntN(len(line)+1), letters[r.IntN(len(letters))])
		what = "letter added"
	case 3:
		for !mutationKeyword.MatchString(lines[at]) {
			at = r.IntN(len(lines))
		}
		m := mutationKeyword.FindStringSubmatch(lines[at])
		line = []rune(m[1] + mutationKeywords[r.IntN(len(mutationKeywords))] + strings.TrimSuffix(lines[at][len(m[0]):], "\n"))
		what = "keyword changed"
	case 4:
		for !strings.Contains(lines[at], "|") {
			at = r.IntN(len(lines))
		}
		cells := strings.Split(strings.TrimSuffix(lines[at], "\n"), "|")
		i := 1 + r.IntN(len(cells)-2)
		cells[i] = [...]string{" ", " x ", ` \| `, "  <what> ", cells[1+r.IntN(len(cells)-2)], " a | b "}[r.IntN(6)]
		line = []rune(strings.Join(cells, "|"))
		what = "cell changed"
	case 5:
		decoration := mutationDecorations[r.IntN(len(mutationDecorations))]
		indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], " "))]
		line = []rune(indent + fmt.Sprintf(decoration, strings.TrimSpace(lines[at])))
		what = "decorated"
	default:
		moved := lines[at]
		rest := slices.Delete(slices.Clone(lines), at, at+1)
		to := r.IntN(len(rest) + 1)
		if i := slices.IndexFunc(rest, func(l string) bool { return strings.Contains(l, "# Notes") }); i >= 0 && r.IntN(2) == 0 {
			to = i + r.IntN(2) // into the doc string
			if m := mutationKeyword.FindStringSubmatch(moved); m != nil && !strings.HasSuffix(m[2], ":") {
				keyword := [...]string{m[2], "*", "", "* " + m[2], strings.ToUpper(m[2])}[r.IntN(5)]
				moved = strings.TrimRight(m[1]+keyword, " ") + moved[len(m[0]):]
			}
		}
		return strings.Join(slices.Insert(rest, to, moved), ""), fmt.Sprintf("line %d moved to %d: %q", at+1, to+1, moved)
	}
	what = fmt.Sprintf("%s in line %d: %q became %q", what, at+1, lines[at], string(line))
	lines[at] = string(line) + "\n"
	return strings.Join(lines, ""), what
}

var mutationHeading = regexp.MustCompile(`^(\s*)(Feature|Rule|Background|Scenario Outline|Scenario|Examples):`)

// inMarkdown writes a feature in Markdown.
func inMarkdown(text string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(text) {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(trimmed, `"""`) && fence == "":
			fence = strings.Replace(trimmed, `"""`, "```", 1)
			b.WriteString("  " + fence)
		case strings.HasPrefix(trimmed, `"""`):
			fence = ""
			b.WriteString("  ```\n")
		case fence != "" || strings.HasPrefix(trimmed, "|"):
			b.WriteString("  " + trimmed)
		case mutationHeading.MatchString(line):
			b.WriteString(strings.Repeat("#", 1+(len(line)-len(trimmed))/2) + " " + trimmed)
		case strings.HasPrefix(trimmed, "@"):
			b.WriteString("`" + strings.TrimSpace(trimmed) + "`\n")
		case mutationKeyword.MatchString(line) && strings.HasPrefix(line, "    "):
			b.WriteString("* " + trimmed)
		case strings.HasPrefix(trimmed, "#"):
			b.WriteString("<!-- " + strings.TrimSpace(trimmed) + " -->\n")
		default:
			b.WriteString(trimmed)
		}
	}
	return b.String()
}

// Whatever is changed in a feature, the run judges as many Then steps as before, or something
// fails, or what could not be judged is told with its place.
func TestNothingIsLostWithoutAWord(t *testing.T) {
	t.Run("Gherkin", func(t *testing.T) { nothingIsLost(t, "a.feature", mutated, *mutationCount) })
	t.Run("Markdown", func(t *testing.T) { nothingIsLost(t, "a.feature.md", inMarkdown(mutated), *mutationCount/3) })
}

func nothingIsLost(t *testing.T, name, source string, count int) {
	comment := "#"
	if strings.HasSuffix(name, ".md") {
		comment = "<!--"
	}
	original := judgeText(t, name, source)
	require.NoError(t, original.err)
	require.Zero(t, original.failed)
	require.Empty(t, original.left)
	require.Equal(t, 5+2+2+3+2, original.thens)
	t.Logf("-mutation-seed %d -mutations %d", *mutationSeed, *mutationCount)
	if testing.Short() || RaceDetector {
		count = min(count, 200)
	}
	r := rand.New(rand.NewPCG(*mutationSeed, 0))
	place := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `(:[0-9]+)*: `)
	counts := map[string]int{}
	for range count {
		text, what := mutate(r, source, comment)
		result := judgeText(t, name, text)
		switch {
		case result.err != nil:
			counts["not judged"]++
			assert.Regexp(t, place, result.err.Error(), "%s", what)
		case result.failed > 0:
			counts["failed"]++
		default:
			counts["passed"]++
			assert.GreaterOrEqual(t, result.thens, original.thens, "lost without a word: %s", what)
			if !strings.HasPrefix(what, "line") { // a step of a background that is moved stands for fewer
				assert.GreaterOrEqual(t, result.steps, original.steps, "lost without a word: %s", what)
			}
		}
	}
	t.Log(counts)
	if count >= 100 { // fewer need not have a change that fails
		assert.Len(t, counts, 3, "every outcome")
	}
}
